// Photos on their way to the program: each travels as it is, in a request of its own. The page never decodes one.
import {NO_RESPONSE, url} from '../kit/lib.js';
import {current} from './current.js';

const MIB = 2 ** 20;
const MOST_NAME = 200; // characters
/** The program decodes two photos at once; a third may arrive meanwhile. */
const AT_ONCE = 3;

/** @typedef {{file: File, folder: string}} Given a file, and the name of the innermost folder it was in, or '' */

/**
 * Send a photo: ``{token, name, decoding, photo, thumb}``, or ``{error}``; ``silent`` if the program did not answer.
 * @param {Blob & {name?: string}} file
 * @returns {Promise<any>}
 */
export async function send(file) {
  const {session, maxBytes} = current();
  if (file.size > maxBytes) {
    const size = (file.size / MIB).toFixed(1);
    return {error: `The file has ${size} MiB; at most ${maxBytes / MIB} MiB are allowed.`};
  }
  const query = new URLSearchParams({session, name: (file.name ?? '').slice(-MOST_NAME)});
  const headers = {'Content-Type': 'application/octet-stream'};
  try {
    const answer = await fetch(`${url('photo')}?${query}`, {method: 'POST', body: file, headers});
    return answer.ok ? await answer.json() : {error: await answer.text()};
  } catch {
    return (await isReadable(file))
      ? {error: NO_RESPONSE, silent: true}
      : {error: 'The browser could not read this file. Is it still there?'};
  }
}

async function isReadable(file) {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** Whether a file of a folder is a photo, by its name; programs leave other files in folders. */
const isPhoto = file =>
  (file.type.startsWith('image/') || /\.(heic|heif|avif)$/i.test(file.name)) && !file.name.startsWith('.');

/**
 * What was dropped, with the photos of folders.
 * @param {DataTransfer} transfer
 * @returns {Promise<Given[]>}
 */
export async function dropped(transfer) {
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry?.()).filter(entry => entry != null);
  if (!entries.some(entry => entry.isDirectory)) return [...transfer.files].map(file => ({file, folder: ''}));
  const found = [];
  for (const entry of entries) await walk(entry, '', found);
  return found;
}

async function walk(entry, folder, found) {
  if (entry.isFile) {
    const file = await new Promise((done, failed) => entry.file(done, failed));
    if (!folder || isPhoto(file)) found.push({file, folder});
    return;
  }
  const reader = entry.createReader();
  for (;;) {
    // a hundred entries at a time
    const some = await new Promise((done, failed) => reader.readEntries(done, failed));
    if (!some.length) return;
    for (const one of some) await walk(one, entry.name, found);
  }
}

/**
 * What an <input type=file> has; of a folder (webkitdirectory) only the photos. The same files can be chosen again.
 * @param {HTMLInputElement} input
 * @returns {Given[]}
 */
export function takeChosen(input) {
  const all = [...(input.files ?? [])].map(file => ({file, folder: file.webkitRelativePath.split('/').at(-2) ?? ''}));
  input.value = '';
  return all.filter(({file, folder}) => !folder || isPhoto(file));
}

/**
 * A place where files can be dropped. Model files are taken before they reach it (model_file.js).
 * @param {HTMLElement} place
 * @param {(found: Given[]) => void} give
 */
export function dropZone(place, give) {
  const over = isOver => e => {
    e.preventDefault();
    place.classList.toggle('over', isOver);
  };
  for (const name of ['dragenter', 'dragover']) place.addEventListener(name, over(true));
  place.addEventListener('dragleave', over(false));
  place.addEventListener('drop', async e => {
    const isTaken = e.defaultPrevented;
    over(false)(e);
    if (!isTaken && e.dataTransfer) give(await dropped(e.dataTransfer));
  });
}

/**
 * A small picture.
 * @param {string} src
 * @param {string} [alt]
 */
export const picture = (src, alt = '') => Object.assign(new Image(), {src, alt});

/**
 * Work on every item of a list, a few at a time, as long as ``goesOn``.
 * @template T
 * @param {T[]} list
 * @param {(item: T, place: number) => Promise<void>} work
 * @param {() => boolean} goesOn
 */
export async function inParallel(list, work, goesOn) {
  let next = 0;
  async function line() {
    while (goesOn() && next < list.length) {
      const place = next++;
      await work(list[place], place);
    }
  }
  await Promise.all(Array.from({length: AT_ONCE}, line));
}
