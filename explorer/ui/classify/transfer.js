// Teach it: photos under the names of classes. Each is sent once for each network whose features are learned from, which
// the program keeps.
const box = element.querySelector('.rx-teach'), slots = box.querySelector('.rx-slots'), told = box.querySelector('.rx-told');
const bar = box.querySelector('progress'), lesson = box.querySelector('.rx-lesson');
const [folderInput, headInput] = box.querySelectorAll('.rx-row input');
const button = name => box.querySelector(`.rx-row [data-do=${name}]`);
const MOST = 2000, MOST_CLASSES = 100;
let classes = [], turn = 0, head = null, busy = false;  // of each class: {place, photos: [{file, base, key, thumb, button}]}

function addClass(name = '') {
  const place = document.createElement('section');
  place.className = 'rx-drop rx-slot';
  place.innerHTML = `<header><input type="text" maxlength="60" placeholder="Class" aria-label="Name of the class">
    <button type="button" class="rx-small" aria-label="Remove this class">Remove</button></header>
    <div class="rx-slot-photos"></div><p class="rx-note">Drop photos here.</p>
    <div><button type="button" class="rx-small">Choose photos</button></div>
    <input type="file" multiple accept="image/*,.heic,.heif,.avif" aria-label="Photos of this class" hidden>`;
  const one = {place, photos: []}, [remove] = place.querySelectorAll('header button'), input = place.querySelector('input[type=file]');
  place.querySelector('input').value = name;
  remove.addEventListener('click', () => { classes = classes.filter(other => other !== one); place.remove(); counted(); });
  place.querySelector('div > .rx-small').addEventListener('click', () => input.click());
  input.addEventListener('change', () => { add(one, chosen(input).map(({file}) => file)); input.value = ''; });
  dropZone(place, found => (found.some(({folder}) => folder) ? folders(found, one) : add(one, found.map(({file}) => file))));
  classes.push(one);
  slots.append(place);
  return one;
}

const photos = () => classes.flatMap(one => one.photos);
const nameOf = one => one.place.querySelector('input').value.trim();

const said = count => (count ? `${count} photo${count > 1 ? 's' : ''}` : 'Drop photos here.');
function counted() {
  for (const one of classes) one.place.querySelector('.rx-note').textContent = said(one.photos.filter(photo => !photo.failed).length);
}

function add(one, files) {
  const room = MOST - photos().length;
  if (files.length > room) told.textContent = `At most ${MOST} photos in all; the others were left out.`;
  for (const file of files.slice(0, room)) {
    const photo = {file, key: null}, shown = Object.assign(document.createElement('button'), {type: 'button', textContent: '…', title: file.name});
    shown.setAttribute('aria-label', `Remove ${file.name}`);
    shown.addEventListener('click', () => { one.photos = one.photos.filter(other => other !== photo); shown.remove(); counted(); });
    photo.button = shown;
    one.photos.push(photo);
    one.place.querySelector('.rx-slot-photos').append(shown);
  }
  counted();
  lookAtAll();
}

// A subfolder is a class of its name.
function folders(found, fallback = null) {
  const groups = Map.groupBy ? Map.groupBy(found, ({folder}) => folder) : found.reduce((all, one) => all.set(one.folder, [...(all.get(one.folder) ?? []), one]), new Map());
  if (!groups.size) { told.textContent = 'There is no photo in this folder.'; return; }
  if (groups.size > MOST_CLASSES) { told.textContent = `This folder has ${groups.size} subfolders with photos; at most ${MOST_CLASSES} classes can be taught.`; return; }
  for (const [folder, own] of groups) {
    const empty = one => !one.photos.length && !nameOf(one);
    const one = classes.find(one => nameOf(one) === folder) ?? (fallback && empty(fallback) ? fallback : classes.find(empty)) ?? addClass();
    one.place.querySelector('input').value ||= folder;
    add(one, own.map(({file}) => file));
  }
}

// Every photo that the chosen network has not seen yet; only the last call goes on.
async function lookAtAll() {
  const mine = ++turn, {session, variant, device, network} = asked();
  const {base, error} = await tell('base', {variant});
  if (mine !== turn) return false;
  if (error) { say(error); return false; }
  const wanted = photos().filter(photo => !photo.failed && (photo.key === null || photo.base !== base));
  let done = 0, silent = null;
  bar.hidden = !wanted.length; bar.max = wanted.length; bar.value = 0;
  button('stop').hidden = !wanted.length;
  await each(wanted, async photo => {
    const sent = await send(photo.file);
    const looked = sent.error ? sent : await tell('look', {session, token: sent.token, variant, device, network});
    if (sent.silent || looked.silent) { silent = SILENT; return; }
    if (sent.thumb) photo.thumb = sent.thumb;
    if (sent.error) failed(photo, sent.error);
    else if (looked.error) silent = looked.error;
    else Object.assign(photo, {key: looked.key, base: looked.base});
    if (photo.thumb) photo.button.replaceChildren(Object.assign(new Image(), {src: photo.thumb, alt: ''}));
    if (mine === turn) { bar.value = ++done; told.textContent = `Looked at ${done} of ${wanted.length} photos`; }
  }, () => mine === turn && !silent);
  if (mine !== turn) return false;
  bar.hidden = button('stop').hidden = true;
  const [bad, ...more] = photos().filter(photo => photo.failed);
  counted();
  told.textContent = silent ?? (bad ? `Left out: ${bad.button.title}${more.length ? ` So are ${more.length} more, whose marks say why.` : ''}` : '');
  return !silent;
}

function failed(photo, why) {
  photo.failed = true;
  photo.button.classList.add('failed');
  photo.button.textContent = '✕';
  photo.button.title = `${photo.file.name}: ${why}`;
}

function say(words, kind = 'error-here') { lesson.replaceChildren(alertOf(words, kind)); }

async function teach() {
  if (busy) return;
  busy = true;
  button('teach').disabled = true;
  try {
    if (!await lookAtAll()) return;
    const {variant, device, network} = asked();
    const wanted = classes.map(one => ({name: nameOf(one), keys: one.photos.filter(photo => photo.key && !photo.failed).map(photo => photo.key)})).filter(one => one.keys.length);
    if (wanted.length < 2) { say('Give photos of at least two classes, a name to each.', 'note'); return; }
    props.value = JSON.stringify({do: 'teach', variant, device, network, classes: wanted, at: Date.now()});
    button('stop').hidden = false;
    trigger('input');
  } finally { busy = false; button('teach').disabled = false; }
}

watch('news', () => {
  if (!props.news) return;
  const news = JSON.parse(props.news);
  lesson.innerHTML = news.html;
  button('stop').hidden = !news.busy;
  if (news.token) head = news.token;
  for (const item of lesson.querySelectorAll('[data-key]')) {
    const photo = photos().find(photo => photo.key === item.dataset.key);
    if (photo?.thumb) item.prepend(Object.assign(new Image(), {src: photo.thumb, alt: photo.file.name}));
  }
});

lesson.addEventListener('click', async e => {
  if (e.target.dataset.do !== 'head') return;
  const {data, name, error} = await tell('head_file', {token: head});
  if (error) { say(error); return; }
  save(name, 'application/octet-stream', Uint8Array.from(atob(data), char => char.charCodeAt(0)));
});
button('add').addEventListener('click', () => { addClass().place.querySelector('input').focus(); });
button('teach').addEventListener('click', teach);
button('stop').addEventListener('click', () => {
  turn++;
  bar.hidden = button('stop').hidden = true;
  told.textContent = 'Stopped.';
  tell('stop', {session: asked().session});
});
button('folder').addEventListener('click', () => folderInput.click());
folderInput.addEventListener('change', () => { folders(chosen(folderInput)); folderInput.value = ''; });
button('open').addEventListener('click', () => headInput.click());
headInput.addEventListener('change', async () => {
  const [file] = headInput.files;
  headInput.value = '';
  if (!file) return;
  if (file.size > 4 * 2 ** 20) { say('This file is larger than any head.'); return; }
  const data = await new Promise(done => { const reader = new FileReader(); reader.onload = () => done(reader.result.split(',')[1] ?? ''); reader.readAsDataURL(file); });
  const {token, error} = await tell('open_head', {session: asked().session, data});
  if (error) { say(error); return; }
  head = token;
  props.value = JSON.stringify({do: 'open', token, at: Date.now()});
  trigger('input');
});
addClass();
addClass();
