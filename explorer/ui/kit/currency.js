// A result that belongs to another network, or to other settings, than the page's says so (ui/kit/currency.py); the
// style sheet greys what is beside it.
import {get, on} from './lib.js';

/** The settings' present values as JSON, by result; none before the first change. @type {Map<string, string>} */
const present = new Map();
/** @type {Map<string, () => void>} */
const updates = new Map();

/**
 * @param {string} result its element's id
 * @param {...any} values
 */
export function setSettings(result, ...values) {
  present.set(result, JSON.stringify(values));
  updates.get(result)?.();
}

/**
 * Why a result is outdated; '' if it is current, or if there is none.
 * @param {{name: string, network: string, settings: any[]} | null} stamp what the result belongs to
 * @param {string | undefined} network the page's
 * @param {string | undefined} settings as JSON
 */
export function outdatedWords(stamp, network, settings) {
  if (!stamp) return '';
  if (network !== undefined && stamp.network !== network)
    return `These results are for an earlier network (${stamp.name}).`;
  const isOther = settings !== undefined && stamp.settings.length > 0 && JSON.stringify(stamp.settings) !== settings;
  return isOther ? 'These results are for earlier settings.' : '';
}

/** @param {import('./lib.js').Mount} mount */
export function mount({element, props, watch, settings: {result, advice}}) {
  const line = element.querySelector('.rx-outdated');

  function update() {
    const words = outdatedWords(JSON.parse(props.value || 'null'), get('network'), present.get(result));
    line.textContent = words && `${words} ${advice}`.trim();
    line.hidden = !words;
  }

  updates.set(result, update);
  watch('value', update);
  on('network', update, element);
  update();
}
