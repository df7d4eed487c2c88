// A picture that moves in a frame: fit, zoom, pan, and a mini-map if the picture is larger than the frame. All it knows
// of the picture is that its nodes are `g.node`.
import {mountGestures} from './gestures.js';
import {mountMinimap} from './minimap.js';
import {pointIn} from './svg.js';

/** What an SVG's viewBox is: x, y, width and height, in the picture's units. @typedef {number[]} Box */

/** The frame shows a picture at most this much larger than it was drawn. */
export const MOST_ENLARGED = 1.15;
/** Between a box that was brought into view and the edge of the frame, px. */
const MARGIN = 8;
/** A move that the reader did not make by hand takes this long, so that it can be followed, ms. */
const GLIDE_MS = 140;
/** A frame below this width is narrow: style sheets then set larger text and make the map a strip, px. */
const NARROW = 640;

/**
 * How far to move a frame along one axis so that it shows a span: as little as it takes; the start of what is longer
 * than the frame.
 * @param {[number, number]} span its start and end
 * @param {[number, number]} frame
 */
export function shift([start, end], [first, last]) {
  const from = first + MARGIN,
    to = last - MARGIN;
  if (start < from || end - start > to - from) return start - from;
  return Math.max(0, end - to);
}

/** @param {HTMLElement} frame */
export function mountViewport(frame) {
  /** @type {((view: Box) => void)[]} */
  const followers = [];
  /** What is visible of the picture. @type {Box | null} */
  let view = null;
  /** The whole picture. @type {Box | null} */
  let whole = null;
  /** What was fitted, until the picture moves. @type {'width' | 'all' | null} */
  let fitted = null;
  let gliding = 0;

  /** @returns {SVGSVGElement | null} */
  const svg = () => frame.querySelector('svg');
  const map = mountMinimap(frame, ({x, y}, upAndDown) => {
    if (!view) return;
    moveView([upAndDown ? view[0] : x - view[2] / 2, y - view[3] / 2, view[2], view[3]]);
  });
  const gestures = mountGestures(frame, {isEmpty: () => !svg() || !view, zoom, pan});

  function apply(byHand = false) {
    const picture = svg();
    if (!view || !whole || !picture) return;
    picture.setAttribute('viewBox', view.join(' '));
    map.update(view, whole);
    fitted = null;
    if (byHand) for (const follow of followers) follow(view);
  }

  /** The reader moved the picture. @param {Box} next */
  function moveView(next) {
    cancelAnimationFrame(gliding);
    view = next;
    apply(true);
  }

  /** Move there in a moment; at once for a reader who wants no motion. @param {Box} target */
  function glide(target) {
    const from = view;
    if (!from || matchMedia('(prefers-reduced-motion: reduce)').matches) {
      moveView(target);
      return;
    }
    const start = performance.now();
    const tick = () => {
      const done = Math.min(1, (performance.now() - start) / GLIDE_MS),
        eased = done * (2 - done);
      moveView(from.map((value, i) => value + (target[i] - value) * eased));
      if (done < 1) gliding = requestAnimationFrame(tick);
    };
    cancelAnimationFrame(gliding);
    gliding = requestAnimationFrame(tick);
  }

  /** @param {string} text of an SVG */
  function show(text) {
    cancelAnimationFrame(gliding);
    frame.innerHTML = text;
    const box = svg()?.getAttribute('viewBox');
    whole = box ? box.split(/[ ,]+/).map(Number) : null;
    map.clear();
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
    const top = entirely ? y + h / 2 - (width * aspect) / 2 : y;
    moveView([x + w / 2 - width / 2, top, width, width * aspect]);
    fitted = entirely ? 'all' : 'width';
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
    moveView([at.x - (at.x - view[0]) * k, at.y - (at.y - view[1]) * k, view[2] * k, view[3] * k]);
  }

  /**
   * The view that is this far to the right and below, px.
   * @param {Box} from
   * @param {number} dx
   * @param {number} dy
   * @returns {Box}
   */
  function moved([x, y, width, height], dx, dy) {
    const scale = frame.clientWidth / width;
    return [x + dx / scale, y + dy / scale, width, height];
  }

  /** Show what is this far to the right and below, px. */
  function pan(dx, dy) {
    if (view) moveView(moved(view, dx, dy));
  }

  /** Bring a box to the middle, unless it is visible. @param {Element} g */
  function reveal(g) {
    const box = g.getBoundingClientRect(),
      inside = frame.getBoundingClientRect();
    const fitsAcross = box.left >= inside.left && box.right <= inside.right;
    if (fitsAcross && box.top >= inside.top && box.bottom <= inside.bottom) return;
    const dx = box.left + box.width / 2 - inside.left - inside.width / 2;
    pan(dx, box.top + box.height / 2 - inside.top - inside.height / 2);
  }

  /** Glide as little as it takes to have a box inside the frame, or its start if it is larger. @param {Element} g */
  function keepInView(g) {
    const box = g.getBoundingClientRect(),
      inside = frame.getBoundingClientRect();
    const dx = shift([box.left, box.right], [inside.left, inside.right]),
      dy = shift([box.top, box.bottom], [inside.top, inside.bottom]);
    if (view && (dx || dy)) glide(moved(view, dx, dy));
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

  new ResizeObserver(() => {
    const parent = frame.parentElement;
    if (parent?.clientWidth) parent.classList.toggle('narrow', parent.clientWidth < NARROW);
    if (!frame.clientWidth || !svg()) return;
    if (!view || fitted) {
      fit(fitted === 'all');
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
    keepInView,
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
      cancelAnimationFrame(gliding);
      view = next;
      apply();
    },
    get fitted() {
      return fitted;
    },
    get dragged() {
      return gestures.dragged;
    },
    get touched() {
      return gestures.touched;
    },
  };
}
