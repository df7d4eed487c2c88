// What is open in a diagram, as ids of units, runs and blocks: pure functions.

/** The frame of an open block has the block's id after this prefix. */
export const GROUP = 'group:';

/**
 * What stays open after ``id`` is folded: a stage folds its blocks too.
 * @param {string[]} open
 * @param {string} id
 */
export function fold(open, id) {
  const isStage = id.startsWith('layer') && !id.includes('.');
  return open.filter(name => name !== id && !(isStage && name.startsWith(id + '.')));
}

/** A run of equal blocks: "layer3.1-5". */
const RUN = /^(.+\.)(\d+)-(\d+)$/;

/**
 * Whether the box ``id`` is inside the open ``name``. A path continues with "." and an operation with ":";
 * "layer3.10" is not inside "layer3.1". A run contains its blocks and what is inside them.
 * @param {string} name
 * @param {string} id
 */
function holds(name, id) {
  const run = name.match(RUN);
  if (!run) return id.startsWith(name + '.') || id.startsWith(name + ':');
  const [, stage, first, last] = run;
  if (!id.startsWith(stage)) return false;
  const number = id.slice(stage.length).match(/^\d+(?=$|[.:])/);
  return number !== null && Number(first) <= Number(number[0]) && Number(number[0]) <= Number(last);
}

/**
 * The innermost of ``open`` around the box ``id``, or undefined.
 * @param {string[]} open
 * @param {string} id
 */
export function innermost(open, id) {
  // Longer names are further inside. A run is around its blocks, although its name is longer.
  const depth = name => name.replace(RUN, '$1$2').length - (RUN.test(name) ? 0.5 : 0);
  return open.filter(name => name !== id && holds(name, id)).sort((a, b) => depth(b) - depth(a))[0];
}

/**
 * What a click on a box or frame opens or folds, and the id that replaces it; null for a box that opens nothing.
 * @param {string[]} open
 * @param {string} id of the box, or of the frame
 * @param {boolean} opens whether the box can open
 */
export function toggle(open, id, opens) {
  if (id.startsWith(GROUP)) {
    const name = id.slice(GROUP.length);
    return {open: fold(open, name), becomes: name};
  }
  return opens ? {open: [...open, id], becomes: GROUP + id} : null;
}
