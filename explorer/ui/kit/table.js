// Measured values as a table: sorts, selects in the diagram (page.js), and is copied or downloaded as CSV.
const host = element.querySelector('.rx-measured'), list = host.querySelector('.rx-values');
const renewed = sortable(list);
let csv = '', name = '';

// What is selected in the diagram; the box scrolls to it, never the page.
function marked(id) {
  const rows = [...list.querySelectorAll('tbody tr')], row = rows.find(row => id && row.dataset.node === id);
  rows.forEach(each => each.classList.toggle('selected', each === row));
  const box = list.querySelector('.rx-scroll');
  if (!row || !box.offsetParent) return;
  const top = row.offsetTop - box.querySelector('thead').offsetHeight, bottom = row.offsetTop + row.offsetHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
}

function show() {
  const {html, ...rest} = JSON.parse(props.value || '{"html": "", "csv": "", "name": ""}');
  ({csv, name} = rest);
  const scrolled = list.querySelector('.rx-scroll')?.scrollTop ?? 0;
  list.innerHTML = html;
  host.hidden = !html;
  renewed();
  const box = list.querySelector('.rx-scroll');
  if (box) box.scrollTop = scrolled;
  list.querySelectorAll('tbody tr').forEach(row => row.classList.toggle('selected', row.dataset.node === selected));
}
let selected = new URLSearchParams(location.search).get('at');

async function copy(button) {
  try { await navigator.clipboard.writeText(csv); button.textContent = 'Copied'; }
  catch { button.textContent = 'Not allowed here'; }  // only a safe context may write to the clipboard
  setTimeout(() => { button.textContent = 'Copy as CSV'; }, 1500);
}

function download() {
  const url = URL.createObjectURL(new Blob([csv], {type: 'text/csv'}));
  Object.assign(document.createElement('a'), {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

const DOES = {copy, download};
host.addEventListener('click', e => DOES[e.target.dataset.do]?.(e.target));
window.addEventListener('explorer:selected', e => { selected = e.detail; marked(selected); });
watch('value', show);
show();
