// The table of blocks: a row chooses its block, a switch turns its branch off.
import {blocksOf} from './why_layers.js';

/**
 * @param {HTMLElement} host
 * @param {object} does
 * @param {(block: string) => void} does.choose
 * @param {() => void} does.switched
 */
export function blockTable(host, {choose, switched}) {
  const rows = () => [...host.querySelectorAll('tr[data-block]')];
  const allOn = host.querySelector('[data-do=on]');
  const off = new Set();
  let blocks = [];  // that have a switch

  function turn(names, on) {
    for (const name of names) {
      if (on) off.delete(name);
      else off.add(name);
    }
    switched();
  }

  function toggleStage(stage) {
    const names = blocksOf(blocks, stage);
    turn(names, names.every(name => off.has(name)));
  }

  host.addEventListener('click', e => {
    if (e.target.dataset.stage) toggleStage(e.target.dataset.stage);
    const row = e.target.closest('tr[data-block]');
    if (row && e.target.type !== 'checkbox') choose(row.dataset.block);
  });
  host.addEventListener('change', e => {
    const row = e.target.closest('tr[data-block]');
    if (row) turn([row.dataset.block], e.target.checked);
  });
  allOn.addEventListener('click', () => turn([...off], true));

  return {
    /** @param {string} html @param {string[]} names of blocks with a switch */
    show(html, names) {
      host.querySelector('.rx-why-blocks').innerHTML = html;
      blocks = names;
    },
    /** Another network: all blocks are on. */
    reset: () => off.clear(),
    off: () => [...off].sort(),
    /** @param {string | null} chosen */
    paint(chosen) {
      for (const row of rows()) {
        const name = row.dataset.block, box = row.querySelector('input');
        row.classList.toggle('selected', name === chosen);
        row.classList.toggle('off', off.has(name));
        row.querySelector('.rx-link').setAttribute('aria-pressed', String(name === chosen));
        if (box) box.checked = !off.has(name);
      }
      for (const button of host.querySelectorAll('[data-stage]')) {
        const isOff = blocksOf(blocks, button.dataset.stage).every(name => off.has(name));
        button.textContent = isOff ? 'Switch on' : 'Switch off';
      }
      allOn.hidden = !off.size;
    },
    /** What each block adds, in its row. @param {Record<string, string>} cells HTML by block */
    fill(cells) {
      for (const row of rows()) {
        const cell = row.querySelector('td.adds');
        if (cell && row.dataset.block in cells) cell.innerHTML = cells[row.dataset.block];
      }
    },
    /** No block's contribution is known. @param {string} name of the class */
    empty(name) {
      for (const cell of host.querySelectorAll('td.adds')) cell.innerHTML = '';
      host.querySelector('th.adds').textContent = `Adds to “${name}”`;
    },
  };
}
