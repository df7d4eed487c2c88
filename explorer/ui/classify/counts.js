// Counts in words: pure functions.

/** Classes that are named; the others are counted. */
const MOST = 6;

/**
 * "cat 3, dog 1.", the most frequent first; '' for none.
 * @param {Record<string, number>} counts photos by class
 */
export function countsInWords(counts) {
  const most = Object.entries(counts).sort((a, b) => b[1] - a[1]);
  const named = most
    .slice(0, MOST)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');
  if (most.length > MOST) return `${named} and ${most.length - MOST} other classes.`;
  return named && `${named}.`;
}

/**
 * "2 could not be read: their rows say why"; '' for none.
 * @param {number} failed
 */
export function failuresInWords(failed) {
  return failed ? `${failed} could not be read: ${failed > 1 ? 'their rows say' : 'its row says'} why` : '';
}
