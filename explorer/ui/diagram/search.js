// The diagram's search box: finds ids by name, type or shape, and goes from one to the next.
import {isTyping, latest} from '../kit/lib.js';

/**
 * @param {HTMLElement} host
 * @param {(text: string) => Promise<string[] | null>} lookUp ids of what has the text; null if there is no answer
 * @param {(id: string) => void} find brings an id into view
 */
export function mountSearch(host, lookUp, find) {
  const form = host.querySelector('.rx-search'),
    field = form.querySelector('input');
  const count = form.querySelector('.rx-count'),
    turn = latest();
  /** @type {string[]} */
  let matches = [];
  let place = -1;

  function go(step) {
    if (!matches.length) return;
    place = (place + step + matches.length) % matches.length;
    count.textContent = `${place + 1} of ${matches.length}`;
    find(matches[place]);
  }

  field.addEventListener('input', async () => {
    const isLatest = turn(),
      text = field.value.trim();
    const found = text ? await lookUp(text) : [];
    if (!isLatest() || found === null) return;
    matches = found;
    place = -1;
    count.textContent = text ? (matches.length ? `${matches.length} found, Enter shows them` : 'nothing found') : '';
  });
  form.addEventListener('submit', e => {
    e.preventDefault();
    go(1);
  });
  field.addEventListener('keydown', e => {
    if (e.key === 'Enter' && e.shiftKey) {
      e.preventDefault();
      go(-1);
    }
    if (e.key === 'Escape') {
      field.value = '';
      matches = [];
      count.textContent = '';
      field.blur();
    }
  });
  document.addEventListener('keydown', e => {
    const isShortcut = (e.key === '/' && !isTyping(e.target)) || (e.key === 'f' && (e.ctrlKey || e.metaKey));
    if (!host.offsetParent || !isShortcut) return;
    e.preventDefault();
    field.focus();
    field.select();
  });
}
