// The classes of transfer learning: boxes with a name, into which photos are dropped.
import {classOfFolder, filesByFolder} from './folders.js';
import {dropZone, picture, takeChosen} from './photo_files.js';

/**
 * A photo of a class.
 * @typedef {object} Photo
 * @property {File} file
 * @property {HTMLButtonElement} button shows and removes it
 * @property {string | null} key of its features in the program
 * @property {string} [base] the network whose features they are
 * @property {string} [thumb] data URI
 * @property {string} [failure] why it has no features and never will
 */
/** @typedef {{place: HTMLElement, field: HTMLInputElement, name: string, photos: Photo[]}} Class */

const slotMarkup = maxLength => `
  <header><input type="text" maxlength="${maxLength}" placeholder="Class" aria-label="Name of the class">
    <button type="button" class="rx-small" aria-label="Remove this class">Remove</button></header>
  <div class="rx-slot-photos"></div><p class="rx-note">Drop photos here.</p>
  <div><button type="button" class="rx-small">Choose photos</button></div>
  <input type="file" multiple accept="image/*,.heic,.heif,.avif" aria-label="Photos of this class" hidden>`;

const summary = count => (count ? `${count} photo${count > 1 ? 's' : ''}` : 'Drop photos here.');

/**
 * @param {HTMLElement} host gets the boxes
 * @param {{photos: number, classes: number, name: number}} limits photos and classes in total, characters of a name
 * @param {object} does
 * @param {() => void} does.grown photos have come
 * @param {(words: string) => void} does.say
 */
export function classSlots(host, limits, {grown, say}) {
  /** @type {Class[]} */
  let classes = [];
  const photos = () => classes.flatMap(one => one.photos);

  /** Say of every class how many photos it has. */
  function count() {
    for (const {place, photos} of classes) {
      place.querySelector('.rx-note').textContent = summary(photos.filter(photo => !photo.failure).length);
    }
  }

  /** A new, empty class. */
  function add() {
    const place = Object.assign(document.createElement('section'), {className: 'rx-drop rx-slot'});
    place.innerHTML = slotMarkup(limits.name);
    const field = place.querySelector('header input'),
      input = place.querySelector('input[type=file]');
    const one = {
      place,
      field,
      photos: [],
      get name() {
        return field.value.trim();
      },
    };
    place.querySelector('header button').addEventListener('click', () => {
      classes = classes.filter(other => other !== one);
      place.remove();
      count();
    });
    place.querySelector('div > .rx-small').addEventListener('click', () => input.click());
    input.addEventListener('change', () =>
      put(
        one,
        takeChosen(input).map(({file}) => file),
      ),
    );
    dropZone(place, found => {
      if (found.some(({folder}) => folder)) giveFolders(found, one);
      else
        put(
          one,
          found.map(({file}) => file),
        );
    });
    classes.push(one);
    host.append(place);
    return one;
  }

  function photoOf(file, one) {
    const button = document.createElement('button');
    Object.assign(button, {type: 'button', textContent: '…', title: file.name});
    button.setAttribute('aria-label', `Remove ${file.name}`);
    const photo = {file, button, key: null};
    button.addEventListener('click', () => {
      one.photos = one.photos.filter(other => other !== photo);
      button.remove();
      count();
    });
    return photo;
  }

  function put(one, files) {
    const room = limits.photos - photos().length;
    if (files.length > room) say(`At most ${limits.photos} photos are possible; the others were left out.`);
    const fresh = files.slice(0, room).map(file => photoOf(file, one));
    one.photos.push(...fresh);
    one.place.querySelector('.rx-slot-photos').append(...fresh.map(({button}) => button));
    count();
    grown();
  }

  /** Photos of folders: a subfolder is a class of its name.
   * @param {import('./photo_files.js').Given[]} found
   * @param {Class | null} [preferred] */
  function giveFolders(found, preferred = null) {
    const groups = filesByFolder(found),
      most = limits.classes;
    if (!groups.size) {
      say('There is no photo in this folder.');
      return;
    }
    if (groups.size > most) {
      say(`This folder has ${groups.size} subfolders with photos; at most ${most} classes are possible.`);
      return;
    }
    for (const [folder, files] of groups) {
      const one = classOfFolder(folder, classes, preferred) ?? add();
      one.field.value ||= folder;
      put(one, files);
    }
  }

  return {add, photos, count, giveFolders, all: () => classes};
}

/** Show a photo as it is now. @param {Photo} photo */
export function paintPhoto({button, file, thumb, failure}) {
  if (failure) {
    button.classList.add('failed');
    button.textContent = '✕';
    button.title = `${file.name}: ${failure}`;
  }
  if (thumb) button.replaceChildren(picture(thumb));
}
