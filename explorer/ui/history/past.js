// The networks that the page has shown, in order, and a place in that row: pure functions.

/**
 * A network that was asked for and has not arrived. ``message``: what the page says when it arrives.
 * @typedef {{query: string, message: string | undefined}} Pending
 */
/**
 * @typedef {object} Past
 * @property {string[]} queries
 * @property {number} place index of the network that is shown; -1 before the first
 * @property {Pending | null} pending
 */

/** @type {Past} */
export const EMPTY = {queries: [], place: -1, pending: null};

/**
 * The past after a step back (-1) or forth (1), whose network is then pending; null if there is none.
 * @param {Past} past
 * @param {number} step
 * @returns {Past & {pending: Pending} | null}
 */
export function go({queries, place}, step) {
  const next = place + step;
  if (!(next in queries)) return null;
  return {queries, place: next, pending: {query: queries[next], message: step < 0 ? 'Undone.' : 'Redone.'}};
}

/**
 * The past after a network arrived, and the message if it was pending. A new network replaces those after the place.
 * @param {Past} past
 * @param {string} query
 * @returns {{past: Past, message: string | undefined}}
 */
export function arrive({queries, place, pending}, query) {
  const message = pending?.query === query ? pending.message : '';
  // A known network that arrives between two quick steps is not a new one.
  const isBetween = pending !== null && !message && queries.includes(query);
  const rest = message ? null : pending;
  if (queries[place] === query || isBetween) return {past: {queries, place, pending: rest}, message};
  return {past: {queries: [...queries.slice(0, place + 1), query], place: place + 1, pending: rest}, message};
}
