// The switches of the Gradients tab: a choice here is an action on the builder, and the network follows.
import {act, alertBanner, ask, get, on, whenVisible} from '../kit/lib.js';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, server}) {
  const host = element.querySelector('.rx-switches');
  let listed = null,
    seen = false;

  async function refresh() {
    const query = get('network');
    if (!seen || query === undefined || query === listed) return;
    listed = query;
    const answer = await ask(server, 'list_switches', {query});
    if (query !== listed) return;
    if (answer.silent) {
      listed = null; // the summary says that the program is gone
      return;
    }
    const field = document.activeElement?.closest('.rx-switches select')?.dataset.field;
    if (answer.error) host.replaceChildren(alertBanner(answer.error, 'error'));
    else host.innerHTML = answer.html;
    if (field) host.querySelector(`select[data-field=${field}]`)?.focus({preventScroll: true});
  }

  host.addEventListener('change', e => {
    act({type: 'set', field: e.target.dataset.field, value: JSON.parse(e.target.value)});
  });
  on('network', refresh, element);
  whenVisible(element, visible => {
    seen = visible;
    refresh();
  });
}
