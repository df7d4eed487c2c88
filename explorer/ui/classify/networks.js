// All networks: a table that sorts, from which one is chosen. It is fetched whenever it is opened.
const box = element.querySelector('.rx-nets'), list = box.querySelector('.rx-list'), renewed = sortable(list);
const now = () => window.explorerAsked();

box.addEventListener('toggle', async () => {
  if (!box.open) return;
  let answer;
  try { answer = JSON.parse(await server.table({session: now().session})); }
  catch { list.textContent = 'The program did not answer. Is it still running?'; return; }
  list.innerHTML = answer.html;
  box.querySelector('.rx-published').innerHTML = answer.published;
  renewed();
  mark(now().variant);
});
function mark(name) {
  for (const row of list.querySelectorAll('tr[data-name]')) row.classList.toggle('selected', row.dataset.name === name);
}
list.addEventListener('click', e => {
  const row = e.target.closest('tr[data-name]');
  if (!row) return;
  props.value = JSON.stringify({name: row.dataset.name, at: Date.now()});
  trigger('input');
  mark(row.dataset.name);
  document.querySelector('#variant')?.scrollIntoView({block: 'nearest'});
});
