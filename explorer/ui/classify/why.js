// Why: of one photo and one network, what is chosen here decides what is shown. Each part asks for what it lacks, one
// question at a time; what was answered about something chosen before is never shown. Blocks and layers chosen here are
// selected in the diagram while it shows the same network, and the reverse.
const host = element.querySelector('.rx-why');
const part = name => host.querySelector(`.rx-why-${name}`);
const button = name => host.querySelector(`[data-do=${name}]`);
const body = part('body'), crop = part('crop'), heat = part('heat'), mark = part('mark');
const GONE = {error: 'The program did not answer. Is it still running?'};
const STEP = 1 / 16, EMPTY = part('says').textContent;

let photo = null, net = null, known = null;  // net: what look answered of the photo; known: of the photo before
let block = null, layer = null, at = null, all = false, laid = null, seen = false;  // laid: the channel over the photo
let weighed = null;  // what the contributions shown, or on their way, are of
let heated = '';
const off = new Set();

const linked = () => net && document.querySelector('#graph .rx-canvas')?.dataset.query === net.query;
const picked = () => Number(part('class').value);

function follower(name, want, show) {
  let shown = null, asking = false;
  async function follow() {
    const request = want(), key = JSON.stringify(request);
    if (!request || asking || key === shown) return;
    asking = true;
    body.setAttribute('aria-busy', 'true');
    let answer;
    try { answer = JSON.parse(await server[name](request)); } catch { answer = GONE; }
    asking = false;
    body.removeAttribute('aria-busy');
    if (JSON.stringify(want()) !== key) { follow(); return; }
    shown = answer.error ? null : key;
    show(answer);
  }
  return Object.assign(follow, {forget: () => { shown = null; }});
}
const parts = [
  follower('heat', () => net && seen && {...photo, layer: block === 'stem' ? net.layers.stem.at(-1) : block, class: picked()}, answer => {
    heated = answer.image ?? '';
    part('words').textContent = answer.error ?? answer.words;
    if (!laid) heat.src = heated;
    heat.hidden = !heat.getAttribute('src');
  }),
  follower('maps', () => net && seen && {...photo, layer, all, at}, answer => {
    part('about').textContent = answer.error ?? answer.words;
    part('grid').innerHTML = answer.html ?? '';
    button('all').textContent = all ? 'Show the strongest' : `Show all ${answer.channels ?? ''}`;
    button('all').hidden = answer.channels <= 16;
    lay(null);
  }),
  follower('without', () => net && seen && {...photo, off: [...off].sort()}, answer => {
    if (answer.error) part('answers').textContent = answer.error; else part('answers').innerHTML = answer.html;
  }),
];
const follow = () => parts.forEach(each => each());

const look = follower('look', () => seen && photo, answer => {
  part('says').textContent = answer.error ?? answer.plain;
  part('says').hidden = !part('says').textContent;
  body.hidden = Boolean(answer.error);
  if (answer.error) return;
  net = answer;
  const same = known?.query === net.query;
  known = net;
  if (!same) { off.clear(); block = layer = null; }
  at = null;
  host.querySelector('.rx-why-photo > img').src = net.photo;
  const [left, top, right, bottom] = net.place.map(share => share * 100);
  Object.assign(crop.style, {left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%`});
  part('class').replaceChildren(...net.classes.map(([index, name]) => new Option(name, index)));
  part('blocks').innerHTML = net.blocks;
  part('apply').dataset.apply = `?${net.query}`;
  part('apply').dataset.done = `The builder shows ${net.title}.`;
  choose(block && layer || resolve(linked() && new URLSearchParams(location.search).get('at')) || Object.keys(net.layers).at(-1), false);
  weighs();
});

// The layer that a name of the diagram means: a layer, a sum, a run of blocks, or a stage, whose last block it is.
function resolve(id) {
  if (!net || !id) return null;
  const name = id.replace(/^group:/, '').replace(/:.*$/, ''), paths = Object.values(net.layers).flat();
  const within = Object.keys(net.layers).filter(each => each.startsWith(`${name}.`)).at(-1);
  const run = name.replace(/-(\d+)$/, ''), around = Object.keys(net.layers).find(each => name.startsWith(`${each}.`));
  return [name, run, within, around].find(each => each && (paths.includes(each) || each === 'stem')) ?? null;
}

function choose(name, tells = true) {
  const owner = Object.keys(net.layers).find(each => name === each || net.layers[each].includes(name));
  if (owner === undefined) return;
  block = owner;
  layer = name === 'stem' ? net.layers.stem.at(-1) : name;
  lay(null);
  paint();
  follow();
  if (tells && linked()) window.dispatchEvent(new CustomEvent('explorer:select', {detail: name}));
}

function paint() {
  if (!net) return;
  host.querySelectorAll('tr[data-block]').forEach(row => {
    const name = row.dataset.block, box = row.querySelector('input');
    row.classList.toggle('selected', name === block);
    row.classList.toggle('off', off.has(name));
    row.querySelector('.rx-link').setAttribute('aria-pressed', String(name === block));
    if (box) box.checked = !off.has(name);
  });
  host.querySelectorAll('[data-stage]').forEach(each => { each.textContent = of(each.dataset.stage).every(name => off.has(name)) ? 'Switch on' : 'Switch off'; });
  part('layer').replaceChildren(...net.layers[block].map(path => new Option(path === block ? `${path}, its output` : path, path, false, path === layer)));
  button('on').hidden = !off.size;
  button('find').hidden = !linked();
  button('find').textContent = `Find ${layer} in the diagram`;
  part('apply').hidden = Boolean(linked());
  button('anywhere').hidden = mark.hidden = !at;
  if (at) Object.assign(mark.style, {left: `${at[0] * 100}%`, top: `${at[1] * 100}%`});
}

const of = stage => net.switchable.filter(name => name.startsWith(`${stage}.`));

// A channel over the photo, or null for the heat of Grad-CAM.
function lay(channel) {
  laid = channel;
  part('grid').querySelectorAll('button').forEach(each => each.setAttribute('aria-pressed', String(each === channel)));
  heat.src = channel ? channel.querySelector('img').src : heated;
  heat.hidden = !heat.getAttribute('src');
  heat.classList.toggle('cells', Boolean(channel));
}

// What each block adds: at once where that is soon done, else when asked for, as a job that can be stopped.
const about = () => JSON.stringify([photo, picked()]);
const send = wish => { props.value = JSON.stringify(wish); trigger('input'); };
function weigh() {
  weighed = about();
  button('weigh').hidden = true;
  button('stop').hidden = net.quick;
  part('progress').textContent = net.quick ? '' : 'Measuring …';
  send({...photo, class: picked(), key: weighed});
}
function weighs() {
  const running = !button('stop').hidden;
  weighed = null;
  host.querySelectorAll('td.adds').forEach(cell => { cell.innerHTML = ''; });
  host.querySelector('th.adds').textContent = `Adds to “${part('class').selectedOptions[0].text}”`;
  part('progress').textContent = '';
  button('stop').hidden = button('weigh').hidden = true;
  if (!net.switchable.length) return;
  if (net.quick) { weigh(); return; }
  if (running) send({key: ''});
  button('weigh').hidden = false;
  button('weigh').textContent = `Measure what each block adds (${net.passes} forward passes)`;
}
watch('weighed', () => {
  const answer = JSON.parse(props.weighed || '{}');
  if (!net || answer.key !== weighed || weighed !== about()) return;
  part('progress').textContent = answer.error ?? answer.progress ?? '';
  if (answer.progress) return;
  button('stop').hidden = true;
  button('weigh').hidden = !answer.error;
  for (const [name, html] of Object.entries(answer.cells ?? {})) {
    const cell = host.querySelector(`tr[data-block="${CSS.escape(name)}"] td.adds`);
    if (cell) cell.innerHTML = html;
  }
});

function put(place) {
  at = place && place.map(share => Math.min(1, Math.max(0, share)));
  paint();
  follow();
}

const DOES = {
  on: () => { off.clear(); paint(); follow(); },
  weigh,
  stop: () => { send({key: ''}); weighs(); },
  all: () => { all = !all; button('all').setAttribute('aria-pressed', String(all)); follow(); },
  anywhere: () => put(null),
  find: () => {
    window.explorerTab('Architecture');
    setTimeout(() => window.dispatchEvent(new CustomEvent('explorer:select', {detail: layer})), 100);
  },
};
host.addEventListener('click', e => {
  const {do: does} = e.target.dataset, {stage} = e.target.dataset, map = e.target.closest('[data-channel]');
  DOES[does]?.();
  if (map) lay(map === laid ? null : map);
  if (stage) {
    const every = of(stage), on = every.every(name => off.has(name));
    every.forEach(name => (on ? off.delete(name) : off.add(name)));
    paint();
    follow();
  }
  const row = e.target.closest('tr[data-block]');
  if (row && e.target.type !== 'checkbox') choose(row.dataset.block);
});
host.addEventListener('change', e => {
  const row = e.target.closest('tr[data-block]');
  if (row) { e.target.checked ? off.delete(row.dataset.block) : off.add(row.dataset.block); paint(); follow(); }
  if (e.target === part('layer')) choose(e.target.value);
  if (e.target === part('class')) { weighs(); lay(null); follow(); }
});
part('opacity').addEventListener('input', e => { heat.style.opacity = e.target.value / 100; });
crop.addEventListener('click', e => {
  const box = crop.getBoundingClientRect();
  put([(e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height]);
});
const MOVES = {ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP]};
crop.addEventListener('keydown', e => {
  const move = MOVES[e.key];
  if (!move && e.key !== 'Escape') return;
  e.preventDefault();
  put(move ? (at ?? [.5 - move[0], .5 - move[1]]).map((share, axis) => share + move[axis]) : null);
});

document.addEventListener('explorer:photo', e => {
  if (!host.isConnected || !e.detail?.token) return;
  const {token, variant, device, network} = e.detail;
  // The address counts only for a model file, whose weights don't say everything.
  photo = {token, variant, device, network: variant.includes(':') ? network ?? '' : ''};
  net = null;
  look.forget();
  look();
});
document.addEventListener('explorer:nophoto', () => {
  photo = net = null;
  look.forget();
  part('says').textContent = EMPTY;
  part('says').hidden = !(body.hidden = true);
});
window.addEventListener('explorer:selected', e => {
  const name = linked() && resolve(e.detail);
  if (name && name !== layer && name !== block) choose(name, false);
});
window.addEventListener('explorer:drawn', () => { if (net) paint(); });
new IntersectionObserver(([entry]) => { seen = entry.isIntersecting; look(); follow(); }).observe(host);
