// What is open in a diagram, as ids of blocks: pure functions.

/** The frame of an open block has its id behind this. */
export const GROUP = 'group:';

/**
 * What stays open when ``id`` is folded: a stage takes its blocks along.
 * @param {string[]} open
 * @param {string} id
 */
export function folded(open, id) {
  const stage = id.startsWith('layer') && !id.includes('.');
  return open.filter(name => name !== id && !(stage && name.startsWith(id + '.')));
}

/**
 * The innermost open block around ``id``, or undefined.
 * @param {string[]} open
 * @param {string} id
 */
export function innermost(open, id) {
  const around = name => name.replace(/-\d+$/, '') + (name.includes('.') ? '' : '.');
  return open.filter(name => name !== id && id.startsWith(around(name))).sort((a, b) => b.length - a.length)[0];
}

/**
 * What a click on a box or frame opens or folds, and what it becomes; null for a box that opens nothing.
 * @param {string[]} open
 * @param {string} id of the box, or of the frame
 * @param {boolean} opens whether the box can open
 */
export function toggled(open, id, opens) {
  if (id.startsWith(GROUP)) {
    const name = id.slice(GROUP.length);
    return {open: folded(open, name), becomes: name};
  }
  return opens ? {open: [...open, id], becomes: GROUP + id} : null;
}
