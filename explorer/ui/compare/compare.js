// Two diagrams that move, open and select together. The first is the builder's network, the second is in the address
// (`with`). The program says what is beside what, and what differs.
import {mark, mountDrawing, waitFor} from '../diagram/drawing.js';
import {GROUP, toggle} from '../diagram/open.js';
import {address, ask, get, latest, on, setAddress} from '../kit/lib.js';
import {addBadge} from './badge.js';
import {moveTogether} from './moving.js';

/**
 * What the program says about a diagram, beside its drawing.
 * @typedef {object} Side
 * @property {Record<string, string>} beside id -> its counterpart in the other diagram
 * @property {[string, string][]} edges of the main path: from, to
 */
/** @typedef {import('../diagram/drawing.js').Anchor & {side: number}} Anchor a box that was clicked */

/** @type {Side} */
const NOTHING = {beside: {}, edges: []};

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, server}) {
  const host = element.querySelector('.rx-compare'),
    halves = [...host.querySelectorAll('.rx-half')];
  const canvases = halves.map(half => half.querySelector('.rx-canvas'));
  const choice = host.querySelector('select'),
    link = host.querySelector('.rx-other input');
  const note = host.querySelector('.rx-banner'),
    description = host.querySelector('.rx-chosen');
  const drawTurn = latest(),
    describeTurn = latest();

  let second = address('with') ?? '';
  /** Ids to open; null: as the program opens them at first. @type {string[] | null} */
  let open = null;
  /** Ids that are open in the pictures. @type {string[]} */
  let drawnOpen = [];
  /** @type {{side: number, id: string} | null} */
  let selected = null;
  let sides = [NOTHING, NOTHING];
  /** The pair of networks in the pictures. @type {string | null} */
  let drawnPair = null;
  let difference = -1; // the place of the last one shown

  const pictures = canvases.map((canvas, side) =>
    mountDrawing(canvas, {
      activate: g => activate(side, g),
      step: (key, g) => step(side, key, g),
      visit: g => {
        if (g.classList.contains('node')) select(sideOf(g), g.id);
      },
      leave: g => leave(side, g),
    }),
  );
  const ports = pictures.map(picture => picture.port);
  const together = moveTogether(canvases, pictures);
  const node = (side, id) => pictures[side].node(id);
  const sideOf = g => pictures.findIndex(picture => picture.contains(g));
  const isShown = () => host.offsetParent !== null;
  const wantedPair = () => `${get('network')}\n${second}`;

  // ---- drawing ----

  function showSide(side, part) {
    const half = halves[side],
      failure = half.querySelector('.rx-failure');
    half.querySelector('h3 span').textContent = part.title;
    failure.hidden = !part.error;
    failure.textContent = part.error ?? '';
    if (part.svg) ports[side].show(part.svg);
    else ports[side].clear();
    canvases[side].querySelectorAll('g:is(.differs, .only-here)').forEach(addBadge);
  }

  /** @param {Anchor} [anchor] */
  async function draw(anchor) {
    const query = get('network');
    if (query === undefined || !isShown()) return;
    const pair = wantedPair();
    const request = {query, with: second, open};
    const answer = await waitFor(host, drawTurn(), ask(server, 'draw_pair', request));
    if (!answer) return;
    note.hidden = !(answer.error || answer.note);
    note.textContent = answer.error || answer.note || '';
    host.classList.toggle('stale', Boolean(answer.error));
    if (answer.error) return;
    const isNew = drawnPair !== pair || !ports.some(port => port.view);
    second = answer.with;
    drawnPair = `${query}\n${second}`;
    drawnOpen = answer.open;
    setAddress({with: second || null});
    host.querySelector('.rx-words').innerHTML = answer.words;
    host.querySelector('.rx-parts').innerHTML = answer.parts;
    nameSecond(answer.sides[1].title);
    place(answer, isNew, anchor);
    describe(answer.hint);
  }

  /**
   * Put both pictures into their frames; what was clicked stays where it was on the screen.
   * @param {any} answer
   * @param {boolean} isNew whether it shows other networks than the pictures before
   * @param {Anchor} [anchor]
   */
  function place(answer, isNew, anchor) {
    const before = anchor && node(anchor.side, anchor.id)?.getBoundingClientRect();
    answer.sides.forEach((part, side) => showSide(side, part));
    sides = answer.sides;
    together.findAnchors(sides[0].beside);
    if (isNew) {
      difference = -1;
      together.fit(false);
    }
    const replacement = anchor && pictures[anchor.side].replacementOf(anchor);
    if (before && replacement) ports[anchor.side].moveTo(replacement, before);
    else if (!isNew) together.follow(0);
    if (anchor?.focus) replacement?.focus({preventScroll: true});
    if (selected && !pictures[selected.side].boxOf(selected.id)) selected = null;
    paint();
  }

  // The second network in the list of choices; one that is not a preset gets an entry of its own.
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
    if (!selected) {
      mark(host, []);
      return;
    }
    const {side, id} = selected,
      {beside} = sides[side];
    const partner = beside[id] ?? beside[GROUP + id]?.slice(GROUP.length);
    mark(host, [pictures[side].boxOf(id), pictures[1 - side].boxOf(partner)]);
  }

  async function describe(hint) {
    const isLatest = describeTurn();
    if (!selected) {
      description.innerHTML = hint ?? description.innerHTML;
      return;
    }
    const {side, id} = selected;
    const request = {query: get('network'), with: second, open: drawnOpen, side, node: id};
    const answer = await ask(server, 'describe_pair', request);
    // Without a response, the request for the drawing reports that.
    if (!answer.silent && isLatest()) description.innerHTML = answer.html;
  }

  function select(side, id) {
    selected = {side, id};
    paint();
    describe();
  }

  function toggleBox(side, g) {
    const next = toggle(drawnOpen, g.id, g.classList.contains('opens'));
    if (!next) return;
    open = next.open;
    draw({side, id: g.id, becomes: next.becomes, focus: document.activeElement === g});
  }

  function activate(side, g) {
    if (!g.id.startsWith(GROUP)) select(side, g.id);
    toggleBox(side, g);
  }

  // Down and up the main path; right and left to the counterpart in the other diagram.
  function step(side, key, g) {
    const {edges, beside} = sides[side];
    if (key === 'ArrowDown') return node(side, edges.find(([from]) => from === g.id)?.[1]);
    if (key === 'ArrowUp') return node(side, edges.find(([, to]) => to === g.id)?.[0]);
    return (key === 'ArrowRight') === (side === 0) ? node(1 - side, beside[g.id]) : null;
  }

  function leave(side, g) {
    const frame = pictures[side].frameAround(g, drawnOpen);
    if (!frame) return false;
    frame.focus({preventScroll: true});
    toggleBox(side, frame);
    return true;
  }

  function reveal(id) {
    const side = pictures.findIndex(picture => picture.boxOf(id)),
      box = pictures[side]?.boxOf(id)?.getBoundingClientRect();
    if (!box) return false;
    const frame = canvases[side].getBoundingClientRect();
    ports[side].pan(box.left + box.width / 2 - frame.left - frame.width / 2, box.top - frame.top - 40);
    return true;
  }

  /** Boxes that differ, from top to bottom, each pair once. */
  function differences() {
    const boxesOf = side => [...canvases[side].querySelectorAll('g.node:is(.differs, .only-here)')];
    const first = boxesOf(0).map(g => ({side: 0, g, y: g.getBBox().y}));
    const second = boxesOf(1)
      .filter(g => !sides[1].beside[g.id])
      .map(g => ({side: 1, g, y: together.heightInFirst(g.getBBox().y)}));
    return [...first, ...second].sort((a, b) => a.y - b.y);
  }

  function showNext() {
    const found = differences();
    if (!found.length) return;
    difference = (difference + 1) % found.length;
    const {side, g} = found[difference];
    const box = g.getBoundingClientRect(),
      frame = canvases[side].getBoundingClientRect();
    ports[side].pan(0, box.top + box.height / 2 - frame.top - frame.height / 2);
    select(side, g.id);
  }

  function choose(network) {
    second = network;
    open = null;
    setAddress({with: second || null});
    draw();
  }

  const TOOLS = {
    in: () => together.lead().zoom(1 / 1.3),
    out: () => together.lead().zoom(1.3),
    fit: () => together.fit(false),
    whole: () => together.fit(true),
    next: showNext,
    fold: () => {
      open = null;
      selected = null;
      drawnPair = null;
      draw();
    },
  };
  host.querySelector('.rx-tools').addEventListener('click', e => TOOLS[e.target.dataset.tool]?.());
  host.querySelector('.rx-parts').addEventListener('click', e => {
    const row = e.target.closest('tr[data-part]');
    if (row && reveal(row.dataset.part)) host.querySelector('.rx-pair').scrollIntoView({block: 'nearest'});
  });
  choice.addEventListener('change', () => choose(choice.value));
  host.querySelector('[data-do=pin]').addEventListener('click', () => choose(get('network') || 'preset=resnet18'));
  host.querySelector('form').addEventListener('submit', e => {
    e.preventDefault();
    if (link.value.trim()) choose(link.value.trim());
  });
  // Both frames keep one scale when the window changes; a hidden diagram is laid out when it is shown.
  new ResizeObserver(() => {
    if (!isShown()) return;
    if (drawnPair !== wantedPair()) draw();
    else if (ports[0].view) together.follow(0);
    else together.fit(false);
  }).observe(host);
  on('network', () => draw(), host);
}
