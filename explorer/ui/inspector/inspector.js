// The inspector: links into the diagram, the copy button, and a block's own shortcut. Stands after graph.js.
inspector.addEventListener('click', async e => {
  const link = e.target.closest('[data-select]');
  if (link) window.dispatchEvent(new CustomEvent('explorer:select', {detail: link.dataset.select}));
  const copy = e.target.closest('.rx-copy');
  if (!copy) return;
  const lines = [...copy.closest('h4').nextElementSibling.querySelectorAll('span')].map(span => span.textContent);
  try { await navigator.clipboard.writeText(lines.join('\n')); copy.textContent = 'Copied'; }
  catch { copy.textContent = 'Not allowed here'; }  // only a safe context may write to the clipboard
  setTimeout(() => { copy.textContent = 'Copy'; }, 1500);
});
// The page merges the choice into the builder's field (ui/controls.py), and the network follows as from any field.
let choosing = false, heading = '';
inspector.addEventListener('change', e => {
  const {blocks} = e.target.dataset;
  if (!blocks) return;
  choosing = document.activeElement === e.target;
  props.value = JSON.stringify({blocks: blocks.split(' '), mode: e.target.value});
  trigger('input');
});
// Every answer replaces the text: another thing starts at its top, and who chose with the keyboard goes on choosing.
new MutationObserver(() => {
  const now = inspector.querySelector('h3')?.textContent ?? '';
  if (now !== heading) inspector.scrollTop = 0;
  heading = now;
  if (choosing && document.activeElement === document.body) inspector.querySelector('select')?.focus({preventScroll: true});
}).observe(inspector, {childList: true});
inspector.addEventListener('focusout', e => { if (e.target.isConnected && e.relatedTarget) choosing = false; });
