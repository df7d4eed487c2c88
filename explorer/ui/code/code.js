// The code beside the diagram: a line lights its boxes, a box lights its lines, by pointer, focus and selection. The
// file is asked for when the pane is open, and again when the network changes.
import {copyFrom} from '../kit/clipboard.js';
import {ask, emit, get, latest, on, set, setAddress} from '../kit/lib.js';
import {ownersOfLines} from './lines.js';

const STEPS = {ArrowDown: 1, ArrowUp: -1};

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, server}) {
  const pane = element.querySelector('.rx-code-pane'),
    heading = pane.querySelector('h3'),
    failure = pane.querySelector('.rx-code-error'),
    view = pane.querySelector('pre'),
    code = pane.querySelector('code');
  const turn = latest();
  /** The network whose file is shown. @type {string | null} */
  let shown = null;
  /** Lines of boxes and frames. @type {import('./lines.js').Lines} */
  let lines = {};
  /** @type {Map<number, string[]>} */
  let owners = new Map();
  /** The box that was selected here: its line stays where it is. @type {string | null} */
  let chosen = null;

  const lineAt = number => code.children[number - 1];
  const numberOf = target => Number(target.closest('.rx-line')?.dataset.line ?? 0);

  async function update() {
    const query = get('drawn'),
      open = get('open');
    if (!get('code') || query === undefined) return;
    const isLatest = turn();
    const [written, found] = await Promise.all([
      query === shown ? null : ask(server, 'write_code', {query}),
      ask(server, 'find_lines', {query, open: open ?? null}),
    ]);
    if (!isLatest()) return;
    const error = written?.error ?? found.error;
    failure.textContent = error ?? '';
    failure.hidden = !error;
    if (written) {
      shown = error ? null : query;
      heading.textContent = written.title ?? 'PyTorch code';
      code.innerHTML = written.html ?? '';
    }
    const {boxes = {}, frames = {}} = found;
    lines = {...frames, ...boxes};
    owners = ownersOfLines(boxes, frames);
    makeReachable();
    // The file begins with a long description: without a selection the first class is at the top.
    const start = lineAt(Math.min(...owners.keys()));
    if (written && start instanceof HTMLElement) view.scrollTop = start.offsetTop;
    mark('selected', get('selected'));
  }

  /** The lines that have a box can be reached by the arrow keys; Tab leads to one of them. */
  function makeReachable() {
    for (const line of code.querySelectorAll('[tabindex]')) line.removeAttribute('tabindex');
    for (const number of owners.keys()) lineAt(number)?.setAttribute('tabindex', '-1');
    const first = Math.min(...owners.keys());
    if (owners.size) lineAt(first)?.setAttribute('tabindex', '0');
  }

  /** Mark the lines of a box, and bring the first of them into view.
   * @param {'lit' | 'selected'} name
   * @param {string | null} id */
  function mark(name, id) {
    for (const line of code.querySelectorAll(`.rx-line.${name}`)) line.classList.remove(name);
    const [at, ...own] = lines[id ?? ''] ?? [];
    for (const number of own) lineAt(number)?.classList.add(name);
    if (at && id !== chosen) bringIntoView(lineAt(at));
  }

  /** @param {Element | undefined} line */
  function bringIntoView(line) {
    if (!(line instanceof HTMLElement)) return;
    const top = line.offsetTop,
      isVisible = top >= view.scrollTop && top + line.offsetHeight <= view.scrollTop + view.clientHeight;
    if (!isVisible) view.scrollTop = top - view.clientHeight / 3;
  }

  /** @param {number} number of the line that is pointed at; 0 for none */
  function light(number) {
    const own = owners.get(number) ?? [];
    for (const line of code.querySelectorAll('.rx-line.lit')) line.classList.remove('lit');
    if (own.length) lineAt(number)?.classList.add('lit');
    emit('light', own);
  }

  /** @param {number} number */
  function choose(number) {
    const own = owners.get(number) ?? [],
      selected = get('selected');
    if (!own.length) return;
    chosen = own.includes(selected) ? selected : own[0];
    emit('select', chosen);
  }

  function setOpen(isOpen) {
    emit('beside', pane);
    pane.hidden = !isOpen;
    setAddress({code: isOpen ? '1' : null});
    if (isOpen) update();
    else light(0);
  }

  const ACTIONS = {
    copy: button => copyFrom(button, code.textContent ?? ''),
    close: () => {
      set('code', false);
      document.querySelector('[data-tool=code]').focus();
    },
  };
  pane.addEventListener('click', ({target}) => {
    ACTIONS[target.dataset.do]?.(target);
    choose(numberOf(target));
  });
  view.addEventListener('pointerover', e => light(numberOf(e.target)));
  view.addEventListener('pointerleave', () => light(0));
  view.addEventListener('focusin', e => light(numberOf(e.target)));
  view.addEventListener('focusout', () => light(0));
  view.addEventListener('keydown', e => {
    const number = numberOf(e.target);
    if (e.key === 'Enter' || e.key === ' ') choose(number);
    else if (e.key in STEPS) walk(number, STEPS[e.key]);
    else return;
    e.preventDefault();
  });

  /** To the next line that has a box. @param {number} from @param {number} step */
  function walk(from, step) {
    const ahead = [...owners.keys()].filter(number => (number - from) * step > 0).sort((a, b) => (a - b) * step);
    const next = ahead.length ? lineAt(ahead[0]) : undefined;
    if (!(next instanceof HTMLElement)) return;
    for (const line of code.querySelectorAll('[tabindex="0"]')) line.setAttribute('tabindex', '-1');
    next.tabIndex = 0;
    next.focus({preventScroll: true});
    bringIntoView(next);
  }

  on('code', setOpen, pane);
  on('drawn', update, pane);
  on('open', () => setTimeout(update), pane);
  on('selected', id => mark('selected', id), pane);
  on('pointed', id => mark('lit', id), pane);
  if (get('code')) setOpen(true);
}
