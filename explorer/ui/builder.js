// Changes of the builder: a panel that wants another network emits an action, which becomes values of the builder's
// fields here (ui/builder.py). In the browser, so that the next click has the new fields.
import {drawAhead} from './diagram/diagram.js';
import {on, settings} from './kit/lib.js';

/**
 * An action, by its type:
 *   preset {name}            the preset of that name
 *   depth {depth}            the stage repeats of a depth, and the block that goes with them
 *   set {field, value}       one field
 *   shortcut {blocks, mode}  these blocks' own shortcut, or the network's
 *   fields {fields}          all of them, from Undo or a fix
 * @typedef {{type: string} & Record<string, any>} Action
 */
/**
 * @typedef {object} Tables of ui/builder.py
 * @property {string[]} names of the fields, in order
 * @property {Record<string, any[]>} presets
 * @property {Record<string, {repeats: number[], blocks: Record<string, string>}>} depths ``blocks``: by block type,
 *   the type that this depth uses
 * @property {string} asNetwork the mode that removes a block's own shortcut
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
    // Widths double from stage to stage if the number of stages changes; overrides of blocks that no longer exist go.
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
const fillNow = (action, fields) => [...fill(action, fields, settings().builder), Date.now()];
export const applyAction = (action, ...fields) => fillNow(JSON.parse(action), fields);
export const choosePreset = (name, ...fields) => fillNow({type: 'preset', name}, fields);
export const chooseDepth = (depth, ...fields) => fillNow({type: 'depth', depth}, fields);

/** The values of the latest call. @type {any[]} */
let latestValues = [];
/** Draw the diagram, which the reader looks at, before the rest of the page. Several quick choices may be drawn in any
 * order; each of them then asks for the rest of the page with the latest values. */
export async function drawFirst(...values) {
  latestValues = values;
  await drawAhead(values.slice(2));
  return latestValues;
}

on('field', name => {
  const control = document.querySelector(`#field-${name}`);
  control.closest('.rx-fold:not(.open)')?.querySelector('.rx-fold-head button').click();
  (control.querySelector('input:checked') ?? control.querySelector('input, textarea')).focus();
});
