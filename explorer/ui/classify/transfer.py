"""Transfer learning: features are extracted from labelled photos as they come, then a linear probe is trained on them.

The program keeps the features of each photo, some kilobytes: the input of the network's last layer. The photo itself is
kept like any other (``photos.PHOTOS``), and by the browser.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

import gradio as gr
import numpy as np
from pydantic import BaseModel, Field

from ...errors import DataError, Stopped
from ...inference import Classifier
from ...inference.head import MAX_CLASSES, MAX_HEAD_BYTES, from_bytes, to_bytes
from ...inference.transfer import MAX_NAME, Features, LinearProbe, compute_features, fit_linear_probe
from ...views.classify import transfer as shown
from ...views.kit.markup import banner, progress_bar
from ..kit import jobs, scripts
from ..kit.bridge import Request, answers, error_message, parse_json
from ..kit.jobs import Finished, Job
from ..kit.panel import create_panel
from ..kit.sessions import Limits, SessionStore
from . import networks
from .heads import HEAD, HEADS, TransferHead
from .requests import ClassifierRequest, Name, PhotoRequest, SessionRequest

MAX_PHOTOS = 2000  # of a page
_MAX_ACTION = 200_000  # characters
KIND = "transfer"  # of its jobs
_TEMPLATE = """
<details class="rx-section rx-transfer">
  <summary>Transfer learning <small>new classes from a few photos of each: a linear probe</small></summary>
  <p class="rx-note">Feature extraction: the body of the network above is <strong>frozen</strong>, and turns each photo
    into features. Only a new last layer, a <strong>linear probe</strong>, is trained on them to tell your classes
    apart. <strong>Fine-tuning</strong> would train the body, too; that needs more photos and time, and is not done
    here. A dozen photos of each class are a good start.</p>
  <div class="rx-slots"></div>
  <div class="rx-row">
    <button type="button" class="rx-button" data-do="add">Add a class</button>
    <button type="button" class="rx-button" data-do="folder">Choose a folder of folders</button>
    <button type="button" class="rx-button" data-do="open">Open a saved head</button>
    <button type="button" class="rx-button rx-main" data-do="fit">Train the linear probe</button>
    <button type="button" class="rx-button" data-do="stop" hidden>Stop</button>
    <input type="file" webkitdirectory aria-label="Folder with a subfolder for each class" hidden>
    <input type="file" accept=".safetensors" aria-label="Saved head" hidden>
  </div>
  <progress aria-label="Photos with features" hidden></progress>
  <p class="rx-told" role="status"></p>
  <section class="rx-probe" aria-label="The linear probe" aria-live="polite"></section>
</details>
"""


@dataclass(frozen=True, eq=False)
class PhotoFeatures:
    """A photo's features, and the digest of the weights that gave them."""

    sha256: str
    features: Features


FEATURES = SessionStore[PhotoFeatures](
    "Some photos are no longer here, or have features of another network. Train the linear probe again.",
    Limits(count=20_000, per_session=MAX_PHOTOS),  # 160 MB at 2,048 features
    error=DataError,
    by_arrival=True,
)


def find_features(keys: list[str], sha256: str) -> Features:
    """(photos, features) of keys, all by the weights of that digest.

    Raises:
        DataError: some are not here, or of another network.
    """
    found = [FEATURES.find(key) for key in keys]
    if any(one.sha256 != sha256 for one in found):
        raise FEATURES.gone_error()
    return np.stack([one.features for one in found])


def build_panel() -> gr.HTML:
    """Lay the panel out in the current Gradio context. Its ``input`` event brings a ``TransferAction``."""
    limits = {"photos": MAX_PHOTOS, "classes": MAX_CLASSES, "name": MAX_NAME, "bytes": MAX_HEAD_BYTES}
    functions = [extract_features, base_network, stop, open_head, write_head]
    return create_panel(
        "transfer-panel", _TEMPLATE, scripts.mount("classify/transfer.js", limits=limits), functions, news=""
    )


class FeaturesRequest(PhotoRequest, SessionRequest):
    """A photo of a class."""


class BaseRequest(Request):
    """
    Attributes:
        variant: the network's name.
    """

    variant: Name = ""


class HeadFileRequest(SessionRequest):
    """
    Attributes:
        data: the file in base64.
    """

    expected = f"A file of at most {MAX_HEAD_BYTES // 2**20} MiB is expected."
    data: str = Field(max_length=MAX_HEAD_BYTES * 4 // 3 + 4)


class HeadRequest(Request):
    """
    Attributes:
        token: of the head.
    """

    token: Name = ""


class LabelledPhotos(BaseModel):
    """A class of photos.

    Attributes:
        keys: of their features, as ``extract_features`` gave them.
    """

    name: str
    keys: list[str]


class TransferAction(ClassifierRequest):
    """An action of the panel.

    Attributes:
        do: "open" uses the head of ``token``; "fit" fits a head to ``classes`` on the network's features.
    """

    expected = "This action is not valid. Reload the page."
    do: Literal["open", "fit"]
    token: Name = ""
    classes: list[LabelledPhotos] | None = None


@answers(FeaturesRequest)
def extract_features(request: FeaturesRequest) -> dict[str, Any]:
    """-> ``{"key", "base"}``: of the photo's features, and the network whose features they are (``base_network``)."""
    base, classifier = _backbone(request)
    vector = compute_features(classifier, [request.photo])[0]
    return {"key": FEATURES.put(PhotoFeatures(classifier.variant.file.sha256, vector), request.session), "base": base}


@answers(BaseRequest)
def base_network(request: BaseRequest) -> dict[str, Any]:
    """-> ``{"base"}``: the network whose features another uses; for a head, the one that it was trained on."""
    return {"base": networks.base_of(request.variant)}


@answers(SessionRequest)
def stop(request: SessionRequest) -> dict[str, Any]:
    """Stop the page's fit."""
    jobs.stop(request.session, KIND)
    return {}


@answers(HeadFileRequest)
def open_head(request: HeadFileRequest) -> dict[str, Any]:
    """-> ``{"token"}`` of the file's head."""
    head = from_bytes(base64.b64decode(request.data))
    base = networks.base_of_head(head, request.session)
    return {"token": HEADS.put(TransferHead(head, base), request.session)}


@answers(HeadRequest)
def write_head(request: HeadRequest) -> dict[str, Any]:
    """-> ``{"name", "data"}``: a head's file, in base64."""
    data = to_bytes(HEADS.find(request.token).head)
    return {"name": "head.safetensors", "data": base64.b64encode(data).decode()}


def act(value: Any, request: gr.Request) -> Iterator[tuple[Any, str]]:
    """The panel's value, a ``TransferAction`` as JSON -> updates of the panel, and in the end the network to
    choose ("" before).

    The panel's ``news`` is JSON ``{"html", "busy", "token", "failed"}``.
    """
    try:
        action = parse_json(TransferAction, value, _MAX_ACTION)
        if action.do == "open":
            head = HEADS.find(action.token).head
            yield _news(shown.opened_head(head)), HEAD + action.token
        else:
            yield from _fit(action, str(request.session_hash))
    except Exception as error:
        yield _news(banner(error_message(error), "error-here"), failed=True), ""


def _fit(action: TransferAction, session: str) -> Iterator[tuple[Any, str]]:
    keys, labels = _labels(action)
    base, classifier = _backbone(action)
    features = find_features(keys, classifier.variant.file.sha256)

    def work(job: Job) -> LinearProbe:
        return fit_linear_probe(
            features,
            labels,
            classifier.variant,
            on_progress=lambda done, of: job.say((done, of)),
            cancelled=lambda: job.stopped,
        )

    for event in jobs.run(session, KIND, work):
        if isinstance(event, Finished):
            yield _conclusion(event, keys, base, session)
        else:
            yield _news(_progress(event), busy=True), ""


def _progress(event: Any) -> str:
    """A bar of the fits that are done, or words while other work comes first."""
    if not isinstance(event, tuple):
        return progress_bar(str(event), 0.0)
    done, of = event
    return progress_bar(f"Training the linear probe: fit {done + 1} of {of}", done / of)


def _conclusion(event: Finished, keys: list[str], base: str, session: str) -> tuple[Any, str]:
    if event.error:
        kind = "note" if isinstance(event.error, Stopped) else "error-here"
        return _news(banner(error_message(event.error), kind), failed=True), ""
    token = HEADS.put(TransferHead(event.result.head, base), session)
    return _news(shown.evaluation(event.result, keys), token=token), HEAD + token


def _labels(action: TransferAction) -> tuple[list[str], list[str]]:
    """Keys of photos and the class of each; classes of one name are one.

    Raises:
        DataError: a class has no name, or too many photos came.
    """
    if action.classes is None:
        raise DataError(action.expected)
    keys, labels = list[str](), list[str]()
    for one in action.classes:
        name = " ".join(one.name.split())[:MAX_NAME]
        if one.keys and not name:
            raise DataError("A class with photos has no name. Name it first.")
        keys += one.keys
        labels += [name] * len(one.keys)
    if len(set(labels)) < 2:
        raise DataError("Add photos of at least two classes, and name each class.")
    if len(keys) > MAX_PHOTOS:
        raise DataError(f"got {len(keys):,} photos; at most {MAX_PHOTOS:,} can be used here")
    return keys, labels


def _backbone(request: ClassifierRequest) -> tuple[str, Classifier]:
    """Name and classifier of the network whose features the chosen one uses."""
    name = networks.base_of(request.variant)
    return name, networks.classifier_of(name, request.network, request.device)


def _news(html: str, *, busy: bool = False, token: str = "", failed: bool = False) -> Any:
    return gr.update(news=json.dumps({"html": html, "busy": busy, "token": token, "failed": failed}))
