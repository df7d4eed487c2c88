// A small copy of a picture that shows which part of it is visible, and moves there. In a narrow frame it is a strip
// at the edge, like a scroll bar (tint.css).
import {createSvg, originOf, pointIn, setAttributes} from './svg.js';

/** @typedef {import('./viewport.js').Box} Box */

/** There is a map if the picture is this much larger than what is visible of it. */
const MAP_FROM = 1.15;
/** A picture whose shape differs more than this from the map's is stretched, so that it is not a hair. */
const MOST_UNLIKE = 2;
/** The visible part is at least this much of the map's height, so that it can be seen. */
const LEAST_SHARE = 0.03;
/** A narrower map is a strip, which moves up and down only, px. */
const STRIP = 24;

/**
 * Whether a picture has to be stretched to be readable in a box of another shape.
 * @param {{width: number, height: number}} picture
 * @param {{width: number, height: number}} box
 */
export function isStretched(picture, box) {
  const ratio = picture.height / picture.width / (box.height / box.width);
  return ratio > MOST_UNLIKE || ratio < 1 / MOST_UNLIKE;
}

/**
 * @param {HTMLElement} frame whose nodes are `g.node`
 * @param {(middle: {x: number, y: number}, upAndDown: boolean) => void} goTo
 */
export function mountMinimap(frame, goTo) {
  const later = window.requestIdleCallback ?? (work => setTimeout(work, 50));
  const map = document.createElement('div');
  map.className = 'rx-map';
  map.hidden = true;
  map.setAttribute('aria-hidden', 'true'); // the keyboard moves in the diagram itself
  frame.parentElement?.append(map);
  /** What is visible, and the whole picture. @type {{view: Box, whole: Box} | null} */
  let place = null;
  /** The rectangle around what is visible. @type {SVGRectElement | null} */
  let viewRect = null;
  let isPending = false;

  // Every node is a plain rectangle: a copy of the drawing would repeat its ids and cost as much again. This waits
  // until the picture is visible, because measuring every box would delay it.
  function draw() {
    isPending = false;
    if (!frame.clientWidth || !frame.querySelector('svg') || !place || map.hidden) return;
    const boxes = [...frame.querySelectorAll('g.node')].map(g => {
      const {x, y, width, height} = g.getBBox(),
        origin = originOf(g);
      return createSvg('rect', {x: x + origin.x, y: y + origin.y, width, height, class: g.getAttribute('class') ?? ''});
    });
    const [, , width, height] = place.whole;
    const stretched = isStretched({width, height}, {width: map.clientWidth, height: map.clientHeight});
    const picture = createSvg('svg', {
      viewBox: place.whole.join(' '),
      preserveAspectRatio: stretched ? 'none' : 'xMidYMid',
    });
    viewRect = createSvg('rect', {class: 'window'});
    picture.append(...boxes, viewRect);
    map.replaceChildren(picture);
    placeViewRect();
  }

  function placeViewRect() {
    if (!viewRect || !place) return;
    const [x, y, width, height] = place.view;
    const shown = Math.max(height, place.whole[3] * LEAST_SHARE);
    setAttributes(viewRect, {x, y: y - (shown - height) / 2, width, height: shown});
  }

  function go(e) {
    /** @type {SVGSVGElement | null} */
    const picture = map.querySelector('svg');
    if (e.buttons && picture) goTo(pointIn(picture, e.clientX, e.clientY), map.clientWidth < STRIP);
  }
  map.addEventListener('pointerdown', e => {
    map.setPointerCapture(e.pointerId);
    go(e);
  });
  map.addEventListener('pointermove', go);

  return {
    /** @param {Box} view @param {Box} whole */
    update(view, whole) {
      place = {view, whole};
      map.hidden = !frame.clientWidth || !(view[2] * MAP_FROM < whole[2] || view[3] * MAP_FROM < whole[3]);
      if (map.hidden) return;
      if (viewRect) {
        placeViewRect();
        return;
      }
      if (!isPending) later(draw);
      isPending = true;
    },
    /** Another picture is shown: the map of the one before is gone at once. */
    clear() {
      viewRect = null;
      map.replaceChildren();
    },
  };
}
