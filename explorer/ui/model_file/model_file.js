// A model file, picked or dropped anywhere on the page, goes to the program as it is; what it answers is shown here.
const host = element.querySelector('.rx-files'), input = host.querySelector('input'), drop = host.querySelector('.rx-file-drop');
const status = host.querySelector('.rx-file-status'), panel = host.querySelector('.rx-read');
const MODEL = new RegExp(`(${input.accept.replaceAll('.', '\\.').replaceAll(',', '|')}|\\.pt2)$`, 'i');
const place = location.pathname.replace(/\/?$/, '/') + 'model';
const GONE = 'The program did not answer. Is it still running?';
const MIB = 2 ** 20;
let sending = null, token = null, turn = 0;

const wish = what => { props.value = JSON.stringify({do: what, token}); trigger('input'); };

function say(words, refused) {
  status.replaceChildren();
  status.classList.toggle('rx-refused', Boolean(refused));
  if (!words) return;
  const line = document.createElement('p');
  line.textContent = words;
  status.append(line);
}

function working(name) {
  say(`${name}: asking …`);
  const bar = document.createElement('progress'), stop = document.createElement('button');
  bar.max = 1; bar.value = 0; bar.setAttribute('aria-label', 'Sent');
  Object.assign(stop, {type: 'button', className: 'rx-button', textContent: 'Cancel'});
  stop.addEventListener('click', () => { turn++; sending?.abort(); say('Cancelled. Nothing has changed.'); });
  status.append(bar, stop);
  const line = status.querySelector('p');
  return share => {
    line.textContent = share < 1 ? `${name}: sending, ${Math.round(share * 100)} %` : `${name}: reading …`;
    share < 1 ? bar.value = share : bar.removeAttribute('value');
  };
}

function post(file, progress) {
  return new Promise((resolve, reject) => {
    sending = new XMLHttpRequest();
    sending.open('POST', `${place}?${new URLSearchParams({name: file.name.slice(-200)})}`);
    sending.setRequestHeader('Content-Type', 'application/octet-stream');
    sending.upload.addEventListener('progress', e => progress(e.total ? e.loaded / e.total : 1));
    sending.upload.addEventListener('load', () => progress(1));
    sending.addEventListener('load', () => resolve(sending));
    for (const name of ['error', 'abort', 'timeout']) sending.addEventListener(name, reject);
    sending.send(file);
  });
}

async function open(file) {
  const mine = ++turn;
  sending?.abort();
  if (!MODEL.test(file.name)) { say(`“${file.name.slice(0, 80)}” is no model file by its name: ${input.accept.replaceAll(',', ', ')} are. Photos belong in Classify.`, true); return; }
  if (file.size > props.max_bytes) { say(`The file has ${Math.ceil(file.size / MIB)} MiB; at most ${Math.floor(props.max_bytes / MIB)} MiB are read here.`, true); return; }
  const progress = working(file.name.slice(0, 80));
  let failed = GONE, answer;
  try {
    const asked = await fetch(place);
    if (!asked.ok) failed = await asked.text();
    else if (mine === turn) {
      const sent = await post(file, progress);
      sent.status === 200 ? answer = JSON.parse(sent.responseText) : failed = sent.responseText || GONE;
      if (answer?.error) { failed = answer.error; answer = null; }
    }
  } catch { /* said below */ }
  if (mine !== turn) return;
  if (!answer) { say(`${file.name.slice(0, 80)}: ${failed}`, true); return; }
  say('');
  token = answer.token;
  panel.innerHTML = answer.html;
  panel.hidden = false;
  wish('open');
}

function choose(label) {
  const builder = document.querySelector('#builder');
  builder.querySelector('button.label-wrap:not(.open)')?.click();
  const found = () => [...builder.querySelectorAll('fieldset')].find(field => field.textContent.trim().startsWith(label));
  const go = tries => {  // what was folded away is laid out a moment later
    const group = found();
    if (!group?.offsetParent) { if (tries) requestAnimationFrame(() => go(tries - 1)); return; }
    (group.querySelector('input:checked') ?? group.querySelector('input')).focus();
  };
  go(60);
}

panel.addEventListener('click', e => {
  const button = e.target.closest('button');
  if (button?.dataset.field) choose(button.dataset.field);
  const what = button?.dataset.do;
  if (!what) return;
  wish(what);
  if (what === 'classify') window.explorerTab('Classify');
  if (what === 'close') { panel.hidden = true; panel.innerHTML = ''; token = null; drop.querySelector('button').focus(); }
});
drop.querySelector('button').addEventListener('click', () => input.click());
input.addEventListener('change', () => { if (input.files[0]) open(input.files[0]); input.value = ''; });

// Photos dropped on Classify stay photos, also beside its box; any other file would make the browser leave the page.
const photoBox = () => [...document.querySelectorAll('#classify-panel .rx-drop')].find(box => box.offsetParent);
const carries = e => e.dataTransfer?.types.includes('Files');
const over = on => drop.classList.toggle('over', on);
document.addEventListener('dragover', e => { if (carries(e)) { e.preventDefault(); over(!e.target.closest('.rx-drop')); } });
document.addEventListener('dragleave', e => { if (!e.relatedTarget) over(false); });
document.addEventListener('drop', e => {
  over(false);
  const file = carries(e) && e.dataTransfer.files[0];
  if (!file || !host.isConnected) return;
  if (e.target.closest('.rx-drop') && !MODEL.test(file.name)) return;
  e.preventDefault();
  const box = !MODEL.test(file.name) && photoBox();
  if (box) {
    box.dispatchEvent(new DragEvent('drop', {dataTransfer: e.dataTransfer, cancelable: true}));
    return;
  }
  e.forModels = true;
  open(file);
}, true);
