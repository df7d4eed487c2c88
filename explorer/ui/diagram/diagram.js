// The diagram: fetches the drawing for (network, what is open), opens, walks and selects in it. No state but the view
// lives here: the network is props.query, what is open and selected is in the address bar. viewport.js moves it.
const host = element.querySelector('.rx-graph');
const canvas = host.querySelector('.rx-canvas');
const inspector = host.querySelector('.rx-inspector');
const failure = host.querySelector('.rx-failure');
const notice = host.querySelector('.rx-notice');
const port = viewport(canvas);
const tints = tinting(host, canvas, by => server.tint({query, open: current(), by}));
const params = () => new URLSearchParams(location.search);
const fromUrl = params().get('open');
const ready = () => typeof query === 'string';
const isFile = (name = query) => Boolean(name?.startsWith('file:'));

let query = props.query;  // null until the program has read the address
let opened = fromUrl === null ? null : fromUrl.split(' ').filter(Boolean);
let selected = params().get('at');
let turn = 0, asked = 0, edges = [];

const node = id => id && canvas.querySelector(`g[id="${CSS.escape(id)}"]`);

function remember() {
  if (isFile()) return;
  const p = params();
  opened === null ? p.delete('open') : p.set('open', opened.join(' '));
  selected ? p.set('at', selected) : p.delete('at');
  tints.choice.value ? p.set('tint', tints.choice.value) : p.delete('tint');
  const text = p.toString();
  history.replaceState(null, '', text ? '?' + text : location.pathname);
}

function paint() {
  canvas.querySelectorAll('.selected').forEach(g => { g.classList.remove('selected'); g.removeAttribute('aria-pressed'); });
  const g = shownNode();
  if (g) { g.classList.add('selected'); g.setAttribute('aria-pressed', 'true'); }
  document.querySelectorAll('tr[data-node]').forEach(tr => tr.classList.toggle('selected', tr.dataset.node === selected));
  window.dispatchEvent(new CustomEvent('explorer:selected', {detail: selected}));
}

async function asking(question) {
  const mine = ++turn;
  host.setAttribute('aria-busy', 'true');
  const slow = setTimeout(() => host.classList.add('working'), 300);
  let answer;
  try { answer = JSON.parse(await server.draw({open: opened, ...question})); }
  catch { answer = {error: 'The program did not answer. Is it still running?'}; }
  finally { clearTimeout(slow); }
  if (mine !== turn) return null;
  host.classList.remove('working');
  host.removeAttribute('aria-busy');
  return answer;
}

async function draw(anchor, find) {
  if (!ready()) return;
  const answer = await asking({query, find});
  if (answer) show(answer, anchor, find);
}

// A field of the builder was touched: its network is drawn first, then the program is asked for the rest of the page.
// Of fields that name no network that answer tells.
let ahead = null;
window.explorerAhead = fields => {
  if (!ready() || !host.offsetParent) return null;
  const mine = ahead = asking({fields, open: isFile() ? null : opened}).then(answer => {
    if (mine === ahead) ahead = null;
    if (!answer || answer.error || answer.query === query) return;
    follow(answer.query);
    show(answer);
  });
  return mine;
};

function show(answer, anchor, find) {
  const told = query;  // to what waits for the diagram, once it stands
  setTimeout(() => window.dispatchEvent(new CustomEvent('explorer:drawn', {detail: told})));
  failure.hidden = !answer.error;
  host.classList.toggle('stale', Boolean(answer.error));
  if (answer.error) {
    failure.textContent = answer.error;
    // What was open before is still what is drawn.
    if (canvas.dataset.query === query) opened = current(true);
    remember();
    return;
  }
  notice.textContent = answer.notice;
  notice.hidden = !answer.notice;
  if (answer.notice && opened !== 'all' && canvas.dataset.query === query) { opened = current(true); remember(); return; }
  if (answer.notice) opened = answer.open;
  edges = answer.edges;
  if (find) { opened = answer.open; selected = answer.found; }
  if (opened === 'all') opened = answer.open;
  const before = anchor && node(anchor.id) && node(anchor.id).getBoundingClientRect();
  const fresh = canvas.dataset.query !== query || !port.view;
  if (fresh && !canvas.clientWidth) port.forget();  // laid out when its tab is shown
  const eye = fresh ? port.looksAt() : [];
  port.show(answer.svg);
  canvas.dataset.query = query;
  const keep = anchor && (node(anchor.becomes) || node(anchor.id) || node('group:' + anchor.id));
  // What was clicked, or else looked at, stays where it was on the screen.
  const held = eye.find(({id}) => node(id));
  if (before && keep) port.hold(keep, before);
  else if (held) port.hold(node(held.id), held.box);
  else if (fresh) port.fit(false);
  host.dataset.open = answer.open.join(' ');
  remember();
  paint();
  tints.refresh();
  if ((find || fresh && !held) && shownNode()) port.reveal(shownNode());
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

function select(id) {
  selected = id;
  remember();
  paint();
  describe();
}

function activate(g) {
  if (!g.id.startsWith('group:')) select(g.id);
  toggle(g);
}

canvas.addEventListener('click', e => {
  if (port.dragged) return;
  const g = e.target.closest('g.node, g.cluster');
  if (g) activate(g);
  else if (selected && !e.target.closest('g.edge')) select(null);
});
// Walking: down and up the main path, right and left along a shortcut, Enter into a block, Escape out of it, and where
// there is nothing to leave, of the selection.
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
    else if (selected) select(null);
  }
});

// The keyboard's focus may go to what is outside the frame: bring it in. (Not for a pointer, which is there already.)
canvas.addEventListener('focusin', e => { const g = e.target.closest('g.node'); if (g && !port.touched) port.reveal(g); });

tints.choice.addEventListener('change', remember);
const TOOLS = {
  in: () => port.zoom(1 / 1.3),
  out: () => port.zoom(1.3),
  actual: () => port.actual(),
  fit: () => port.fit(false),
  whole: () => port.fit(true),
  open: () => { opened = 'all'; draw(); },
  fold: () => { opened = null; selected = null; remember(); port.forget(); draw(); },
};
host.querySelector('.rx-tools').addEventListener('click', e => {
  TOOLS[e.target.dataset.tool]?.();
});

function find(id) {
  draw(null, id);
  canvas.parentElement.scrollIntoView({block: 'nearest'});
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

inspector.innerHTML = '';
draw();
function follow(next) {
  // What is open in a file is nothing to another network, and no address brings a file back.
  if (isFile() || isFile(next)) { opened = null; selected = null; }
  query = next;
}
watch('query', async () => {
  while (ahead) await ahead;
  if (props.query === query) return;
  follow(props.query);
  draw();
});
