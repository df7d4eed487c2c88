// The switches of the Gradients tab: a choice is a whole network, put in the place of the page's (history.js). Points of
// the chart select their layer in the diagram.
const host = element.querySelector('.rx-switches');

function show() {
  const held = document.activeElement?.closest('.rx-switches select')?.dataset.field;
  host.innerHTML = props.value ?? '';
  if (held) host.querySelector(`select[data-field=${held}]`)?.focus({preventScroll: true});
}
host.addEventListener('change', e => {
  const [option] = e.target.selectedOptions;
  window.dispatchEvent(new CustomEvent('explorer:apply', {detail: {query: option.value.slice(1), words: option.dataset.done}}));
});
watch('value', show);
show();

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
