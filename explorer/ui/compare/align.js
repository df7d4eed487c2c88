// How one diagram is laid beside the other: pure functions. A height is a y in the units of a picture.
import {MOST_ENLARGED} from '../diagram/viewport.js';

/**
 * Pairs of heights that belong together, without those that would make either side fall.
 * @param {[number, number][]} pairs
 * @returns {[number, number][]}
 */
export function anchorsOf(pairs) {
  /** @type {[number, number][]} */
  const anchors = [];
  for (const [a, b] of [...pairs].sort((p, q) => p[0] - q[0] || p[1] - q[1])) {
    const last = anchors[anchors.length - 1];
    if (!last || (a > last[0] && b > last[1])) anchors.push([a, b]);
  }
  return anchors;
}

/**
 * The height beside ``y``: linear between anchors, and as far from the first or last one as ``y`` is.
 * @param {number} y
 * @param {0 | 1} from the side of ``y``
 * @param {[number, number][]} anchors
 */
export function mapHeight(y, from, anchors) {
  const to = from === 0 ? 1 : 0;
  if (!anchors.length) return y;
  const after = anchors.findIndex(pair => pair[from] >= y);
  const end = after === 0 ? anchors[0] : anchors[anchors.length - 1];
  if (after <= 0) return y + end[to] - end[from];
  const a = anchors[after - 1],
    b = anchors[after];
  return a[to] + ((y - a[from]) / (b[from] - a[from])) * (b[to] - a[to]);
}

/**
 * The height of a view that both diagrams show at the same place: its top edge at the start of the drawing, its bottom
 * edge at the end, so that both begin and end together.
 * @param {number[]} view x, y, width, height
 * @param {number[]} whole of the drawing, likewise
 */
export function pivot([, y, , height], [, top, , tall]) {
  const room = tall - height;
  const share = room > 0 ? Math.min(Math.max((y - top) / room, 0), 1) : 0.5;
  return y + share * height;
}

/**
 * The view of the first drawing in which both fit, one main path over the other.
 * @param {{box: number[], spine: number}[]} drawings ``box``: x, y, width, height; ``spine``: x of the main path
 * @param {{width: number, height: number}} frame px
 * @param {boolean} entirely the whole height, not only the width
 * @returns {number[]} x, y, width, height
 */
export function commonView(drawings, frame, entirely) {
  const farthest = distance => Math.max(...drawings.map(distance));
  const left = farthest(({box: [x], spine}) => spine - x),
    right = farthest(({box: [x, , w], spine}) => x + w - spine),
    tallest = farthest(({box}) => box[3]);
  const [{box, spine}] = drawings,
    [, y, , h] = box,
    aspect = frame.height / frame.width;
  const width = Math.max(left + right, entirely ? tallest / aspect : frame.width / MOST_ENLARGED);
  const top = entirely ? y + h / 2 - (width * aspect) / 2 : y - (8 * width) / frame.width;
  return [spine + (right - left) / 2 - width / 2, top, width, width * aspect];
}
