// Two diagrams that move, open and select together. The first network is props.query, the second is in the address bar
// (`with`); what stands beside what, and what differs, the program says. viewport.js moves each diagram.
const host = element.querySelector('.rx-compare');
const halves = [...host.querySelectorAll('.rx-half')];
const canvases = halves.map(half => half.querySelector('.rx-canvas'));
const ports = canvases.map(viewport);
const choice = host.querySelector('select'), other = host.querySelector('.rx-other input');
const note = host.querySelector('.rx-banner'), chosen = host.querySelector('.rx-chosen');
const fromUrl = () => new URLSearchParams(location.search).get('with') ?? '';
const visible = () => host.offsetParent !== null;

let second = fromUrl(), opened = null, current = [], selected = null;  // selected: {side, id}
let sides = [{beside: {}, edges: []}, {beside: {}, edges: []}], anchors = [], natural = [];
let drawn = null, turn = 0, asked = 0, place = -1;

const node = (side, id) => id ? canvases[side].querySelector(`g[id="${CSS.escape(id)}"]`) : null;
const sideOf = g => canvases.findIndex(canvas => canvas.contains(g));

function remember() {
  const p = new URLSearchParams(location.search);
  second ? p.set('with', second) : p.delete('with');
  const text = p.toString();
  history.replaceState(null, '', text ? '?' + text : location.pathname);
}

// Heights of boxes that stand beside each other; between them the one diagram's height maps to the other's linearly.
function findAnchors() {
  const height = (side, id) => {
    const g = node(side, id);
    if (!g || !natural[side]) return null;
    const box = g.getBBox();
    return g.ownerSVGElement.querySelector('g.graph').transform.baseVal.consolidate().matrix.f + box.y + box.height / 2;
  };
  const pairs = Object.entries(sides[0].beside).filter(([id]) => !id.startsWith('group:'))
    .map(([a, b]) => [height(0, a), height(1, b)]).filter(([a, b]) => a !== null && b !== null)
    .sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  anchors = [];
  for (const [a, b] of pairs) {
    const last = anchors[anchors.length - 1];
    if (!last || (a > last[0] && b > last[1])) anchors.push([a, b]);
  }
}

function beside(y, from) {
  const to = 1 - from;
  if (!anchors.length) return y;
  const after = anchors.findIndex(pair => pair[from] >= y);
  if (after === 0) return y + anchors[0][to] - anchors[0][from];
  if (after < 0) { const last = anchors[anchors.length - 1]; return y + last[to] - last[from]; }
  const a = anchors[after - 1], b = anchors[after];
  return a[to] + (y - a[from]) / (b[from] - a[from]) * (b[to] - a[to]);
}

// The main path runs straight down from the input.
function spine(side) {
  const g = node(side, 'input'), box = g?.getBBox();
  if (!g) return natural[side][0] + natural[side][2] / 2;
  return g.ownerSVGElement.querySelector('g.graph').transform.baseVal.consolidate().matrix.e + box.x + box.width / 2;
}

// Same scale, same distance from the main path, same place in the network.
function follow(from) {
  const to = 1 - from, view = ports[from].view;
  if (!view || !natural[from] || !natural[to] || !canvases[to].clientWidth) return;
  const [x, y, w, h] = view, scale = canvases[from].clientWidth / w;
  const width = canvases[to].clientWidth / scale, height = canvases[to].clientHeight / scale;
  ports[to].view = [
    x + w / 2 - spine(from) + spine(to) - width / 2, beside(y + h / 2, from) - height / 2, width, height,
  ];
}
ports.forEach((port, side) => port.follow(() => follow(side)));

// What both drawings fit in, one main path laid upon the other.
function fit(whole) {
  const known = [0, 1].filter(side => natural[side]), lead = known[0], frame = canvases[lead];
  if (!known.length || !frame.clientWidth) return;
  const reach = pick => Math.max(...known.map(side => pick(natural[side], spine(side))));
  const left = reach(([x], at) => at - x), right = reach(([x, , w], at) => x + w - at), tallest = reach(box => box[3]);
  const aspect = frame.clientHeight / frame.clientWidth, [, y, , h] = natural[lead];
  const width = whole ? Math.max(left + right, tallest / aspect) : Math.max(left + right, frame.clientWidth / 1.3);
  ports[lead].view = [
    spine(lead) + (right - left) / 2 - width / 2,
    whole ? y + h / 2 - width * aspect / 2 : y - 8 * width / frame.clientWidth, width, width * aspect,
  ];
  follow(lead);
}

function paint() {
  host.querySelectorAll('.selected').forEach(g => { g.classList.remove('selected'); g.removeAttribute('aria-pressed'); });
  if (!selected) return;
  const ids = [];
  ids[selected.side] = selected.id;
  const {beside} = sides[selected.side];
  ids[1 - selected.side] = beside[selected.id] ?? beside['group:' + selected.id]?.slice(6);
  ids.forEach((id, side) => {
    const g = node(side, id) ?? node(side, 'group:' + id);
    if (g) { g.classList.add('selected'); g.setAttribute('aria-pressed', 'true'); }
  });
}

// A second sign besides the outline.
function badge(g) {
  const box = g.querySelector('path, polygon, ellipse');
  if (!box || g.classList.contains('cluster')) return;
  const {x, y, height} = box.getBBox();
  const sign = document.createElementNS('http://www.w3.org/2000/svg', 'g');
  sign.setAttribute('class', 'rx-badge');
  sign.setAttribute('aria-hidden', 'true');
  // A sum has its verdict above, at the left.
  const sum = g.classList.contains('merge');
  sign.setAttribute('transform', `translate(${sum ? x - 4 : x} ${sum ? y + height - 1 : y})`);
  const text = g.classList.contains('differs') ? '≠' : '+';
  sign.innerHTML = `<circle r="7.5"></circle><text text-anchor="middle" y="4">${text}</text>`;
  g.append(sign);
}

function show(answer) {
  halves.forEach((half, side) => {
    const part = answer.sides[side], failure = half.querySelector('.rx-failure');
    half.querySelector('h3 span').textContent = part.title;
    failure.hidden = !part.error;
    failure.textContent = part.error ?? '';
    natural[side] = part.svg ? /viewBox="([^"]+)"/.exec(part.svg)[1].split(/[ ,]+/).map(Number) : null;
    if (part.svg) ports[side].show(part.svg);
    else canvases[side].replaceChildren();
    canvases[side].querySelectorAll('.differs, .only-here').forEach(badge);
  });
  sides = answer.sides;
  findAnchors();
}

async function draw(anchor) {
  if (typeof props.query !== 'string' || !visible()) return;
  const mine = ++turn, wanted = `${props.query}\n${second}`, query = props.query;
  host.setAttribute('aria-busy', 'true');
  const slow = setTimeout(() => host.classList.add('working'), 300);
  let answer;
  try { answer = JSON.parse(await server.draw_pair({query, with: second, open: opened})); }
  catch { answer = {error: 'The program did not answer. Is it still running?'}; }
  finally { clearTimeout(slow); }
  if (mine !== turn) return;
  host.classList.remove('working');
  host.removeAttribute('aria-busy');
  note.hidden = !(answer.error || answer.note);
  note.textContent = answer.error || answer.note || '';
  host.classList.toggle('stale', Boolean(answer.error));
  if (answer.error) return;
  const before = anchor && node(anchor.side, anchor.id)?.getBoundingClientRect();
  const fresh = drawn !== wanted || !ports.some(port => port.view);
  drawn = `${query}\n${answer.with}`;
  second = answer.with;
  current = answer.open;
  host.querySelector('.rx-words').innerHTML = answer.words;
  host.querySelector('.rx-parts').innerHTML = answer.parts;
  name(answer.sides[1].title);
  remember();
  show(answer);
  if (fresh) { place = -1; fit(false); }
  const kept = anchor && (node(anchor.side, anchor.becomes) ?? node(anchor.side, anchor.id) ?? node(anchor.side, 'group:' + anchor.id));
  if (before && kept) {
    const after = kept.getBoundingClientRect();
    ports[anchor.side].pan(after.left + after.width / 2 - before.left - before.width / 2, after.top - before.top);
  } else if (!fresh) follow(0);
  if (kept && anchor.focus) kept.focus({preventScroll: true});
  if (selected && !node(selected.side, selected.id) && !node(selected.side, 'group:' + selected.id)) selected = null;
  paint();
  describe(answer.hint);
}

// The second network in the list of choices; one that is no preset gets an entry of its own.
function name(title) {
  choice.querySelector('.rx-own')?.remove();
  if (![...choice.options].some(option => option.value === second)) {
    const option = new Option(`${title} (pinned)`, second);
    option.className = 'rx-own';
    choice.append(option);
  }
  choice.value = second;
}

async function describe(empty) {
  const mine = ++asked;
  if (!selected) { chosen.innerHTML = empty ?? chosen.innerHTML; return; }
  let text;
  try { text = await server.describe_pair({query: props.query, with: second, open: current, side: selected.side, node: selected.id}); }
  catch { return; }  // drawing says that the program is gone
  if (mine === asked) chosen.innerHTML = text;
}

function select(side, id) {
  selected = {side, id};
  paint();
  describe();
}

function toggle(side, g) {
  const focus = document.activeElement === g;
  if (g.id.startsWith('group:')) {
    const id = g.id.slice(6), inner = id.includes('.') ? null : id + '.';
    opened = current.filter(name => name !== id && !(inner && name.startsWith(inner)));
    draw({side, id: g.id, becomes: id, focus});
  } else if (g.classList.contains('opens')) {
    opened = [...current, g.id];
    draw({side, id: g.id, becomes: 'group:' + g.id, focus});
  }
}

function activate(side, g) {
  if (!g) return;
  if (!g.id.startsWith('group:')) select(side, g.id);
  toggle(side, g);
}

// Down and up the main path; right and left to the counterpart in the other diagram; Escape out of a block.
function step(side, key, g) {
  const {edges} = sides[side];
  if (key === 'ArrowDown') return node(side, edges.find(([from]) => from === g.id)?.[1]);
  if (key === 'ArrowUp') return node(side, edges.find(([, to]) => to === g.id)?.[0]);
  return (key === 'ArrowRight') === (side === 0) ? node(1 - side, sides[side].beside[g.id]) : null;
}

canvases.forEach((canvas, side) => {
  canvas.addEventListener('click', e => { if (!ports[side].dragged) activate(side, e.target.closest('g.node, g.cluster')); });
  canvas.addEventListener('focusin', e => {
    const g = e.target.closest('g.node');
    if (g && !ports[side].touched) ports[side].reveal(g);
  });
  canvas.addEventListener('keydown', e => {
    const g = e.target.closest('g.node, g.cluster');
    if (!g) return;
    if (e.key === 'Enter' || e.key === ' ') { e.preventDefault(); activate(side, g); }
    if (e.key.startsWith('Arrow')) {
      e.preventDefault();
      const next = step(side, e.key, g);
      if (next) { next.focus({preventScroll: true}); if (next.classList.contains('node')) select(sideOf(next), next.id); }
    }
    if (e.key === 'Escape') {
      const frame = g.classList.contains('cluster') ? g : [...canvas.querySelectorAll('g.cluster')]
        .filter(f => g.id.startsWith(f.id.slice(6) + '.') || g.id.startsWith(f.id.slice(6) + ':')).pop();
      if (frame) { e.preventDefault(); frame.focus({preventScroll: true}); toggle(side, frame); }
    }
  });
});

function reveal(id) {
  for (const side of [0, 1]) {
    const g = node(side, id) ?? node(side, 'group:' + id);
    if (!g) continue;
    const box = g.getBoundingClientRect(), frame = canvases[side].getBoundingClientRect();
    ports[side].pan(box.left + box.width / 2 - frame.left - frame.width / 2, box.top - frame.top - 40);
    return g;
  }
  return null;
}

// Differences from top to bottom, each pair once.
function next() {
  const marks = canvases.flatMap((canvas, side) => [...canvas.querySelectorAll('g.node:is(.differs, .only-here)')]
    .filter(g => side === 0 || !sides[1].beside[g.id])
    .map(g => [side ? beside(g.getBBox().y, 1) : g.getBBox().y, side, g.id]));
  if (!marks.length) return;
  marks.sort((a, b) => a[0] - b[0]);
  place = (place + 1) % marks.length;
  const [, side, id] = marks[place], g = node(side, id);
  const box = g.getBoundingClientRect(), frame = canvases[side].getBoundingClientRect();
  ports[side].pan(0, box.top + box.height / 2 - frame.top - frame.height / 2);
  select(side, id);
}

const lead = () => ports[natural[0] ? 0 : 1];
const TOOLS = {
  in: () => lead().zoom(1 / 1.3),
  out: () => lead().zoom(1.3),
  fit: () => fit(false),
  whole: () => fit(true),
  next,
  fold: () => { opened = null; selected = null; drawn = null; draw(); },
};
host.querySelector('.rx-tools').addEventListener('click', e => TOOLS[e.target.dataset.tool]?.());
host.querySelector('.rx-parts').addEventListener('click', e => {
  const row = e.target.closest('tr[data-part]');
  if (row && reveal(row.dataset.part)) host.querySelector('.rx-pair').scrollIntoView({block: 'nearest'});
});

function choose(word) {
  second = word;
  opened = null;
  remember();
  draw();
}
choice.addEventListener('change', () => choose(choice.value));
host.querySelector('[data-do=pin]').addEventListener('click', () => choose(props.query || 'preset=resnet18'));
host.querySelector('form').addEventListener('submit', e => {
  e.preventDefault();
  if (other.value.trim()) choose(other.value.trim());
});

// Both frames keep one scale when the window changes; what is hidden is laid out when it is shown.
new ResizeObserver(() => {
  if (!visible()) return;
  if (drawn !== `${props.query}\n${second}`) draw();
  else if (ports[0].view) follow(0);
  else fit(false);
}).observe(host);
watch('query', () => draw());
