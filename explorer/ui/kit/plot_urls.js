// References inside a chart: plotly.js writes the page's whole address into them, because the page has a <base>. When
// the address changes, such a reference leads nowhere, and hatching and clipping vanish. One that is only "#id" stays.

/**
 * The same CSS value with references into this document only.
 * @param {string} value
 */
export const withoutAddress = value => value.replace(/url\(["']?[^"')]*?#([^"')]+)["']?\)/g, 'url(#$1)');

/**
 * Make the references of a chart independent of the page's address.
 * @param {Element} plot
 */
export function detachFromAddress(plot) {
  for (const name of ['clip-path', 'style', 'fill', 'stroke', 'mask', 'filter']) {
    for (const element of plot.querySelectorAll(`[${name}*="url("]`)) {
      const value = element.getAttribute(name) ?? '',
        local = withoutAddress(value);
      if (local !== value) element.setAttribute(name, local);
    }
  }
}
