// Two diagrams that move, open and select together. The first is the builder's network, the second is in the address
// (`with`). The program says what is beside what, and what differs.

import {drawing, mark, working} from '../diagram/drawing.js';
import {GROUP, innermost, toggled} from '../diagram/open.js';
import {address, ask, get, latest, on, setAddress} from '../kit/lib.js';
import {anchorsOf, mapHeight} from './align.js';

const SVG = 'http://www.w3.org/2000/svg';
const DIFFERENT = 'g.node:is(.differs, .only-here)';
const NOTHING = {beside: {}, edges: []};

/** Where the drawing's own frame is in the picture. @param {SVGGElement} g */
const frameOf = g => g.ownerSVGElement.querySelector('g.graph').transform.baseVal.consolidate().matrix;

/** A sign besides the outline: "≠" or "+". @param {SVGGElement} g */
function badge(g) {
  const box = g.querySelector('path, polygon, ellipse');
  if (!box || g.classList.contains('cluster')) return;
  const {x, y, height} = box.getBBox(),
    isSum = g.classList.contains('merge');
  const sign = document.createElementNS(SVG, 'g');
  sign.setAttribute('class', 'rx-badge');
  sign.setAttribute('aria-hidden', 'true');
  // A sum has its verdict above, at the left.
  sign.setAttribute('transform', `translate(${isSum ? x - 4 : x} ${isSum ? y + height - 1 : y})`);
  const text = g.classList.contains('differs') ? '≠' : '+';
  sign.innerHTML = `<circle r="7.5"></circle><text text-anchor="middle" y="4">${text}</text>`;
  g.append(sign);
}

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, server}) {
  const host = element.querySelector('.rx-compare'),
    halves = [...host.querySelectorAll('.rx-half')];
  const canvases = halves.map(half => half.querySelector('.rx-canvas'));
  const choice = host.querySelector('select'),
    other = host.querySelector('.rx-other input');
  const note = host.querySelector('.rx-banner'),
    chosen = host.querySelector('.rx-chosen');
  const turn = latest(),
    descriptions = latest();

  let second = address('with') ?? '';
  let opened = null,
    current = []; // asked to be open, and what is
  let selected = null; // {side, id}
  let sides = [NOTHING, NOTHING],
    anchors = [],
    natural = []; // natural: each picture's own view box
  let drawn = null,
    difference = -1;

  const pictures = canvases.map((canvas, side) =>
    drawing(canvas, {
      activate: g => activate(side, g),
      step: (key, g) => step(side, key, g),
      walked: g => {
        if (g.classList.contains('node')) select(sideOf(g), g.id);
      },
      leave: g => leave(side, g),
    }),
  );
  const ports = pictures.map(picture => picture.port);
  const node = (side, id) => pictures[side].node(id);
  const sideOf = g => pictures.findIndex(picture => picture.has(g));
  const isShown = () => host.offsetParent !== null;
  const wanted = () => `${get('network')}\n${second}`;
  const beside = (y, from) => mapHeight(y, from, anchors);

  // ---- moving together ----

  function findAnchors() {
    const height = (side, id) => {
      const g = node(side, id);
      if (!g || !natural[side]) return null;
      const box = g.getBBox();
      return frameOf(g).f + box.y + box.height / 2;
    };
    const pairs = Object.entries(sides[0].beside).filter(([id]) => !id.startsWith(GROUP));
    const heights = pairs.map(([a, b]) => [height(0, a), height(1, b)]);
    anchors = anchorsOf(heights.filter(([a, b]) => a !== null && b !== null));
  }

  // The main path runs straight down from the input.
  function spine(side) {
    const g = node(side, 'input'),
      box = g?.getBBox();
    return g ? frameOf(g).e + box.x + box.width / 2 : natural[side][0] + natural[side][2] / 2;
  }

  // Same scale, same distance from the main path, same place in the network.
  function follow(from) {
    const to = 1 - from,
      view = ports[from].view;
    if (!view || !natural[from] || !natural[to] || !canvases[to].clientWidth) return;
    const [x, y, w, h] = view,
      scale = canvases[from].clientWidth / w;
    const width = canvases[to].clientWidth / scale,
      height = canvases[to].clientHeight / scale;
    const left = x + w / 2 - spine(from) + spine(to) - width / 2;
    ports[to].view = [left, beside(y + h / 2, from) - height / 2, width, height];
  }

  // What both drawings fit in, one main path over the other.
  function fit(whole) {
    const known = [0, 1].filter(side => natural[side]),
      lead = known[0],
      frame = canvases[lead];
    if (!known.length || !frame.clientWidth) return;
    const reach = pick => Math.max(...known.map(side => pick(natural[side], spine(side))));
    const left = reach(([x], at) => at - x),
      right = reach(([x, , w], at) => x + w - at);
    const tallest = reach(box => box[3]);
    const aspect = frame.clientHeight / frame.clientWidth,
      [, y, , h] = natural[lead];
    const width = Math.max(left + right, whole ? tallest / aspect : frame.clientWidth / 1.3);
    const top = whole ? y + h / 2 - (width * aspect) / 2 : y - (8 * width) / frame.clientWidth;
    ports[lead].view = [spine(lead) + (right - left) / 2 - width / 2, top, width, width * aspect];
    follow(lead);
  }

  // ---- drawing ----

  function showSide(side, part) {
    const half = halves[side],
      failure = half.querySelector('.rx-failure');
    half.querySelector('h3 span').textContent = part.title;
    failure.hidden = !part.error;
    failure.textContent = part.error ?? '';
    natural[side] = part.svg ? /viewBox="([^"]+)"/.exec(part.svg)[1].split(/[ ,]+/).map(Number) : null;
    if (part.svg) ports[side].show(part.svg);
    else canvases[side].replaceChildren();
    canvases[side].querySelectorAll('.differs, .only-here').forEach(badge);
  }

  async function draw(anchor = null) {
    const query = get('network');
    if (query === undefined || !isShown()) return;
    const asked = wanted();
    const request = {query, with: second, open: opened};
    const answer = await working(host, turn(), ask(server, 'draw_pair', request));
    if (!answer) return;
    note.hidden = !(answer.error || answer.note);
    note.textContent = answer.error || answer.note || '';
    host.classList.toggle('stale', Boolean(answer.error));
    if (answer.error) return;
    const fresh = drawn !== asked || !ports.some(port => port.view);
    second = answer.with;
    drawn = `${query}\n${second}`;
    current = answer.open;
    setAddress({with: second || null});
    host.querySelector('.rx-words').innerHTML = answer.words;
    host.querySelector('.rx-parts').innerHTML = answer.parts;
    nameSecond(answer.sides[1].title);
    place(answer, anchor, fresh);
    describe(answer.hint);
  }

  /** Put both pictures into their frames; what was clicked stays where it was on the screen. */
  function place(answer, anchor, fresh) {
    const before = anchor && node(anchor.side, anchor.id)?.getBoundingClientRect();
    answer.sides.forEach((part, side) => showSide(side, part));
    sides = answer.sides;
    findAnchors();
    if (fresh) {
      difference = -1;
      fit(false);
    }
    const kept = anchor && pictures[anchor.side].after(anchor);
    if (before && kept) {
      const after = kept.getBoundingClientRect();
      const dx = after.left + after.width / 2 - before.left - before.width / 2;
      ports[anchor.side].pan(dx, after.top - before.top);
    } else if (!fresh) {
      follow(0);
    }
    if (kept && anchor.focus) kept.focus({preventScroll: true});
    if (selected && !pictures[selected.side].shown(selected.id)) selected = null;
    paint();
  }

  // The second network in the list of choices; one that is no preset gets an entry of its own.
  function nameSecond(title) {
    choice.querySelector('.rx-own')?.remove();
    if (![...choice.options].some(option => option.value === second)) {
      const option = new Option(`${title} (pinned)`, second);
      option.className = 'rx-own';
      choice.append(option);
    }
    choice.value = second;
  }

  // ---- selecting and opening ----

  function paint() {
    const boxes = [];
    if (selected) {
      const {side, id} = selected,
        {beside: partners} = sides[side];
      boxes.push(pictures[side].shown(id));
      boxes.push(pictures[1 - side].shown(partners[id] ?? partners[GROUP + id]?.slice(GROUP.length)));
    }
    mark(host, boxes);
  }

  async function describe(hint) {
    const isLatest = descriptions();
    if (!selected) {
      chosen.innerHTML = hint ?? chosen.innerHTML;
      return;
    }
    const request = {query: get('network'), with: second, open: current, side: selected.side, node: selected.id};
    const answer = await ask(server, 'describe_pair', request);
    if (!answer.silent && isLatest()) chosen.innerHTML = answer.html; // drawing says that the program is gone
  }

  function select(side, id) {
    selected = {side, id};
    paint();
    describe();
  }

  function toggle(side, g) {
    const next = toggled(current, g.id, g.classList.contains('opens'));
    if (!next) return;
    opened = next.open;
    draw({side, id: g.id, becomes: next.becomes, focus: document.activeElement === g});
  }

  function activate(side, g) {
    if (!g.id.startsWith(GROUP)) select(side, g.id);
    toggle(side, g);
  }

  // Down and up the main path; right and left to the counterpart in the other diagram.
  function step(side, key, g) {
    const {edges} = sides[side];
    if (key === 'ArrowDown') return node(side, edges.find(([from]) => from === g.id)?.[1]);
    if (key === 'ArrowUp') return node(side, edges.find(([, to]) => to === g.id)?.[0]);
    return (key === 'ArrowRight') === (side === 0) ? node(1 - side, sides[side].beside[g.id]) : null;
  }

  function leave(side, g) {
    const around = innermost(current, g.id);
    const frame = g.classList.contains('cluster') ? g : around && node(side, GROUP + around);
    if (!frame) return false;
    frame.focus({preventScroll: true});
    toggle(side, frame);
    return true;
  }

  function reveal(id) {
    const side = pictures.findIndex(picture => picture.shown(id));
    if (side < 0) return false;
    const box = pictures[side].shown(id).getBoundingClientRect(),
      frame = canvases[side].getBoundingClientRect();
    ports[side].pan(box.left + box.width / 2 - frame.left - frame.width / 2, box.top - frame.top - 40);
    return true;
  }

  // Differences from top to bottom, each pair once.
  function next() {
    const marks = canvases.flatMap((canvas, side) =>
      [...canvas.querySelectorAll(DIFFERENT)]
        .filter(g => side === 0 || !sides[1].beside[g.id])
        .map(g => [side ? beside(g.getBBox().y, 1) : g.getBBox().y, side, g.id]),
    );
    if (!marks.length) return;
    marks.sort((a, b) => a[0] - b[0]);
    difference = (difference + 1) % marks.length;
    const [, side, id] = marks[difference];
    const box = node(side, id).getBoundingClientRect(),
      frame = canvases[side].getBoundingClientRect();
    ports[side].pan(0, box.top + box.height / 2 - frame.top - frame.height / 2);
    select(side, id);
  }

  function choose(word) {
    second = word;
    opened = null;
    setAddress({with: second || null});
    draw();
  }

  const lead = () => ports[natural[0] ? 0 : 1];
  const TOOLS = {
    in: () => lead().zoom(1 / 1.3),
    out: () => lead().zoom(1.3),
    fit: () => fit(false),
    whole: () => fit(true),
    next,
    fold: () => {
      opened = selected = drawn = null;
      draw();
    },
  };
  ports.forEach((port, side) => port.follow(() => follow(side)));
  host.querySelector('.rx-tools').addEventListener('click', e => TOOLS[e.target.dataset.tool]?.());
  host.querySelector('.rx-parts').addEventListener('click', e => {
    const row = e.target.closest('tr[data-part]');
    if (row && reveal(row.dataset.part)) host.querySelector('.rx-pair').scrollIntoView({block: 'nearest'});
  });
  choice.addEventListener('change', () => choose(choice.value));
  host.querySelector('[data-do=pin]').addEventListener('click', () => choose(get('network') || 'preset=resnet18'));
  host.querySelector('form').addEventListener('submit', e => {
    e.preventDefault();
    if (other.value.trim()) choose(other.value.trim());
  });
  // Both frames keep one scale when the window changes; what is hidden is laid out when it is shown.
  new ResizeObserver(() => {
    if (!isShown()) return;
    if (drawn !== wanted()) draw();
    else if (ports[0].view) follow(0);
    else fit(false);
  }).observe(host);
  on('network', () => draw(), host);
}
