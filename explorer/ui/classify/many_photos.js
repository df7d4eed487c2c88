// Many photos, one network: each is sent, answered and listed on its own, so that none can end the others.
const box = element.querySelector('.rx-many'), rows = box.querySelector('tbody'), told = box.querySelector('.rx-told');
const bar = box.querySelector('progress'), shownTable = box.querySelector('.rx-scroll');
const button = name => box.querySelector(`[data-do=${name}]`);
const MOST = 2000;
let turn = 0, lines = [], files = [];

const parsed = html => { const body = document.createElement('tbody'); body.innerHTML = html; return body.firstElementChild; };

async function answered(file, about) {
  const sent = await send(file);
  const reply = await tell('many_row', {...about, name: file.name, ...(sent.error ? {error: sent.error} : {token: sent.token})});
  return {...reply, thumb: sent.thumb, silent: sent.silent || reply.silent};
}

async function run(given) {
  const mine = ++turn, {variant, device, network} = asked(), about = {variant, device, network};
  files = given.slice(0, MOST);
  const places = files.map(() => Object.assign(document.createElement('tr'), {hidden: true})), counts = {};
  let done = 0, failed = 0, silent = false;
  lines = [];
  rows.replaceChildren(...places);
  shownTable.hidden = bar.hidden = button('stop').hidden = false;
  button('csv').disabled = true;
  bar.max = files.length; bar.value = 0;
  told.textContent = `0 of ${files.length}`;
  box.open = true;
  await each(files, async (file, place) => {
    const reply = await answered(file, about);
    if (mine !== turn) return;
    if (reply.silent) { silent = true; return; }
    const row = parsed(reply.row);
    if (reply.thumb) row.cells[0].append(Object.assign(new Image(), {src: reply.thumb, alt: ''}));
    row.querySelector('button').addEventListener('click', () => document.dispatchEvent(new CustomEvent('explorer:show', {detail: file})));
    places[place].replaceWith(row);
    lines[place] = reply.csv;
    bar.value = ++done;
    if (!reply.ok) failed++;
    else counts[row.dataset.class] = (counts[row.dataset.class] ?? 0) + 1;
    told.textContent = `${done} of ${files.length}`;
  }, () => mine === turn && !silent);
  if (mine !== turn) return;
  ended([`${done} of ${given.length} photos`, silent ? SILENT : '', given.length > MOST ? `At most ${MOST} at a time.` : '',
    failed ? `${failed} could not be read: ${failed > 1 ? 'their rows say' : 'its row says'} why` : '', said(counts)]);
}

function said(counts) {
  const most = Object.entries(counts).sort((a, b) => b[1] - a[1]), shown = most.slice(0, 6).map(([name, count]) => `${name} ${count}`).join(', ');
  return most.length > 6 ? `${shown} and ${most.length - 6} other classes.` : shown && `${shown}.`;
}

function ended(words) {
  told.textContent = words.filter(Boolean).join(' · ');
  bar.hidden = button('stop').hidden = true;
  button('csv').disabled = !lines.length;
}

button('stop').addEventListener('click', () => { turn++; ended([`Stopped after ${bar.value} of ${files.length}.`]); });
button('csv').addEventListener('click', () => save('photos.csv', 'text/csv', '\ufeff', props.columns, ...lines.filter(Boolean)));
for (const [name, input] of [['photos', 0], ['folder', 1]].map(([name, place]) => [name, box.querySelectorAll('input[type=file]')[place]])) {
  button(name).addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const found = chosen(input).map(({file}) => file);
    input.value = '';
    found.length ? run(found) : told.textContent = 'There is no photo in this folder.';
  });
}
document.addEventListener('explorer:photos', e => { if (box.isConnected) run(e.detail); });
