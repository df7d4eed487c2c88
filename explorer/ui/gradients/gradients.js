// The switches of the Gradients tab: a choice is an action on the builder, and the network follows.
import {act, alertBanner, ask, get, on, whenVisible} from '../kit/lib.js';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, server}) {
  const host = element.querySelector('.rx-switches');
  /** The network whose switches are listed, or asked for. @type {string | null} */
  let listed = null;
  let isVisible = false;

  async function refresh() {
    const query = get('network');
    if (!isVisible || query === undefined || query === listed) return;
    listed = query;
    const answer = await ask(server, 'list_switches', {query});
    if (query !== listed) return;
    if (answer.silent) {
      listed = null; // the summary reports that there is no response
      return;
    }
    const field = document.activeElement?.closest('.rx-switches select')?.dataset.field;
    if (answer.error) host.replaceChildren(alertBanner(answer.error, 'error'));
    else host.innerHTML = answer.html;
    if (field) host.querySelector(`select[data-field=${field}]`)?.focus({preventScroll: true});
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
