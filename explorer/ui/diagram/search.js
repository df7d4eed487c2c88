// The diagram's search box: finds ids by a term of the field, or by name, type or shape, and goes from one to the next.
import {isTyping, latest} from '../kit/lib.js';

/** @typedef {{ids: string[], noun: string, words: string}} Found as views/diagram/terms.py says what was found */
/** @type {Found} */
const NOTHING = {ids: [], noun: '', words: ''};

/**
 * Returns a function that searches again, in a network that was drawn meanwhile.
 * @param {HTMLElement} host
 * @param {(text: string) => Promise<Found | null>} lookUp null if there is no answer
 * @param {(id: string) => void} find brings an id into view
 */
export function mountSearch(host, lookUp, find) {
  const form = host.querySelector('.rx-search'),
    field = form.querySelector('input');
  const count = form.querySelector('.rx-count'),
    turn = latest();
  let found = NOTHING;
  let place = -1;

  function go(step) {
    const {ids, noun} = found;
    if (!ids.length) return;
    place = (place + step + ids.length) % ids.length;
    count.textContent = `${place + 1} of ${ids.length} ${noun}`.trim();
    find(ids[place]);
  }

  function show(next) {
    found = next;
    place = -1;
    const shows = found.ids.length > 1 ? 'Enter shows them' : 'Enter shows it';
    count.textContent = found.ids.length ? `${found.words}, ${shows}` : found.words;
  }

  async function search() {
    const isLatest = turn(),
      text = field.value.trim();
    const answer = text ? await lookUp(text) : NOTHING;
    if (isLatest() && answer) show(answer);
  }

  field.addEventListener('input', search);
  form.addEventListener('submit', e => {
    e.preventDefault();
    go(1);
  });
  field.addEventListener('keydown', e => {
    if (e.key === 'Enter' && e.shiftKey) {
      e.preventDefault();
      go(-1);
    }
    if (e.key === 'Escape') {
      field.value = '';
      search();
      field.blur();
    }
  });
  document.addEventListener('keydown', e => {
    const isShortcut = (e.key === '/' && !isTyping(e.target)) || (e.key === 'f' && (e.ctrlKey || e.metaKey));
    if (!host.offsetParent || !isShortcut) return;
    e.preventDefault();
    field.focus();
    field.select();
  });
  return () => {
    if (field.value.trim()) search();
  };
}
