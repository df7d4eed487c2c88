// What the pointer or the keyboard's focus is at in the diagram, for other panels, and the boxes that they light.
import {get, on, set} from '../kit/lib.js';
import {GROUP} from './open.js';

/**
 * @param {HTMLElement} host
 * @param {HTMLElement} canvas
 * @param {(id: string) => SVGGElement | null} boxOf the box of an id, or its frame
 */
export function mountLights(host, canvas, boxOf) {
  const button = host.querySelector('[data-tool=code]');

  /** @param {Element | null} target */
  function point(target) {
    const id = target?.closest('g.node, g.cluster')?.id.replace(GROUP, '') ?? null;
    if (id !== get('pointed')) set('pointed', id);
  }

  canvas.addEventListener('pointerover', e => point(e.target));
  canvas.addEventListener('pointerleave', () => point(null));
  canvas.addEventListener('focusin', e => point(e.target));
  canvas.addEventListener('focusout', () => point(null));
  on(
    'light',
    ids => {
      for (const g of canvas.querySelectorAll('g.lit')) g.classList.remove('lit');
      for (const id of ids) boxOf(id)?.classList.add('lit');
    },
    host,
  );
  const press = isOpen => button.setAttribute('aria-pressed', String(isOpen));
  press(get('code'));
  on('code', press, host);
}
