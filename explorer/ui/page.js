// Page-wide behaviour: address bar, tabs, drawer, links from tables into the diagram.
(() => {
  if (window.explorerSetQuery) return; // Gradio may run what stands in <head> twice
  const KEPT = ['open', 'at', 'tint', 'with', 'tab', '__theme'];
  const TABS = ['Architecture', 'Compare', 'Gradients', 'Training', 'Classify'], TAB = '[role=tab], .overflow-menu button';
  const named = tab => tab.textContent.trim();
  let fresh = true;
  window.explorerTab = name => [...document.querySelectorAll(TAB)].find(tab => named(tab) === name)?.click();
  const put = address => {
    const text = address.toString();
    history.replaceState(null, '', text ? '?' + text : location.pathname);
  };
  window.explorerSetQuery = query => {
    const next = new URLSearchParams(query), now = new URLSearchParams(location.search);
    KEPT.forEach(key => { if (now.has(key)) next.set(key, now.get(key)); });
    put(next);
    window.explorerQuery = query;
    const tab = fresh && TABS.find(name => name.toLowerCase() === next.get('tab'));
    fresh = false;
    if (tab) window.explorerTab(tab);
    window.dispatchEvent(new CustomEvent('explorer:query', {detail: query}));
  };
  const follow = row => window.dispatchEvent(new CustomEvent('explorer:select', {detail: row.dataset.node}));
  const drawer = open => {
    document.querySelector('#columns').classList.toggle('rx-builder-open', open);
    document.querySelector('#rx-drawer').setAttribute('aria-expanded', String(open));
  };
  document.addEventListener('click', event => {
    const tab = event.target.closest(TAB), row = event.target.closest('tr[data-node]');
    if (tab && TABS.includes(named(tab))) {
      const address = new URLSearchParams(location.search);
      named(tab) === TABS[0] ? address.delete('tab') : address.set('tab', named(tab).toLowerCase());
      put(address);
    }
    if (row) follow(row);
    if (event.target.closest('#rx-drawer')) drawer(!document.querySelector('#columns').classList.contains('rx-builder-open'));
    else if (!event.target.closest('#builder, [role=listbox], .options')) drawer(false);
  });
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') drawer(false);
  });
  // Gradio opens a list of choices at the very Tab that leaves it.
  document.addEventListener('focusout', ({target}) => {
    if (!target.matches?.('[role=combobox]')) return;
    setTimeout(() => { if (document.activeElement !== target) target.dispatchEvent(new FocusEvent('blur')); }, 50);
  });
})();
