// Drop, paste, choose or take a photo; several also go to the table of many photos (many_photos.js). Files are sent
// unchanged.
import {alertBanner, ask, emit, get, latest, on, set, whenVisible} from '../kit/lib.js';
import {camera} from './camera.js';
import {chosenNetwork, provide} from './current.js';
import {dropped, dropZone, picture, send, takeChosen} from './photo_files.js';

/** A network whose answer depends on the builder, which says what the file's weights do not; a head may be on one. */
const ASKS_BUILDER = /^(file|head):/;

/** @param {import('../kit/lib.js').Mount} mount */
export function mount({element, props, server, watch, settings}) {
  const host = element.querySelector('.rx-classify');
  const drop = host.querySelector('.rx-drop'),
    idle = host.querySelector('.rx-idle');
  const answer = host.querySelector('.rx-answer'),
    shown = host.querySelector('img.rx-photo');
  const input = host.querySelector('input[type=file]');
  const turn = latest();
  const several = host.querySelector('.rx-several');
  /** The photo in the box: the upload's answer, and how to send it again. @type {any} */
  let photo = null;

  provide(() => ({
    session: props.value,
    variant: props.variant,
    device: props.device,
    network: get('network') ?? '',
    maxBytes: settings.max_bytes,
    token: photo?.token ?? null,
  }));

  const live = camera(host, {
    changed: isOpen => {
      shown.hidden = isOpen || !photo;
      idle.hidden = isOpen || Boolean(photo);
    },
    take: still => take(() => send(still)),
    complain,
  });

  function complain(words) {
    answer.removeAttribute('aria-busy');
    answer.replaceChildren(alertBanner(words));
  }

  async function classify(again = true) {
    if (!photo) return;
    const isLatest = turn(),
      {token, decoding, resend} = photo,
      network = chosenNetwork();
    answer.setAttribute('aria-busy', 'true');
    const result = await ask(server, 'classify', {token, decoding, ...network});
    if (!isLatest()) return;
    if (result.gone && again) {
      take(resend);
      return;
    }
    answer.removeAttribute('aria-busy');
    if (result.error) {
      complain(result.error);
      return;
    }
    answer.innerHTML = result.html;
    set('photo', result.answered ? {token, ...network} : null);
  }

  /** Show another photo. Results of the photo before are removed first.
   * @param {() => Promise<any>} resend sends it to the program, now and if the program has dropped it */
  async function take(resend) {
    const isLatest = turn();
    photo = null;
    live.close();
    set('photo', null);
    answer.innerHTML = '';
    answer.setAttribute('aria-busy', 'true');
    const sent = await resend();
    if (!isLatest()) return;
    if (sent.error) {
      complain(sent.error);
      return;
    }
    photo = {...sent, resend};
    shown.src = sent.photo;
    shown.hidden = false;
    idle.hidden = true;
    classify(false);
  }

  /** @param {import('./photo_files.js').Given[]} found */
  function give(found) {
    if (!found.length) return;
    take(() => send(found[0].file));
    tellOfOthers(found.length);
    if (found.length > 1)
      emit(
        'photos',
        found.map(({file}) => file),
      );
  }

  /** If there are several photos, the first is in the box: say where they all are. */
  function tellOfOthers(count) {
    several.hidden = count < 2;
    if (count < 2) return;
    const button = Object.assign(document.createElement('button'), {type: 'button', className: 'rx-small'});
    button.textContent = 'Show the table';
    button.addEventListener('click', () => emit('show-photos'));
    several.replaceChildren(
      `The first of ${count} photos is shown here. All ${count} are in “Many photos” below. `,
      button,
    );
  }

  async function showExamples() {
    const strip = host.querySelector('.rx-examples'),
      {thumbs = []} = await ask(server, 'list_examples');
    thumbs.forEach((thumb, number) => {
      const button = Object.assign(document.createElement('button'), {type: 'button'});
      button.setAttribute('aria-label', `Example photo ${number + 1}`);
      button.append(picture(thumb));
      button.addEventListener('click', () => {
        tellOfOthers(1);
        take(() => ask(server, 'open_example', {number, session: props.value}));
      });
      strip.append(button);
    });
    strip.hidden = !thumbs.length;
  }

  host.querySelector('[data-do=pick]').addEventListener('click', () => input.click());
  input.addEventListener('change', () => give(takeChosen(input)));
  dropZone(drop, give);
  on(
    'drop',
    transfer => {
      if (!drop.offsetParent) return false;
      dropped(transfer).then(give);
      return true;
    },
    host,
  );
  document.addEventListener('paste', e => {
    if (!host.offsetParent) return;
    const images = [...(e.clipboardData?.files ?? [])].filter(file => file.type.startsWith('image/'));
    if (!images.length) return;
    e.preventDefault();
    give(images.map(file => ({file, folder: ''})));
  });
  on(
    'show-photo',
    file => {
      take(() => send(file));
      host.scrollIntoView({block: 'nearest'});
    },
    host,
  );
  on(
    'network',
    () => {
      if (ASKS_BUILDER.test(props.variant)) classify();
    },
    host,
  );
  watch(['variant', 'device', 'ready'], () => classify());
  const observer = whenVisible(host, visible => {
    if (!visible) return;
    observer.disconnect();
    showExamples();
  });
}
