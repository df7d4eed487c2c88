// Undo and redo: every network the page has shown. Also the one way by which scripts change the builder: an action
// becomes this component's value, and its input event fills the builder's fields (builder.js).
import {ask, emit, get, on} from '../kit/lib.js';
import {arrive, EMPTY, go} from './past.js';

const WRITES = 'textarea, [contenteditable], select, input:not([type=radio], [type=checkbox], [type=button])';

/** How long a message stays, in ms. */
const MESSAGE_TIME = 10000;

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, props, server, trigger}) {
  const message = element.querySelector('.rx-said'),
    back = element.querySelector('button[data-go=back]'),
    forth = element.querySelector('button[data-go=forth]');
  let past = EMPTY,
    timer = 0;

  function say(words = '') {
    clearTimeout(timer);
    message.textContent = words;
    if (words) timer = setTimeout(say, MESSAGE_TIME);
  }

  function showSteps() {
    back.disabled = past.place <= 0 && !get('refused');
    forth.disabled = past.place >= past.queries.length - 1;
  }

  function act(action) {
    props.value = JSON.stringify({...action, at: Date.now()});
    trigger('input');
  }

  /** Put a network into the builder.
   * @param {import('./past.js').Pending} pending
   * @param {import('./past.js').Past} before what is the past again if that fails */
  async function put(pending, before = past) {
    past = {...past, pending};
    showSteps();
    const answer = await ask(server, 'fields', {query: pending.query});
    if (past.pending?.query !== pending.query) return;
    if (answer.error) {
      past = {...before, pending: null};
      showSteps();
      say(answer.error);
    } else {
      act({type: 'fields', fields: answer.fields});
    }
  }

  /** The fields name no network: fill in the network that is shown. */
  async function restore() {
    const answer = await ask(server, 'fields', {query: past.queries[past.place]});
    if (!answer.error) act({type: 'fields', fields: answer.fields});
    say(answer.error ?? 'Undone.');
  }

  function step(by) {
    if (by < 0 && get('refused')) {
      restore();
      return;
    }
    const before = past,
      next = go(past, by);
    if (!next) return;
    past = next;
    put(next.pending, before);
  }

  function update(query) {
    const arrived = arrive(past, query);
    past = arrived.past;
    showSteps();
    say(arrived.message);
  }

  back.addEventListener('click', () => step(-1));
  forth.addEventListener('click', () => step(1));
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
  on('refused', showSteps, element);
  if (get('network') !== undefined) update(get('network'));
}
