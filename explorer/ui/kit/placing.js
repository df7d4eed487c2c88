// Where a small box goes beside what it explains: a pure function.

const GAP = 6,
  MARGIN = 8;

/**
 * Left and top of the box, px in the window: below the anchor, or above it. With ``column`` it leaves the anchor's
 * neighbours free: right of the column, or at an end of the window.
 * @param {{left: number, top: number, right: number, bottom: number}} anchor
 * @param {{offsetWidth: number, offsetHeight: number}} box
 * @param {{width: number, height: number}} view
 * @param {{right: number}} [column] what the box should leave free
 */
export function beside(anchor, {offsetWidth: width, offsetHeight: height}, view, column) {
  const clamp = (value, most) => Math.max(MARGIN, Math.min(value, most - MARGIN));
  if (column && column.right + GAP + width + MARGIN <= view.width) {
    return {left: column.right + GAP, top: clamp(anchor.top, view.height - height)};
  }
  if (column) {
    const isLow = anchor.bottom > view.height - height - 2 * MARGIN - GAP;
    return {left: clamp(anchor.left, view.width - width), top: isLow ? MARGIN : view.height - height - MARGIN};
  }
  const below = anchor.bottom + GAP,
    isBelow = below + height + MARGIN <= view.height || anchor.top < view.height - anchor.bottom;
  return {
    left: clamp(anchor.left, view.width - width),
    top: clamp(isBelow ? below : anchor.top - GAP - height, view.height - height),
  };
}
