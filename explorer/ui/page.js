// The page: its network's address, its tabs, the drawer of the builder, and links from tables into the diagram.
import './export/export.js';
import {address, emit, on, set, setAddress, setNetworkAddress, settings} from './kit/lib.js';

const TAB = '[role=tab], .overflow-menu button';
const nameOf = tab => tab.textContent.trim();
const find = name => [...document.querySelectorAll(TAB)].find(tab => nameOf(tab) === name);
let isFirst = true;

/**
 * The program has understood another network (ui/page.py).
 * @param {string} query
 */
export function setNetwork(query) {
  setNetworkAddress(query);
  const tab = isFirst && settings().tabs.find(name => name.toLowerCase() === address('tab'));
  isFirst = false;
  if (tab) emit('tab', tab);
  set('network', query);
}

on('tab', name => find(name)?.click());

function remember(tab) {
  const {tabs} = settings(), name = nameOf(tab);
  if (tabs.includes(name)) setAddress({tab: name === tabs[0] ? null : name.toLowerCase()});
}

const isOpen = () => document.querySelector('#columns').classList.contains('rx-builder-open');
function drawer(open) {
  document.querySelector('#columns').classList.toggle('rx-builder-open', open);
  document.querySelector('#rx-drawer').setAttribute('aria-expanded', String(open));
}

document.addEventListener('click', ({target}) => {
  const tab = target.closest(TAB), row = target.closest('tr[data-node]');
  if (tab) remember(tab);
  if (row) emit('select', row.dataset.node);
  if (target.closest('#rx-drawer')) drawer(!isOpen());
  else if (!target.closest('#builder, [role=listbox], .options')) drawer(false);
});
document.addEventListener('keydown', event => { if (event.key === 'Escape') drawer(false); });
on('selected', id => {
  for (const row of document.querySelectorAll('tr[data-node]')) row.classList.toggle('selected', row.dataset.node === id);
});
// Gradio opens a list of choices at the very Tab that leaves it.
document.addEventListener('focusout', ({target}) => {
  if (!target.matches?.('[role=combobox]')) return;
  setTimeout(() => { if (document.activeElement !== target) target.dispatchEvent(new FocusEvent('blur')); }, 50);
});
