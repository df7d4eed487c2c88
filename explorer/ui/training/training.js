// The saved runs: rows come from the program, and a click on one goes back to it as an action. Files are links.
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

  /** What is being typed as a run's name: the rows are replaced around it. */
  function nameInFocus() {
    const field = document.activeElement;
    if (!(field instanceof HTMLInputElement) || !rows.contains(field) || field.dataset.do !== 'name') return null;
    return {run: runOf(field), value: field.value, caret: field.selectionStart};
  }

  function show() {
    const typing = nameInFocus();
    const scrolled = rows.querySelector('.rx-scroll')?.scrollTop ?? 0;
    rows.innerHTML = props.rows ?? '';
    for (const link of rows.querySelectorAll('a[data-kind]')) {
      link.href = url(`run/${runOf(link)}/${link.dataset.kind}`);
      link.download = '';
    }
    if (rows.firstElementChild) rows.firstElementChild.scrollTop = scrolled;
    const field = typing && rows.querySelector(`[data-run="${CSS.escape(typing.run)}"] input[data-do=name]`);
    if (!field) return;
    field.value = typing.value;
    field.focus();
    field.setSelectionRange(typing.caret, typing.caret);
  }

  rows.addEventListener('change', ({target}) => {
    if (!(target instanceof HTMLInputElement)) return;
    if (target.dataset.do === 'show') act('show', {run: runOf(target), on: target.checked});
    if (target.dataset.do === 'name') act('name', {run: runOf(target), name: target.value});
  });
  rows.addEventListener('click', e => {
    const button = e.target.closest('button[data-do]');
    if (!button) return;
    act(button.dataset.do, {run: runOf(button)});
    if (button.dataset.do === 'classify') emit('tab', 'Classify');
  });
  host.querySelector('button[data-do=open]').addEventListener('click', () => input.click());
  input.addEventListener('change', async () => {
    const [file] = input.files ?? [];
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
