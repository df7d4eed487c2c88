// The diagram: fetches the drawing of a network with what is open in it; opens, walks and selects. Only the view is
// kept here: the network is the page's, what is open and selected is in the address.
import {describing} from '../inspector/inspector.js';
import {address, alertBanner, ask, get, latest, on, set, setAddress, whenShown} from '../kit/lib.js';
import {drawing, mark, working} from './drawing.js';
import {GROUP, innermost, toggled} from './open.js';
import {search} from './search.js';
import {tinting} from './tint.js';

/** @type {((fields: any[]) => Promise<void> | null) | null} */
let ahead = null;

/**
 * A field of the builder changed: draw its network before the program answers with the rest of the page. Fields that
 * name no network are left to that answer.
 * @param {any[]} fields as ``builder.read`` takes them
 */
export const drawAhead = fields => ahead?.(fields);

const isFile = name => Boolean(name?.startsWith('file:'));
const isMain = role => role === 'main';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, props, server, watch}) {
  const host = element.querySelector('.rx-graph'),
    canvas = host.querySelector('.rx-canvas');
  const failure = host.querySelector('.rx-failure'),
    notice = host.querySelector('.rx-notice');
  const inspector = describing(host.querySelector('.rx-inspector'));
  const turn = latest(),
    descriptions = latest();
  const opened = address('open');

  let query = props.query; // null until the program has read the address
  let open = opened === null ? null : opened.split(' ').filter(Boolean); // null: as the program opens it at first
  let drawnOpen = []; // ids that are open in the picture
  let selected = get('selected');
  let edges = [];
  let pending = null; // the drawing that is ahead of the program's answer

  const isReady = () => typeof query === 'string';
  const current = () => (open === null ? drawnOpen : open);
  const request = more => ({query, open: current(), ...more});
  const tints = tinting(host, canvas, by => ask(server, 'tint', request({by})));
  const background = () => selected && select(null);
  const picture = drawing(canvas, {activate, step, walked: g => select(g.id), leave, background});
  const {port, node} = picture;

  function remember() {
    if (isFile(query)) return;
    setAddress({open: open === null ? null : open.join(' '), at: selected || null, tint: tints.choice.value || null});
  }

  function paint() {
    mark(canvas, [picture.shown(selected)]);
    set('selected', selected);
  }

  async function draw({anchor = null, find = undefined} = {}) {
    if (!isReady()) return;
    const answer = await working(host, turn(), ask(server, 'draw', {query, find, open}));
    if (answer) show(answer, anchor, find);
  }

  ahead = fields => {
    if (!isReady() || !host.offsetParent) return null;
    const drawn = working(host, turn(), ask(server, 'draw', {fields, open: isFile(query) ? null : open}));
    const mine = (pending = drawn.then(answer => {
      if (mine === pending) pending = null;
      if (!answer || answer.error || answer.query === query) return;
      follow(answer.query);
      show(answer);
    }));
    return mine;
  };

  function show(answer, anchor = null, find = undefined) {
    const shown = query; // others hear of it once the picture is there
    setTimeout(() => set('drawn', shown));
    failure.hidden = !answer.error;
    host.classList.toggle('stale', Boolean(answer.error));
    const same = canvas.dataset.query === query;
    if (answer.error) {
      failure.textContent = answer.error;
      if (same) open = drawnOpen; // what was open before is still what is drawn
      remember();
      return;
    }
    notice.textContent = answer.notice;
    notice.hidden = !answer.notice;
    if (answer.notice && open !== 'all' && same) {
      open = drawnOpen;
      remember();
      return;
    }
    if (answer.notice || find || open === 'all') open = answer.open;
    if (find) selected = answer.found;
    edges = answer.edges;
    place(answer, anchor, same, Boolean(find));
  }

  /** Put the picture into the frame; what was clicked, or else looked at, stays where it was on the screen. */
  function place(answer, anchor, same, found) {
    const before = anchor && node(anchor.id)?.getBoundingClientRect();
    const fresh = !same || !port.view;
    if (fresh && !canvas.clientWidth) port.forget(); // laid out when its tab is shown
    const eye = fresh ? port.looksAt() : [];
    port.show(answer.svg);
    canvas.dataset.query = query;
    drawnOpen = answer.open;
    set('open', drawnOpen);
    const kept = anchor && picture.after(anchor),
      held = eye.find(({id}) => node(id));
    if (before && kept) port.hold(kept, before);
    else if (held) port.hold(node(held.id), held.box);
    else if (fresh) port.fit(false);
    remember();
    paint();
    tints.refresh();
    const target = picture.shown(selected);
    if ((found || (fresh && !held)) && target) port.reveal(target);
    if (kept && anchor.focus) kept.focus({preventScroll: true});
    describe();
  }

  async function describe() {
    const isLatest = descriptions();
    const id = selected?.startsWith(GROUP) ? null : selected;
    const answer = await ask(server, 'describe', request({node: id || ''}));
    if (answer.silent || !isLatest()) return; // drawing says that the program is gone
    inspector.show(answer.error ? alertBanner(answer.error, 'error').outerHTML : answer.html);
  }

  function select(id) {
    selected = id;
    remember();
    paint();
    describe();
  }

  function toggle(g) {
    const next = toggled(current(), g.id, g.classList.contains('opens'));
    if (!next) return;
    open = next.open;
    remember();
    draw({anchor: {id: g.id, becomes: next.becomes, focus: document.activeElement === g}});
  }

  function activate(g) {
    if (!g.id.startsWith(GROUP)) select(g.id);
    toggle(g);
  }

  // Down and up the main path, right and left along a shortcut.
  function step(key, g) {
    const along = key === 'ArrowDown' || key === 'ArrowUp' ? isMain : role => !isMain(role);
    const ahead = key === 'ArrowDown' || key === 'ArrowRight';
    const edge = edges.find(([from, to, role]) => (ahead ? from : to) === g.id && along(role));
    return edge && node(ahead ? edge[1] : edge[0]);
  }

  // Out of the block around; if there is none, of the selection.
  function leave(g) {
    const around = innermost(current(), g.id);
    const frame = g.classList.contains('cluster') ? g : around && node(GROUP + around);
    if (frame) {
      frame.focus({preventScroll: true});
      toggle(frame);
    } else if (selected) {
      select(null);
    }
    return Boolean(frame);
  }

  let unseen = null; // selected while another tab hid the diagram: brought into view when that is looked at
  function find(id) {
    if (!host.offsetParent) unseen = id;
    draw({find: id});
    canvas.parentElement.scrollIntoView({block: 'nearest'});
  }
  whenShown(host, shown => {
    if (!shown || unseen === null) return;
    find(unseen);
    unseen = null;
  });

  function follow(next) {
    // What is open in a file means nothing to another network, and no address brings a file back.
    if (isFile(query) || isFile(next)) open = selected = null;
    query = next;
  }

  const TOOLS = {
    in: () => port.zoom(1 / 1.3),
    out: () => port.zoom(1.3),
    actual: () => port.actual(),
    fit: () => port.fit(false),
    whole: () => port.fit(true),
    open: () => {
      open = 'all';
      draw();
    },
    fold: () => {
      open = selected = null;
      remember();
      port.forget();
      draw();
    },
  };
  host.querySelector('.rx-tools').addEventListener('click', e => TOOLS[e.target.dataset.tool]?.());
  tints.choice.addEventListener('change', remember);
  search(
    host,
    async text => {
      if (!isReady()) return null;
      const answer = await ask(server, 'search', {query, text});
      return answer.ids ?? null;
    },
    find,
  );
  on('select', find, host);
  on('overlay', panel => canvas.parentElement.append(panel), host);
  watch('query', async () => {
    while (pending) await pending;
    if (props.query === query) return;
    follow(props.query);
    draw();
  });
  draw();
}
