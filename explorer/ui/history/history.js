// Every network the page has shown, in order, and a place in that row; and the one way by which scripts change the
// builder: an action becomes this component's value, and its input event fills the builder's fields (builder.js).
import {ask, emit, get, on} from '../kit/lib.js';

const WRITES = 'textarea, [contenteditable], select, input:not([type=radio], [type=checkbox], [type=button])';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, props, server, trigger}) {
  const toast = element.querySelector('.rx-toast'),
    said = toast.querySelector('span');
  const past = [];
  let at = -1,
    asked = null; // asked: {query, words}, until the program has answered with that network

  function say(words, back, forth) {
    said.textContent = words;
    toast.querySelector('[data-go=back]').hidden = !back;
    toast.querySelector('[data-go=forth]').hidden = !forth;
    toast.hidden = !words;
  }

  function act(action) {
    props.value = JSON.stringify({...action, at: Date.now()});
    trigger('input');
  }

  async function put(query, words) {
    asked = {query, words};
    const answer = await ask(server, 'fields', {query});
    if (asked?.query !== query) return;
    if (answer.error) {
      asked = null;
      say(answer.error);
    } else {
      act({type: 'fields', fields: answer.fields});
    }
  }

  function go(step) {
    if (!(at + step in past)) return;
    at += step;
    put(past[at], step < 0 ? 'Undone.' : 'Done again.');
  }

  function arrived(query) {
    const words = asked?.query === query ? asked.words : '';
    // A network between two quick steps is none of its own.
    if (past[at] !== query && !(asked && !words && past.includes(query))) {
      past.length = at + 1;
      past.push(query);
      at += 1;
    }
    if (words) asked = null;
    say(words, at > 0, at < past.length - 1);
  }

  const WAYS = {back: () => go(-1), forth: () => go(1), away: () => say('')};
  toast.addEventListener('click', e => WAYS[e.target.dataset.go]?.());
  // Before anyone else hears of the click: a row would select its sum.
  document.addEventListener(
    'click',
    e => {
      const fix = e.target.closest('[data-apply]');
      if (!fix || !element.isConnected) return;
      e.stopPropagation();
      if (fix.dataset.tab) emit('tab', fix.dataset.tab);
      put(fix.dataset.apply.slice(1), fix.dataset.done);
    },
    true,
  );
  document.addEventListener('keydown', e => {
    const isUndo = (e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === 'z';
    if (!isUndo || e.target.closest?.(WRITES)) return;
    e.preventDefault();
    go(e.shiftKey ? 1 : -1);
  });
  on('action', act, element);
  on('network', arrived, element);
  if (get('network') !== undefined) arrived(get('network'));
}
