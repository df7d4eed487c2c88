// The kept runs: rows come from the program; what is clicked there goes back to it as a wish. Files are links.
const host = element.querySelector('.rx-runs'), rows = host.querySelector('.rx-run-rows'), input = host.querySelector('input[type=file]');
const place = location.pathname.replace(/\/?$/, '/');
const wish = (what, more = {}) => { props.value = JSON.stringify({do: what, at: Date.now(), ...more}); trigger('input'); };
const token = node => node.closest('[data-run]')?.dataset.run;

function show() {
  const typing = rows.contains(document.activeElement) && document.activeElement.dataset.do === 'name' ? document.activeElement : null;
  const kept = typing && {run: token(typing), value: typing.value, at: typing.selectionStart};
  const scrolled = rows.querySelector('.rx-scroll')?.scrollTop ?? 0;
  rows.innerHTML = props.rows ?? '';
  rows.querySelectorAll('a[data-kind]').forEach(a => { a.href = `${place}run/${token(a)}/${a.dataset.kind}`; a.download = ''; });
  if (rows.firstElementChild) rows.firstElementChild.scrollTop = scrolled;
  const field = kept && rows.querySelector(`[data-run="${CSS.escape(kept.run)}"] [data-do=name]`);
  if (field) { field.value = kept.value; field.focus(); field.setSelectionRange(kept.at, kept.at); }
}

rows.addEventListener('change', e => {
  const {do: what} = e.target.dataset;
  if (what === 'show') wish('show', {run: token(e.target), on: e.target.checked});
  if (what === 'name') wish('name', {run: token(e.target), name: e.target.value});
});
rows.addEventListener('click', e => {
  const button = e.target.closest('button[data-do]');
  if (!button) return;
  wish(button.dataset.do, {run: token(button)});
  if (button.dataset.do === 'classify') window.explorerTab('Classify');
});
host.querySelector('button[data-do=open]').addEventListener('click', () => input.click());
input.addEventListener('change', async () => {
  const file = input.files[0];
  input.value = '';
  if (file) wish('open', {text: file.size > props.most ? '' : await file.text(), name: file.name.slice(0, 80)});
});
watch('rows', show);
show();
