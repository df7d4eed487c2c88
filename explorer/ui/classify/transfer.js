// Transfer learning: photos under the names of classes. Each is sent once for each network that extracts its features;
// the program keeps the features.
import {alertBanner, ask, download, latest} from '../kit/lib.js';
import {classSlots, paintPhoto} from './class_slots.js';
import {chosenNetwork, current} from './current.js';
import {inParallel, picture, send, takeChosen} from './photo_files.js';

/** @param {File} file @returns {Promise<string>} */
function base64Of(file) {
  return new Promise(done => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result).split(',')[1] ?? '');
    reader.readAsDataURL(file);
  });
}

/** "Left out: a.jpg: why": what the first one that failed says, and how many more did.
 * @param {import('./class_slots.js').Photo[]} photos */
function failuresOf(photos) {
  const [first, ...more] = photos.filter(photo => photo.failure);
  if (!first) return '';
  const rest = more.length ? ` So are ${more.length} more; hover over them for the reason.` : '';
  return `Left out: ${first.file.name}: ${first.failure}${rest}`;
}

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, props, server, trigger, watch, settings: {limits}}) {
  const box = element.querySelector('.rx-transfer'),
    bar = box.querySelector('progress');
  const status = box.querySelector('.rx-told'),
    result = box.querySelector('.rx-probe');
  const [folderInput, headInput] = box.querySelectorAll('.rx-row input');
  const button = name => box.querySelector(`.rx-row button[data-do=${name}]`);
  const turn = latest();
  let head = null,
    isFitting = false; // head: token of the one that is shown
  const say = words => {
    status.textContent = words;
  };
  const slots = classSlots(box.querySelector('.rx-slots'), limits, {grown: () => extractAll(), say});
  const complain = (words, kind = 'error-here') => result.replaceChildren(alertBanner(words, kind));

  function act(action) {
    props.value = JSON.stringify({...action, at: Date.now()});
    trigger('input');
  }

  function showProgress(total) {
    bar.hidden = button('stop').hidden = !total;
    bar.max = total;
    bar.value = 0;
  }

  /** Extract one photo's features; the reason why no photo can have any, or ''. */
  async function extract(photo, network) {
    const sent = await send(photo.file),
      {session} = current();
    const request = {session, token: sent.token, ...network};
    const answer = sent.error ? sent : await ask(server, 'extract_features', request);
    if (answer.silent) return answer.error;
    if (sent.thumb) photo.thumb = sent.thumb;
    if (sent.error) photo.failure = sent.error;
    else if (!answer.error) Object.assign(photo, {key: answer.key, base: answer.base});
    paintPhoto(photo);
    return sent.error ? '' : (answer.error ?? '');
  }

  /** Extract the features of every photo that lacks those of the chosen network; a later call replaces this one.
   * Whether all have them. */
  async function extractAll() {
    const isLatest = turn(),
      network = chosenNetwork();
    const {base, error} = await ask(server, 'base_network', {variant: network.variant});
    if (!isLatest()) return false;
    if (error) {
      complain(error);
      return false;
    }
    const wanted = slots.photos().filter(photo => !photo.failure && (photo.key === null || photo.base !== base));
    let done = 0,
      trouble = '';
    showProgress(wanted.length);
    await inParallel(
      wanted,
      async photo => {
        const failure = await extract(photo, network);
        if (failure) {
          trouble = failure;
        } else if (isLatest()) {
          bar.value = ++done;
          say(`Features of ${done} of ${wanted.length} photos`);
        }
      },
      () => isLatest() && !trouble,
    );
    if (!isLatest()) return false;
    showProgress(0);
    slots.count();
    say(trouble || failuresOf(slots.photos()));
    return !trouble;
  }

  function labelled() {
    const keysOf = photos => photos.filter(photo => photo.key && !photo.failure).map(photo => photo.key);
    return slots
      .all()
      .map(({name, photos}) => ({name, keys: keysOf(photos)}))
      .filter(({keys}) => keys.length);
  }

  async function fit() {
    if (isFitting) return;
    isFitting = button('fit').disabled = true;
    try {
      if (!(await extractAll())) return;
      const classes = labelled();
      if (classes.length < 2) {
        complain('Add photos of at least two classes, and name each class.', 'note');
        return;
      }
      button('stop').hidden = false;
      act({do: 'fit', ...chosenNetwork(), classes});
    } finally {
      isFitting = button('fit').disabled = false;
    }
  }

  function stop() {
    turn();
    showProgress(0);
    say('Stopped.');
    ask(server, 'stop', {session: current().session});
  }

  async function openHead() {
    const [file] = headInput.files ?? [];
    headInput.value = '';
    if (!file) return;
    if (file.size > limits.bytes) {
      complain('This file is larger than any head.');
      return;
    }
    const request = {session: current().session, data: await base64Of(file)};
    const {token, error} = await ask(server, 'open_head', request);
    if (error) {
      complain(error);
      return;
    }
    head = token;
    act({do: 'open', token});
  }

  async function saveHead() {
    const {data, name, error} = await ask(server, 'write_head', {token: head});
    if (error) complain(error);
    else
      download(
        name,
        'application/octet-stream',
        Uint8Array.from(atob(data), char => char.charCodeAt(0)),
      );
  }

  watch('news', () => {
    if (!props.news) return;
    const news = JSON.parse(props.news);
    result.innerHTML = news.html;
    button('stop').hidden = !news.busy;
    if (news.token) head = news.token;
    for (const item of result.querySelectorAll('[data-key]')) {
      const photo = slots.photos().find(({key}) => key === item.dataset.key);
      if (photo?.thumb) item.prepend(picture(photo.thumb, photo.file.name));
    }
  });
  result.addEventListener('click', e => {
    if (e.target.dataset.do === 'head') saveHead();
  });
  button('add').addEventListener('click', () => slots.add().field.focus());
  button('fit').addEventListener('click', fit);
  button('stop').addEventListener('click', stop);
  button('folder').addEventListener('click', () => folderInput.click());
  folderInput.addEventListener('change', () => slots.giveFolders(takeChosen(folderInput)));
  button('open').addEventListener('click', () => headInput.click());
  headInput.addEventListener('change', openHead);
  slots.add();
  slots.add();
}
