// A drawn network in a frame that moves it: finds boxes, marks them, and reports clicks and keys on them. The diagram
// has one, Compare has two. Their owner decides what a click or key does, by callbacks.
import {GROUP, innermost} from './open.js';
import {mountViewport} from './viewport.js';

/** A request that takes longer shows that it is running, ms. */
const SLOW = 300;

/**
 * A box that a click opens or folds.
 * @typedef {object} Anchor
 * @property {string} id of the box or frame that was clicked
 * @property {string} becomes the id that replaces it
 * @property {boolean} focus whether it has the keyboard's focus
 */

/**
 * @param {HTMLElement} canvas
 * @param {object} callbacks
 * @param {(g: SVGGElement) => void} callbacks.activate a box or frame is clicked, or Enter is pressed on it
 * @param {(key: string, g: SVGGElement) => SVGGElement | null | undefined} callbacks.step where an arrow key leads
 * @param {(g: SVGGElement) => void} callbacks.visit an arrow key led to this box
 * @param {(g: SVGGElement) => boolean} callbacks.leave Escape; returns whether it closed something
 * @param {() => void} [callbacks.background] a click beside all boxes
 */
export function mountDrawing(canvas, callbacks) {
  const port = mountViewport(canvas);
  /** @returns {SVGGElement | null} */
  const node = id => (id ? canvas.querySelector(`g[id="${CSS.escape(id)}"]`) : null);
  /** The frame of a repeat stands for the box inside it. @returns {SVGGElement | null} */
  function boxAt(target) {
    const g = target.closest('g.node, g.cluster, g.repeat');
    return g?.classList.contains('repeat') ? node(g.dataset.box) : g;
  }

  canvas.addEventListener('click', e => {
    if (port.dragged) return;
    const g = boxAt(e.target);
    if (g) callbacks.activate(g);
    else if (!e.target.closest('g.edge')) callbacks.background?.();
  });
  // The keyboard's focus may move to a box outside the frame: bring it in. A pointer only reaches visible boxes.
  canvas.addEventListener('focusin', e => {
    const g = e.target.closest('g.node');
    if (g && !port.touched) port.reveal(g);
  });
  canvas.addEventListener('keydown', e => {
    const g = boxAt(e.target);
    if (!g) return;
    if (e.key === 'Enter' || e.key === ' ') {
      e.preventDefault();
      callbacks.activate(g);
    } else if (e.key.startsWith('Arrow')) {
      e.preventDefault();
      const next = callbacks.step(e.key, g);
      if (!next) return;
      next.focus({preventScroll: true});
      callbacks.visit(next);
    } else if (e.key === 'Escape' && callbacks.leave(g)) {
      e.preventDefault();
    }
  });

  return {
    port,
    node,
    /** The box of an id, or its frame if it is open. */
    boxOf: id => node(id) ?? node(GROUP + id),
    /** What replaced a box that was opened or folded. @param {Anchor} anchor */
    replacementOf: ({id, becomes}) => node(becomes) ?? node(id) ?? node(GROUP + id),
    /** The innermost frame around a box; a frame itself. A run that is open has no frame.
     * @param {SVGGElement} g
     * @param {string[]} open */
    frameAround(g, open) {
      if (g.classList.contains('cluster')) return g;
      const framed = open.filter(id => node(GROUP + id)),
        around = innermost(framed, g.id);
      return around ? node(GROUP + around) : null;
    },
    contains: g => canvas.contains(g),
  };
}

/**
 * Mark boxes as selected, and no others below ``host``.
 * @param {Element} host
 * @param {(Element | null)[]} boxes
 */
export function mark(host, boxes) {
  for (const g of host.querySelectorAll('g.selected')) {
    g.classList.remove('selected');
    g.removeAttribute('aria-pressed');
  }
  for (const g of boxes) {
    g?.classList.add('selected');
    g?.setAttribute('aria-pressed', 'true');
  }
}

/**
 * Wait for an answer while ``host`` shows that it is running. Returns null if a later request has begun meanwhile.
 * @param {HTMLElement} host
 * @param {() => boolean} isLatest
 * @param {Promise<any>} answer
 */
export async function waitFor(host, isLatest, answer) {
  host.setAttribute('aria-busy', 'true');
  const slow = setTimeout(() => host.classList.add('working'), SLOW);
  const result = await answer;
  clearTimeout(slow);
  if (!isLatest()) return null;
  host.classList.remove('working');
  host.removeAttribute('aria-busy');
  return result;
}
