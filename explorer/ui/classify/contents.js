// Leads to the parts of the tab: one that is folded opens.

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element}) {
  element.addEventListener('click', ({target}) => {
    const {part} = target.dataset;
    if (part) lead(document.querySelector(part));
  });
}

/** @param {HTMLElement} place */
function lead(place) {
  if (place instanceof HTMLDetailsElement) place.open = true;
  const head = place.querySelector(':scope > .rx-fold-head button');
  if (head?.getAttribute('aria-expanded') === 'false') head.click();
  requestAnimationFrame(() => {
    place.scrollIntoView({block: 'start'});
    const control = head ?? place.querySelector('summary, button, select, input') ?? place;
    control.focus({preventScroll: true});
  });
}
