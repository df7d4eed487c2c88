// All networks: a table that sorts, from which one is chosen. It is fetched whenever it is opened.
import {ask, on} from '../kit/lib.js';
import {sortable} from '../kit/sorting.js';
import {current} from './current.js';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, props, server, trigger}) {
  const box = element.querySelector('details.rx-nets'),
    list = box.querySelector('.rx-list');
  const renewed = sortable(list);

  function mark(name) {
    const rows = list.querySelectorAll('tr[data-name]');
    rows.forEach(row => row.classList.toggle('selected', row.dataset.name === name));
  }

  function choose(name) {
    props.value = JSON.stringify({name, at: Date.now()});
    trigger('input');
    mark(name);
  }

  async function show() {
    const answer = await ask(server, 'list_networks', {session: current().session});
    if (answer.error) {
      list.textContent = answer.error;
      return;
    }
    list.innerHTML = answer.html;
    box.querySelector('.rx-published').innerHTML = answer.published;
    renewed();
    mark(current().variant);
  }

  box.addEventListener('toggle', () => {
    if (box.open) show();
  });
  list.addEventListener('click', e => {
    const row = e.target.closest('tr[data-name]');
    if (!row) return;
    choose(row.dataset.name);
    // The choice itself is Gradio's own list, at the top of this tab.
    document.getElementById('variant')?.scrollIntoView({block: 'nearest'});
  });
  on('choose-network', choose, box);
}
