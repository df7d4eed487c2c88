// Which terms a search finds: a pure function.

/**
 * Indices of what has every word of the search, those first in whose names it is.
 * @param {string} search
 * @param {{names: string, text: string}[]} terms in lower case; ``names`` are separated by line breaks
 * @returns {number[]}
 */
export function filterTerms(search, terms) {
  const wanted = search.toLowerCase().replaceAll('x', '×').trim(),
    plain = search.toLowerCase().trim();
  const words = plain.split(/\s+/).filter(Boolean);
  const has = (text, word) => text.includes(word) || text.includes(word.replaceAll('x', '×'));
  const rank = ({names}) => {
    const own = names.split('\n');
    if (own.includes(plain) || own.includes(wanted)) return 0;
    return words.every(word => has(names, word)) ? 1 : 2;
  };
  return terms
    .map((term, index) => ({term, index}))
    .filter(({term}) => words.every(word => has(term.text, word)))
    .sort((a, b) => (words.length ? rank(a.term) - rank(b.term) : 0) || a.index - b.index)
    .map(({index}) => index);
}
