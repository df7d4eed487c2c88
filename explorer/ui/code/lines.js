// Which lines belong to which boxes, both ways: pure functions.

/** Id of a box or frame -> the line to bring into view, then all its lines (``find_lines`` of ui/code/panel.py).
 * @typedef {Record<string, number[]>} Lines */

/**
 * The boxes of each line; its frames where no box has it, as the head of a class whose block is open.
 * @param {Lines} boxes
 * @param {Lines} frames
 * @returns {Map<number, string[]>}
 */
export function ownersOfLines(boxes, frames) {
  const found = invert(boxes);
  for (const [line, ids] of invert(frames)) {
    if (!found.has(line)) found.set(line, ids);
  }
  return found;
}

/** @param {Lines} lines @returns {Map<number, string[]>} */
function invert(lines) {
  /** @type {Map<number, string[]>} */
  const found = new Map();
  for (const [id, [, ...own]] of Object.entries(lines)) {
    for (const line of own) found.set(line, [...(found.get(line) ?? []), id]);
  }
  return found;
}
