"""The markup of the Classify tab's parts; constant, filled in by the scripts in ``assets``."""

from __future__ import annotations

from ...inference.images.decode import MAX_BYTES

_PICK = 'accept="image/*,.heic,.heif,.avif" hidden'

PHOTO = f"""
<div class="rx-classify" data-most="{MAX_BYTES}">
  <div class="rx-given">
    <div class="rx-drop" aria-label="Photo">
      <img class="rx-photo" alt="Your photo" hidden>
      <video playsinline muted hidden></video>
      <div class="rx-idle"><p><strong>Drop a photo here</strong>, or paste one. Several are fine.</p>
        <p class="rx-note">JPEG, PNG, WebP, GIF, AVIF or HEIC, up to 20 MiB. It stays on this machine.</p></div>
      <div class="rx-buttons">
        <button type="button" class="rx-button" data-do="pick">Choose a photo</button>
        <button type="button" class="rx-button" data-do="camera">Use the camera</button>
        <button type="button" class="rx-button" data-do="shoot" hidden>Take the photo</button>
        <button type="button" class="rx-button" data-do="close" hidden>Close the camera</button>
      </div>
      <input type="file" multiple aria-label="Photo file" {_PICK}>
    </div>
    <div class="rx-examples" role="group" aria-label="Example photos" hidden><span>Try one of these</span></div>
  </div>
  <div class="rx-answer" aria-live="polite"></div>
</div>
"""

BESIDE = """
<details class="rx-section rx-beside-nets">
  <summary>Side by side <small>the photo above through several networks</small></summary>
  <fieldset class="rx-names" aria-label="Networks to ask"></fieldset>
  <div class="rx-row">
    <button type="button" class="rx-button" data-do="ask">Ask them</button>
    <button type="button" class="rx-button" data-do="stop" hidden>Stop</button>
    <span class="rx-told rx-note" role="status"></span>
  </div>
  <div class="rx-agreement" aria-live="polite"></div>
  <div class="rx-scroll" tabindex="0" role="region" aria-label="Answers side by side" hidden>
    <table class="rx-table"><thead><tr><th scope="col">Network</th><th scope="col">Says</th>
      <th scope="col" class="num">Score</th><th scope="col">Then</th>
      <th scope="col" class="num">Forward</th></tr></thead>
      <tbody></tbody></table>
  </div>
</details>
"""

MANY = f"""
<details class="rx-section rx-many">
  <summary>Many photos <small>one network, a table, a CSV</small></summary>
  <div class="rx-row">
    <button type="button" class="rx-button" data-do="photos">Choose photos</button>
    <button type="button" class="rx-button" data-do="folder">Choose a folder</button>
    <button type="button" class="rx-button" data-do="csv" disabled>Download CSV</button>
    <button type="button" class="rx-button" data-do="stop" hidden>Stop</button>
    <input type="file" multiple aria-label="Photo files" {_PICK}>
    <input type="file" webkitdirectory aria-label="Folder of photos" hidden>
  </div>
  <p class="rx-note">Or drop several at once above. A file that is no photo gets a row that says why; it stops none.</p>
  <progress aria-label="Photos answered" hidden></progress>
  <p class="rx-told" role="status"></p>
  <div class="rx-scroll" tabindex="0" role="region" aria-label="Many photos" hidden>
    <table class="rx-table"><thead><tr><th scope="col"><span class="rx-unseen">Photo</span></th>
      <th scope="col">File</th><th scope="col">Says</th><th scope="col" class="num">Score</th><th scope="col">Then</th>
      <th scope="col" class="num">Time</th></tr></thead><tbody></tbody></table>
  </div>
</details>
"""

TEACH = """
<details class="rx-section rx-teach">
  <summary>Teach it <small>new classes from a few photos of each</small></summary>
  <p class="rx-note">Photos of at least two classes become features of the network above, and a new last layer learns to
    tell them apart. The network itself stays as it is. A dozen photos of each class make a start.</p>
  <div class="rx-slots"></div>
  <div class="rx-row">
    <button type="button" class="rx-button" data-do="add">Add a class</button>
    <button type="button" class="rx-button" data-do="folder">Choose a folder of folders</button>
    <button type="button" class="rx-button" data-do="open">Open a taught head</button>
    <button type="button" class="rx-button rx-main" data-do="teach">Teach</button>
    <button type="button" class="rx-button" data-do="stop" hidden>Stop</button>
    <input type="file" webkitdirectory aria-label="Folder with a subfolder for each class" hidden>
    <input type="file" accept=".safetensors" aria-label="Taught head" hidden>
  </div>
  <progress aria-label="Photos looked at" hidden></progress>
  <p class="rx-told" role="status"></p>
  <section class="rx-lesson" aria-label="What was taught" aria-live="polite"></section>
</details>
"""

NETWORKS = """
<details class="rx-section rx-nets">
  <summary>All networks <small>accuracy, cost, what each sees; choose one</small></summary>
  <div class="rx-list"></div>
  <div class="rx-published"></div>
</details>
"""
