// SVG elements that scripts add to a drawing, and where the drawing is in its picture.

const NAMESPACE = 'http://www.w3.org/2000/svg';

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, string | number>} [attributes]
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function createSvg(tag, attributes = {}) {
  const element = document.createElementNS(NAMESPACE, tag);
  setAttributes(element, attributes);
  return element;
}

/**
 * @param {SVGElement} element
 * @param {Record<string, string | number>} attributes
 */
export function setAttributes(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
}

/**
 * Where Graphviz moved the whole drawing to: add this to a box's own place to get its place in the picture.
 * @param {SVGElement} element of the drawing
 */
export function originOf(element) {
  const matrix = element.ownerSVGElement?.querySelector('g.graph').transform.baseVal.consolidate()?.matrix;
  return {x: matrix?.e ?? 0, y: matrix?.f ?? 0};
}

/**
 * A point of the screen, in the units of a picture.
 * @param {SVGSVGElement} picture
 * @param {number} x
 * @param {number} y
 */
export const pointIn = (picture, x, y) => new DOMPoint(x, y).matrixTransform(picture.getScreenCTM()?.inverse());
