// Tables whose heads are buttons: rows sort by their cells' data-key, and equal keys stay in the order of data-row. The
// choice outlasts the table: call the result whenever another one stands in `place`. Put before the script that uses it.
function sortable(place, column = null) {
  let sorting = {column, descending: false};

  function sort() {
    const {column, descending} = sorting, sign = descending ? -1 : 1;
    place.querySelectorAll('thead th').forEach((th, i) => {
      i === column ? th.setAttribute('aria-sort', descending ? 'descending' : 'ascending') : th.removeAttribute('aria-sort');
    });
    const key = row => row.cells[column].dataset.key, order = row => Number(row.dataset.row ?? -1);
    const compared = (a, b) => (isNaN(a) || isNaN(b) ? a.localeCompare(b) : a - b);
    const byKey = (a, b) => (column === null ? 0 : sign * compared(key(a), key(b)));
    place.querySelector('tbody')?.append(...[...place.querySelectorAll('tbody tr')].sort((a, b) => byKey(a, b) || order(a) - order(b)));
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
