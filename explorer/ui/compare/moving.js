// Two drawings that move together: at the same scale, the same distance from the main path, and the same place in the
// network.
import {GROUP} from '../diagram/open.js';
import {originOf} from '../diagram/svg.js';
import {anchorsOf, commonView, mapHeight, pivot} from './align.js';

/** @typedef {ReturnType<typeof import('../diagram/drawing.js').mountDrawing>} Drawing */
/** @typedef {0 | 1} SideIndex */

/**
 * @param {HTMLElement[]} canvases
 * @param {Drawing[]} pictures in those canvases
 */
export function moveTogether(canvases, pictures) {
  const ports = pictures.map(picture => picture.port);
  /** Heights of the first and second drawing that belong together. @type {[number, number][]} */
  let anchors = [];

  /** The middle of a box, as a height. */
  function heightOf(side, id) {
    const g = pictures[side].node(id);
    if (!g) return null;
    const {y, height} = g.getBBox();
    return originOf(g).y + y + height / 2;
  }

  /**
   * Read from both drawings what belongs together.
   * @param {Record<string, string>} beside id of the first drawing -> its counterpart in the second
   */
  function findAnchors(beside) {
    /** @type {[number, number][]} */
    const pairs = [];
    for (const [first, second] of Object.entries(beside)) {
      if (first.startsWith(GROUP)) continue;
      const a = heightOf(0, first),
        b = heightOf(1, second);
      if (a !== null && b !== null) pairs.push([a, b]);
    }
    anchors = anchorsOf(pairs);
  }

  /** x of the main path, which goes straight down from the input. */
  function spineOf(side) {
    const g = pictures[side].node('input');
    if (g) {
      const {x, width} = g.getBBox();
      return originOf(g).x + x + width / 2;
    }
    const [x, , width] = ports[side].whole ?? [0, 0, 0];
    return x + width / 2;
  }

  /** Move the other drawing after this one. @param {SideIndex} from */
  function follow(from) {
    const to = from === 0 ? 1 : 0,
      {view, whole} = ports[from];
    if (!view || !whole || !ports[to].whole || !canvases[to].clientWidth) return;
    const [x, y, w] = view,
      scale = canvases[from].clientWidth / w,
      level = pivot(view, whole);
    const width = canvases[to].clientWidth / scale,
      height = canvases[to].clientHeight / scale;
    const left = x + w / 2 - spineOf(from) + spineOf(to) - width / 2;
    ports[to].view = [left, mapHeight(level, from, anchors) - (level - y), width, height];
  }

  /** Show both drawings in their frames. @param {boolean} entirely the whole height, not only the width */
  function fit(entirely) {
    const drawn = /** @type {const} */ ([0, 1]).flatMap(side => {
      const box = ports[side].whole;
      return box ? [{side, box, spine: spineOf(side)}] : [];
    });
    if (!drawn.length) return;
    const [{side}] = drawn,
      {clientWidth: width, clientHeight: height} = canvases[side];
    if (!width) return;
    ports[side].view = commonView(drawn, {width, height}, entirely);
    follow(side);
  }

  ports[0].follow(() => follow(0));
  ports[1].follow(() => follow(1));
  return {
    findAnchors,
    follow,
    fit,
    /** The height in the first drawing beside ``y`` in the second. @param {number} y */
    heightInFirst: y => mapHeight(y, 1, anchors),
    /** The drawing that leads when both are zoomed. */
    lead: () => ports[ports[0].whole ? 0 : 1],
  };
}
