// Drop, paste, pick or take a photo; several go to the table of many (many.js). Bytes go to the program as they are.
const host = element.querySelector('.rx-classify');
const drop = host.querySelector('.rx-drop'), idle = host.querySelector('.rx-idle'), answer = host.querySelector('.rx-answer');
const input = host.querySelector('input[type=file]'), video = host.querySelector('video'), shown = host.querySelector('.rx-photo');
const strip = host.querySelector('.rx-examples');
const buttons = name => host.querySelector(`[data-do=${name}]`);
let last = null, turn = 0, tries = 0, stream = null;  // last: the photo shown, and how to send it again; tries: of the camera

window.explorerAsked = () => ({
  session: props.value, variant: props.variant, device: props.device, network: location.search,
  max_bytes: Number(host.dataset.most), token: last?.token ?? null,
});

const silence = () => document.dispatchEvent(new CustomEvent('explorer:nophoto'));
const complain = words => { answer.removeAttribute('aria-busy'); answer.replaceChildren(alertOf(words)); };

async function ask(again = true) {
  if (!last) return;
  const mine = ++turn, photo = last, {variant, device, network} = asked();
  answer.setAttribute('aria-busy', 'true');
  const result = await tell('classify', {token: photo.token, decoding: photo.decoding, variant, device, network});
  if (mine !== turn) return;
  if (result.gone && again) { take(photo.again); return; }
  answer.removeAttribute('aria-busy');
  if (result.error) { complain(result.error); return; }
  answer.innerHTML = result.html;
  if (!result.answered) silence();
  else document.dispatchEvent(new CustomEvent('explorer:photo', {detail: {token: photo.token, variant, device, network}}));
}

// Nothing of the photo before may stand beside what is said of this one.
async function take(again) {
  const mine = ++turn;
  last = null;
  stop();
  silence();
  answer.innerHTML = '';
  answer.setAttribute('aria-busy', 'true');
  const sent = await again();
  if (mine !== turn) return;
  if (sent.error) { complain(sent.error); return; }
  last = {...sent, again};
  shown.src = sent.photo; shown.hidden = false; idle.hidden = true;
  ask(false);
}

function given(found) {
  if (!found.length) return;
  take(() => send(found[0].file));
  if (found.length > 1) document.dispatchEvent(new CustomEvent('explorer:photos', {detail: found.map(({file}) => file)}));
}

function stop() {
  stream?.getTracks().forEach(track => track.stop());
  stream = null; video.srcObject = null; video.hidden = true;
  shown.hidden = !last; idle.hidden = Boolean(last);
  buttons('shoot').hidden = buttons('close').hidden = true; buttons('camera').hidden = false;
}

buttons('pick').addEventListener('click', () => input.click());
input.addEventListener('change', () => { given(chosen(input)); input.value = ''; });
buttons('camera').addEventListener('click', async () => {
  const mine = ++tries;
  let opened;
  try { opened = await navigator.mediaDevices.getUserMedia({video: {facingMode: 'environment'}}); }
  catch { complain('No camera could be opened. Allow it in the browser, or drop a photo instead.'); return; }
  if (mine !== tries || !host.offsetParent) { opened.getTracks().forEach(track => track.stop()); return; }
  stop();
  stream = video.srcObject = opened; video.hidden = false; shown.hidden = idle.hidden = true;
  buttons('shoot').hidden = buttons('close').hidden = false; buttons('camera').hidden = true;
  await video.play();
});
buttons('close').addEventListener('click', stop);
// Leaving the tab closes the camera.
new ResizeObserver(() => { if (stream && !host.offsetParent) stop(); }).observe(host);
buttons('shoot').addEventListener('click', () => {
  const still = document.createElement('canvas');
  still.width = video.videoWidth; still.height = video.videoHeight;
  still.getContext('2d').drawImage(video, 0, 0);
  still.toBlob(blob => { stop(); take(() => send(blob)); }, 'image/jpeg', .95);
});
dropZone(drop, given);
document.addEventListener('paste', e => {
  if (!host.offsetParent) return;
  const found = [...e.clipboardData.files].filter(file => file.type.startsWith('image/')).map(file => ({file, folder: ''}));
  if (found.length) { e.preventDefault(); given(found); }
});
// A row of many is asked about here.
document.addEventListener('explorer:show', e => {
  if (!host.isConnected) return;
  take(() => send(e.detail));
  host.scrollIntoView({block: 'nearest'});
});
new IntersectionObserver(async ([entry], observer) => {
  if (!entry.isIntersecting) return;
  observer.disconnect();
  const {thumbs = []} = await tell('examples', {});
  thumbs.forEach((thumb, number) => {
    const button = Object.assign(document.createElement('button'), {type: 'button'});
    button.setAttribute('aria-label', `Example photo ${number + 1}`);
    button.append(Object.assign(new Image(), {src: thumb, alt: ''}));
    button.addEventListener('click', () => take(() => tell('example', {number, session: props.value})));
    strip.append(button);
  });
  strip.hidden = !thumbs.length;
}).observe(host);
watch(['variant', 'device', 'ready'], () => ask());
// Of a model file the builder says what its weights don't.
window.addEventListener('explorer:query', () => { if (host.isConnected && /^(file|taught):/.test(props.variant)) ask(); });
