// A drawn network in a frame that moves it: boxes are found, marked, clicked and walked. The diagram has one, Compare
// two. What a click or key means is the owner's: it hands over callbacks.
import {GROUP} from './open.js';
import {viewport} from './viewport.js';

/** How long a request may take before the frame says that it works, ms. */
const SLOW = 300;

/**
 * @param {HTMLElement} canvas
 * @param {object} does
 * @param {(g: SVGGElement) => void} does.activate a box or frame is clicked, or Enter is pressed on it
 * @param {(key: string, g: SVGGElement) => SVGGElement | null | undefined} does.step where an arrow key leads
 * @param {(g: SVGGElement) => void} does.walked the keyboard came to this box
 * @param {(g: SVGGElement) => boolean} does.leave Escape; whether it meant something
 * @param {() => void} [does.background] a click beside all boxes
 */
export function drawing(canvas, does) {
  const port = viewport(canvas);
  const node = id => (id ? canvas.querySelector(`g[id="${CSS.escape(id)}"]`) : null);
  const boxOf = target => target.closest('g.node, g.cluster');

  canvas.addEventListener('click', e => {
    if (port.dragged) return;
    const g = boxOf(e.target);
    if (g) does.activate(g);
    else if (!e.target.closest('g.edge')) does.background?.();
  });
  // The keyboard's focus may go to what is outside the frame: bring it in. (A pointer is there already.)
  canvas.addEventListener('focusin', e => {
    const g = e.target.closest('g.node');
    if (g && !port.touched) port.reveal(g);
  });
  canvas.addEventListener('keydown', e => {
    const g = boxOf(e.target);
    if (!g) return;
    if (e.key === 'Enter' || e.key === ' ') {
      e.preventDefault();
      does.activate(g);
    } else if (e.key.startsWith('Arrow')) {
      e.preventDefault();
      const next = does.step(e.key, g);
      if (!next) return;
      next.focus({preventScroll: true});
      does.walked(next);
    } else if (e.key === 'Escape' && does.leave(g)) {
      e.preventDefault();
    }
  });

  return {
    port,
    node,
    /** The box of an id; its frame while it is open. */
    shown: id => node(id) ?? node(GROUP + id),
    /** What stands for a box that was opened or folded. */
    after: ({id, becomes}) => node(becomes) ?? node(id) ?? node(GROUP + id),
    has: g => canvas.contains(g),
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
 * Wait for an answer while ``host`` says that it works. Only the latest counts: null for an answer that came too late.
 * @param {HTMLElement} host
 * @param {() => boolean} isLatest
 * @param {Promise<any>} answer
 */
export async function working(host, isLatest, answer) {
  host.setAttribute('aria-busy', 'true');
  const slow = setTimeout(() => host.classList.add('working'), SLOW);
  const got = await answer;
  clearTimeout(slow);
  if (!isLatest()) return null;
  host.classList.remove('working');
  host.removeAttribute('aria-busy');
  return got;
}
