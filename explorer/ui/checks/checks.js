// The shortcut checks: rows come once for each network, after its diagram; sorting, filtering, copying and walking from
// sum to sum happen here. A row and a sum select each other.
const host = element.querySelector('.rx-checks');
const list = host.querySelector('.rx-rows'), everything = host.querySelector('.rx-fix-all');
const filter = host.querySelector('input[type=search]'), only = host.querySelector('input[type=checkbox]');
const counted = host.querySelector('.rx-of'), panel = host.querySelector('.rx-walk');
const button = name => element.querySelector(`[data-do=${name}]`) ?? panel.querySelector(`[data-do=${name}]`);
const GONE = {error: 'The program did not answer. Is it still running?'};

let query = null, shown = null, csv = [];  // query: of the diagram; shown: of the rows
const renewed = sortable(list, 0);
let steps = null, stop = 0;

let seen = false;  // scrolled to
const rows = () => [...list.querySelectorAll('tbody tr')];
async function ask(name, request) {
  try { return JSON.parse(await server[name](request)); } catch { return GONE; }
}

function failed(place, words) {
  const p = document.createElement('p');
  p.className = 'rx-banner error-here';
  p.setAttribute('role', 'alert');
  p.textContent = words;
  place.replaceChildren(p);
}

async function refresh() {
  if (query === null || query === shown || !seen) return;
  const mine = shown = query;
  const answer = await ask('list_checks', {query: mine});
  if (mine !== shown) return;
  if (answer.error) { shown = null; csv = []; everything.replaceChildren(); failed(list, answer.error); sift(); return; }
  const scrolled = list.querySelector('.rx-scroll')?.scrollTop ?? 0;
  list.innerHTML = answer.rows;
  everything.innerHTML = answer.all;
  csv = answer.csv;
  renewed();
  sift();
  if (list.firstChild.scrollTo) list.firstChild.scrollTop = scrolled;
  marked(new URLSearchParams(location.search).get('at'));
}

function sift() {
  const wanted = filter.value.trim().toLowerCase(), every = rows();
  every.forEach(row => { row.hidden = only.checked && row.classList.contains('fits') || !row.textContent.toLowerCase().includes(wanted); });
  const left = every.filter(row => !row.hidden).length;
  counted.textContent = every.length ? `${left} of ${every.length}` : '';
  host.classList.toggle('empty', !every.length);
}
filter.addEventListener('input', sift);
only.addEventListener('change', sift);

// The box scrolls to the row, never the page.
function marked(id) {
  const row = rows().find(row => row.dataset.node === id), box = list.querySelector('.rx-scroll');
  rows().forEach(each => each.classList.toggle('selected', each === row));
  if (!row || row.hidden) return;
  const top = row.offsetTop - box.querySelector('thead').offsetHeight, bottom = row.offsetTop + row.offsetHeight;
  if (top < box.scrollTop) box.scrollTop = top;
  else if (bottom > box.scrollTop + box.clientHeight) box.scrollTop = bottom - box.clientHeight;
}

async function copy() {
  const text = [csv[0], ...rows().filter(row => !row.hidden && row.dataset.row).map(row => csv[Number(row.dataset.row) + 1])].join('\r\n');
  try { await navigator.clipboard.writeText(text + '\r\n'); button('copy').textContent = 'Copied'; }
  catch { button('copy').textContent = 'Not allowed here'; }  // only a safe context may write to the clipboard
  setTimeout(() => { button('copy').textContent = 'Copy as CSV'; }, 1500);
}

// The walk lies over the diagram.
async function walk() {
  const mine = query, answer = await ask('list_steps', {query: mine});
  if (mine !== query) return;
  steps = answer.steps ?? null;
  if (!steps?.length) { leave(); if (answer.error) failed(list, answer.error); return; }
  document.querySelector('#graph .rx-stage').append(panel);
  const opened = panel.hidden;
  panel.hidden = false;
  show(opened ? 0 : Math.min(stop, steps.length - 1), opened);
  if (opened) panel.focus({preventScroll: true});
}

function show(place, leads = true) {
  stop = place;
  const {node, title, html} = steps[stop];
  panel.querySelector('h3').textContent = title;
  panel.querySelector('header span').textContent = `${stop + 1} of ${steps.length}`;
  panel.querySelector('.rx-told').innerHTML = html;
  button('previous').disabled = stop === 0;
  button('next').disabled = stop === steps.length - 1;
  if (leads) window.dispatchEvent(new CustomEvent('explorer:select', {detail: node}));
}

function leave() {
  panel.hidden = true;
  stop = 0;
}

const walking = () => !panel.hidden && panel.offsetParent !== null;
const step = by => { if (stop + by in steps) show(stop + by); };
const DOES = {walk, copy, next: () => step(1), previous: () => step(-1), done: () => { leave(); button('walk').focus({preventScroll: true}); }};
const KEYS = {ArrowRight: 'next', ArrowLeft: 'previous', Escape: 'done'};
for (const place of [host, panel]) place.addEventListener('click', e => { if (place === host || !host.contains(panel)) DOES[e.target.dataset.do]?.(); });
document.addEventListener('keydown', e => {
  const ours = panel.contains(e.target) || e.target === document.body;
  if (!walking() || !ours || !KEYS[e.key] || e.ctrlKey || e.metaKey || e.altKey) return;
  e.preventDefault();
  DOES[KEYS[e.key]]();
});

window.addEventListener('explorer:drawn', e => {
  if (e.detail === query) return;
  query = e.detail;
  refresh();
  if (!panel.hidden) walk();
});
window.addEventListener('explorer:selected', e => marked(e.detail));
query = document.querySelector('#graph .rx-canvas')?.dataset.query ?? null;
new IntersectionObserver(([entry]) => { seen = entry.isIntersecting; refresh(); }).observe(host);
