// The card of the first look: its buttons do what a reader would do on the page.
import {act, emit} from '../kit/lib.js';

const DISMISSED = 'resnet-explorer:start-dismissed';

/** @returns {boolean} */
function isDismissed() {
  try {
    return localStorage.getItem(DISMISSED) !== null;
  } catch {
    return false; // a browser may forbid it
  }
}

function dismiss() {
  document.documentElement.classList.add('rx-start-dismissed');
  try {
    localStorage.setItem(DISMISSED, 'yes');
  } catch {
    // It is dismissed until the page is loaded again.
  }
}

const ACTIONS = {
  break: () => {
    emit('show-mismatch');
    act({type: 'set', field: 'shortcut', value: 'identity'});
  },
  walk: () => emit('walk'),
  photo: () => emit('tab', 'Classify'),
};

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element}) {
  element.addEventListener('click', ({target}) => {
    if (target.closest('.rx-dismiss')) dismiss();
    ACTIONS[target.closest('[data-do]')?.dataset.do ?? '']?.();
  });
}

// Before the card is laid out, so that nothing moves.
if (isDismissed()) document.documentElement.classList.add('rx-start-dismissed');
