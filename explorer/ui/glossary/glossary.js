// The dialog behind "?": the glossary with a search, the keys, and "Show it", which leads to a term's place in the
// page.

import {loadTexts} from '../kit/hints.js';
import {address, ask, emit, get, isTyping, NO_RESPONSE, on, setAddress} from '../kit/lib.js';
import {reveal} from '../kit/reveal.js';
import {filterTerms} from './filter.js';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, server}) {
  const dialog = element.querySelector('dialog'),
    field = dialog.querySelector('input'),
    list = dialog.querySelector('.rx-terms'),
    count = dialog.querySelector('.rx-term-count');
  /** Shown once a network is drawn. @type {{query: string, at: string} | null} */
  let awaited = null;

  async function fill() {
    if (list.childElementCount) return;
    const texts = await loadTexts().catch(() => null);
    if (texts) list.innerHTML = texts.list;
    else count.textContent = NO_RESPONSE;
  }

  /** @param {string} [term] key */
  async function open(term = '') {
    if (!dialog.open) dialog.showModal();
    await fill();
    field.value = '';
    filter();
    setAddress({help: term});
    if (!term) return;
    const entry = list.querySelector(`#term-${CSS.escape(term)}`);
    if (!entry) {
      field.value = term; // a synonym, in a link that somebody wrote
      filter();
      return;
    }
    entry.scrollIntoView({block: 'start'});
    entry.focus({preventScroll: true});
  }

  function filter() {
    const entries = [...list.querySelectorAll('article')];
    const found = filterTerms(
      field.value,
      entries.map(({dataset: {names = '', search = ''}}) => ({names, text: search})),
    );
    entries.forEach((entry, i) => {
      entry.hidden = !found.includes(i);
    });
    for (const group of list.querySelectorAll('section')) {
      group.hidden = !group.querySelector('article:not([hidden])');
    }
    if (!entries.length) return;
    count.textContent = field.value.trim() ? `${found.length} of ${entries.length}` : `${entries.length} terms`;
    const first = entries[found[0]];
    if (field.value.trim() && first) list.scrollTop = first.offsetTop - list.offsetTop;
  }

  /** Lead to where the page shows a term. @param {string} term key */
  async function show(term) {
    const query = get('network');
    const place = await ask(server, 'locate_term', {query, term});
    if (place.error) {
      count.textContent = place.error;
      return;
    }
    dialog.close();
    if (!place.at) {
      reveal(document.querySelector(place.selector));
      return;
    }
    emit('tab', 'Architecture');
    if (place.query === query) {
      emit('select', place.at);
    } else {
      awaited = place;
      emit('put', {query: place.query, message: `The network was changed to show: ${place.name}.`});
    }
  }

  element.addEventListener('click', ({target}) => {
    const {show: term} = target.dataset;
    if (term) show(term);
    if (target === dialog) dialog.close(); // a click beside the dialog
  });
  field.addEventListener('input', filter);
  field.addEventListener('keydown', e => {
    if (e.key !== 'Escape') return;
    e.preventDefault(); // a search field would only empty itself
    dialog.close();
  });
  dialog.addEventListener('close', () => setAddress({help: null}));
  document.addEventListener('click', ({target}) => {
    if (target.closest('#rx-help-button')) open();
  });
  document.addEventListener('keydown', e => {
    if (e.key !== '?' || isTyping(e.target) || !element.isConnected) return;
    e.preventDefault();
    open();
  });
  on('help', open, element);
  on('show-term', show, element);
  on(
    'drawn',
    query => {
      const place = awaited;
      if (!place || place.query !== query) return;
      awaited = null;
      emit('select', place.at);
    },
    element,
  );
  const asked = address('help');
  if (asked !== null) open(asked);
}
