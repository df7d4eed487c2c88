// What the scripts of all panels share: requests to the program, events, the page's state and its address, and small
// helpers. A panel imports this module and its own modules; it never reads another panel's elements.

/**
 * What Gradio hands to a component's script (see ``mount`` of ui/kit/scripts.py).
 * @typedef {object} Mount
 * @property {HTMLElement} element
 * @property {Record<string, any>} props ``props.value`` is what the component's events bring to the program
 * @property {Server} server
 * @property {(event: string, data?: object) => void} trigger
 * @property {(names: string | string[], then: () => void) => void} watch
 * @property {Record<string, any>} settings
 */
/** @typedef {Record<string, (request: object) => Promise<string>>} Server */

export const NO_RESPONSE = 'No response from the server. Is it still running?';

/** The address of a path of this app, which may be mounted below "/".
 * @param {string} path */
export const url = path => location.pathname.replace(/\/?$/, '/') + path;

/**
 * Ask the program: the answer of a server function decorated with ``answers``, or ``{error}``; ``silent`` without one.
 * @param {Server} server
 * @param {string} name
 * @param {object} [request]
 * @returns {Promise<any>}
 */
export async function ask(server, name, request = {}) {
  try {
    return JSON.parse(await server[name](request));
  } catch {
    return {error: NO_RESPONSE, silent: true};
  }
}

// ---- events ------------------------------------------------------------------------------------------------

/** Every event of the page, and its detail. A change of the page's state is an event too: ``set`` emits it. A wish is
 * granted by the panel that it concerns. */
export const EVENTS = Object.freeze({
  network: 'state: query of the network in the builder',
  drawn: 'state: name of the network in the diagram: a query, or file:TOKEN',
  open: 'state: ids of what is open in the diagram',
  selected: 'state: id of what is selected in the diagram, or null',
  refused: 'state: whether the fields of the builder name no network',
  photo: 'state: {token, variant, device, network} of the photo that was classified, or null',
  code: 'state: whether the code is open beside the diagram',
  pointed: 'state: id of the box that the pointer or the focus is at in the diagram, or null',
  select: 'wish: the diagram selects this id and brings it into view',
  walk: 'wish: the walk through the network starts',
  'show-mismatch': 'wish: the first mismatch is shown, now or once a network that has one is drawn',
  overlay: 'wish: the diagram shows this element over itself',
  beside: 'wish: the diagram shows this element beside itself',
  light: 'wish: the diagram lights the boxes of these ids, and no others',
  action: 'wish: the builder changes; see builder.js for {type, ...}',
  tab: 'wish: the tab of this name opens',
  'choose-network': 'wish: Classify uses the network of this name',
  photos: 'several photos were given: [File]',
  'show-photo': 'wish: this photo is classified: File',
  'show-photos': 'wish: the table of many photos comes into view',
  drop: 'files were dropped outside every box: DataTransfer; a panel that shows a box for photos may take them',
  field: 'wish: the builder shows and focuses the control of this field',
  put: 'wish: a network takes the place of the builder’s, with a way back: {query, message}',
  help: 'wish: the glossary opens at the term of this key',
  'show-term': 'wish: the page shows where the term of this key is',
});
const listeners = new Map();
/** Wishes that wait until the panel that grants them exists. */
const PATIENT = new Set(['choose-network', 'beside']);
const waiting = new Map();

function check(name) {
  if (!(name in EVENTS)) throw new Error(`There is no event "${name}".`);
}

/**
 * Call every listener; returns whether one took the event, which it says by returning true.
 * @param {string} name
 * @param {any} [detail]
 * @returns {boolean}
 */
export function emit(name, detail) {
  check(name);
  const own = [...(listeners.get(name) ?? [])];
  if (!own.length && PATIENT.has(name)) waiting.set(name, detail);
  return own.map(listener => listener(detail) === true).includes(true);
}

/**
 * Listen to an event. With ``host``, only as long as it is in the document: Gradio may build a panel again.
 * @param {string} name
 * @param {(detail: any) => unknown} listener
 * @param {Element} [host]
 */
export function on(name, listener, host) {
  check(name);
  const own = listeners.get(name) ?? listeners.set(name, new Set()).get(name);
  const listen = detail => {
    if (!host || host.isConnected) return listener(detail);
    own.delete(listen);
    return false;
  };
  own.add(listen);
  if (waiting.has(name)) {
    const detail = waiting.get(name);
    waiting.delete(name);
    listener(detail);
  }
}

// ---- the page's state and its address ----------------------------------------------------------------------

/** Words of the address that are not the network's. */
export const ADDRESS = Object.freeze(['open', 'at', 'tint', 'with', 'tab', 'help', 'code', '__theme']);
const state = {
  network: undefined,
  drawn: undefined,
  open: undefined,
  selected: address('at'),
  refused: false,
  photo: null,
  code: address('code') !== null,
  pointed: null,
};

/** @param {string} key */
export const get = key => state[key];

/**
 * Set a part of the page's state and emit it.
 * @param {string} key
 * @param {any} value
 */
export function set(key, value) {
  if (!(key in state)) throw new Error(`The page's state has no "${key}".`);
  state[key] = value;
  emit(key, value);
}

/** @param {string} key */
export function address(key) {
  return new URLSearchParams(location.search).get(key);
}

/**
 * Change words of the address; null removes a word.
 * @param {Record<string, string | null>} words
 */
export function setAddress(words) {
  const query = new URLSearchParams(location.search);
  for (const [key, value] of Object.entries(words)) {
    if (value === null) query.delete(key);
    else query.set(key, value);
  }
  replaceQuery(query);
}

/**
 * Put this network into the address; the other words stay.
 * @param {string} query
 */
export function setNetworkAddress(query) {
  replaceQuery(withNetwork(query, location.search));
}

/**
 * A network's query with the other words of an address.
 * @param {string} query
 * @param {string} search
 */
export function withNetwork(query, search) {
  const next = new URLSearchParams(query),
    now = new URLSearchParams(search);
  for (const key of ADDRESS) {
    const value = now.get(key);
    if (value !== null) next.set(key, value);
  }
  return next;
}

function replaceQuery(query) {
  const text = query.toString();
  history.replaceState(null, '', text ? '?' + text : location.pathname);
}

/** Change the builder's network; see builder.js for the types of action.
 * @param {{type: string} & Record<string, any>} action */
export const act = action => emit('action', action);

// ---- helpers -----------------------------------------------------------------------------------------------

/**
 * "Only the latest answer counts": each call begins a turn and returns a function that says whether it is still the
 * latest.
 * @returns {() => () => boolean}
 */
export function latest() {
  let turn = 0;
  return () => {
    const mine = ++turn;
    return () => mine === turn;
  };
}

/**
 * Call back when ``element`` comes into view or leaves it.
 * @param {Element} element
 * @param {(visible: boolean) => void} callback
 */
export function whenVisible(element, callback) {
  const observer = new IntersectionObserver(entries => callback(entries[entries.length - 1].isIntersecting));
  observer.observe(element);
  return observer;
}

/**
 * Call back when ``element`` is laid out or hidden, for example by a tab; scrolling does not count.
 * @param {HTMLElement} element with a width
 * @param {(shown: boolean) => void} callback
 */
export function whenShown(element, callback) {
  let last;
  new ResizeObserver(() => {
    const isShown = element.offsetParent !== null;
    if (isShown !== last) callback(isShown);
    last = isShown;
  }).observe(element);
}

/**
 * Save a file in the browser's downloads.
 * @param {string} name
 * @param {string} type its media type
 * @param {...BlobPart} parts
 */
export function download(name, type, ...parts) {
  downloadBlob(name, new Blob(parts, {type}));
}

/**
 * @param {string} name
 * @param {Blob} blob
 */
export function downloadBlob(name, blob) {
  const href = URL.createObjectURL(blob);
  Object.assign(document.createElement('a'), {href, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

/**
 * Scroll a box to one of its table's rows; the page does not scroll.
 * @param {HTMLElement} box
 * @param {HTMLElement} row
 */
export function revealRow(box, row) {
  const head = box.querySelector('thead')?.offsetHeight ?? 0;
  const top = row.offsetTop - head,
    bottom = row.offsetTop + row.offsetHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
}

/**
 * A sentence about an error, as an element.
 * @param {string} words
 * @param {string} [kind] its class
 */
export function alertBanner(words, kind = 'error-here') {
  const line = document.createElement('p');
  line.className = `rx-banner ${kind}`;
  line.setAttribute('role', 'alert');
  line.textContent = words;
  return line;
}

/** Whether keys typed here are text.
 * @param {EventTarget | null} target */
export const isTyping = target =>
  target instanceof Element && target.closest('input, textarea, select, [contenteditable]') !== null;

let parsedSettings;
/** Constants of the program, for example the builder's tables and the tabs' names (ui/page.py).
 * @returns {any} */
export function settings() {
  parsedSettings ??= JSON.parse(document.querySelector('#rx-settings').textContent);
  return parsedSettings;
}
