// The tint of the diagram's boxes: a wash of colour, and a bar as long as the box's share, which also shows it
// without colour.
import {address, latest} from '../kit/lib.js';
import {createSvg} from './svg.js';

const POLL_MS = 400;

/**
 * @param {HTMLElement} host
 * @param {HTMLElement} canvas
 * @param {(by: string) => Promise<any>} measure returns the amounts of a measure, or how far measuring is
 */
export function mountTint(host, canvas, measure) {
  const choice = host.querySelector('.rx-tint select'),
    scale = host.querySelector('.rx-scale');
  const turn = latest();
  /** The measure that the boxes show. @type {string} */
  let painted = '';
  const labelOf = by => [...choice.options].find(({value}) => value === by)?.text ?? '';

  /** Until an amount is measured, the boxes keep the one before: grey, and named. */
  function showProgress(words) {
    const isOld = painted !== '' && painted !== choice.value;
    canvas.classList.toggle('outdated', isOld);
    scale.textContent = isOld ? `${words} (grey: ${labelOf(painted)})` : words;
  }

  function clear() {
    painted = '';
    canvas.classList.remove('outdated');
    for (const g of canvas.querySelectorAll('g.tinted')) {
      g.classList.remove('tinted');
      for (const bar of g.querySelectorAll('.rx-bar-back, .rx-bar-share')) bar.remove();
      g.setAttribute('aria-label', g.dataset.plain ?? '');
    }
  }

  function bar(g, share) {
    const outline = g.querySelector('path, polygon');
    if (!outline) return; // an addition is a circle, and the input only text
    const {x, y, width, height} = outline.getBBox();
    const most = width - 16,
      place = {x: x + 8, y: y + height - 5, height: 3};
    g.append(
      createSvg('rect', {class: 'rx-bar-back', ...place, width: most}),
      createSvg('rect', {class: 'rx-bar-share', ...place, width: Math.max(1, most * share)}),
    );
  }

  function paint(by, {shares, words, scale: text}) {
    clear();
    painted = by;
    scale.textContent = text;
    for (const g of canvas.querySelectorAll('g.node')) {
      if (!(g.id in shares)) continue;
      g.classList.add('tinted');
      g.style.setProperty('--tint', `${Math.round(55 * shares[g.id])}%`);
      g.dataset.plain = g.getAttribute('aria-label') ?? '';
      g.setAttribute('aria-label', `${g.dataset.plain} ${words[g.id]}.`);
      bar(g, shares[g.id]);
    }
  }

  function show(by, answer) {
    if (answer.error) {
      clear();
      scale.textContent = answer.error;
    } else {
      paint(by, answer);
    }
  }

  async function refresh() {
    const isLatest = turn(),
      by = choice.value;
    if (!by) {
      clear();
      scale.textContent = '';
      return;
    }
    if (!canvas.querySelector('g.tinted')) painted = ''; // another drawing
    showProgress(`Measuring ${labelOf(by)} …`);
    for (;;) {
      const answer = await measure(by);
      if (!isLatest() || answer.silent) return; // the request for the drawing reports that there is no response
      if (!answer.progress) {
        show(by, answer);
        return;
      }
      const [done, of] = answer.progress;
      const progress = `Measuring ${labelOf(by)}: ${done} of ${of} backward passes`;
      showProgress(of ? progress : answer.waits || `Measuring ${labelOf(by)} …`);
      await new Promise(resolve => setTimeout(resolve, POLL_MS));
      if (!isLatest()) return;
    }
  }

  const wanted = address('tint');
  const option = [...choice.options].find(({value}) => value === wanted);
  if (option) choice.value = option.value;
  choice.addEventListener('change', refresh);
  return {refresh, choice};
}
