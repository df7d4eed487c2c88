// The page: its network's address, its tabs, the builder's drawer, and links from header and tables into the diagram.
import './builder.js';
import './export/export.js';
import './kit/hints.js';
import {act, address, emit, get, on, set, setAddress, setNetworkAddress} from './kit/lib.js';
import {openTab} from './kit/tabs.js';
import './start/start.js';

const tabs = () => [...document.querySelectorAll('#tabs > .rx-tab-row [role=tab]')];
const nameOf = tab => tab.textContent.trim();
let isFirst = true;

/**
 * The program has read another network (ui/page.py).
 * @param {string} query
 */
export function setNetwork(query) {
  setNetworkAddress(query);
  const tab = isFirst && tabs().find(each => nameOf(each).toLowerCase() === address('tab'));
  if (isFirst) watchPage();
  isFirst = false;
  if (tab) open(tab);
  set('network', query);
}

on('tab', name => open(tabs().find(tab => nameOf(tab) === name)));

function open(tab) {
  openTab(tab);
  setAddress({tab: tab === tabs()[0] ? null : nameOf(tab).toLowerCase()});
}

/** Once the page is there: whether it shows an error, how high its header is, and a mismatch that it comes to name. */
function watchPage() {
  const [message, top, summary] = ['#message', '#top', '#summary'].map(id => document.querySelector(id));
  new MutationObserver(showAwaitedMismatch).observe(summary, {childList: true, subtree: true});
  const read = () => set('refused', message.querySelector('.rx-banner.error') !== null);
  new MutationObserver(read).observe(message, {childList: true, subtree: true});
  const measure = () => document.documentElement.style.setProperty('--header-height', `${top.offsetHeight}px`);
  new ResizeObserver(measure).observe(top);
}

/** Show a mismatch that the header names in the diagram, whichever tab is open. */
function showMismatch(id) {
  open(tabs()[0]);
  setDrawer(false);
  emit('select', id);
}

let awaitsMismatch = false;
/** Header, diagram and address follow a change one by one, in any order: all must show the same network. */
function showAwaitedMismatch() {
  if (!awaitsMismatch || get('drawn') !== get('network')) return;
  const id = document.querySelector('#summary [data-select]')?.dataset.select;
  if (!id) return;
  awaitsMismatch = false;
  showMismatch(id);
}
on('show-mismatch', () => {
  awaitsMismatch = true;
  showAwaitedMismatch();
});
on('drawn', showAwaitedMismatch);
on('network', showAwaitedMismatch);

const isDrawerOpen = () => document.querySelector('#columns').classList.contains('rx-builder-open');
function setDrawer(isOpen) {
  document.querySelector('#columns').classList.toggle('rx-builder-open', isOpen);
  const button = document.querySelector('#rx-drawer');
  button.setAttribute('aria-expanded', String(isOpen));
  button.textContent = isOpen ? 'Close' : 'Builder';
  button.setAttribute('aria-label', isOpen ? 'Close the builder' : 'Builder');
}

function toggleFold(button) {
  const isNowOpen = button.closest('.rx-fold').classList.toggle('open');
  button.setAttribute('aria-expanded', String(isNowOpen));
}

document.addEventListener('click', ({target}) => {
  const tab = tabs().find(each => each.contains(target)),
    row = target.closest('tr[data-node]'),
    mismatch = target.closest('#summary [data-select]');
  const head = target.closest('.rx-fold-head button');
  if (head) toggleFold(head);
  if (tab) open(tab);
  if (row) emit('select', row.dataset.node);
  if (mismatch) showMismatch(mismatch.dataset.select);
  if (target.closest('.rx-overrides button')) act({type: 'set', field: 'shortcut_overrides', value: ''});
  if (target.closest('#rx-drawer')) setDrawer(!isDrawerOpen());
  else if (!target.closest('#builder, #top, [role=listbox], .options')) setDrawer(false);
});
document.addEventListener('keydown', event => {
  if (event.key === 'Escape') setDrawer(false);
});
on('selected', id => {
  const rows = document.querySelectorAll('tr[data-node]');
  rows.forEach(row => row.classList.toggle('selected', row.dataset.node === id));
});
// Gradio opens a list of choices when Tab leaves it.
document.addEventListener('focusout', ({target}) => {
  if (!target.matches?.('[role=combobox]')) return;
  setTimeout(() => {
    if (document.activeElement !== target) target.dispatchEvent(new FocusEvent('blur'));
  }, 50);
});
