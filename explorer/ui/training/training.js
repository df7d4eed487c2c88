// The kept runs: rows come from the program; what is clicked there goes back to it as an action. Files are links.
import {emit, url} from '../kit/lib.js';

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, props, trigger, watch}) {
  const host = element.querySelector('.rx-runs'),
    rows = host.querySelector('.rx-run-rows');
  const input = host.querySelector('input[type=file]');
  const runOf = node => node.closest('[data-run]')?.dataset.run;
  let classified = props.classify;

  function act(name, more = {}) {
    props.value = JSON.stringify({do: name, at: Date.now(), ...more});
    trigger('input');
  }

  function show() {
    const focused = document.activeElement;
    const typing = rows.contains(focused) && focused.dataset.do === 'name' ? focused : null;
    const kept = typing && {run: runOf(typing), value: typing.value, at: typing.selectionStart};
    const scrolled = rows.querySelector('.rx-scroll')?.scrollTop ?? 0;
    rows.innerHTML = props.rows ?? '';
    for (const link of rows.querySelectorAll('a[data-kind]')) {
      link.href = url(`run/${runOf(link)}/${link.dataset.kind}`);
      link.download = '';
    }
    if (rows.firstElementChild) rows.firstElementChild.scrollTop = scrolled;
    const field = kept && rows.querySelector(`[data-run="${CSS.escape(kept.run)}"] [data-do=name]`);
    if (!field) return;
    field.value = kept.value;
    field.focus();
    field.setSelectionRange(kept.at, kept.at);
  }

  rows.addEventListener('change', e => {
    const {do: name} = e.target.dataset;
    if (name === 'show') act('show', {run: runOf(e.target), on: e.target.checked});
    if (name === 'name') act('name', {run: runOf(e.target), name: e.target.value});
  });
  rows.addEventListener('click', e => {
    const button = e.target.closest('button[data-do]');
    if (!button) return;
    act(button.dataset.do, {run: runOf(button)});
    if (button.dataset.do === 'classify') emit('tab', 'Classify');
  });
  host.querySelector('button[data-do=open]').addEventListener('click', () => input.click());
  input.addEventListener('change', async () => {
    const [file] = input.files;
    input.value = '';
    if (file) act('open', {text: file.size > props.most ? '' : await file.text(), name: file.name.slice(0, 80)});
  });
  watch('rows', show);
  watch('classify', () => {
    if (props.classify === classified) return;
    classified = props.classify;
    if (classified) emit('choose-network', classified);
  });
  show();
}
