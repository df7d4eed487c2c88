// The tint of the diagram's boxes: a wash, and a bar as long as the box's share, so that it reads without colour.
import {address, latest} from '../kit/lib.js';

const SVG = 'http://www.w3.org/2000/svg',
  POLL_MS = 400;

/**
 * @param {HTMLElement} host
 * @param {HTMLElement} canvas
 * @param {(by: string) => Promise<any>} measure the amounts of a measure, or how far measuring is
 */
export function tinting(host, canvas, measure) {
  const choice = host.querySelector('.rx-tint select'),
    scale = host.querySelector('.rx-scale');
  const turn = latest();

  function clear() {
    canvas.querySelectorAll('.tinted').forEach(g => {
      g.classList.remove('tinted');
      g.querySelectorAll('.rx-bar-back, .rx-bar-share').forEach(bar => bar.remove());
      g.setAttribute('aria-label', g.dataset.plain);
    });
  }

  function bar(g, share) {
    const outline = g.querySelector('path, polygon');
    if (!outline) return; // a sum is a circle, the input only text
    const box = outline.getBBox();
    const place = (name, width) => {
      const rect = document.createElementNS(SVG, 'rect');
      const attributes = {class: name, x: box.x + 8, y: box.y + box.height - 5, width, height: 3};
      Object.entries(attributes).forEach(([key, value]) => rect.setAttribute(key, String(value)));
      g.append(rect);
    };
    place('rx-bar-back', box.width - 16);
    place('rx-bar-share', Math.max(1, (box.width - 16) * share));
  }

  function paint({shares, words, scale: text}) {
    clear();
    scale.textContent = text;
    for (const g of canvas.querySelectorAll('g.node')) {
      if (!(g.id in shares)) continue;
      g.classList.add('tinted');
      g.style.setProperty('--tint', `${Math.round(55 * shares[g.id])}%`);
      g.dataset.plain = g.getAttribute('aria-label');
      g.setAttribute('aria-label', `${g.dataset.plain} ${words[g.id]}.`);
      bar(g, shares[g.id]);
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
    for (;;) {
      const answer = await measure(by);
      if (!isLatest() || answer.silent) return; // the drawing's own request says that the program is gone
      if (!answer.progress) {
        if (answer.error) {
          clear();
          scale.textContent = answer.error;
        } else {
          paint(answer);
        }
        return;
      }
      const [done, of] = answer.progress;
      scale.textContent = of ? `Measuring: ${done} of ${of} backward passes` : answer.waits || 'Measuring …';
      await new Promise(go => setTimeout(go, POLL_MS));
      if (!isLatest()) return;
    }
  }

  const wanted = address('tint');
  if ([...choice.options].some(option => option.value === wanted)) choice.value = wanted;
  choice.addEventListener('change', refresh);
  return {refresh, choice};
}
