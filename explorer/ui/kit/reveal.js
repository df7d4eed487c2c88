// Bring an element of any panel into view: the tabs and folds around it open, and it is marked for a moment.

const SHOWN_FOR = 2000;

/** @param {HTMLElement | null} element */
export function reveal(element) {
  if (!element) return;
  for (const hidden of around(element)) {
    const opener = hidden.matches('.rx-panel')
      ? document.querySelector(`[role=tab][aria-controls="${hidden.id}"]`)
      : hidden.querySelector(':scope > .rx-fold-head button');
    if (hidden instanceof HTMLDetailsElement) hidden.open = true;
    else opener?.click();
  }
  if (element.closest('#builder') && !element.offsetParent) document.querySelector('#rx-drawer').click();
  // A drawer or a tab has just opened: what is in it has its place in the next frame.
  requestAnimationFrame(() => {
    element.scrollIntoView({block: 'center'});
    const control = element.querySelector('input, button, select, [tabindex]') ?? element;
    control.focus({preventScroll: true});
    element.classList.add('rx-shown');
    setTimeout(() => element.classList.remove('rx-shown'), SHOWN_FOR);
  });
}

/** What hides an element, from the outside in. @param {HTMLElement} element */
function around(element) {
  const hiding = [];
  for (let next = element.parentElement; next; next = next.parentElement) {
    if (next.matches('.rx-panel:not(.open), .rx-fold:not(.open), details:not([open])')) hiding.unshift(next);
  }
  return hiding;
}
