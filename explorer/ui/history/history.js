// Undo and redo: every network the page has shown. Also the one way by which scripts change the builder: an action
// becomes this component's value, and its input event fills the builder's fields (builder.js).
import {ask, emit, get, on} from '../kit/lib.js';
import {arrive, EMPTY, go} from './past.js';

const WRITES = 'textarea, [contenteditable], select, input:not([type=radio], [type=checkbox], [type=button])';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, props, server, trigger}) {
  const toast = element.querySelector('.rx-toast'),
    message = toast.querySelector('span');
  let past = EMPTY;

  function say(words = '', canGoBack = false, canGoForth = false) {
    message.textContent = words;
    toast.querySelector('[data-go=back]').hidden = !canGoBack;
    toast.querySelector('[data-go=forth]').hidden = !canGoForth;
    toast.hidden = !words;
  }

  function act(action) {
    props.value = JSON.stringify({...action, at: Date.now()});
    trigger('input');
  }

  /** Put a network into the builder.
   * @param {import('./past.js').Pending} pending */
  async function put(pending) {
    past = {...past, pending};
    const answer = await ask(server, 'fields', {query: pending.query});
    if (past.pending?.query !== pending.query) return;
    if (answer.error) {
      past = {...past, pending: null};
      say(answer.error);
    } else {
      act({type: 'fields', fields: answer.fields});
    }
  }

  function step(by) {
    const next = go(past, by);
    if (!next) return;
    past = next;
    put(next.pending);
  }

  function update(query) {
    const arrived = arrive(past, query);
    past = arrived.past;
    say(arrived.message, past.place > 0, past.place < past.queries.length - 1);
  }

  const ACTIONS = {back: () => step(-1), forth: () => step(1), away: () => say()};
  toast.addEventListener('click', e => ACTIONS[e.target.dataset.go]?.());
  // Before any other listener gets the click: a row would select its addition.
  document.addEventListener(
    'click',
    e => {
      const fix = e.target.closest('[data-apply]');
      if (!fix || !element.isConnected) return;
      e.stopPropagation();
      const {apply = '', done, tab} = fix.dataset;
      if (tab) emit('tab', tab);
      put({query: apply.slice(1), message: done});
    },
    true,
  );
  document.addEventListener('keydown', e => {
    const isUndo = (e.ctrlKey || e.metaKey) && !e.altKey && e.key.toLowerCase() === 'z';
    if (!isUndo || e.target.closest?.(WRITES)) return;
    e.preventDefault();
    step(e.shiftKey ? 1 : -1);
  });
  on('action', act, element);
  on('put', put, element);
  on('network', update, element);
  if (get('network') !== undefined) update(get('network'));
}
