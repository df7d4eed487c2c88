// The photo above through several networks, one after the other; those that need no download.
const box = element.querySelector('.rx-beside-nets'), names = box.querySelector('.rx-names'), rows = box.querySelector('tbody');
const told = box.querySelector('.rx-told'), words = box.querySelector('.rx-agreement'), table = box.querySelector('.rx-scroll');
const button = name => box.querySelector(`[data-do=${name}]`);
let turn = 0, of = null;  // of: the photo that the rows are of

async function list() {
  const {networks = [], error} = await tell('ready', {session: asked().session});
  if (error) { told.textContent = error; return; }
  const off = new Set([...names.querySelectorAll('input:not(:checked)')].map(input => input.value));
  names.replaceChildren(...networks.map(([label, name]) => {
    const line = document.createElement('label'), tick = Object.assign(document.createElement('input'), {type: 'checkbox', value: name, checked: !off.has(name)});
    line.append(tick, label);
    return line;
  }));
  if (!turn) told.textContent = networks.length > 1 ? '' : 'Only this network is on this machine. Download others above to compare them.';
}

async function run() {
  const mine = ++turn, {token, device, network} = asked(), votes = [];
  if (!token) { told.textContent = 'Give it a photo first, above.'; return; }
  if (!names.children.length) await list();
  const wanted = [...names.querySelectorAll('input:checked')].map(input => input.value);
  of = token;
  rows.replaceChildren(); words.replaceChildren();
  table.hidden = button('stop').hidden = false;
  for (const [place, variant] of wanted.entries()) {
    told.textContent = `Asking ${place + 1} of ${wanted.length} …`;
    const reply = await tell('beside_row', {token, variant, device, network});
    if (mine !== turn) return;
    if (reply.error) { stop(reply.error); return; }
    rows.insertAdjacentHTML('beforeend', reply.row);
    if (reply.told) votes.push(reply.told);
  }
  const {html = ''} = await tell('beside_words', {votes});
  if (mine !== turn) return;
  words.innerHTML = html;
  stop('');
}

function stop(why) { turn++; button('stop').hidden = true; told.textContent = why; }

button('ask').addEventListener('click', run);
button('stop').addEventListener('click', () => stop('Stopped.'));
box.addEventListener('toggle', () => { if (box.open) list(); });
// Rows of another photo would mislead.
function forget() {
  rows.replaceChildren(); words.replaceChildren();
  table.hidden = true;
  if (of) stop('');
  of = null;
}
document.addEventListener('explorer:photo', e => {
  if (box.open) list();
  if (e.detail.token !== of) forget();
});
document.addEventListener('explorer:nophoto', forget);
