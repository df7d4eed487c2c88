// The diagram: fetches the drawing of a network, opens and folds its blocks, and selects them. Only the view is kept
// here: the page has the network, and the address has what is open and selected.
import {mountInspector} from '../inspector/inspector.js';
import {address, alertBanner, ask, get, latest, on, set, setAddress, whenShown} from '../kit/lib.js';
import {changedIds, markChanges, readBoxes} from './changes.js';
import {mark, mountDrawing, waitFor} from './drawing.js';
import {mountLights} from './lights.js';
import {GROUP, toggle} from './open.js';
import {mountSearch} from './search.js';
import {mountTint} from './tint.js';

/** @typedef {import('./drawing.js').Anchor} Anchor */

/** @type {((fields: any[]) => Promise<void> | null) | null} */
let drawFields = null;

/**
 * A field of the builder changed: draw its network before the program answers with the rest of the page. If the fields
 * name no network, that answer says why.
 * @param {any[]} fields as ``builder.read`` takes them
 */
export const drawAhead = fields => drawFields?.(fields);

const isFile = name => Boolean(name?.startsWith('file:'));
const isMain = role => role === 'main';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, props, server, watch}) {
  const host = element.querySelector('.rx-graph'),
    stage = host.querySelector('.rx-stage'),
    canvas = stage.querySelector('.rx-canvas'),
    aside = host.querySelector('.rx-inspector');
  const failure = host.querySelector('.rx-failure'),
    notice = host.querySelector('.rx-notice');
  const inspector = mountInspector(aside);
  const drawTurn = latest(),
    describeTurn = latest();
  const openAtFirst = address('open');

  let query = props.query; // null until the program has read the address
  /** Ids; null: as the program opens it at first. @type {string[] | 'all' | null} */
  let open = openAtFirst === null ? null : openAtFirst.split(' ').filter(Boolean);
  /** Ids that are open in the picture. @type {string[]} */
  let drawnOpen = [];
  /** @type {string | null} */
  let selected = get('selected');
  /** From, to and role of each. @type {[string, string, string][]} */
  let edges = [];
  /** The drawing that is ahead of the program's answer. @type {Promise<void> | null} */
  let pending = null;
  /** Selected while another tab hides the diagram: the diagram reveals it when it is shown. @type {string | null} */
  let hiddenId = null;

  const isReady = () => typeof query === 'string';
  const openIds = () => (Array.isArray(open) ? open : drawnOpen);
  const request = more => ({query, open: open ?? drawnOpen, ...more});
  const tint = mountTint(host, canvas, by => ask(server, 'tint', request({by})));
  const picture = mountDrawing(canvas, {
    activate,
    step,
    visit: g => select(g.id),
    leave,
    background: () => {
      if (selected) select(null);
    },
  });
  const {port, node} = picture;

  function remember() {
    if (isFile(query)) return;
    const ids = open === null ? null : openIds().join(' ');
    setAddress({open: ids, at: selected || null, tint: tint.choice.value || null});
  }

  function paint() {
    mark(canvas, [picture.boxOf(selected)]);
    set('selected', selected);
  }

  /** @param {{anchor?: Anchor, find?: string}} [how] */
  async function draw({anchor, find} = {}) {
    if (!isReady()) return;
    const answer = await waitFor(host, drawTurn(), ask(server, 'draw', {query, find, open}));
    if (answer) show(answer, anchor, find);
  }

  drawFields = fields => {
    if (!isReady() || !host.offsetParent) return null;
    const answered = ask(server, 'draw', {fields, open: isFile(query) ? null : open});
    const shown = waitFor(host, drawTurn(), answered).then(answer => {
      if (shown === pending) pending = null;
      if (!answer || answer.error || answer.query === query) return;
      follow(answer.query);
      show(answer);
    });
    pending = shown;
    return shown;
  };

  /**
   * @param {any} answer
   * @param {Anchor} [anchor]
   * @param {string} [find]
   */
  function show(answer, anchor, find) {
    const drawn = query; // the other panels get it after the picture is visible
    setTimeout(() => set('drawn', drawn));
    failure.hidden = !answer.error;
    host.classList.toggle('stale', Boolean(answer.error));
    const isSame = canvas.dataset.query === query;
    if (answer.error) {
      failure.textContent = answer.error;
      if (isSame) open = drawnOpen; // the picture did not change
      remember();
      return;
    }
    notice.textContent = answer.notice;
    notice.hidden = !answer.notice;
    if (answer.notice && open !== 'all' && isSame) {
      open = drawnOpen;
      remember();
      return;
    }
    if (answer.notice || find || open === 'all') open = answer.open;
    if (find) selected = answer.found;
    edges = answer.edges;
    place(answer, isSame, anchor, Boolean(find));
  }

  /** Put the picture into the frame. The box that was clicked stays in place on the screen, otherwise the one in the
   * middle.
   * @param {any} answer
   * @param {boolean} isSame whether it shows the same network as the picture before
   * @param {Anchor} [anchor]
   * @param {boolean} [isFound] whether the selected box was searched for */
  function place(answer, isSame, anchor, isFound) {
    const before = anchor && placeOf(anchor.id),
      boxes = isSame ? null : readBoxes(canvas);
    const isNew = !isSame || !port.view,
      wasFitted = port.fitted;
    if (isNew && !canvas.clientWidth) port.forget(); // laid out when its tab is shown
    const visible = anchor ? [] : port.visibleBoxes();
    port.show(answer.svg);
    canvas.dataset.query = query;
    drawnOpen = answer.open;
    set('open', drawnOpen);
    const replacement = anchor && picture.replacementOf(anchor),
      landmark = visible.find(({id}) => node(id)),
      landmarkNode = landmark && node(landmark.id);
    if (before && replacement) keepPlace(replacement, before);
    else if (landmark && landmarkNode) port.moveTo(landmarkNode, landmark.box);
    else if (isNew || wasFitted) port.fit(wasFitted === 'all');
    remember();
    paint();
    tint.refresh();
    if (boxes) followNetwork(boxes);
    const target = picture.boxOf(selected);
    if ((isFound || (isNew && !landmark)) && target) port.reveal(target);
    if (anchor?.focus) replacement?.focus({preventScroll: true});
    describe();
  }

  /** Where a box's top and the main path are on the screen; the path goes straight down from the input. */
  function placeOf(id) {
    const top = picture.boxOf(id)?.getBoundingClientRect().top,
      input = node('input')?.getBoundingClientRect();
    return top === undefined || !input ? null : {top, path: input.left + input.width / 2};
  }

  /** What replaced the clicked box appears where that was, and moves as far as it takes to be visible. */
  function keepPlace(replacement, before) {
    const now = placeOf(replacement.id.replace(GROUP, ''));
    if (now) port.pan(now.path - before.path, now.top - before.top);
    port.keepInView(replacement);
  }

  /** Another network is drawn: mark what changed, and answer again what was asked about the one before. */
  function followNetwork(boxes) {
    markChanges(canvas, changedIds(boxes, readBoxes(canvas)));
    aside.classList.add('outdated');
    refreshSearch();
  }

  async function describe() {
    const isLatest = describeTurn();
    const id = selected?.startsWith(GROUP) ? null : selected;
    const answer = await ask(server, 'describe', request({node: id || ''}));
    if (answer.silent || !isLatest()) return; // the request for the drawing reports that there is no response
    aside.classList.remove('outdated');
    inspector.show(answer.error ? alertBanner(answer.error, 'error').outerHTML : answer.html);
  }

  function select(id) {
    selected = id;
    remember();
    paint();
    describe();
  }

  function toggleBox(g) {
    const next = toggle(openIds(), g.id, g.classList.contains('opens'));
    if (!next) return;
    open = next.open;
    remember();
    draw({anchor: {id: g.id, becomes: next.becomes, focus: document.activeElement === g}});
  }

  function activate(g) {
    if (!g.id.startsWith(GROUP)) select(g.id);
    toggleBox(g);
  }

  // Down and up the main path, right and left along a shortcut.
  function step(key, g) {
    const isMainKey = key === 'ArrowDown' || key === 'ArrowUp',
      isForward = key === 'ArrowDown' || key === 'ArrowRight';
    const edge = edges.find(([from, to, role]) => (isForward ? from : to) === g.id && isMain(role) === isMainKey);
    return edge && node(isForward ? edge[1] : edge[0]);
  }

  // Fold the block around; if there is none, select nothing.
  function leave(g) {
    const frame = picture.frameAround(g, openIds());
    if (frame) {
      frame.focus({preventScroll: true});
      toggleBox(frame);
    } else if (selected) {
      select(null);
    }
    return Boolean(frame);
  }

  function find(id) {
    if (!host.offsetParent) hiddenId = id;
    draw({find: id});
    stage.scrollIntoView({block: 'nearest'});
  }
  whenShown(host, shown => {
    if (!shown || hiddenId === null) return;
    find(hiddenId);
    hiddenId = null;
  });

  function follow(next) {
    // Ids of what is open in a file name nothing in another network, and no address names a file.
    if (isFile(query) || isFile(next)) {
      open = null;
      selected = null;
    }
    query = next;
  }

  const TOOLS = {
    in: () => port.zoom(1 / 1.3),
    out: () => port.zoom(1.3),
    actual: () => port.showActualSize(),
    fit: () => port.fit(false),
    whole: () => port.fit(true),
    open: () => {
      open = 'all';
      draw();
    },
    fold: () => {
      open = null;
      selected = null;
      remember();
      port.forget();
      draw();
    },
    code: () => set('code', !get('code')),
  };
  mountLights(host, canvas, picture.boxOf);
  host.querySelector('.rx-tools').addEventListener('click', e => TOOLS[e.target.dataset.tool]?.());
  tint.choice.addEventListener('change', remember);
  const refreshSearch = mountSearch(
    host,
    async text => {
      if (!isReady()) return null;
      const answer = await ask(server, 'search', {query, text});
      return answer.ids ? answer : null;
    },
    find,
  );
  on('select', find, host);
  on('overlay', panel => stage.querySelector('.rx-foot').before(panel), host);
  on('beside', panel => stage.after(panel), host);
  watch('query', async () => {
    while (pending) await pending;
    if (props.query === query) return;
    follow(props.query);
    draw();
  });
  draw();
}
