// The address of an exported file: a pure function.

/**
 * @param {string} kind of file
 * @param {string} search of the page's address
 * @param {string[] | undefined} open ids that are open in the diagram; undefined before the first drawing
 * @returns {string} a path of this app
 */
export function exportPath(kind, search, open) {
  const query = new URLSearchParams(search);
  if (open) query.set('open', open.join(' '));
  return `export/${kind}?${query}`;
}
