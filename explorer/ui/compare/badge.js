// The sign of a box that differs between two diagrams.
import {createSvg} from '../diagram/svg.js';

/** Add a sign to a box, beside its outline: "≠" if it differs, "+" if only this diagram has it.
 * @param {SVGGElement} g */
export function addBadge(g) {
  const outline = g.querySelector('path, polygon, ellipse');
  if (!outline || g.classList.contains('cluster')) return;
  const {x, y, height} = outline.getBBox();
  // An addition has its verdict above, at the left.
  const place = g.classList.contains('merge') ? `translate(${x - 4} ${y + height - 1})` : `translate(${x} ${y})`;
  const badge = createSvg('g', {class: 'rx-badge', 'aria-hidden': 'true', transform: place});
  const sign = createSvg('text', {'text-anchor': 'middle', y: 4});
  sign.textContent = g.classList.contains('differs') ? '≠' : '+';
  badge.append(createSvg('circle', {r: 7.5}), sign);
  g.append(badge);
}
