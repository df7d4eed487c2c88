// Photos on their way to the program: each travels as it is, in a request of its own. The page never decodes one.
const PHOTOS = location.pathname.replace(/\/?$/, '/') + 'photo';
const SILENT = 'The program did not answer. Is it still running?';
const asked = () => window.explorerAsked();  // by classify.js: {session, variant, device, network, max_bytes, token}

async function send(file) {
  const {session, max_bytes} = asked();
  if (file.size > max_bytes) return {error: `The file has ${(file.size / 2 ** 20).toFixed(1)} MiB; at most ${max_bytes / 2 ** 20} MiB are allowed.`};
  const query = new URLSearchParams({session, name: (file.name ?? '').slice(-200)});
  try {
    const answer = await fetch(`${PHOTOS}?${query}`, {method: 'POST', body: file, headers: {'Content-Type': 'application/octet-stream'}});
    return answer.ok ? await answer.json() : {error: await answer.text()};
  } catch {
    try { await file.slice(0, 1).arrayBuffer(); } catch { return {error: 'The browser could not read this file. Is it still there?'}; }
    return {error: SILENT, silent: true};
  }
}

async function tell(name, request) {
  try { return JSON.parse(await server[name](request)); } catch { return {error: SILENT, silent: true}; }
}

// A photo by its name, where a whole folder was given; what a program leaves in folders is none.
const isPhoto = file => (file.type.startsWith('image/') || /\.(heic|heif|avif)$/i.test(file.name)) && !file.name.startsWith('.');

// What was dropped: [{file, folder}], folders walked; folder is the name of the innermost one, or ''.
async function dropped(transfer) {
  const entries = [...transfer.items].map(item => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some(entry => entry.isDirectory)) return [...transfer.files].map(file => ({file, folder: ''}));
  const found = [];
  const walk = async (entry, folder) => {
    if (entry.isFile) {
      const file = await new Promise((done, failed) => entry.file(done, failed));
      if (!folder || isPhoto(file)) found.push({file, folder});
      return;
    }
    const reader = entry.createReader();
    for (;;) {  // a hundred entries at a time
      const some = await new Promise((done, failed) => reader.readEntries(done, failed));
      if (!some.length) return;
      for (const one of some) await walk(one, entry.name);
    }
  };
  for (const entry of entries) await walk(entry, '');
  return found;
}

// What an <input type=file> got: of a folder (webkitdirectory) only the photos.
const chosen = input => [...input.files]
  .map(file => ({file, folder: file.webkitRelativePath.split('/').at(-2) ?? ''}))
  .filter(({file, folder}) => !folder || isPhoto(file));

function dropZone(place, given) {
  for (const name of ['dragenter', 'dragover']) place.addEventListener(name, e => { e.preventDefault(); place.classList.add('over'); });
  for (const name of ['dragleave', 'drop']) place.addEventListener(name, e => { e.preventDefault(); place.classList.remove('over'); });
  place.addEventListener('drop', async e => { if (!e.forModels) given(await dropped(e.dataTransfer)); });
}

function alertOf(words, kind = 'error-here') {
  const p = document.createElement('p');
  p.className = `rx-banner ${kind}`;
  p.setAttribute('role', 'alert');
  p.textContent = words;
  return p;
}

function save(name, type, ...parts) {
  const url = URL.createObjectURL(new Blob(parts, {type}));
  Object.assign(document.createElement('a'), {href: url, download: name}).click();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

// At most three at a time: the program decodes two at once.
async function each(list, work, going) {
  let next = 0;
  const one = async () => { while (going() && next < list.length) { const place = next++; await work(list[place], place); } };
  await Promise.all([one(), one(), one()]);
}
