// Which rows of the checks are visible: pure functions.

/**
 * @param {{text: string, fits: boolean}[]} rows
 * @param {string} text what a row must contain, in any case; spaces around it do not count
 * @param {boolean} onlyMismatches
 * @returns {boolean[]} whether each row is visible
 */
export function sift(rows, text, onlyMismatches) {
  const wanted = text.trim().toLowerCase();
  return rows.map(row => !(onlyMismatches && row.fits) && row.text.toLowerCase().includes(wanted));
}

/** "3 of 16"; empty without rows.
 * @param {boolean[]} visible */
export function countInWords(visible) {
  return visible.length ? `${visible.filter(Boolean).length} of ${visible.length}` : '';
}
