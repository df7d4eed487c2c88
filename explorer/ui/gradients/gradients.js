// Controls of the Gradients tab that depend on the network: switches, whose choice is an action on the builder, and the
// buttons of the textbook cases, which history.js applies.
import {act, alertBanner, ask, get, on, whenVisible} from '../kit/lib.js';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, server, settings: {list}}) {
  const host = element.querySelector('[role=group]');
  /** The network whose controls are listed, or asked for. @type {string | null} */
  let listed = null;
  let isVisible = false;

  async function refresh() {
    const query = get('network');
    if (!isVisible || query === undefined || query === listed) return;
    listed = query;
    const answer = await ask(server, list, {query});
    if (query !== listed) return;
    if (answer.silent) {
      listed = null; // the summary reports that there is no response
      return;
    }
    const controls = [...host.querySelectorAll('select, button')];
    const focused = controls.indexOf(/** @type {any} */ (document.activeElement));
    if (answer.error) host.replaceChildren(alertBanner(answer.error, 'error'));
    else host.innerHTML = answer.html;
    if (focused >= 0) host.querySelectorAll('select, button')[focused]?.focus({preventScroll: true});
  }

  host.addEventListener('change', ({target}) => {
    if (!(target instanceof HTMLSelectElement)) return;
    act({type: 'set', field: target.dataset.field, value: JSON.parse(target.value)});
  });
  on('network', refresh, element);
  whenVisible(element, visible => {
    isVisible = visible;
    refresh();
  });
}
