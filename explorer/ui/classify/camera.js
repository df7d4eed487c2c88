// The camera: a live picture in the photo's box, and a still of it. Leaving the tab closes it.
import {whenShown} from '../kit/lib.js';

const QUALITY = 0.95; // of the JPEG
const REFUSED = 'No camera could be opened. Allow it in the browser, or drop a photo instead.';

/**
 * @param {HTMLElement} host with the buttons "camera", "shoot" and "close", and a <video>
 * @param {object} does
 * @param {(isOpen: boolean) => void} does.changed the live picture has come, or gone
 * @param {(still: Blob) => void} does.take
 * @param {(words: string) => void} does.complain
 */
export function camera(host, {changed, take, complain}) {
  const video = host.querySelector('video');
  const button = name => host.querySelector(`button[data-do=${name}]`);
  /** @type {MediaStream | null} */
  let stream = null;
  let tries = 0;

  function show(isOpen) {
    video.hidden = !isOpen;
    button('shoot').hidden = button('close').hidden = !isOpen;
    button('camera').hidden = isOpen;
    changed(isOpen);
  }

  const release = opened => opened?.getTracks().forEach(track => track.stop());

  function close() {
    release(stream);
    stream = video.srcObject = null;
    show(false);
  }

  async function open() {
    const mine = ++tries;
    let opened;
    try {
      opened = await navigator.mediaDevices.getUserMedia({video: {facingMode: 'environment'}});
    } catch {
      complain(REFUSED);
      return;
    }
    if (mine !== tries || !host.offsetParent) {
      release(opened);
      return;
    }
    close();
    stream = video.srcObject = opened;
    show(true);
    await video.play();
  }

  function shoot() {
    const still = document.createElement('canvas'),
      context = still.getContext('2d');
    still.width = video.videoWidth;
    still.height = video.videoHeight;
    context?.drawImage(video, 0, 0);
    still.toBlob(
      blob => {
        close();
        if (blob) take(blob);
      },
      'image/jpeg',
      QUALITY,
    );
  }

  button('camera').addEventListener('click', open);
  button('close').addEventListener('click', close);
  button('shoot').addEventListener('click', shoot);
  whenShown(host, isShown => {
    if (stream && !isShown) close();
  });
  return {close};
}
