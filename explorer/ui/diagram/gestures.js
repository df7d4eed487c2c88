// Moving a picture in its frame by pointer, wheel and fingers. The page stays in reach: the wheel and one finger scroll
// it, as over the maps of other pages. Ctrl and the wheel, a pinch, two fingers, and a drag by mouse move the picture.

/** A drag starts after this distance, px. */
const DRAG_FROM = 4;
const HINT_MS = 2500;
/** A line of a wheel that counts in lines, px. */
const LINE = 33;

const isMac = /Mac|iP(hone|ad)/.test(globalThis.navigator?.platform ?? '');
const HINTS = Object.freeze({
  wheel: `${isMac ? '⌘' : 'Ctrl'} + wheel zooms the diagram. Drag it to move it.`,
  touch: 'Two fingers move and zoom the diagram.',
});
/** Hints that this page has given: each is given once. @type {Set<keyof typeof HINTS>} */
const given = new Set();

/**
 * How much larger a part of the picture is visible after a turn of the wheel. A pinch on a trackpad turns it in small
 * steps.
 * @param {{deltaY: number, deltaMode: number}} turn
 */
export function zoomFactor({deltaY, deltaMode}) {
  const pixels = deltaMode === 1 ? deltaY * LINE : deltaY;
  return Math.exp(pixels * (Math.abs(pixels) < 40 ? 0.01 : 0.0015));
}

/**
 * @param {HTMLElement} frame
 * @param {object} port
 * @param {() => boolean} port.isEmpty whether it shows no picture
 * @param {(factor: number, x: number, y: number) => void} port.zoom
 * @param {(dx: number, dy: number) => void} port.pan
 */
export function mountGestures(frame, port) {
  /** Where each pointer that is down was last. @type {Map<number, [number, number]>} */
  const pointers = new Map();
  /** Where a drag was last, px. */
  let last = [0, 0];
  let moved = false;

  /** @param {keyof typeof HINTS} kind */
  function giveHint(kind) {
    if (given.has(kind) || port.isEmpty()) return;
    given.add(kind);
    const hint = document.createElement('div');
    hint.className = 'rx-gesture-hint';
    hint.setAttribute('role', 'status');
    hint.textContent = HINTS[kind];
    frame.parentElement?.append(hint);
    setTimeout(() => hint.remove(), HINT_MS);
  }

  frame.addEventListener(
    'wheel',
    e => {
      if (!(e.ctrlKey || e.metaKey)) {
        giveHint('wheel');
        return;
      }
      e.preventDefault();
      port.zoom(zoomFactor(e), e.clientX, e.clientY);
    },
    {passive: false},
  );
  // Two fingers belong to the picture; the browser scrolls the page with one (touch-action in diagram.css).
  for (const type of /** @type {const} */ (['touchstart', 'touchmove']))
    frame.addEventListener(type, e => e.touches.length > 1 && e.cancelable && e.preventDefault(), {passive: false});
  frame.addEventListener('pointerdown', e => {
    if (e.button !== 0) return;
    pointers.set(e.pointerId, [e.clientX, e.clientY]);
    moved = false;
    last = [e.clientX, e.clientY];
  });
  frame.addEventListener('pointermove', e => {
    const before = pointers.get(e.pointerId);
    if (!before || port.isEmpty()) return;
    const other = [...pointers].find(([id]) => id !== e.pointerId)?.[1];
    if (other) pinch(e, before, other);
    else if (!dragTo(e)) return;
    pointers.set(e.pointerId, [e.clientX, e.clientY]);
  });
  frame.addEventListener('pointercancel', e => {
    if (e.pointerType === 'touch' && pointers.size === 1) giveHint('touch'); // the browser scrolls the page
  });
  for (const end of /** @type {const} */ (['pointerup', 'pointercancel', 'pointerleave']))
    frame.addEventListener(end, e => pointers.delete(e.pointerId));

  /** Zoom about the middle of two fingers, and move with it. */
  function pinch(e, [beforeX, beforeY], [otherX, otherY]) {
    moved = true;
    const distance = Math.max(1, Math.hypot(e.clientX - otherX, e.clientY - otherY));
    const before = Math.hypot(beforeX - otherX, beforeY - otherY);
    port.pan((beforeX - e.clientX) / 2, (beforeY - e.clientY) / 2);
    port.zoom(before / distance, (e.clientX + otherX) / 2, (e.clientY + otherY) / 2);
  }

  /** Whether the pointer moved far enough to be a drag. */
  function dragTo(e) {
    const dx = e.clientX - last[0],
      dy = e.clientY - last[1];
    if (!moved && Math.hypot(dx, dy) < DRAG_FROM) return false;
    if (!moved) {
      moved = true;
      frame.setPointerCapture(e.pointerId);
    }
    port.pan(-dx, -dy);
    last = [e.clientX, e.clientY];
    return true;
  }

  return {
    /** Whether the last press moved the picture. */
    get dragged() {
      return moved;
    },
    /** Whether a pointer is down. */
    get touched() {
      return pointers.size > 0;
    },
  };
}
