// Reports which network the program has to answer for, while the reader sees this place (ui/kit/visibility.py).
import {get, on, whenShown, whenVisible} from './lib.js';

/** @param {import('./lib.js').Mount} mount */
export function mount({element, props, trigger, settings: {state, hidden}}) {
  /** @type {string | null} */
  let reported = null;
  let isVisible = false;

  function report() {
    const name = get(state);
    if (!isVisible || name === undefined || name === reported) return;
    reported = name;
    props.value = name;
    trigger('input');
  }

  function update(visible) {
    isVisible = visible;
    if (hidden) {
      reported = null;
      if (!visible) props.value = hidden;
    }
    report();
  }

  // What is computed at once starts with its tab; what only shows more of the network waits until it is scrolled to.
  if (hidden) whenShown(element, update);
  else whenVisible(element, update);
  on(state, () => setTimeout(report), element);
}
