// The diagram: fetches the drawing for (network, what is open), moves it, selects in it. No state but the view lives here:
// the network is props.query, what is open and selected is in the address bar.
const host = element.querySelector('.rx-graph');
const canvas = host.querySelector('.rx-canvas');
const inspector = host.querySelector('.rx-inspector');
const failure = host.querySelector('.rx-failure');
const params = () => new URLSearchParams(location.search);
const fromUrl = params().get('open');
const ready = () => typeof query === 'string';

let query = props.query;  // null until the program has read the address
let opened = fromUrl === null ? null : fromUrl.split(' ').filter(Boolean);
let selected = params().get('at');
const touches = new Map();
let view = null, natural = null, drag = null, moved = false, turn = 0, asked = 0, edges = [];

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
  view = [x + w / 2 - width / 2, whole ? y + h / 2 - width * aspect / 2 : y - 36 * width / box.width, width, width * aspect];
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
  const g = shownNode();
  if (g) { g.classList.add('selected'); g.setAttribute('aria-pressed', 'true'); }
  document.querySelectorAll('tr[data-node]').forEach(tr => tr.classList.toggle('selected', tr.dataset.node === selected));
}

async function draw(anchor, find) {
  if (!ready()) return;
  const mine = ++turn;
  host.setAttribute('aria-busy', 'true');
  const slow = setTimeout(() => host.classList.add('working'), 300);
  let answer;
  try { answer = JSON.parse(await server.draw({query, open: opened, find})); }
  catch { answer = {error: 'The program did not answer. Is it still running?'}; }
  finally { clearTimeout(slow); }
  if (mine !== turn) return;
  host.classList.remove('working');
  host.removeAttribute('aria-busy');
  failure.hidden = !answer.error;
  host.classList.toggle('stale', Boolean(answer.error));
  if (answer.error) {
    failure.textContent = answer.error;
    // What was open before is still what is drawn.
    if (canvas.dataset.query === query) opened = current(true);
    remember();
    return;
  }
  edges = answer.edges;
  if (find) { opened = answer.open; selected = answer.found; }
  if (opened === 'all') opened = answer.open;
  const before = anchor && node(anchor.id) && node(anchor.id).getBoundingClientRect();
  const fresh = canvas.dataset.query !== query || !view;
  if (fresh && !canvas.clientWidth) view = null;  // laid out when its tab is shown
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
  } else if (view) apply();
  host.dataset.open = answer.open.join(' ');
  remember();
  paint();
  if (find && shownNode()) { reveal(shownNode()); }
  if (anchor && keep && anchor.focus) keep.focus({preventScroll: true});
  describe();
}

async function describe() {
  const mine = ++asked;
  const id = selected && selected.startsWith('group:') ? null : selected;
  let text;
  try { text = await server.describe({query, open: current(), node: id || ''}); }
  catch { return; }  // the drawing's own request says that the program is gone
  if (mine === asked) inspector.innerHTML = text;
}

const shownNode = () => node(selected) || node('group:' + selected);
const current = drawn => (drawn ? null : opened) ?? (host.dataset.open || '').split(' ').filter(Boolean);

function toggle(g) {
  const keyboard = document.activeElement === g;
  if (g.id.startsWith('group:')) {
    const id = g.id.slice(6);
    opened = current().filter(name => name !== id && !(name.startsWith(id + '.') && id.startsWith('layer') && !id.includes('.')));
    remember();
    draw({id: g.id, becomes: id, focus: keyboard});
  } else if (g.classList.contains('opens')) {
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
// Walking: down and up the main path, right and left along a shortcut, Enter into a block, Escape out of it.
const MAIN = role => role === 'main';
const STEPS = {
  ArrowDown: id => edges.find(([from, , role]) => from === id && MAIN(role))?.[1],
  ArrowUp: id => edges.find(([, to, role]) => to === id && MAIN(role))?.[0],
  ArrowRight: id => edges.find(([from, , role]) => from === id && !MAIN(role))?.[1],
  ArrowLeft: id => edges.find(([, to, role]) => to === id && !MAIN(role))?.[0],
};
canvas.addEventListener('keydown', e => {
  const g = e.target.closest('g.node, g.cluster');
  if (!g) return;
  if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); activate(g); }
  if (STEPS[e.key]) {
    e.preventDefault();
    const next = node(STEPS[e.key](g.id));
    if (next) { next.focus({preventScroll: true}); select(next.id); }
  }
  if (e.key === 'Escape') {
    const inside = [...current()].filter(id => g.id !== id && g.id.startsWith(id.replace(/-\d+$/, '') + (id.includes('.') ? '' : '.'))).sort((a, b) => b.length - a.length)[0];
    const frame = g.classList.contains('cluster') ? g : inside && node('group:' + inside);
    if (frame) { e.preventDefault(); frame.focus({preventScroll: true}); toggle(frame); }
  }
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
  if (tool === 'actual' && view) zoom(canvas.clientWidth / 1.333 / view[2]);
  if (tool === 'fit') fit(false);
  if (tool === 'open') { opened = 'all'; draw(); }
  if (tool === 'whole') fit(true);
  if (tool === 'fold') { opened = null; selected = null; remember(); view = null; draw(); }
});

function find(id) {
  draw(null, id);
  host.scrollIntoView({block: 'nearest'});
}
window.addEventListener('explorer:select', e => find(e.detail));

const form = host.querySelector('.rx-search'), field = form.querySelector('input'), count = form.querySelector('.rx-count');
let matches = [], place = -1, lookups = 0;
const go = step => {
  if (!matches.length) return;
  place = (place + step + matches.length) % matches.length;
  count.textContent = `${place + 1} of ${matches.length}`;
  find(matches[place]);
};
field.addEventListener('input', async () => {
  const mine = ++lookups, text = field.value.trim();
  let found = [];
  if (text && ready()) try { found = JSON.parse(await server.search({query, text})); } catch { return; }
  if (mine !== lookups) return;
  matches = found; place = -1;
  count.textContent = text ? (matches.length ? `${matches.length} found, Enter shows them` : 'nothing found') : '';
});
form.addEventListener('submit', e => { e.preventDefault(); go(1); });
field.addEventListener('keydown', e => {
  if (e.key === 'Enter' && e.shiftKey) { e.preventDefault(); go(-1); }
  if (e.key === 'Escape') { field.value = ''; matches = []; count.textContent = ''; field.blur(); }
});
document.addEventListener('keydown', e => {
  const typing = e.target.closest?.('input, textarea, select, [contenteditable]');
  if (!host.offsetParent || !(e.key === '/' && !typing || e.key === 'f' && (e.ctrlKey || e.metaKey))) return;
  e.preventDefault();
  field.focus();
  field.select();
});
new ResizeObserver(() => { if (!canvas.clientWidth) return; if (view && svg()) { view[3] = view[2] * canvas.clientHeight / canvas.clientWidth; apply(); } else if (svg()) fit(false); }).observe(canvas);

inspector.innerHTML = '';
draw();
watch('query', () => { if (props.query !== query) { query = props.query; draw(); } });
