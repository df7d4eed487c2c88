// How heights in one diagram map to heights in the other: pure functions.

/**
 * Pairs of heights that belong together, thinned until both rise.
 * @param {[number, number][]} pairs
 * @returns {[number, number][]}
 */
export function anchorsOf(pairs) {
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
 * @param {0 | 1} from the side that ``y`` is of
 * @param {[number, number][]} anchors
 */
export function mapHeight(y, from, anchors) {
  const to = 1 - from;
  if (!anchors.length) return y;
  const after = anchors.findIndex(pair => pair[from] >= y);
  const end = after === 0 ? anchors[0] : anchors[anchors.length - 1];
  if (after <= 0) return y + end[to] - end[from];
  const a = anchors[after - 1],
    b = anchors[after];
  return a[to] + ((y - a[from]) / (b[from] - a[from])) * (b[to] - a[to]);
}
