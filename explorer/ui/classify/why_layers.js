// Blocks and layers of a network by their names: pure functions.

/** @typedef {Record<string, string[]>} Layers the layers of each block, in order; the stem is the first block */

/**
 * The block that a block's or layer's name belongs to.
 * @param {Layers} layers
 * @param {string} name
 * @returns {string | undefined}
 */
export const blockOf = (layers, name) => Object.keys(layers).find(each => name === each || layers[each].includes(name));

/**
 * The block or layer that an id of the diagram means: itself, a residual addition, a run of blocks, or a stage, whose
 * last block it is; null if it means none.
 * @param {Layers} layers
 * @param {string | null | undefined} id
 * @returns {string | null}
 */
export function resolve(layers, id) {
  if (!id) return null;
  const blocks = Object.keys(layers),
    paths = Object.values(layers).flat();
  const name = id.replace(/^group:/, '').replace(/:.*$/, '');
  const within = blocks.filter(each => each.startsWith(`${name}.`)).at(-1);
  const run = name.replace(/-(\d+)$/, ''),
    around = blocks.find(each => name.startsWith(`${each}.`));
  return [name, run, within, around].find(each => each && (paths.includes(each) || each === 'stem')) ?? null;
}

/**
 * The layer that is shown for a name: the stem's last one, or the name itself.
 * @param {Layers} layers
 * @param {string} name
 */
export const shownLayer = (layers, name) => (name === 'stem' ? (layers.stem.at(-1) ?? name) : name);

/**
 * The blocks of a stage.
 * @param {string[]} blocks
 * @param {string} stage
 */
export const blocksOf = (blocks, stage) => blocks.filter(name => name.startsWith(`${stage}.`));
