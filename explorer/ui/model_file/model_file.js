// A model file that is picked, or dropped anywhere on the page, is sent to the program unchanged; its answer is shown
// here.
import {emit, latest, NO_RESPONSE, on, url} from '../kit/lib.js';

const MIB = 2 ** 20;

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, props, trigger}) {
  const host = element.querySelector('.rx-files'),
    input = host.querySelector('input');
  const drop = host.querySelector('.rx-file-drop'),
    panel = host.querySelector('.rx-read');
  const status = host.querySelector('.rx-file-status'),
    source = url('model');
  const endings = [...input.accept.split(','), '.pt2'];
  const isModel = name => endings.some(ending => name.toLowerCase().endsWith(ending));
  /** @type {XMLHttpRequest | null} */
  let sending = null;
  /** What the program calls the file that is open. @type {string | null} */
  let token = null;
  const begin = latest();
  let isBare = !location.search; // the address names no network, so that the program's own is shown

  function act(name) {
    props.value = JSON.stringify({do: name, token});
    trigger('input');
  }

  function say(words, isError = false) {
    status.replaceChildren();
    status.classList.toggle('rx-refused', isError);
    if (!words) return;
    const line = document.createElement('p');
    line.textContent = words;
    status.append(line);
  }

  /** Show the progress of a file; returns a function of the share that was sent. */
  function progressOf(name) {
    say(`${name}: asking …`);
    const bar = document.createElement('progress'),
      stop = document.createElement('button');
    bar.max = 1;
    bar.value = 0;
    bar.setAttribute('aria-label', 'Sent');
    Object.assign(stop, {type: 'button', className: 'rx-button', textContent: 'Cancel'});
    stop.addEventListener('click', () => {
      begin();
      sending?.abort();
      say('Cancelled. Nothing was changed.');
    });
    status.append(bar, stop);
    const line = status.querySelector('p');
    return share => {
      line.textContent = share < 1 ? `${name}: sending, ${Math.round(share * 100)} %` : `${name}: reading …`;
      if (share < 1) bar.value = share;
      else bar.removeAttribute('value');
    };
  }

  /** @returns {Promise<XMLHttpRequest>} after its answer */
  function post(file, progress) {
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      sending = request;
      request.open('POST', `${source}?${new URLSearchParams({name: file.name.slice(-200)})}`);
      request.setRequestHeader('Content-Type', 'application/octet-stream');
      request.upload.addEventListener('progress', e => progress(e.total ? e.loaded / e.total : 1));
      request.upload.addEventListener('load', () => progress(1));
      request.addEventListener('load', () => resolve(request));
      for (const name of ['error', 'abort', 'timeout']) request.addEventListener(name, reject);
      request.send(file);
    });
  }

  /** ``{token, html}`` of a file, or ``{error}``; null if another file or Cancel came first. */
  async function send(file, isLatest) {
    const progress = progressOf(file.name.slice(0, 80));
    try {
      const ready = await fetch(source);
      if (!ready.ok) return {error: await ready.text()};
      if (!isLatest()) return null;
      const {status, responseText} = await post(file, progress);
      return status === 200 ? JSON.parse(responseText) : {error: responseText || NO_RESPONSE};
    } catch {
      return {error: NO_RESPONSE};
    }
  }

  /** Why the file is not sent; empty if it can be. @param {File} file */
  function findProblem(file) {
    const name = file.name.slice(0, 80),
      allowed = input.accept.replaceAll(',', ', ');
    if (!isModel(file.name)) return `“${name}” is not a model file. Expected: ${allowed}. Photos belong in Classify.`;
    if (file.size <= props.max_bytes) return '';
    const [size, most] = [Math.ceil(file.size / MIB), Math.floor(props.max_bytes / MIB)];
    return `The file has ${size} MiB; at most ${most} MiB are read here.`;
  }

  /** @param {{token: string, html: string}} answer what the program read */
  function show(answer) {
    say('');
    token = answer.token;
    panel.innerHTML = answer.html;
    panel.hidden = false;
    act('open');
  }

  /** The network that the program was started on, if any. */
  async function openStarted() {
    const answer = await fetch(`${source}/started`, {method: 'POST'});
    if (answer.status === 200) show(await answer.json());
  }

  async function open(file) {
    const isLatest = begin();
    sending?.abort();
    const problem = findProblem(file);
    if (problem) {
      say(problem, true);
      return;
    }
    const answer = await send(file, isLatest);
    if (!isLatest() || !answer) return;
    if (answer.error) {
      say(`${file.name.slice(0, 80)}: ${answer.error}`, true);
      return;
    }
    show(answer);
  }

  on(
    'network',
    () => {
      if (isBare) openStarted();
      isBare = false;
    },
    element,
  );
  panel.addEventListener('click', e => {
    const button = e.target.closest('button'),
      name = button?.dataset.do;
    if (button?.dataset.field) emit('field', button.dataset.field);
    if (!name) return;
    act(name);
    if (name === 'classify') emit('tab', 'Classify');
    if (name === 'close') {
      panel.hidden = true;
      panel.innerHTML = '';
      token = null;
      drop.querySelector('button').focus();
    }
  });
  drop.querySelector('button').addEventListener('click', () => input.click());
  input.addEventListener('change', () => {
    const [file] = input.files ?? [];
    if (file) open(file);
    input.value = '';
  });

  // Classify takes photos that are dropped on it or beside its box. The browser would leave the page for other files.
  const carriesFiles = e => e.dataTransfer?.types.includes('Files');
  const over = isOver => drop.classList.toggle('over', isOver);
  document.addEventListener('dragover', e => {
    if (!carriesFiles(e)) return;
    e.preventDefault();
    over(!e.target.closest('.rx-drop'));
  });
  document.addEventListener('dragleave', e => {
    if (!e.relatedTarget) over(false);
  });
  document.addEventListener(
    'drop',
    e => {
      over(false);
      const files = carriesFiles(e) ? [...(e.dataTransfer?.files ?? [])] : [];
      const file = files.find(each => isModel(each.name)) ?? files[0]; // an ONNX file may come with its data
      if (!file || !host.isConnected) return;
      const model = isModel(file.name);
      if (e.target.closest('.rx-drop') && !model) return;
      e.preventDefault(); // a box for photos ignores what was taken here
      if (!model && emit('drop', e.dataTransfer)) return;
      open(file);
    },
    true,
  );
}
