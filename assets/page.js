// Page-wide behaviour: address bar, drawer, links from tables into the diagram.
(() => {
  if (window.explorerSetQuery) return; // Gradio may run what stands in <head> twice
  const KEPT = ['open', 'at', 'tint', 'with', '__theme'];
  window.explorerSetQuery = query => {
    const next = new URLSearchParams(query), now = new URLSearchParams(location.search);
    KEPT.forEach(key => { if (now.has(key)) next.set(key, now.get(key)); });
    const text = next.toString();
    history.replaceState(null, '', text ? '?' + text : location.pathname);
    window.explorerQuery = query;
    window.dispatchEvent(new CustomEvent('explorer:query', {detail: query}));
  };
  const follow = row => window.dispatchEvent(new CustomEvent('explorer:select', {detail: row.dataset.node}));
  const drawer = open => {
    document.querySelector('#columns').classList.toggle('rx-builder-open', open);
    document.querySelector('#rx-drawer').setAttribute('aria-expanded', String(open));
  };
  document.addEventListener('click', event => {
    const row = event.target.closest('tr[data-node]');
    if (row) follow(row);
    if (event.target.closest('#rx-drawer')) drawer(!document.querySelector('#columns').classList.contains('rx-builder-open'));
    else if (!event.target.closest('#builder, [role=listbox], .options')) drawer(false);
  });
  document.addEventListener('keydown', event => {
    if (event.key === 'Escape') drawer(false);
  });
})();
