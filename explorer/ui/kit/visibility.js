// Tells the program which network to answer for, when what stands here is looked at (ui/kit/visibility.py).
import {get, on, whenShown, whenVisible} from './lib.js';

/** @param {import('./lib.js').Mount} mount */
export function mount({element, props, trigger, settings: {state, always}}) {
  let told = null,
    seen = false;

  function tell() {
    const name = get(state);
    if (!seen || name === undefined || name === told) return;
    told = props.value = name;
    trigger('input');
  }

  function look(visible) {
    seen = visible;
    if (always) {
      told = null;
      if (!visible) props.value = '';
    }
    tell();
  }

  // What is computed at once follows a tab; what only shows more of the network waits until it is scrolled to.
  if (always) whenShown(element, look);
  else whenVisible(element, look);
  on(state, () => setTimeout(tell), element);
}
