// A picture moved under a frame: wheel, pinch, drag, fit, and a mini-map where it is larger than the frame.
// Knows nothing of what is drawn but that its nodes are `g.node`.

/** @param {HTMLElement} frame */
export function viewport(frame) {
  const ASPECT_MARGIN = 1.3,
    MAP_FROM = 1.15,
    SVG = 'http://www.w3.org/2000/svg';
  const later = window.requestIdleCallback ?? (work => setTimeout(work, 50));
  const touches = new Map(),
    followers = [];
  let view = null,
    natural = null,
    drag = null,
    moved = false,
    fitted = false;
  let window_ = null,
    planned = null;
  const map = frame.parentElement.appendChild(document.createElement('div'));
  map.className = 'rx-map';
  map.hidden = true;
  map.setAttribute('aria-hidden', 'true'); // the keyboard walks the diagram itself

  const svg = () => frame.querySelector('svg');
  const scale = () => frame.clientWidth / view[2];

  function apply(byHand) {
    if (!view || !svg()) return;
    svg().setAttribute('viewBox', view.join(' '));
    const [, , w, h] = natural;
    map.hidden = !frame.clientWidth || !(view[2] * MAP_FROM < w || view[3] * MAP_FROM < h);
    if (!map.hidden) window_ ? place() : (planned ??= later(drawMap));
    fitted = false;
    if (byHand) followers.forEach(follow => follow(view));
  }

  const place = () => ['x', 'y', 'width', 'height'].forEach((name, i) => window_.setAttribute(name, view[i]));

  // Every node as a plain rectangle: a copy of the drawing would repeat its ids and cost as much again. After the
  // picture is seen: measuring every box would hold it up.
  function drawMap() {
    planned = null;
    if (!frame.clientWidth || !svg()) return;
    const boxes = [...frame.querySelectorAll('g.node')].map(g => {
      const {x, y, width, height} = g.getBBox();
      const at = g.ownerSVGElement.querySelector('g.graph').transform.baseVal.consolidate().matrix;
      const rect = document.createElementNS(SVG, 'rect');
      const attributes = {x: x + at.e, y: y + at.f, width, height, class: g.getAttribute('class')};
      Object.entries(attributes).forEach(([key, value]) => rect.setAttribute(key, String(value)));
      return rect;
    });
    const picture = document.createElementNS(SVG, 'svg');
    picture.setAttribute('viewBox', natural.join(' '));
    window_ = document.createElementNS(SVG, 'rect');
    window_.setAttribute('class', 'window');
    picture.append(...boxes, window_);
    map.replaceChildren(picture);
    place();
  }

  function show(text) {
    frame.innerHTML = text;
    natural = svg().getAttribute('viewBox').split(/[ ,]+/).map(Number);
    window_ = null;
    apply();
  }

  function fit(whole) {
    const box = frame.getBoundingClientRect();
    if (!natural || !box.width) return;
    const [x, y, w, h] = natural,
      aspect = box.height / box.width;
    // Never much larger than drawn: short labels blown up read worse, not better.
    const width = whole ? Math.max(w, h / aspect) : Math.max(w, box.width / ASPECT_MARGIN);
    const top = whole ? y + h / 2 - (width * aspect) / 2 : y - (36 * width) / box.width;
    view = [x + w / 2 - width / 2, top, width, width * aspect];
    apply(true);
    fitted = true;
  }

  function zoom(factor, clientX, clientY) {
    if (!view || !svg()) return;
    const box = frame.getBoundingClientRect();
    const middle = new DOMPoint(clientX ?? box.left + box.width / 2, clientY ?? box.top + box.height / 2);
    const at = middle.matrixTransform(svg().getScreenCTM().inverse());
    const k = Math.min(Math.max(view[2] * factor, 60), natural[2] * 12) / view[2];
    view = [at.x - (at.x - view[0]) * k, at.y - (at.y - view[1]) * k, view[2] * k, view[3] * k];
    apply(true);
  }

  function pan(dx, dy) {
    view[0] += dx / scale();
    view[1] += dy / scale();
    apply(true);
  }

  function reveal(g) {
    const box = g.getBoundingClientRect(),
      inside = frame.getBoundingClientRect();
    const fitsAcross = box.left >= inside.left && box.right <= inside.right;
    if (fitsAcross && box.top >= inside.top && box.bottom <= inside.bottom) return;
    const dx = box.left + box.width / 2 - inside.left - inside.width / 2;
    pan(dx, box.top + box.height / 2 - inside.top - inside.height / 2);
  }

  // What one looks at: boxes with their places on the screen, those nearest to the middle first.
  function looksAt() {
    if (!view || fitted) return [];
    const frameBox = frame.getBoundingClientRect(),
      middle = frameBox.top + frameBox.height / 2;
    return [...frame.querySelectorAll('g.node')]
      .map(g => ({id: g.id, box: g.getBoundingClientRect()}))
      .filter(({box}) => box.bottom > frameBox.top && box.top < frameBox.bottom)
      .sort((a, b) => Math.abs(a.box.top - middle) - Math.abs(b.box.top - middle));
  }

  // Bring `g` to where `box` was on the screen.
  function hold(g, box) {
    const now = g.getBoundingClientRect();
    pan(now.left + now.width / 2 - box.left - box.width / 2, now.top - box.top);
  }

  frame.addEventListener(
    'wheel',
    e => {
      if (!svg()) return;
      e.preventDefault();
      zoom(Math.exp(e.deltaY * 0.0015), e.clientX, e.clientY);
    },
    {passive: false},
  );
  frame.addEventListener('pointerdown', e => {
    if (e.button !== 0) return;
    touches.set(e.pointerId, [e.clientX, e.clientY]);
    moved = false;
    drag = [e.clientX, e.clientY];
  });
  frame.addEventListener('pointermove', e => {
    if (!touches.has(e.pointerId) || !view) return;
    const others = [...touches].filter(([id]) => id !== e.pointerId).map(([, at]) => at);
    if (others.length) {
      const [ox, oy] = others[0],
        [px, py] = touches.get(e.pointerId);
      moved = true;
      const now = Math.max(1, Math.hypot(e.clientX - ox, e.clientY - oy));
      zoom(Math.hypot(px - ox, py - oy) / now, (e.clientX + ox) / 2, (e.clientY + oy) / 2);
    } else {
      const dx = e.clientX - drag[0],
        dy = e.clientY - drag[1];
      if (!moved && Math.hypot(dx, dy) < 4) return;
      if (!moved) {
        moved = true;
        frame.setPointerCapture(e.pointerId);
      }
      pan(-dx, -dy);
      drag = [e.clientX, e.clientY];
    }
    touches.set(e.pointerId, [e.clientX, e.clientY]);
  });
  for (const end of ['pointerup', 'pointercancel', 'pointerleave'])
    frame.addEventListener(end, e => touches.delete(e.pointerId));

  const goTo = e => {
    if (!e.buttons || !map.firstChild) return;
    const at = new DOMPoint(e.clientX, e.clientY).matrixTransform(map.firstChild.getScreenCTM().inverse());
    view[0] = at.x - view[2] / 2;
    view[1] = at.y - view[3] / 2;
    apply(true);
  };
  map.addEventListener('pointerdown', e => {
    map.setPointerCapture(e.pointerId);
    goTo(e);
  });
  map.addEventListener('pointermove', goTo);

  new ResizeObserver(() => {
    if (!frame.clientWidth || !svg()) return;
    if (!view) return fit(false);
    view[3] = (view[2] * frame.clientHeight) / frame.clientWidth;
    apply();
  }).observe(frame);

  return {
    svg,
    show,
    fit,
    zoom,
    pan,
    reveal,
    scale,
    looksAt,
    hold,
    actual: () => view && zoom(frame.clientWidth / 1.333 / view[2]),
    forget: () => {
      view = null;
    }, // the next fit decides anew
    follow: follower => followers.push(follower),
    get view() {
      return view;
    },
    set view(next) {
      view = next;
      apply();
    },
    get dragged() {
      return moved;
    },
    get touched() {
      return touches.size > 0;
    },
  };
}
