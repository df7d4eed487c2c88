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

async function ask() {
  if (!last) return;
  const mine = ++turn;
  answer.setAttribute('aria-busy', 'true');
  let result;
  try { result = JSON.parse(await server.classify({photo: last, variant: props.variant, device: props.device})); }
  catch { result = {html: '<p class="rx-banner error">The program did not answer. Is it still running?</p>'}; }
  if (mine !== turn) return;
  answer.removeAttribute('aria-busy');
  answer.innerHTML = result.html;
  if (result.photo) { shown.src = result.photo; shown.hidden = false; idle.hidden = true; }
}

async function take(file) {
  if (!file) return;
  if (file.size > props.max_bytes) {
    answer.innerHTML = `<p class="rx-banner error">The file has ${(file.size / 2 ** 20).toFixed(1)} MiB; at most ${props.max_bytes / 2 ** 20} MiB are allowed.</p>`;
    return;
  }
  try { last = await read(file); } catch { return; }
  ask();
}

function stop() {
  stream?.getTracks().forEach(track => track.stop());
  stream = null; video.hidden = true; buttons('shoot').hidden = true; buttons('camera').hidden = false;
}

buttons('pick').addEventListener('click', () => input.click());
input.addEventListener('change', () => { take(input.files[0]); input.value = ''; });
buttons('camera').addEventListener('click', async () => {
  try { stream = await navigator.mediaDevices.getUserMedia({video: {facingMode: 'environment'}}); }
  catch { answer.innerHTML = '<p class="rx-banner error">No camera could be opened. Allow it in the browser, or drop a photo instead.</p>'; return; }
  video.srcObject = stream; video.hidden = false; shown.hidden = true;
  buttons('shoot').hidden = false; buttons('camera').hidden = true;
  await video.play();
});
buttons('shoot').addEventListener('click', () => {
  const still = document.createElement('canvas');
  still.width = video.videoWidth; still.height = video.videoHeight;
  still.getContext('2d').drawImage(video, 0, 0);
  still.toBlob(blob => { stop(); take(blob); }, 'image/jpeg', .95);
});
for (const name of ['dragenter', 'dragover']) drop.addEventListener(name, e => { e.preventDefault(); drop.classList.add('over'); });
for (const name of ['dragleave', 'drop']) drop.addEventListener(name, e => { e.preventDefault(); drop.classList.remove('over'); });
drop.addEventListener('drop', e => take(e.dataTransfer.files[0]));
document.addEventListener('paste', e => {
  if (!host.offsetParent) return;
  const file = [...e.clipboardData.files].find(f => f.type.startsWith('image/'));
  if (file) { e.preventDefault(); take(file); }
});
watch(['variant', 'device', 'ready'], ask);
