// The shortcut checks: rows come once for each network, after its diagram; sorting, filtering and copying happen here.
// A row and an addition select each other.
import {copyFrom} from '../kit/clipboard.js';
import {alertBanner, ask, get, on, revealRow, whenVisible} from '../kit/lib.js';
import {sortable} from '../kit/sorting.js';
import {countInWords, sift} from './sift.js';
import {mountWalk} from './walk.js';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, server}) {
  const host = element.querySelector('.rx-checks'),
    list = host.querySelector('.rx-rows');
  const fixAll = host.querySelector('.rx-fix-all'),
    count = host.querySelector('.rx-of');
  const filter = host.querySelector('input[type=search]'),
    onlyMismatches = host.querySelector('input[type=checkbox]');
  const makeSortable = sortable(list, 0);
  let query = get('drawn'); // of the diagram
  /** The network whose rows are listed, or asked for. @type {string | null} */
  let listed = null;
  /** Lines: the head, then one for each addition. @type {string[]} */
  let csv = [];
  let isVisible = false;

  const rows = () => [...list.querySelectorAll('tbody tr')];
  /** @returns {HTMLElement | null} */
  const box = () => list.querySelector('.rx-scroll');
  const showError = words => list.replaceChildren(alertBanner(words));
  const walk = mountWalk(host, () => ask(server, 'list_steps', {query}), showError);

  async function refresh() {
    if (query === undefined || query === listed || !isVisible) return;
    const name = query;
    listed = name;
    const answer = await ask(server, 'list_checks', {query: name});
    if (name !== listed) return;
    host.classList.remove('stale');
    if (answer.error) {
      listed = null;
      csv = [];
      fixAll.replaceChildren();
      showError(answer.error);
      filterRows();
      return;
    }
    const scrolled = box()?.scrollTop ?? 0;
    list.innerHTML = answer.rows;
    fixAll.innerHTML = answer.all;
    csv = answer.csv;
    makeSortable();
    filterRows();
    const newBox = box();
    if (newBox) newBox.scrollTop = scrolled;
    mark(get('selected'));
  }

  function filterRows() {
    const facts = rows().map(row => ({text: row.textContent, fits: row.classList.contains('fits')}));
    const visible = sift(facts, filter.value, onlyMismatches.checked);
    rows().forEach((row, i) => {
      row.hidden = !visible[i];
    });
    count.textContent = countInWords(visible);
    host.classList.toggle('empty', !facts.length);
  }

  function mark(id) {
    for (const row of rows()) row.classList.toggle('selected', row.dataset.node === id);
    const row = rows().find(each => each.dataset.node === id),
      scroller = box();
    if (row && !row.hidden && scroller) revealRow(scroller, row);
  }

  function copy(button) {
    const lines = rows()
      .filter(row => !row.hidden && row.dataset.row)
      .map(row => csv[Number(row.dataset.row) + 1]);
    copyFrom(button, [csv[0], ...lines, ''].join('\r\n'));
  }

  filter.addEventListener('input', filterRows);
  onlyMismatches.addEventListener('change', filterRows);
  host.addEventListener('click', e => {
    if (e.target.dataset.do === 'walk') walk.start();
    if (e.target.dataset.do === 'copy') copy(e.target);
  });
  on(
    'drawn',
    name => {
      if (name === query) return;
      query = name;
      host.classList.toggle('stale', listed !== null && listed !== name); // out of view, rows stay until looked at
      refresh();
      walk.refresh();
    },
    host,
  );
  on('selected', mark, host);
  on('walk', walk.start, host);
  whenVisible(host, visible => {
    isVisible = visible;
    refresh();
  });
}
