// Share, export and help. The bar changes with the network: everything is found when it is needed.
import {copyText, downloadBlob, get, isTyping, NO_RESPONSE, url} from '../kit/lib.js';

const find = id => document.getElementById(id);
const wait = seconds => new Promise(done => setTimeout(done, 1000 * seconds));

async function share(button) {
  const copied = await copyText(location.href);
  button.textContent = copied ? 'Copied' : 'Copy the address bar';
  button.setAttribute('aria-live', 'polite');
  button.focus();
  await wait(2);
  button.textContent = 'Share';
}

function source(kind) {
  const query = new URLSearchParams(location.search),
    open = get('open');
  if (open) query.set('open', open.join(' '));
  return url(`export/${kind}?${query}`);
}

async function fetchFile(address) {
  for (;;) {
    // 503: another such file is being written
    const answer = await fetch(address);
    if (answer.status !== 503) return answer;
    await wait(Number(answer.headers.get('Retry-After')) || 2);
  }
}

function say(words, refused = false) {
  const status = find('rx-export').querySelector('.rx-export-status');
  status.textContent = words;
  status.classList.toggle('rx-refused', refused);
}

async function save(button) {
  if (button.getAttribute('aria-busy')) return;
  const {kind, ending} = button.dataset,
    name = find('rx-export-button').dataset.name + ending;
  button.setAttribute('aria-busy', 'true');
  say(`Writing ${name} …`);
  try {
    const answer = await fetchFile(source(kind));
    if (!answer.ok) {
      say(await answer.text(), true);
      return;
    }
    downloadBlob(name, await answer.blob());
    say(`${name} is in your downloads.`);
  } catch {
    say(NO_RESPONSE, true);
  } finally {
    button.removeAttribute('aria-busy');
  }
}

function help() {
  if (!find('rx-help').open) find('rx-help').showModal();
}

document.addEventListener('click', event => {
  const button = event.target.closest('button');
  if (button?.id === 'rx-share') share(button);
  if (button?.id === 'rx-help-button') help();
  if (button?.closest('#rx-export') && button.dataset.kind) save(button);
  if (event.target.id === 'rx-help') event.target.close(); // beside the dialog
});
document.addEventListener('keydown', event => {
  if (event.key !== '?' || isTyping(event.target)) return;
  event.preventDefault();
  help();
});
// Under the bar, whose height depends on the width of the page.
document.addEventListener(
  'beforetoggle',
  event => {
    if (event.target.id !== 'rx-export' || event.newState !== 'open') return;
    const bar = document.querySelector('.rx-bar').getBoundingClientRect();
    const end = find('rx-export-button').getBoundingClientRect();
    event.target.style.top = `${bar.bottom + 4}px`;
    const right = innerWidth < 500 ? 8 : document.documentElement.clientWidth - end.right;
    event.target.style.right = `${right}px`;
    event.target.querySelector('.rx-export-status').textContent = '';
  },
  true,
);
