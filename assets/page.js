// Page-wide behaviour: address bar, drawer, links from tables into the diagram.
(() => {
  const KEPT = ['open', 'at', '__theme'];
  window.explorerSetQuery = query => {
    const next = new URLSearchParams(query), now = new URLSearchParams(location.search);
    KEPT.forEach(key => { if (now.has(key)) next.set(key, now.get(key)); });
    const text = next.toString();
    history.replaceState(null, '', text ? '?' + text : location.pathname);
  };
  const follow = row => window.dispatchEvent(new CustomEvent('explorer:select', {detail: row.dataset.node}));
  document.addEventListener('click', event => {
    const row = event.target.closest('tr[data-node]');
    if (row) follow(row);
    const button = event.target.closest('#rx-drawer');
    if (button) button.setAttribute('aria-expanded', String(document.body.classList.toggle('rx-builder-open')));
    else if (!event.target.closest('#builder, [role=listbox], .options')) {
      document.body.classList.remove('rx-builder-open');
      document.querySelector('#rx-drawer')?.setAttribute('aria-expanded', 'false');
    }
  });
  document.addEventListener('keydown', event => {
    const row = event.target.closest?.('tr[data-node]');
    if (row && (event.key === 'Enter' || event.key === ' ')) { event.preventDefault(); follow(row); }
    if (event.key === 'Escape') document.body.classList.remove('rx-builder-open');
  });
})();
