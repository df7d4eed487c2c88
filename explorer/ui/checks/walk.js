// A walk from addition to addition, in a panel over the diagram.
import {emit, latest} from '../kit/lib.js';

const KEYS = {ArrowRight: 'next', ArrowLeft: 'previous', Escape: 'done'};

/**
 * @param {HTMLElement} host has the panel and the button that starts the walk
 * @param {() => Promise<any>} fetchSteps ``{steps: [{node, title, html}]}`` of the diagram's network, or ``{error}``
 * @param {(words: string) => void} showError
 */
export function mountWalk(host, fetchSteps, showError) {
  const panel = host.querySelector('.rx-walk'),
    turn = latest();
  const button = name => panel.querySelector(`button[data-do=${name}]`);
  /** @type {{node: string, title: string, html: string}[]} */
  let steps = [];
  let place = 0;

  async function start() {
    const isLatest = turn(),
      answer = await fetchSteps();
    if (!isLatest()) return;
    steps = answer.steps ?? [];
    if (!steps.length) {
      leave();
      if (answer.error) showError(answer.error);
      return;
    }
    emit('overlay', panel);
    const isOpening = Boolean(panel.hidden);
    panel.hidden = false;
    show(isOpening ? 0 : Math.min(place, steps.length - 1), isOpening);
    if (isOpening) panel.focus({preventScroll: true});
  }

  function show(number, leads = true) {
    place = number;
    const {node, title, html} = steps[place];
    panel.querySelector('h3').textContent = title;
    panel.querySelector('header span').textContent = `${place + 1} of ${steps.length}`;
    panel.querySelector('.rx-sentences').innerHTML = html;
    button('previous').disabled = place === 0;
    button('next').disabled = place === steps.length - 1;
    if (leads) emit('select', node);
  }

  function leave() {
    panel.hidden = true;
    place = 0;
  }

  const step = by => {
    if (place + by in steps) show(place + by);
  };
  const ACTIONS = {
    next: () => step(1),
    previous: () => step(-1),
    done: () => {
      leave();
      host.querySelector('[data-do=walk]').focus({preventScroll: true});
    },
  };
  panel.addEventListener('click', e => ACTIONS[e.target.dataset.do]?.());
  document.addEventListener('keydown', e => {
    const isOpen = !panel.hidden && panel.offsetParent !== null,
      action = ACTIONS[KEYS[e.key]];
    const isOurs = panel.contains(e.target) || e.target === document.body;
    if (!isOpen || !isOurs || !action || e.ctrlKey || e.metaKey || e.altKey) return;
    e.preventDefault();
    action();
  });

  return {
    start,
    refresh: () => {
      if (!panel.hidden) start();
    },
  };
}
