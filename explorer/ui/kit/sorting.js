// Tables whose heads are buttons.

/**
 * Order of two cells' keys: numbers by value, other words by the alphabet.
 * @param {string} a
 * @param {string} b
 */
export function compareKeys(a, b) {
  const [x, y] = [Number(a), Number(b)];
  return isNaN(x) || isNaN(y) ? a.localeCompare(b) : x - y;
}

/**
 * Rows sort by their cells' data-key; equal keys stay in the order of data-row. The choice outlasts the table: call the
 * result whenever another table is in ``place``.
 * @param {HTMLElement} place
 * @param {number | null} column the one to sort by at first
 */
export function sortable(place, column = null) {
  let sorting = {column, descending: false};

  function sort() {
    const {column, descending} = sorting,
      sign = descending ? -1 : 1;
    place.querySelectorAll('thead th').forEach((th, i) => {
      if (i === column) th.setAttribute('aria-sort', descending ? 'descending' : 'ascending');
      else th.removeAttribute('aria-sort');
    });
    const key = row => row.cells[column].dataset.key,
      order = row => Number(row.dataset.row ?? -1);
    const byKey = (a, b) => (column === null ? 0 : sign * compareKeys(key(a), key(b)));
    const rows = [...place.querySelectorAll('tbody tr')].sort((a, b) => byKey(a, b) || order(a) - order(b));
    place.querySelector('tbody')?.append(...rows);
  }

  return () => {
    const heads = [...place.querySelectorAll('thead th')];
    if (sorting.column >= heads.length) sorting = {column, descending: false};
    heads.forEach((th, i) => {
      const sorter = Object.assign(document.createElement('button'), {type: 'button', textContent: th.textContent});
      sorter.addEventListener('click', () => {
        sorting = {column: i, descending: sorting.column === i && !sorting.descending};
        sort();
      });
      th.replaceChildren(sorter);
    });
    if (heads.length) sort();
  };
}
