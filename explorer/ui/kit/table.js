// Measured values as a table: it sorts, a row selects its layer in the diagram (page.js), and its values are copied or
// downloaded as CSV.
import {copyFrom} from './clipboard.js';
import {download, get, on, revealRow} from './lib.js';
import {sortable} from './sorting.js';

/** @param {import('./lib.js').Mount} mount */
export function mount({element, props, watch}) {
  const host = element.querySelector('.rx-measured'),
    list = host.querySelector('.rx-values');
  const makeSortable = sortable(list);
  const rows = () => [...list.querySelectorAll('tbody tr')];
  /** @returns {HTMLElement | null} */
  const box = () => list.querySelector('.rx-scroll');
  let csv = '',
    name = '';

  function mark() {
    const selected = get('selected');
    for (const row of rows()) row.classList.toggle('selected', Boolean(selected) && row.dataset.node === selected);
  }

  function show() {
    const table = JSON.parse(props.value || '{"html": "", "csv": "", "name": ""}');
    ({csv, name} = table);
    const scrolled = box()?.scrollTop ?? 0;
    list.innerHTML = table.html;
    host.hidden = !table.html;
    makeSortable();
    const newBox = box();
    if (newBox) newBox.scrollTop = scrolled;
    mark();
  }

  const ACTIONS = {copy: button => copyFrom(button, csv), download: () => download(name, 'text/csv', csv)};
  host.addEventListener('click', e => ACTIONS[e.target.dataset.do]?.(e.target));
  on(
    'selected',
    id => {
      mark();
      const row = rows().find(each => id && each.dataset.node === id),
        scroller = box();
      if (row && scroller?.offsetParent) revealRow(scroller, row);
    },
    host,
  );
  watch('value', show);
  show();
}
