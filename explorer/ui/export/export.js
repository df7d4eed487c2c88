// Share and export. The bar changes with the network: a script finds its elements when it needs them.
import {copyText} from '../kit/clipboard.js';
import {downloadBlob, get, NO_RESPONSE, url} from '../kit/lib.js';
import {exportPath} from './address.js';

const wait = seconds => new Promise(resolve => setTimeout(resolve, 1000 * seconds));

async function share(button) {
  const copied = await copyText(location.href);
  button.textContent = copied ? 'Copied' : 'Copy the address bar';
  button.setAttribute('aria-live', 'polite');
  button.focus();
  await wait(2);
  button.textContent = 'Share';
}

async function fetchFile(address) {
  for (;;) {
    // 503: another such file is being written
    const answer = await fetch(address);
    if (answer.status !== 503) return answer;
    await wait(Number(answer.headers.get('Retry-After')) || 2);
  }
}

function say(words, isError = false) {
  const status = document.querySelector('#rx-export .rx-export-status');
  status.textContent = words;
  status.classList.toggle('rx-refused', isError);
}

async function save(button) {
  if (button.getAttribute('aria-busy')) return;
  const {kind, ending} = button.dataset,
    name = document.querySelector('#rx-export-button').dataset.name + ending;
  button.setAttribute('aria-busy', 'true');
  say(`Writing ${name} …`);
  try {
    const answer = await fetchFile(url(exportPath(kind, location.search, get('open'))));
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

document.addEventListener('click', ({target}) => {
  const button = target.closest('button');
  if (button?.id === 'rx-share') share(button);
  if (button?.closest('#rx-export') && button.dataset.kind) save(button);
});
// The menu opens under the bar, whose height depends on the width of the page.
document.addEventListener(
  'beforetoggle',
  ({target, newState}) => {
    if (target.id !== 'rx-export' || newState !== 'open') return;
    const bar = document.querySelector('#top').getBoundingClientRect();
    const end = document.querySelector('#rx-export-button').getBoundingClientRect();
    target.style.top = `${bar.bottom + 4}px`;
    const right = innerWidth < 500 ? 8 : document.documentElement.clientWidth - end.right;
    target.style.right = `${right}px`;
    target.querySelector('.rx-export-status').textContent = '';
  },
  true,
);
