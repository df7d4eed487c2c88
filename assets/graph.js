// The diagram: fetches the drawing for (network, what is open), moves it, selects in it. No state but the view lives here:
// the network is props.query, what is open and selected is in the address bar.
const host = element.querySelector('.rx-graph');
const canvas = host.querySelector('.rx-canvas');
const inspector = host.querySelector('.rx-inspector');
const failure = host.querySelector('.rx-failure');
const params = () => new URLSearchParams(location.search);
const spec = () => { const p = params(); ['open', 'at', '__theme'].forEach(k => p.delete(k)); return p.toString(); };
const fromUrl = params().get('open');

let query = props.query || spec();
let opened = fromUrl === null ? null : fromUrl.split(' ').filter(Boolean);
let selected = params().get('at');
const touches = new Map();
let view = null, natural = null, drag = null, moved = false, turn = 0, asked = 0;

const svg = () => canvas.querySelector('svg');
const node = id => id && canvas.querySelector(`g[id="${CSS.escape(id)}"]`);
const apply = () => svg() && svg().setAttribute('viewBox', view.join(' '));

function remember() {
  const p = params();
  opened === null ? p.delete('open') : p.set('open', opened.join(' '));
  selected ? p.set('at', selected) : p.delete('at');
  const text = p.toString();
  history.replaceState(null, '', text ? '?' + text : location.pathname);
}

function fit(whole) {
  const box = canvas.getBoundingClientRect();
  if (!natural || !box.width) return;
  const [x, y, w, h] = natural, aspect = box.height / box.width;
  // Never much larger than drawn: short labels blown up read worse, not better.
  const width = whole ? Math.max(w, h / aspect) : Math.max(w, box.width / 1.3);
  view = [x + w / 2 - width / 2, whole ? y + h / 2 - width * aspect / 2 : y, width, width * aspect];
  apply();
}

function zoom(factor, clientX, clientY) {
  const s = svg(); if (!s) return;
  const box = canvas.getBoundingClientRect();
  const at = new DOMPoint(clientX ?? box.left + box.width / 2, clientY ?? box.top + box.height / 2).matrixTransform(s.getScreenCTM().inverse());
  const k = Math.min(Math.max(view[2] * factor, 60), natural[2] * 12) / view[2];
  view = [at.x - (at.x - view[0]) * k, at.y - (at.y - view[1]) * k, view[2] * k, view[3] * k];
  apply();
}

function paint() {
  canvas.querySelectorAll('.selected').forEach(g => { g.classList.remove('selected'); g.removeAttribute('aria-pressed'); });
  const g = node(selected) || node('group:' + selected);
  if (g) { g.classList.add('selected'); g.setAttribute('aria-pressed', 'true'); }
  document.querySelectorAll('tr[data-node]').forEach(tr => tr.classList.toggle('selected', tr.dataset.node === selected));
}

async function draw(anchor) {
  const mine = ++turn;
  host.setAttribute('aria-busy', 'true');
  const slow = setTimeout(() => host.classList.add('working'), 300);
  let answer;
  try { answer = JSON.parse(await server.draw({query, open: opened})); }
  catch { answer = {error: 'The program did not answer. Is it still running?'}; }
  finally { clearTimeout(slow); }
  if (mine !== turn) return;
  host.classList.remove('working');
  host.removeAttribute('aria-busy');
  failure.hidden = !answer.error;
  host.classList.toggle('stale', Boolean(answer.error));
  if (answer.error) { failure.textContent = answer.error; return; }
  const before = anchor && node(anchor.id) && node(anchor.id).getBoundingClientRect();
  const fresh = canvas.dataset.query !== query || !view;
  const scale = view && canvas.clientWidth / view[2];
  canvas.innerHTML = answer.svg;
  canvas.dataset.query = query;
  natural = svg().getAttribute('viewBox').split(/[ ,]+/).map(Number);
  const keep = anchor && (node(anchor.becomes) || node(anchor.id) || node('group:' + anchor.id));
  if (fresh && !keep) fit(false);
  else if (before && keep) {
    // The clicked thing stays where it was on the screen.
    apply();
    const after = keep.getBoundingClientRect();
    view[0] += (after.left + after.width / 2 - before.left - before.width / 2) / scale;
    view[1] += (after.top - before.top) / scale;
    apply();
  } else apply();
  host.dataset.open = answer.open.join(' ');
  paint();
  if (anchor && keep && anchor.focus) keep.focus({preventScroll: true});
  describe();
}

async function describe() {
  const mine = ++asked;
  const id = selected && selected.startsWith('group:') ? null : selected;
  const text = await server.describe({query, open: current(), node: id || ''});
  if (mine === asked) inspector.innerHTML = text;
}

const current = () => opened ?? (host.dataset.open || '').split(' ').filter(Boolean);

function toggle(g) {
  const keyboard = document.activeElement === g;
  if (g.id.startsWith('group:')) {
    const id = g.id.slice(6);
    opened = current().filter(name => name !== id && !(name.startsWith(id + '.') && id.startsWith('layer') && !id.includes('.')));
    remember();
    draw({id: g.id, becomes: id, focus: keyboard});
  } else if (g.dataset.opens || g.classList.contains('opens')) {
    opened = [...current(), g.id];
    remember();
    draw({id: g.id, becomes: 'group:' + g.id, focus: keyboard});
  }
}

function reveal(g) {
  const box = g.getBoundingClientRect(), frame = canvas.getBoundingClientRect(), scale = canvas.clientWidth / view[2];
  if (box.left >= frame.left && box.right <= frame.right && box.top >= frame.top && box.bottom <= frame.bottom) return;
  view[0] += (box.left + box.width / 2 - frame.left - frame.width / 2) / scale;
  view[1] += (box.top + box.height / 2 - frame.top - frame.height / 2) / scale;
  apply();
}

function select(id) {
  selected = id;
  remember();
  paint();
  describe();
}

function activate(g) {
  if (!g) return;
  if (!g.id.startsWith('group:')) select(g.id);
  toggle(g);
}

canvas.addEventListener('click', e => { if (!moved) activate(e.target.closest('g.node, g.cluster')); });
canvas.addEventListener('keydown', e => {
  if (e.key !== 'Enter' && e.key !== ' ') return;
  const g = e.target.closest('g.node, g.cluster');
  if (g) { e.preventDefault(); activate(g); }
});
// The keyboard's focus may go to what is outside the frame: bring it in. (Not for a pointer, which is there already.)
canvas.addEventListener('focusin', e => { const g = e.target.closest('g.node'); if (g && !touches.size) reveal(g); });
canvas.addEventListener('wheel', e => { if (svg()) { e.preventDefault(); zoom(Math.exp(e.deltaY * .0015), e.clientX, e.clientY); } }, {passive: false});

canvas.addEventListener('pointerdown', e => {
  if (e.button !== 0) return;
  touches.set(e.pointerId, [e.clientX, e.clientY]);
  moved = false;
  drag = [e.clientX, e.clientY];
});
canvas.addEventListener('pointermove', e => {
  if (!touches.has(e.pointerId) || !view) return;
  const others = [...touches].filter(([id]) => id !== e.pointerId).map(([, at]) => at);
  if (others.length) {
    const [ox, oy] = others[0], [px, py] = touches.get(e.pointerId);
    moved = true;
    zoom(Math.hypot(px - ox, py - oy) / Math.max(1, Math.hypot(e.clientX - ox, e.clientY - oy)), (e.clientX + ox) / 2, (e.clientY + oy) / 2);
  } else {
    const dx = e.clientX - drag[0], dy = e.clientY - drag[1];
    if (!moved && Math.hypot(dx, dy) < 4) return;
    if (!moved) { moved = true; canvas.setPointerCapture(e.pointerId); }
    const scale = canvas.clientWidth / view[2];
    view[0] -= dx / scale; view[1] -= dy / scale;
    drag = [e.clientX, e.clientY];
    apply();
  }
  touches.set(e.pointerId, [e.clientX, e.clientY]);
});
for (const end of ['pointerup', 'pointercancel', 'pointerleave'])
  canvas.addEventListener(end, e => touches.delete(e.pointerId));

host.querySelector('.rx-tools').addEventListener('click', e => {
  const tool = e.target.dataset.tool;
  if (tool === 'in') zoom(1 / 1.3);
  if (tool === 'out') zoom(1.3);
  if (tool === 'fit') fit(false);
  if (tool === 'whole') fit(true);
  if (tool === 'fold') { opened = null; selected = null; remember(); view = null; draw(); }
});

window.addEventListener('explorer:select', async e => {
  const id = e.detail;
  if (!node(id)) {
    // Open what hides it: its stage, and the run of equal blocks it may be folded into.
    const path = id.split(':')[0], stage = path.split('.')[0], index = Number(path.split('.')[1]);
    const run = [...canvas.querySelectorAll('g.node.many.block')].find(g => {
      const [, at, first, last] = g.id.match(/^(.*)\.(\d+)-(\d+)$/) || [];
      return at === stage && index >= Number(first) && index <= Number(last);
    });
    const extra = [stage, ...(run ? [run.id] : []), ...(path !== id || path.split('.').length < 3 ? [] : [path.split('.').slice(0, 2).join('.')])];
    opened = [...new Set([...current(), ...extra])];
    await draw();
  }
  select(id);
  if (node(id)) reveal(node(id));
  host.scrollIntoView({block: 'nearest'});
});
new ResizeObserver(() => { if (!canvas.clientWidth) return; if (view && svg()) { view[3] = view[2] * canvas.clientHeight / canvas.clientWidth; apply(); } else if (svg()) fit(false); }).observe(canvas);

inspector.innerHTML = '';
draw();
watch('query', () => { if (props.query !== query) { query = props.query; draw(); } });
