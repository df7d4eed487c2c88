// The inspector: links into the diagram, the copy button, and a block's own shortcut.
import {copyFrom} from '../kit/clipboard.js';
import {act, emit, set} from '../kit/lib.js';

/** @param {HTMLElement} panel */
export function mountInspector(panel) {
  let choosing = false,
    heading = '';

  panel.addEventListener('click', e => {
    const link = e.target.closest('[data-select]'),
      copy = e.target.closest('.rx-copy');
    if (link) emit('select', link.dataset.select);
    if (copy?.dataset.code) set('code', true);
    if (!copy || copy.dataset.code) return;
    const lines = copy.closest('h4')?.nextElementSibling?.querySelectorAll('span') ?? [];
    copyFrom(copy, [...lines].map(line => line.textContent).join('\n'));
  });
  panel.addEventListener('change', ({target}) => {
    if (!(target instanceof HTMLSelectElement) || !target.dataset.blocks) return;
    choosing = document.activeElement === target;
    act({type: 'shortcut', blocks: target.dataset.blocks.split(' '), mode: target.value});
  });
  panel.addEventListener('focusout', e => {
    if (e.target.isConnected && e.relatedTarget) choosing = false;
  });

  return {
    /** Another layer is shown from its top. A choice that has the keyboard's focus keeps it. @param {string} html */
    show(html) {
      panel.innerHTML = html;
      const now = panel.querySelector('h3')?.textContent ?? '';
      if (now !== heading) panel.scrollTop = 0;
      heading = now;
      if (choosing && document.activeElement === document.body) {
        panel.querySelector('select')?.focus({preventScroll: true});
      }
    },
  };
}
