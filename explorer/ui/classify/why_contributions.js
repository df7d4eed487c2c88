// What each block adds to a class: measured at once if that is soon done, else when asked for, as a job that can be
// stopped.

/**
 * @typedef {object} Subject what is measured
 * @property {object | null} photo the request's part that names photo and network
 * @property {number} index of the class
 * @property {string} name of the class
 * @property {{switchable: string[], quick: boolean, passes: number}} net
 */

/**
 * @param {HTMLElement} host
 * @param {ReturnType<typeof import('./why_blocks.js').blockTable>} table shows the contributions
 * @param {(action: object) => void} act tells the program to measure, or to stop
 */
export function contributions(host, table, act) {
  const progress = host.querySelector('.rx-why-progress'),
    found = host.querySelector('.rx-why-found');
  const button = name => host.querySelector(`button[data-do=${name}]`);
  /** @type {Subject | null} */
  let subject = null;
  /** Key of the measurement that is shown or requested. @type {string | null} */
  let key = null;

  function measure() {
    if (!subject) return;
    const {photo, index, net} = subject;
    key = JSON.stringify([photo, index]);
    button('weigh').hidden = true;
    button('stop').hidden = net.quick;
    progress.textContent = net.quick ? '' : 'Measuring …';
    act({...photo, class: index, key});
  }

  /** Another photo, network or class. @param {Subject} next */
  function reset(next) {
    const isRunning = !button('stop').hidden,
      {net} = next;
    subject = next;
    key = null;
    table.empty(next.name);
    progress.textContent = found.textContent = '';
    button('stop').hidden = button('weigh').hidden = true;
    if (!net.switchable.length) return;
    if (net.quick) {
      measure();
      return;
    }
    if (isRunning) act({key: ''});
    button('weigh').hidden = false;
    button('weigh').textContent = `Measure what each block adds (${net.passes} forward passes)`;
  }

  function stop() {
    act({key: ''});
    if (subject) reset(subject);
  }

  button('weigh').addEventListener('click', measure);
  button('stop').addEventListener('click', stop);

  return {
    reset,
    /** The photo changes: what was found, and what is still on its way, is about another one. */
    forget() {
      key = null;
      found.textContent = '';
    },
    /** An answer of the program: ``cells`` and ``words`` as HTML, ``progress`` or ``error`` of the measurement of
     * ``key``. */
    show(answer) {
      if (key === null || answer.key !== key) return;
      progress.textContent = answer.error ?? answer.progress ?? '';
      if (answer.progress) return;
      button('stop').hidden = true;
      button('weigh').hidden = !answer.error;
      table.fill(answer.cells ?? {});
      found.innerHTML = answer.words ?? '';
    },
  };
}
