// Tabs (kit/tabs.py): a click or an arrow key opens one. The panels always exist; the others are only hidden.

const STEPS = {ArrowRight: 1, ArrowLeft: -1};
const panelOf = tab => document.getElementById(tab.getAttribute('aria-controls'));

/** All tabs of the row that a tab is in.
 * @param {HTMLElement} tab */
const rowOf = tab => [...(tab.closest('[role=tablist]')?.querySelectorAll('[role=tab]') ?? [])];

/** @param {HTMLElement} tab */
export function openTab(tab) {
  for (const each of rowOf(tab)) {
    const isOpen = each === tab;
    each.setAttribute('aria-selected', String(isOpen));
    each.tabIndex = isOpen ? 0 : -1;
    panelOf(each)?.classList.toggle('open', isOpen);
  }
  tab.scrollIntoView({block: 'nearest', inline: 'nearest'});
}

document.addEventListener('click', e => {
  const tab = e.target.closest('.rx-tab-row [role=tab]');
  if (tab) openTab(tab);
});
document.addEventListener('keydown', e => {
  const tab = e.target.closest?.('.rx-tab-row [role=tab]'),
    step = STEPS[e.key];
  if (!tab || !step) return;
  e.preventDefault();
  const row = rowOf(tab),
    next = row[(row.indexOf(tab) + step + row.length) % row.length];
  next.focus();
  next.click();
});
