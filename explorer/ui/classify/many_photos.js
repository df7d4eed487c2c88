// Many photos, one network: each is sent, classified and listed on its own, so that an unreadable file stops nothing.
import {ask, download, emit, latest, on} from '../kit/lib.js';
import {countsInWords, failuresInWords} from './counts.js';
import {chosenNetwork} from './current.js';
import {inParallel, picture, send, takeChosen} from './photo_files.js';

const MOST = 2000;
const BYTE_ORDER_MARK = '\ufeff'; // without it spreadsheets do not recognise UTF-8

function rowOf(html) {
  const body = document.createElement('tbody');
  body.innerHTML = html;
  return body.querySelector('tr');
}

const emptyRow = () => Object.assign(document.createElement('tr'), {hidden: true});

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, server, settings}) {
  const box = element.querySelector('details.rx-many'),
    rows = box.querySelector('tbody');
  const status = box.querySelector('.rx-told'),
    bar = box.querySelector('progress');
  const [photosInput, folderInput] = box.querySelectorAll('input[type=file]');
  const button = name => box.querySelector(`button[data-do=${name}]`);
  const turn = latest();
  /** @type {string[]} */
  let lines = [];
  /** @type {File[]} */
  let files = [];
  let ranWith = ''; // name of the network whose answers are in the table
  const earlier = box.querySelector('.rx-earlier');

  /** A photo's row and line of the CSV; ``{error}`` if the program did not answer. */
  async function classify(file, network) {
    const sent = await send(file);
    if (sent.silent) return sent;
    const photo = sent.error ? {error: sent.error} : {token: sent.token};
    const answer = await ask(server, 'classify_row', {...network, ...photo, name: file.name});
    return {...answer, thumb: sent.thumb};
  }

  function fill(place, file, {row: html, thumb}) {
    const row = rowOf(html);
    if (thumb) row.cells[0].append(picture(thumb));
    row.querySelector('button').addEventListener('click', () => emit('show-photo', file));
    place.replaceWith(row);
    return row.dataset.class;
  }

  function begin(given) {
    files = given.slice(0, MOST);
    lines = [];
    const places = files.map(emptyRow);
    rows.replaceChildren(...places);
    box.querySelector('.rx-scroll').hidden = bar.hidden = button('stop').hidden = false;
    button('csv').disabled = true;
    bar.max = files.length;
    progress(0);
    box.open = true;
    return places;
  }

  function progress(done) {
    bar.value = done;
    status.textContent = `${done} of ${files.length}`;
  }

  function end(words) {
    status.textContent = words.filter(Boolean).join(' · ');
    bar.hidden = button('stop').hidden = true;
    button('csv').disabled = !lines.length;
  }

  async function run(given) {
    const isLatest = turn(),
      network = chosenNetwork(),
      places = begin(given),
      counts = {};
    ranWith = network.variant;
    earlier.hidden = true;
    box.querySelector('.rx-scroll').classList.remove('rx-stale');
    let done = 0,
      failed = 0,
      trouble = '';
    await inParallel(
      files,
      async (file, at) => {
        const answer = await classify(file, network);
        if (!isLatest()) return;
        if (answer.error) {
          trouble = answer.error;
          return;
        }
        const name = fill(places[at], file, answer);
        lines[at] = answer.csv;
        if (answer.ok) counts[name] = (counts[name] ?? 0) + 1;
        else failed += 1;
        progress(++done);
      },
      () => isLatest() && !trouble,
    );
    if (!isLatest()) return;
    const left = given.length > MOST ? `At most ${MOST} at a time.` : '';
    end([`${done} of ${given.length} photos`, trouble, left, failuresInWords(failed), countsInWords(counts)]);
  }

  function stop() {
    turn();
    end([`Stopped after ${bar.value} of ${files.length}.`]);
  }

  function choose(input) {
    const found = takeChosen(input).map(({file}) => file);
    if (found.length) run(found);
    else status.textContent = 'There is no photo in this folder.';
  }

  button('stop').addEventListener('click', stop);
  button('csv').addEventListener('click', () => {
    download('photos.csv', 'text/csv', BYTE_ORDER_MARK, settings.columns, ...lines.filter(Boolean));
  });
  button('photos').addEventListener('click', () => photosInput.click());
  button('folder').addEventListener('click', () => folderInput.click());
  for (const input of [photosInput, folderInput]) input.addEventListener('change', () => choose(input));
  on('photos', run, box);
  on('show-photos', () => box.scrollIntoView({block: 'start'}), box);
  on(
    'photo',
    photo => {
      const isStale = Boolean(photo && ranWith && photo.variant !== ranWith);
      box.querySelector('.rx-scroll').classList.toggle('rx-stale', isStale);
      earlier.hidden = !isStale;
    },
    box,
  );
}
