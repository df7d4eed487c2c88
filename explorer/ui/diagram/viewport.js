// A picture that moves in a frame: wheel, pinch, drag, fit, and a mini-map if the picture is larger than the frame.
// All it knows of the picture is that its nodes are `g.node`.
import {createSvg, originOf, setAttributes} from './svg.js';

/** What an SVG's viewBox is: x, y, width and height, in the picture's units. @typedef {number[]} Box */

/** The frame shows a picture at most this much larger than it was drawn. */
export const MOST_ENLARGED = 1.3;
/** There is a mini-map if the picture is this much larger than what is visible of it. */
const MAP_FROM = 1.15;

/** A point of the screen, in the units of a picture.
 * @param {SVGSVGElement} picture
 * @param {number} x
 * @param {number} y */
const pointIn = (picture, x, y) => new DOMPoint(x, y).matrixTransform(picture.getScreenCTM()?.inverse());

/** @param {HTMLElement} frame */
export function mountViewport(frame) {
  const later = window.requestIdleCallback ?? (work => setTimeout(work, 50));
  /** Where each pointer that is down was last. @type {Map<number, [number, number]>} */
  const touches = new Map();
  /** @type {((view: Box) => void)[]} */
  const followers = [];
  /** What is visible of the picture. @type {Box | null} */
  let view = null;
  /** The whole picture. @type {Box | null} */
  let whole = null;
  /** Where a drag was last, px. */
  let drag = [0, 0];
  let moved = false,
    fitted = false;
  /** The rectangle of the mini-map around what is visible. @type {SVGRectElement | null} */
  let viewRect = null;
  let isMapPending = false;
  const map = document.createElement('div');
  map.className = 'rx-map';
  map.hidden = true;
  map.setAttribute('aria-hidden', 'true'); // the keyboard moves in the diagram itself
  frame.parentElement?.append(map);

  /** @returns {SVGSVGElement | null} */
  const svg = () => frame.querySelector('svg');

  function apply(byHand = false) {
    const picture = svg();
    if (!view || !whole || !picture) return;
    picture.setAttribute('viewBox', view.join(' '));
    map.hidden = !frame.clientWidth || !(view[2] * MAP_FROM < whole[2] || view[3] * MAP_FROM < whole[3]);
    if (!map.hidden) showView();
    fitted = false;
    if (byHand) for (const follow of followers) follow(view);
  }

  function showView() {
    if (viewRect) {
      placeViewRect();
      return;
    }
    if (!isMapPending) later(drawMap);
    isMapPending = true;
  }

  function placeViewRect() {
    if (!viewRect || !view) return;
    const [x, y, width, height] = view;
    setAttributes(viewRect, {x, y, width, height});
  }

  // Every node is a plain rectangle: a copy of the drawing would repeat its ids and cost as much again. This waits
  // until the picture is visible, because measuring every box would delay it.
  function drawMap() {
    isMapPending = false;
    if (!frame.clientWidth || !svg() || !whole) return;
    const boxes = [...frame.querySelectorAll('g.node')].map(g => {
      const {x, y, width, height} = g.getBBox(),
        origin = originOf(g);
      return createSvg('rect', {x: x + origin.x, y: y + origin.y, width, height, class: g.getAttribute('class') ?? ''});
    });
    const picture = createSvg('svg', {viewBox: whole.join(' ')});
    viewRect = createSvg('rect', {class: 'window'});
    picture.append(...boxes, viewRect);
    map.replaceChildren(picture);
    placeViewRect();
  }

  /** @param {string} text of an SVG */
  function show(text) {
    frame.innerHTML = text;
    const box = svg()?.getAttribute('viewBox');
    whole = box ? box.split(/[ ,]+/).map(Number) : null;
    viewRect = null;
    apply();
  }

  function clear() {
    frame.replaceChildren();
    whole = null;
  }

  /** @param {boolean} entirely the whole picture, not only its width */
  function fit(entirely) {
    const frameBox = frame.getBoundingClientRect();
    if (!whole || !frameBox.width) return;
    const [x, y, w, h] = whole,
      aspect = frameBox.height / frameBox.width;
    // Not much larger than drawn: enlarged short labels are harder to read.
    const width = entirely ? Math.max(w, h / aspect) : Math.max(w, frameBox.width / MOST_ENLARGED);
    const top = entirely ? y + h / 2 - (width * aspect) / 2 : y - (36 * width) / frameBox.width;
    view = [x + w / 2 - width / 2, top, width, width * aspect];
    apply(true);
    fitted = true;
  }

  /**
   * @param {number} factor below 1 enlarges
   * @param {number} [clientX] what stays in place, px; the middle of the frame if it is left out
   * @param {number} [clientY]
   */
  function zoom(factor, clientX, clientY) {
    const picture = svg();
    if (!view || !whole || !picture) return;
    const box = frame.getBoundingClientRect();
    const at = pointIn(picture, clientX ?? box.left + box.width / 2, clientY ?? box.top + box.height / 2);
    const k = Math.min(Math.max(view[2] * factor, 60), whole[2] * 12) / view[2];
    view = [at.x - (at.x - view[0]) * k, at.y - (at.y - view[1]) * k, view[2] * k, view[3] * k];
    apply(true);
  }

  /**
   * Show what is this far to the right and below, px.
   * @param {number} dx
   * @param {number} dy
   */
  function pan(dx, dy) {
    if (!view) return;
    const scale = frame.clientWidth / view[2];
    view[0] += dx / scale;
    view[1] += dy / scale;
    apply(true);
  }

  /** @param {Element} g */
  function reveal(g) {
    const box = g.getBoundingClientRect(),
      inside = frame.getBoundingClientRect();
    const fitsAcross = box.left >= inside.left && box.right <= inside.right;
    if (fitsAcross && box.top >= inside.top && box.bottom <= inside.bottom) return;
    const dx = box.left + box.width / 2 - inside.left - inside.width / 2;
    pan(dx, box.top + box.height / 2 - inside.top - inside.height / 2);
  }

  /** The visible boxes with their places on the screen, the nearest to the middle first; none after a fit. */
  function visibleBoxes() {
    if (!view || fitted) return [];
    const frameBox = frame.getBoundingClientRect(),
      middle = frameBox.top + frameBox.height / 2;
    return [...frame.querySelectorAll('g.node')]
      .map(g => ({id: g.id, box: g.getBoundingClientRect()}))
      .filter(({box}) => box.bottom > frameBox.top && box.top < frameBox.bottom)
      .sort((a, b) => Math.abs(a.box.top - middle) - Math.abs(b.box.top - middle));
  }

  /**
   * Bring a box to where another one was on the screen.
   * @param {Element} g
   * @param {DOMRect} place
   */
  function moveTo(g, place) {
    const now = g.getBoundingClientRect();
    pan(now.left + now.width / 2 - place.left - place.width / 2, now.top - place.top);
  }

  frame.addEventListener(
    'wheel',
    e => {
      if (!svg()) return;
      e.preventDefault();
      zoom(Math.exp(e.deltaY * 0.0015), e.clientX, e.clientY);
    },
    {passive: false},
  );
  frame.addEventListener('pointerdown', e => {
    if (e.button !== 0) return;
    touches.set(e.pointerId, [e.clientX, e.clientY]);
    moved = false;
    drag = [e.clientX, e.clientY];
  });
  frame.addEventListener('pointermove', e => {
    const last = touches.get(e.pointerId);
    if (!last || !view) return;
    const other = [...touches].find(([id]) => id !== e.pointerId)?.[1];
    if (other) pinch(e, last, other);
    else if (!dragTo(e)) return;
    touches.set(e.pointerId, [e.clientX, e.clientY]);
  });
  for (const end of /** @type {const} */ (['pointerup', 'pointercancel', 'pointerleave']))
    frame.addEventListener(end, e => touches.delete(e.pointerId));

  function pinch(e, [lastX, lastY], [otherX, otherY]) {
    moved = true;
    const distance = Math.max(1, Math.hypot(e.clientX - otherX, e.clientY - otherY));
    const before = Math.hypot(lastX - otherX, lastY - otherY);
    zoom(before / distance, (e.clientX + otherX) / 2, (e.clientY + otherY) / 2);
  }

  /** Whether the pointer moved far enough to be a drag. */
  function dragTo(e) {
    const dx = e.clientX - drag[0],
      dy = e.clientY - drag[1];
    if (!moved && Math.hypot(dx, dy) < 4) return false;
    if (!moved) {
      moved = true;
      frame.setPointerCapture(e.pointerId);
    }
    pan(-dx, -dy);
    drag = [e.clientX, e.clientY];
    return true;
  }

  const goTo = e => {
    /** @type {SVGSVGElement | null} */
    const picture = map.querySelector('svg');
    if (!e.buttons || !picture || !view) return;
    const at = pointIn(picture, e.clientX, e.clientY);
    view[0] = at.x - view[2] / 2;
    view[1] = at.y - view[3] / 2;
    apply(true);
  };
  map.addEventListener('pointerdown', e => {
    map.setPointerCapture(e.pointerId);
    goTo(e);
  });
  map.addEventListener('pointermove', goTo);

  new ResizeObserver(() => {
    if (!frame.clientWidth || !svg()) return;
    if (!view) {
      fit(false);
      return;
    }
    view[3] = (view[2] * frame.clientHeight) / frame.clientWidth;
    apply();
  }).observe(frame);

  return {
    show,
    clear,
    fit,
    zoom,
    pan,
    reveal,
    visibleBoxes,
    moveTo,
    /** Graphviz draws in points; 1 pt is 1.333 px. */
    showActualSize: () => {
      if (view) zoom(frame.clientWidth / 1.333 / view[2]);
    },
    /** The next picture is fitted again. */
    forget: () => {
      view = null;
    },
    /** @param {(view: Box) => void} follower is called after the reader moved the picture */
    follow: follower => {
      followers.push(follower);
    },
    /** @returns {Box | null} the whole picture */
    get whole() {
      return whole;
    },
    get view() {
      return view;
    },
    set view(next) {
      view = next;
      apply();
    },
    get dragged() {
      return moved;
    },
    get touched() {
      return touches.size > 0;
    },
  };
}
