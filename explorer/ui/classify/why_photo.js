// The photo with what the network saw of it: Grad-CAM or a channel over the crop, and a mark that a person can put.

const STEP = 1 / 16; // of the crop's sides
/** Arrow keys -> how the mark moves. @type {Record<string, [number, number]>} */
const MOVES = {ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP]};
const percent = share => `${share * 100}%`;
const within = share => Math.min(1, Math.max(0, share));

/**
 * @param {HTMLElement} host
 * @param {(place: [number, number] | null) => void} changed the mark was put elsewhere, or taken away
 */
export function photoOverlay(host, changed) {
  const part = name => host.querySelector(`.rx-why-${name}`);
  const crop = part('crop'),
    heat = host.querySelector('img.rx-why-heat'),
    mark = part('mark');
  const photo = host.querySelector('.rx-why-photo > img'),
    opacity = host.querySelector('input.rx-why-opacity');
  /** Place of the mark on the crop, from 0 to 1. @type {[number, number] | null} */
  let place = null;
  let heated = ''; // Grad-CAM's picture
  /** The button of the channel that is shown instead. @type {HTMLElement | null} */
  let channel = null;

  function markAt(next) {
    place = next;
    mark.hidden = !place;
    if (place) Object.assign(mark.style, {left: percent(place[0]), top: percent(place[1])});
  }

  function put(next) {
    markAt(next ? next.map(within) : null);
    changed(place);
  }

  function paint(src) {
    heat.src = src;
    heat.hidden = !heat.getAttribute('src');
  }

  opacity.addEventListener('input', () => {
    heat.style.opacity = String(Number(opacity.value) / 100);
  });
  crop.addEventListener('click', e => {
    const box = crop.getBoundingClientRect();
    put([(e.clientX - box.left) / box.width, (e.clientY - box.top) / box.height]);
  });
  crop.addEventListener('keydown', e => {
    const move = MOVES[e.key];
    if (!move && e.key !== 'Escape') return;
    e.preventDefault();
    // The first key puts the mark into the middle.
    put(move ? (place ?? [0.5 - move[0], 0.5 - move[1]]).map((share, axis) => share + move[axis]) : null);
  });

  return {
    put,
    /** Another photo, without a mark; ``crop``: left, top, right and bottom on it, from 0 to 1. */
    show(src, [left, top, right, bottom]) {
      photo.src = src;
      const size = {width: percent(right - left), height: percent(bottom - top)};
      Object.assign(crop.style, {left: percent(left), top: percent(top), ...size});
      markAt(null);
    },
    /** Grad-CAM's picture; a channel stays over the photo. */
    setHeat(image) {
      heated = image;
      if (!channel) paint(heated);
    },
    /** Lay a channel over the photo, or Grad-CAM for null.
     * @param {HTMLElement | null} button the channel's, with its picture */
    lay(button) {
      channel = button;
      for (const each of part('grid').querySelectorAll('button')) {
        each.setAttribute('aria-pressed', String(each === channel));
      }
      paint(channel ? channel.querySelector('img').src : heated);
      heat.classList.toggle('cells', Boolean(channel));
    },
    get place() {
      return place;
    },
    get channel() {
      return channel;
    },
  };
}
