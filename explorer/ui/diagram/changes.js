// What differs between the drawings of two networks, marked for a moment after the builder changed something.

const SHOWN_MS = 2500;

/**
 * What every box says, by its id.
 * @param {Element} canvas
 * @returns {Map<string, string>}
 */
export function readBoxes(canvas) {
  const said = g => g.dataset.plain ?? g.getAttribute('aria-label') ?? '';
  return new Map([...canvas.querySelectorAll('g.node')].map(g => [g.id, said(g)]));
}

/**
 * Ids of the boxes that are new or say something else; none if no box stayed as it was, because then it is another
 * network altogether.
 * @param {Map<string, string>} before
 * @param {Map<string, string>} after
 */
export function changedIds(before, after) {
  const changed = [...after].filter(([id, said]) => before.get(id) !== said).map(([id]) => id);
  const stayed = after.size - changed.length;
  return stayed * 10 > after.size ? changed : [];
}

/**
 * Outline these boxes for a moment.
 * @param {Element} canvas
 * @param {string[]} ids
 */
export function markChanges(canvas, ids) {
  const boxes = ids.map(id => canvas.querySelector(`g.node[id="${CSS.escape(id)}"]`));
  for (const g of boxes) g?.classList.add('changed');
  setTimeout(() => {
    for (const g of boxes) g?.classList.remove('changed');
  }, SHOWN_MS);
}
