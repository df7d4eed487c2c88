// Every network the page has shown, in order, and a place in that row. Putting one in its place fills the builder's
// fields (ui/history.py); the network follows as from any field.
const toast = element.querySelector('.rx-toast'), said = toast.querySelector('span');
const past = [];
let at = -1, asked = null;  // asked: {query, words}, until the program has answered with that network

function say(words, back, forth) {
  said.textContent = words;
  toast.querySelector('[data-go=back]').hidden = !back;
  toast.querySelector('[data-go=forth]').hidden = !forth;
  toast.hidden = !words;
}

async function put(query, words) {
  asked = {query, words};
  let answer;
  try { answer = JSON.parse(await server.fields({query})); }
  catch { answer = {error: 'The program did not answer. Is it still running?'}; }
  if (asked?.query !== query) return;
  if (answer.error) { asked = null; say(answer.error); return; }
  props.value = JSON.stringify(answer.fields);
  trigger('input');
}

function go(step) {
  if (!(at + step in past)) return;
  at += step;
  put(past[at], step < 0 ? 'Undone.' : 'Done again.');
}

function arrived(query) {
  const words = asked?.query === query ? asked.words : '';
  // A network between two quick steps is none of its own.
  if (past[at] !== query && !(asked && !words && past.includes(query))) {
    past.length = at + 1;
    past.push(query);
    at += 1;
  }
  if (words) asked = null;
  say(words, at > 0, at < past.length - 1);
}

const WAYS = {back: () => go(-1), forth: () => go(1), away: () => say('')};
toast.addEventListener('click', e => WAYS[e.target.dataset.go]?.());
// Before anyone else hears of the click: a row would select its sum.
document.addEventListener('click', e => {
  const fix = e.target.closest('[data-apply]');
  if (!fix) return;
  e.stopPropagation();
  if (fix.dataset.tab) window.explorerTab(fix.dataset.tab);
  put(fix.dataset.apply.slice(1), fix.dataset.done);
}, true);
window.addEventListener('explorer:query', e => arrived(e.detail));
const WRITES = 'textarea, [contenteditable], select, input:not([type=radio], [type=checkbox], [type=button])';
document.addEventListener('keydown', e => {
  if (!(e.ctrlKey || e.metaKey) || e.altKey || e.key.toLowerCase() !== 'z' || e.target.closest?.(WRITES)) return;
  e.preventDefault();
  go(e.shiftKey ? 1 : -1);
});
if (window.explorerQuery !== undefined) arrived(window.explorerQuery);
