// The shortcut checks: rows come once for each network, after its diagram; sorting, filtering and copying happen here.
// A row and a sum select each other.
import {alertBanner, ask, copyFrom, get, on, revealRow, whenVisible} from '../kit/lib.js';
import {sortable} from '../kit/sorting.js';
import {walking} from './walk.js';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, server}) {
  const host = element.querySelector('.rx-checks'),
    list = host.querySelector('.rx-rows');
  const everything = host.querySelector('.rx-fix-all'),
    count = host.querySelector('.rx-of');
  const filter = host.querySelector('input[type=search]'),
    only = host.querySelector('input[type=checkbox]');
  const renewed = sortable(list, 0);
  let query = get('drawn'); // of the diagram
  let listed = null; // of the rows
  let csv = [],
    seen = false;

  const rows = () => [...list.querySelectorAll('tbody tr')];
  const box = () => list.querySelector('.rx-scroll');
  const failed = words => list.replaceChildren(alertBanner(words));
  const walk = walking(host, () => ask(server, 'list_steps', {query}), failed);

  async function refresh() {
    if (query === undefined || query === listed || !seen) return;
    const mine = (listed = query);
    const answer = await ask(server, 'list_checks', {query: mine});
    if (mine !== listed) return;
    if (answer.error) {
      listed = null;
      csv = [];
      everything.replaceChildren();
      failed(answer.error);
      sift();
      return;
    }
    const scrolled = box()?.scrollTop ?? 0;
    list.innerHTML = answer.rows;
    everything.innerHTML = answer.all;
    csv = answer.csv;
    renewed();
    sift();
    if (box()) box().scrollTop = scrolled;
    mark(get('selected'));
  }

  function sift() {
    const wanted = filter.value.trim().toLowerCase(),
      every = rows();
    for (const row of every) {
      const fits = only.checked && row.classList.contains('fits');
      row.hidden = fits || !row.textContent.toLowerCase().includes(wanted);
    }
    const visible = every.filter(row => !row.hidden).length;
    count.textContent = every.length ? `${visible} of ${every.length}` : '';
    host.classList.toggle('empty', !every.length);
  }

  function mark(id) {
    rows().forEach(row => row.classList.toggle('selected', row.dataset.node === id));
    const row = rows().find(each => each.dataset.node === id);
    if (row && !row.hidden) revealRow(box(), row);
  }

  function copy(button) {
    const lines = rows()
      .filter(row => !row.hidden && row.dataset.row)
      .map(row => csv[Number(row.dataset.row) + 1]);
    copyFrom(button, [csv[0], ...lines, ''].join('\r\n'));
  }

  filter.addEventListener('input', sift);
  only.addEventListener('change', sift);
  host.addEventListener('click', e => {
    if (e.target.dataset.do === 'walk') walk.start();
    if (e.target.dataset.do === 'copy') copy(e.target);
  });
  on(
    'drawn',
    name => {
      if (name === query) return;
      query = name;
      refresh();
      walk.refresh();
    },
    host,
  );
  on('selected', mark, host);
  whenVisible(host, visible => {
    seen = visible;
    refresh();
  });
}
