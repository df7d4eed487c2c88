// Drop, paste, pick or take a photo. Bytes go to the program as they are; it decodes them, the page never does.
const host = element.querySelector('.rx-classify');
const drop = host.querySelector('.rx-drop'), idle = host.querySelector('.rx-idle'), answer = host.querySelector('.rx-answer');
const input = host.querySelector('input[type=file]'), video = host.querySelector('video'), shown = host.querySelector('.rx-photo');
const buttons = name => host.querySelector(`[data-do=${name}]`);
let last = null, turn = 0, stream = null;

const read = file => new Promise((resolve, reject) => {
  const reader = new FileReader();
  reader.onload = () => resolve(reader.result.slice(reader.result.indexOf(',') + 1));
  reader.onerror = () => reject(reader.error);
  reader.readAsDataURL(file);
});

const complain = words => { answer.removeAttribute('aria-busy'); answer.innerHTML = ''; const p = document.createElement('p'); p.className = 'rx-banner error'; p.setAttribute('role', 'alert'); p.textContent = words; answer.append(p); };

async function ask() {
  if (!last) return;
  const mine = ++turn;
  answer.setAttribute('aria-busy', 'true');
  let result;
  try { result = JSON.parse(await server.classify({photo: last, variant: props.variant, device: props.device, network: location.search})); }
  catch { if (mine === turn) complain('The program did not answer. Is it still running?'); return; }
  if (mine !== turn) return;
  answer.removeAttribute('aria-busy');
  answer.innerHTML = result.html;
  if (result.photo) { shown.src = result.photo; shown.hidden = false; idle.hidden = true; }
  else last = null;
}

async function take(file) {
  if (!file) return;
  const mine = ++turn;
  // Nothing of the photo before may stand beside what is said of this one.
  stop();
  last = null; shown.hidden = true; idle.hidden = false; answer.innerHTML = '';
  if (file.size > props.max_bytes) { complain(`The file has ${(file.size / 2 ** 20).toFixed(1)} MiB; at most ${props.max_bytes / 2 ** 20} MiB are allowed.`); return; }
  let data;
  try { data = await read(file); } catch { if (mine === turn) complain('The browser could not read this file. Is it still there?'); return; }
  if (mine !== turn) return;
  last = data;
  ask();
}

function stop() {
  stream?.getTracks().forEach(track => track.stop());
  stream = null; video.srcObject = null; video.hidden = true;
  buttons('shoot').hidden = buttons('close').hidden = true; buttons('camera').hidden = false;
}

buttons('pick').addEventListener('click', () => input.click());
input.addEventListener('change', () => { take(input.files[0]); input.value = ''; });
buttons('camera').addEventListener('click', async () => {
  const mine = ++turn;
  let opened;
  try { opened = await navigator.mediaDevices.getUserMedia({video: {facingMode: 'environment'}}); }
  catch { complain('No camera could be opened. Allow it in the browser, or drop a photo instead.'); return; }
  if (mine !== turn || !host.offsetParent) { opened.getTracks().forEach(track => track.stop()); return; }
  stop();
  stream = video.srcObject = opened; video.hidden = false; shown.hidden = true;
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
  still.toBlob(blob => { stop(); take(blob); }, 'image/jpeg', .95);
});
for (const name of ['dragenter', 'dragover']) drop.addEventListener(name, e => { e.preventDefault(); drop.classList.add('over'); });
for (const name of ['dragleave', 'drop']) drop.addEventListener(name, e => { e.preventDefault(); drop.classList.remove('over'); });
drop.addEventListener('drop', e => { if (!e.forModels) take(e.dataTransfer.files[0]); });
document.addEventListener('paste', e => {
  if (!host.offsetParent) return;
  const file = [...e.clipboardData.files].find(f => f.type.startsWith('image/'));
  if (file) { e.preventDefault(); take(file); }
});
watch(['variant', 'device', 'ready'], ask);
// Of a model file the builder says what its weights don't.
window.addEventListener('explorer:query', () => { if (host.isConnected && props.variant.startsWith('file:')) ask(); });
