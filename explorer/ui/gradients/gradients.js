// The switches of the Gradients tab: the page puts a choice into the builder's field (ui/controls.py), and the network
// follows as from any field. Points of the chart select their layer in the diagram.
const host = element.querySelector('.rx-switches');

let shown = null, seen = false;

async function refresh() {
  const query = window.explorerQuery;
  if (!seen || query === undefined || query === shown) return;
  shown = query;
  let html;
  try { html = await server.list_switches({query}); } catch { shown = null; return; }  // the summary says that the program is gone
  if (query !== shown) return;
  const held = document.activeElement?.closest('.rx-switches select')?.dataset.field;
  host.innerHTML = html;
  if (held) host.querySelector(`select[data-field=${held}]`)?.focus({preventScroll: true});
}

host.addEventListener('change', e => {
  props.value = JSON.stringify({field: e.target.dataset.field, value: JSON.parse(e.target.value)});
  trigger('input');
});
window.addEventListener('explorer:query', refresh);
new IntersectionObserver(([entry]) => { seen = entry.isIntersecting; refresh(); }).observe(element);

// The diagram is in another tab: what was selected meanwhile is brought into view when it is looked at.
let unseen = null;
const select = id => window.dispatchEvent(new CustomEvent('explorer:select', {detail: id}));
document.addEventListener('explorer:point', e => { unseen = e.detail.path; select(unseen); });
const diagram = document.querySelector('#graph .rx-canvas');
if (diagram) new IntersectionObserver(([entry]) => {
  if (!entry.isIntersecting || unseen === null) return;
  select(unseen);
  unseen = null;
}).observe(diagram);
