// Share, export and help. The bar changes with the network: everything is found when it is needed.
(() => {
  if (window.explorerExport) return; // Gradio may run what stands in <head> twice
  window.explorerExport = true;
  const find = id => document.getElementById(id);
  const wait = seconds => new Promise(done => setTimeout(done, 1000 * seconds));

  async function copy(text) {
    try { await navigator.clipboard.writeText(text); return true; }
    catch { // not over plain http
      const field = document.body.appendChild(Object.assign(document.createElement('textarea'), {value: text}));
      field.select();
      const copied = document.execCommand('copy');
      field.remove();
      return copied;
    }
  }

  async function share(button) {
    const copied = await copy(location.href);
    button.textContent = copied ? 'Copied' : 'Copy the address bar';
    button.setAttribute('aria-live', 'polite');
    button.focus();
    await wait(2);
    button.textContent = 'Share';
  }

  function address(kind) {
    const query = new URLSearchParams(location.search), drawn = document.querySelector('.rx-graph')?.dataset.open;
    if (drawn !== undefined) query.set('open', drawn);
    return `${location.pathname.replace(/\/?$/, '/')}export/${kind}?${query}`;
  }

  async function get(url) {
    for (;;) { // 503: another such file is being written
      const answer = await fetch(url);
      if (answer.status !== 503) return answer;
      await wait(Number(answer.headers.get('Retry-After')) || 2);
    }
  }

  async function take(button) {
    const {kind, ending} = button.dataset, name = find('rx-export-button').dataset.name + ending;
    const status = find('rx-export').querySelector('.rx-export-status');
    const say = (words, refused) => { status.textContent = words; status.classList.toggle('rx-refused', Boolean(refused)); };
    if (button.getAttribute('aria-busy')) return;
    button.setAttribute('aria-busy', 'true');
    say(`Writing ${name} …`);
    try {
      const answer = await get(address(kind));
      if (!answer.ok) { say(await answer.text(), true); return; }
      const url = URL.createObjectURL(await answer.blob());
      Object.assign(document.createElement('a'), {href: url, download: name}).click();
      setTimeout(() => URL.revokeObjectURL(url), 60000);
      say(`${name} is in your downloads.`);
    } catch { say('The program did not answer. Is it still running?', true); }
    finally { button.removeAttribute('aria-busy'); }
  }

  const help = () => { if (!find('rx-help').open) find('rx-help').showModal(); };

  document.addEventListener('click', event => {
    const button = event.target.closest('button');
    if (button?.id === 'rx-share') share(button);
    if (button?.id === 'rx-help-button') help();
    if (button?.dataset.kind) take(button);
    if (event.target.id === 'rx-help') event.target.close(); // beside the dialog
  });
  document.addEventListener('keydown', event => {
    if (event.key !== '?' || event.target.closest?.('input, textarea, select, [contenteditable]')) return;
    event.preventDefault();
    help();
  });
  // Under the bar, whose height depends on the width of the page.
  document.addEventListener('beforetoggle', event => {
    if (event.target.id !== 'rx-export' || event.newState !== 'open') return;
    const bar = document.querySelector('.rx-bar').getBoundingClientRect(), end = find('rx-export-button').getBoundingClientRect();
    event.target.style.top = `${bar.bottom + 4}px`;
    const right = innerWidth < 500 ? 8 : document.documentElement.clientWidth - end.right;
    event.target.style.right = `${right}px`;
    event.target.querySelector('.rx-export-status').textContent = '';
  }, true);
})();
