// Hints: what a term or an option means, on hover, focus and tap, in one box that all of them share. A button of class
// rx-hint names its term (views/kit/hints.py), and so does the head of a table's column. Gradio's labels, which hold no
// markup of ours, are recognised by the builder's fields and by their text. The texts come once, when the first hint is
// wanted.
import {emit, settings, url} from './lib.js';
import {beside} from './placing.js';

/** @typedef {{html: string, term: string, name: string}} Words */
/** @typedef {{terms: Record<string, Words>, options: Record<string, Record<string, Words>>,
 *   labels: Record<string, string>, list: string}} Texts */
/** @typedef {{anchor: HTMLElement, words: Words}} Hint */

const OPEN_AFTER = 350,
  CLOSE_AFTER = 250;

/** @type {Promise<Texts> | undefined} */
let loading;
/** The glossary's texts (views/glossary/texts.py); an error rejects, and the next call tries again.
 * @returns {Promise<Texts>} */
export function loadTexts() {
  loading ??= fetch(url(settings().glossary)).then(answer => answer.json());
  loading.catch(() => {
    loading = undefined;
  });
  return loading;
}

const LABEL = '[data-testid=block-info], .label-text';
const CHOICE = 'label:has(> input[type=radio])';
const SOURCES = `.rx-hint, th[data-term], ${CHOICE}, ${LABEL}, [role=option], input, textarea`;

/** The value of the builder's choice that an element is or belongs to; "" is the control itself.
 * @param {HTMLElement} source */
function choiceOf(source) {
  const radio = source.matches('input[type=radio]') ? source : source.querySelector('input[type=radio]');
  const option = source.closest('[role=option]') ?? chosenIn(source);
  return radio?.getAttribute('value') ?? option?.getAttribute('aria-label') ?? '';
}

/** The option of a list that the arrow keys are at. @param {HTMLElement} source */
function chosenIn(source) {
  const id = source.getAttribute('aria-activedescendant');
  return id ? document.getElementById(id) : null;
}

/**
 * What there is to say about an element, and where.
 * @param {HTMLElement} target
 * @param {Texts} texts
 * @returns {Hint | null}
 */
function hintOf(target, {terms, options, labels}) {
  const source = target.closest(SOURCES);
  if (!source) return null;
  if (source.dataset.term) return {anchor: source, words: terms[source.dataset.term]};
  const field = source.closest('[id^=field-]')?.id.slice('field-'.length);
  const own = field && options[field];
  const words = own ? (own[choiceOf(source)] ?? own['']) : terms[labels[labelText(source)]];
  return words ? {anchor: source, words} : null;
}

const labelText = source => source.getAttribute('aria-label') ?? source.textContent.trim();

// ---- the box -----------------------------------------------------------------------------------------------

/** @type {Hint & {isPinned: boolean} | null} */
let shown = null;
let timer = 0;
/** What the pointer or the keyboard is at, whose hint comes next. @type {EventTarget | null} */
let wanted = null;
let isByKeyboard = false;
/** @type {HTMLElement | undefined} */
let box;

function makeBox() {
  const made = document.createElement('div');
  made.id = 'rx-hint-box';
  made.popover = 'manual';
  made.setAttribute('role', 'group');
  made.setAttribute('aria-label', 'Explanation');
  made.innerHTML = `<div id="rx-hint-words"></div>
    <p><button type="button" class="rx-to" data-go="more">In the glossary</button>
    <button type="button" class="rx-to" data-go="show">Show it</button></p>`;
  made.addEventListener('pointerenter', () => clearTimeout(timer));
  made.addEventListener('pointerleave', closeSoon);
  made.addEventListener('click', e => {
    const {go} = /** @type {HTMLElement} */ (e.target).dataset,
      term = shown?.words.term;
    if (!go || !term) return;
    close();
    emit(go === 'more' ? 'help' : 'show-term', term);
  });
  document.querySelector('.gradio-container').append(made);
  return made;
}

/** @param {Hint} hint
 * @param {boolean} isPinned whether it stays until it is closed */
function show({anchor, words}, isPinned) {
  if (shown?.anchor !== anchor) close();
  clearTimeout(timer);
  box ??= makeBox();
  const exact = document.createElement('p');
  exact.textContent = anchor.dataset.exact ?? '';
  const place = box.querySelector('#rx-hint-words');
  place.innerHTML = words.html;
  if (exact.textContent) place.prepend(exact);
  const control = anchor.querySelector('input') ?? anchor;
  control.setAttribute('aria-describedby', 'rx-hint-words');
  if (anchor.matches('.rx-hint')) anchor.setAttribute('aria-expanded', 'true');
  shown = {anchor, words, isPinned};
  box.showPopover();
  put();
}

function put() {
  if (!shown || !box) return;
  const builder = shown.anchor.closest('#builder')?.getBoundingClientRect();
  const at = beside(shown.anchor.getBoundingClientRect(), box, {width: innerWidth, height: innerHeight}, builder);
  Object.assign(box.style, {left: `${at.left}px`, top: `${at.top}px`});
}

export function close() {
  clearTimeout(timer);
  if (!shown) return;
  const {anchor} = shown;
  (anchor.querySelector('input') ?? anchor).removeAttribute('aria-describedby');
  if (anchor.matches('.rx-hint')) anchor.setAttribute('aria-expanded', 'false');
  shown = null;
  box?.hidePopover();
}

function closeSoon() {
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (!shown?.isPinned) close();
  }, CLOSE_AFTER);
}

/** Show the hint of ``target`` unless another one is wanted by the time its texts are here.
 * @param {HTMLElement} target
 * @param {boolean} isPinned */
async function open(target, isPinned) {
  wanted = target;
  const texts = await loadTexts().catch(() => null);
  const hint = texts && wanted === target && target.isConnected ? hintOf(target, texts) : null;
  if (hint) show(hint, isPinned);
  else if (wanted === target) close();
}

// ---- what opens and closes it ------------------------------------------------------------------------------

const isInBox = target => Boolean(box?.contains(target));
const mayExplain = target => target instanceof HTMLElement && target.closest(SOURCES) !== null;

document.addEventListener('pointerover', e => {
  if (e.pointerType === 'touch' || isInBox(e.target) || shown?.isPinned) return;
  if (!mayExplain(e.target) || e.target.matches('input:not([type=radio]), textarea')) return;
  if (shown?.anchor.contains(e.target)) {
    clearTimeout(timer);
    return;
  }
  clearTimeout(timer);
  timer = setTimeout(() => open(e.target, false), OPEN_AFTER);
});
document.addEventListener('pointerout', e => {
  if (e.pointerType === 'touch' || isInBox(e.target) || isByKeyboard) return;
  if (mayExplain(e.target)) closeSoon();
});
document.addEventListener(
  'pointerdown',
  ({target}) => {
    isByKeyboard = false;
    if (!isInBox(target) && !shown?.anchor.contains(target)) close();
  },
  true,
);
// A tap, or a click on a hint's own button. A choice of the builder is chosen all the same.
document.addEventListener('click', e => {
  const source = e.target.closest('.rx-hint'),
    isTap = /** @type {PointerEvent} */ (/** @type {unknown} */ (e)).pointerType === 'touch';
  if (source) {
    e.stopPropagation();
    if (shown?.isPinned && shown.anchor === source) close();
    else open(source, true);
  } else if (isTap && mayExplain(e.target)) {
    // A tap on a label is also a click of its input.
    if (!e.target.matches('input:not([type=radio]), textarea')) open(e.target, true);
  } else if (!isInBox(e.target)) {
    clearTimeout(timer);
    close();
  }
});
// A list names the option that the arrow keys are at some time after the key: a busy page takes long.
const chosen = new MutationObserver(([{target}]) => {
  if (isByKeyboard && target instanceof HTMLElement && chosenIn(target)) open(target, false);
});
document.addEventListener('focusin', ({target}) => {
  chosen.disconnect();
  if (target.matches?.('input')) chosen.observe(target, {attributeFilter: ['aria-activedescendant']});
  if (!isByKeyboard || isInBox(target)) return;
  if (mayExplain(target)) open(target, false);
  else close();
});
document.addEventListener(
  'keydown',
  e => {
    isByKeyboard = true;
    if (e.key === 'Escape' && shown) {
      e.preventDefault();
      e.stopPropagation();
      const {anchor} = shown;
      const hadFocus = isInBox(e.target);
      close();
      if (hadFocus) anchor.focus();
    } else if (e.key === 'Tab' && shown && box) {
      tab(e, shown.anchor, [...box.querySelectorAll('button')]);
    }
  },
  true,
);

/** From a pinned hint Tab leads into its box, and from the box's end on to what follows the hint.
 * @param {KeyboardEvent} e
 * @param {HTMLElement} anchor
 * @param {HTMLElement[]} buttons */
function tab(e, anchor, buttons) {
  const leaves = e.shiftKey ? buttons[0] : buttons[buttons.length - 1];
  if (e.target === anchor && shown?.isPinned && !e.shiftKey) {
    e.preventDefault();
    buttons[0].focus();
  } else if (e.target === leaves) {
    if (e.shiftKey) e.preventDefault();
    close();
    anchor.focus(); // without Shift the browser moves the focus from here
  }
}
// The keyboard's focus scrolls to what it reaches: that must not close its hint.
addEventListener('scroll', () => (shown?.isPinned || isByKeyboard ? put() : close()), {capture: true, passive: true});
addEventListener('resize', put);
