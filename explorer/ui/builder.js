// Changes of the builder: whoever wants another network emits an action, and here it becomes values of the builder's
// fields (ui/builder.py). In the browser, so that the next click sees the new fields.
import {drawAhead} from './diagram/diagram.js';
import {on, settings} from './kit/lib.js';

/**
 * An action, by its type:
 *   preset {name}            the preset of that name
 *   depth {depth}            a depth names the stage repeats and the form of block that goes with them
 *   set {field, value}       one field
 *   shortcut {blocks, mode}  these blocks' own shortcut, or the network's
 *   fields {fields}          all of them, as Undo and fixes bring them
 * @typedef {{type: string} & Record<string, any>} Action
 */
/**
 * @typedef {object} Tables of ui/builder.py
 * @property {string[]} names of the fields, in order
 * @property {Record<string, any[]>} presets
 * @property {Record<string, {repeats: number[], blocks: Record<string, string>}>} depths ``blocks``: of each block type
 *   the one that this depth is built of
 * @property {string} asNetwork the mode that takes a block's own shortcut away
 */

const words = text =>
  text
    .split(',')
    .map(word => word.trim())
    .filter(Boolean);

/** @type {Record<string, (action: Action, value: (name: string) => any, tables: Tables) => Record<string, any>>} */
const CHANGES = {
  depth({depth}, value, tables) {
    const {repeats, blocks} = tables.depths[depth];
    const widths = value('widths').split(',').map(Number);
    // Widths double along the stages if their number changes; overrides of blocks that are gone go too.
    const doubled = widths.length === repeats.length ? widths : repeats.map((_, i) => widths[0] * 2 ** i);
    const exists = word => {
      const [, stage, index] = word.match(/^layer(\d+)\.(\d+):/) ?? [];
      return stage && Number(index) < (repeats[Number(stage) - 1] ?? 0);
    };
    return {
      block: blocks[value('block')],
      depths: repeats.join(', '),
      widths: doubled.join(', '),
      shortcut_overrides: words(value('shortcut_overrides')).filter(exists).join(', '),
    };
  },
  set: ({field, value}) => ({[field]: value}),
  shortcut({blocks, mode}, value, tables) {
    const others = words(value('shortcut_overrides')).filter(word => !blocks.includes(word.split(':')[0].trim()));
    const own = mode === tables.asNetwork ? [] : blocks.map(block => `${block}:${mode}`);
    return {shortcut_overrides: [...others, ...own].join(', ')};
  },
};

/**
 * The builder's fields after an action.
 * @param {Action} action
 * @param {any[]} fields
 * @param {Tables} tables
 * @returns {any[]}
 */
export function fill(action, fields, tables) {
  if (action.type === 'fields') return action.fields;
  if (action.type === 'preset') return tables.presets[action.name] ?? fields;
  const change = CHANGES[action.type](action, name => fields[tables.names.indexOf(name)], tables);
  return fields.map((old, i) => change[tables.names[i]] ?? old);
}

// Listeners of Gradio's events (ui/page.py): values of components in, values of components out. The time at the end
// makes the program answer, even if no field changed.
const filled = (action, fields) => [...fill(action, fields, settings().builder), Date.now()];
export const applyAction = (action, ...fields) => filled(JSON.parse(action), fields);
export const choosePreset = (name, ...fields) => filled({type: 'preset', name}, fields);
export const chooseDepth = (depth, ...fields) => filled({type: 'depth', depth}, fields);

let chosen = [];
/** The diagram, which people look at, is asked for first, the rest of the page next. Drawings of quick choices may come
 * in any order: whichever is asked about after its own asks about the last choice. */
export async function drawFirst(...values) {
  chosen = values;
  await drawAhead(values.slice(2));
  return chosen;
}

on('field', name => {
  const control = document.getElementById(`field-${name}`);
  control.closest('.rx-fold:not(.open)')?.querySelector('.rx-fold-head button').click();
  (control.querySelector('input:checked') ?? control.querySelector('input, textarea')).focus();
});
