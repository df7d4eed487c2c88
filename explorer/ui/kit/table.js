// Measured values as a table: sorts, selects in the diagram (page.js), and is copied or downloaded as CSV.
import {copyFrom, download, get, on, revealRow} from './lib.js';
import {sortable} from './sorting.js';

/** @param {import('./lib.js').Mount} mount */
export function mount({element, props, watch}) {
  const host = element.querySelector('.rx-measured'),
    list = host.querySelector('.rx-values');
  const renewed = sortable(list);
  const rows = () => [...list.querySelectorAll('tbody tr')];
  const box = () => list.querySelector('.rx-scroll');
  let csv = '',
    name = '';

  function mark() {
    const selected = get('selected');
    rows().forEach(row => row.classList.toggle('selected', Boolean(selected) && row.dataset.node === selected));
  }

  function show() {
    const {html, ...rest} = JSON.parse(props.value || '{"html": "", "csv": "", "name": ""}');
    ({csv, name} = rest);
    const scrolled = box()?.scrollTop ?? 0;
    list.innerHTML = html;
    host.hidden = !html;
    renewed();
    if (box()) box().scrollTop = scrolled;
    mark();
  }

  const DOES = {copy: button => copyFrom(button, csv), download: () => download(name, 'text/csv', csv)};
  host.addEventListener('click', e => DOES[e.target.dataset.do]?.(e.target));
  on(
    'selected',
    id => {
      mark();
      const row = rows().find(each => id && each.dataset.node === id);
      if (row && box().offsetParent) revealRow(box(), row);
    },
    host,
  );
  watch('value', show);
  show();
}
