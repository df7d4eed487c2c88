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
  const blockOf = row => row.dataset.block ?? '';
  const allOn = host.querySelector('[data-do=on]');
  /** @type {Set<string>} */
  const off = new Set();
  /** That have a switch. @type {string[]} */
  let blocks = [];

  function turn(names, on) {
    for (const name of names) {
      if (on) off.delete(name);
      else off.add(name);
    }
    switched();
  }

  function toggleStage(stage) {
    const names = blocksOf(blocks, stage);
    turn(
      names,
      names.every(name => off.has(name)),
    );
  }

  host.addEventListener('click', e => {
    if (e.target.dataset.stage) toggleStage(e.target.dataset.stage);
    const row = e.target.closest('tr[data-block]');
    if (row && !e.target.matches('input')) choose(blockOf(row));
  });
  host.addEventListener('change', e => {
    const box = e.target.closest('input'),
      row = box?.closest('tr[data-block]');
    if (box && row) turn([blockOf(row)], box.checked);
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
        const name = blockOf(row),
          box = row.querySelector('input');
        row.classList.toggle('selected', name === chosen);
        row.classList.toggle('off', off.has(name));
        row.querySelector('.rx-link').setAttribute('aria-pressed', String(name === chosen));
        if (box) box.checked = !off.has(name);
      }
      for (const button of host.querySelectorAll('[data-stage]')) {
        const isOff = blocksOf(blocks, button.dataset.stage ?? '').every(name => off.has(name));
        button.textContent = isOff ? 'Switch on' : 'Switch off';
      }
      allOn.hidden = !off.size;
    },
    /** Show what each block adds, and the answer without it. @param {Record<string, [string, string]>} cells HTML by
     * block */
    fill(cells) {
      for (const row of rows()) {
        const [adds, without] = cells[blockOf(row)] ?? [];
        if (adds === undefined) continue;
        row.querySelector('td.adds').innerHTML = adds;
        row.querySelector('td.without').innerHTML = without;
      }
    },
    /** No block's contribution is known. @param {string} name of the class */
    empty(name) {
      for (const cell of host.querySelectorAll('td:is(.adds, .without)')) cell.innerHTML = '';
      host.querySelector('th.adds .of').textContent = ` of “${name}”`;
      host.querySelector('th.without').textContent = `“${name}” with it → without`;
    },
  };
}
