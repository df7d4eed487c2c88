// Tables whose heads are buttons that sort the rows.

/**
 * Order of two cells' keys: numbers by value, other words by the alphabet.
 * @param {string} a
 * @param {string} b
 */
export function compareKeys(a, b) {
  const [x, y] = [Number(a), Number(b)];
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
}

/**
 * Sort rows by their cells' data-key; equal keys stay in the order of data-row. The reader's choice stays when the
 * table is replaced: call the result whenever ``place`` has another table.
 * @param {HTMLElement} place
 * @param {number | null} firstColumn the one to sort by at first
 */
export function sortable(place, firstColumn = null) {
  let sorting = {column: firstColumn, descending: false};

  function sort() {
    const {column, descending} = sorting,
      sign = descending ? -1 : 1;
    place.querySelectorAll('thead th').forEach((th, i) => {
      if (i === column) th.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      else th.removeAttribute('aria-sort');
    });
    const order = row => Number(row.dataset.row ?? -1);
    const byKey = (a, b) =>
      column === null ? 0 : sign * compareKeys(a.cells[column].dataset.key, b.cells[column].dataset.key);
    const rows = [...place.querySelectorAll('tbody tr')].sort((a, b) => byKey(a, b) || order(a) - order(b));
    place.querySelector('tbody')?.append(...rows);
  }

  return () => {
    const heads = [...place.querySelectorAll('thead th')];
    if ((sorting.column ?? 0) >= heads.length) sorting = {column: firstColumn, descending: false};
    heads.forEach((th, i) => {
      const sorter = Object.assign(document.createElement('button'), {type: 'button', textContent: th.textContent});
      sorter.addEventListener('click', () => {
        sorting = {column: i, descending: sorting.column === i && !sorting.descending};
        sort();
      });
      th.removeAttribute('tabindex'); // the button has the focus instead
      th.replaceChildren(sorter);
    });
    if (heads.length) sort();
  };
}
