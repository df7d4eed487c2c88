// The photo above through several networks, one after the other; those that need no download.
import {ask, latest, on} from '../kit/lib.js';
import {current} from './current.js';

const ALONE = 'Only one network is on this machine. Download others above to compare them.';

function choiceOf([label, name], checked) {
  const line = document.createElement('label');
  line.append(Object.assign(document.createElement('input'), {type: 'checkbox', value: name, checked}), label);
  return line;
}

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, server}) {
  const box = element.querySelector('details.rx-beside-nets'),
    names = box.querySelector('.rx-names');
  const rows = box.querySelector('tbody'),
    table = box.querySelector('.rx-scroll');
  const status = box.querySelector('.rx-told'),
    agreement = box.querySelector('.rx-agreement');
  const stopButton = box.querySelector('[data-do=stop]');
  const turn = latest();
  /** Token of the photo that the rows are about. @type {string | null} */
  let token = null;
  let isUsed = false; // what the status says is then of a comparison
  const inputs = state => [...names.querySelectorAll(`input:${state}`)].map(input => input.value);

  async function list() {
    const {networks = [], error} = await ask(server, 'list_ready', {session: current().session});
    if (error) {
      status.textContent = error;
      return;
    }
    const off = new Set(inputs('not(:checked)'));
    names.replaceChildren(...networks.map(network => choiceOf(network, !off.has(network[1]))));
    if (!isUsed) status.textContent = networks.length > 1 ? '' : ALONE;
  }

  function clear() {
    rows.replaceChildren();
    agreement.replaceChildren();
  }

  async function run() {
    const isLatest = begin(),
      {token: given, device, network} = current(),
      votes = [];
    if (!given) {
      status.textContent = 'Add a photo above first.';
      return;
    }
    if (!names.children.length) await list();
    const wanted = inputs('checked');
    token = given;
    clear();
    table.hidden = stopButton.hidden = false;
    for (const [place, variant] of wanted.entries()) {
      status.textContent = `Classifying with ${place + 1} of ${wanted.length} …`;
      const answer = await ask(server, 'classify_beside', {token, variant, device, network});
      if (!isLatest()) return;
      if (answer.error) {
        stop(answer.error);
        return;
      }
      rows.insertAdjacentHTML('beforeend', answer.row);
      if (answer.vote) votes.push(answer.vote);
    }
    const {html = ''} = await ask(server, 'summarize_votes', {votes});
    if (!isLatest()) return;
    agreement.innerHTML = html;
    stop('');
  }

  function begin() {
    isUsed = true;
    return turn();
  }

  function stop(why) {
    begin();
    stopButton.hidden = true;
    status.textContent = why;
  }

  /** Remove the rows: they are about another photo. */
  function forget() {
    clear();
    table.hidden = true;
    if (token) stop('');
    token = null;
  }

  box.querySelector('[data-do=ask]').addEventListener('click', run);
  stopButton.addEventListener('click', () => stop('Stopped.'));
  box.addEventListener('toggle', () => {
    if (box.open) list();
  });
  on(
    'photo',
    photo => {
      if (photo && box.open) list();
      if (photo?.token !== token) forget();
    },
    box,
  );
}
