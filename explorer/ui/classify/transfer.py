"""Teach it: labelled photos of the page become features as they come, and a head when it is asked for.

Of each photo the program keeps what the network's last layer reads of it, some kilobytes; the photo itself as it keeps
any other (``photos.ALBUM``), and the browser.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from threading import RLock
from typing import Any

import gradio as gr
import numpy as np

from ...errors import DataError, ImageError, Stopped
from ...inference import Classifier
from ...inference.transfer import MAX_HEAD_BYTES, MAX_NAME, Features, Lesson, features, from_bytes, teach, to_bytes
from ...views.classify import transfer as shown
from ...views.kit.markup import banner, progress_bar
from ..kit.bridge import error_message
from ..kit.jobs import Finished, Job
from ..kit.photos import ALBUM
from . import networks
from .answers import session_of
from .upload import MAX_SESSION

MAX_PHOTOS = 2000  # of a page
_MAX_VECTORS = 20_000  # in all: 160 MB at 2,048 features
_RUNNING: dict[str, Job] = {}  # by session


@dataclass(frozen=True, eq=False)
class _Looked:
    """A photo's features, and by which weights."""

    sha256: str
    features: Features
    session: str


class Notes:
    """Features of the photos given last."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, _Looked] = OrderedDict()
        self._lock = RLock()

    def put(self, looked: _Looked) -> str:
        """Keep them; returns their key."""
        key = secrets.token_urlsafe(9)
        with self._lock:
            self._seen[key] = looked
            own = [key for key, kept in self._seen.items() if kept.session == looked.session]
            for old in (*own[:-MAX_PHOTOS], *list(self._seen)[:-_MAX_VECTORS]):
                self._seen.pop(old, None)
        return key

    def find(self, keys: list[str], sha256: str) -> Features:
        """(photos, features) of keys, all by the weights of that digest.

        Raises:
            DataError: some are not here, or of another network.
        """
        with self._lock:
            found = [self._seen.get(key) for key in keys]
        if any(looked is None or looked.sha256 != sha256 for looked in found):
            raise DataError(
                "Some photos are not kept here any more, or were seen by another network. Press Teach again."
            )
        return np.stack([looked.features for looked in found if looked])

    def leave(self, session: str) -> None:
        """Forget what a page gave."""
        with self._lock:
            for key in [key for key, kept in self._seen.items() if kept.session == session]:
                del self._seen[key]


NOTES = Notes()


def look(request: Any) -> str:
    """Browser's ``{"session", "token", "variant", "device", "network"}`` -> JSON ``{"key", "base"}`` or ``{"error"}``.

    ``base``: the network whose features they are; of a head, what that was taught on.
    """
    try:
        if not isinstance(request, dict):
            raise ImageError("A photo is expected.")
        photo = ALBUM.find(str(request.get("token", ""))[:MAX_SESSION])
        base, classifier = _backbone(request)
        vector = features(classifier, [photo])[0]
        key = NOTES.put(_Looked(classifier.variant.sha256, vector, session_of(request)))
        return json.dumps({"key": key, "base": base})
    except Exception as error:
        return json.dumps({"error": error_message(error)})


def base(request: Any) -> str:
    """Browser's ``{"variant"}`` -> JSON ``{"base"}``, as ``look`` gives it, or ``{"error"}``."""
    try:
        name = str(request.get("variant", ""))[: networks.MAX_NAME] if isinstance(request, dict) else ""
        return json.dumps({"base": networks.base_of(name)})
    except Exception as error:
        return json.dumps({"error": error_message(error)})


def stop(request: Any) -> str:
    """Browser's ``{"session"}``: its teaching ends soon."""
    if job := _RUNNING.get(session_of(request)):
        job.stop()
    return "{}"


def open_head(request: Any) -> str:
    """Browser's ``{"session", "data"}``, a file in base64 -> JSON ``{"token"}`` or ``{"error"}``."""
    try:
        data = request.get("data") if isinstance(request, dict) else None
        if not isinstance(data, str) or len(data) > MAX_HEAD_BYTES * 4 // 3 + 4:
            raise DataError(f"A file of at most {MAX_HEAD_BYTES // 2**20} MiB is expected.")
        head = from_bytes(base64.b64decode(data))
        session = session_of(request)
        token = networks.HEADS.put(head, networks.home_of(head, session), session)
        return json.dumps({"token": token})
    except Exception as error:
        return json.dumps({"error": error_message(error)})


def head_file(request: Any) -> str:
    """Browser's ``{"token"}`` -> JSON ``{"name", "data"}``: the head's file, in base64; ``{"error"}``."""
    try:
        token = str(request.get("token", ""))[:MAX_SESSION] if isinstance(request, dict) else ""
        data = to_bytes(networks.HEADS.find(token).head)
        return json.dumps({"name": "head.safetensors", "data": base64.b64encode(data).decode()})
    except Exception as error:
        return json.dumps({"error": error_message(error)})


def wished(value: Any, request: gr.Request) -> Iterator[tuple[Any, str]]:
    """The panel's value as JSON -> updates of the panel, and in the end the name of the network to choose ("" before).

    ``{"do": "teach", "variant", "device", "network", "classes": [{"name", "keys"}]}``, or ``{"do": "open", "token"}``
    after ``open_head``. The panel's ``news`` is JSON ``{"html", "busy", "token", "failed"}``.
    """
    session = str(request.session_hash)
    try:
        wish = json.loads(str(value)[:200_000])
        if wish["do"] == "open":
            kept = networks.HEADS.find(str(wish["token"])[:MAX_SESSION])
            yield _news(shown.opened(kept.head)), networks.TAUGHT + str(wish["token"])
            return
        yield from _taught(wish, session)
    except (ValueError, TypeError, KeyError):
        yield _news(banner("This was not understood. Open the page anew.", "error-here"), failed=True), ""
    except Exception as error:
        yield _news(banner(error_message(error), "error-here"), failed=True), ""


def _taught(wish: dict[str, Any], session: str) -> Iterator[tuple[Any, str]]:
    keys, labels = _labelled(wish["classes"])
    home, classifier = _backbone(wish)
    seen = NOTES.find(keys, classifier.variant.sha256)

    def work(job: Job) -> Lesson:
        return teach(
            seen,
            labels,
            classifier.variant,
            on_progress=lambda done, of: job.say((done, of)),
            cancelled=lambda: job.stopped,
        )

    if former := _RUNNING.pop(session, None):
        former.stop()
    job = _RUNNING[session] = Job(work, session)
    try:
        for event in job.events():
            if isinstance(event, Finished):
                yield _ended(event, keys, home, session)
            else:
                words, share = (
                    (f"Teaching: fit {event[0] + 1} of {event[1]}", event[0] / event[1])
                    if isinstance(event, tuple)
                    else (str(event), 0.0)
                )
                yield _news(progress_bar(words, share), busy=True), ""
    finally:
        if _RUNNING.get(session) is job:
            del _RUNNING[session]


def _ended(event: Finished, keys: list[str], home: str, session: str) -> tuple[Any, str]:
    if event.error:
        kind = "note" if isinstance(event.error, Stopped) else "error-here"
        return _news(banner(error_message(event.error), kind), failed=True), ""
    token = networks.HEADS.put(event.result.head, home, session)
    return _news(shown.lesson(event.result, keys), token=token), networks.TAUGHT + token


def _labelled(classes: Any) -> tuple[list[str], list[str]]:
    """Keys of photos and the class of each; classes of one name are one.

    Raises:
        DataError: a class has no name, or too many photos came.
    """
    keys, labels = list[str](), list[str]()
    for one in classes:
        name = " ".join(str(one["name"]).split())[:MAX_NAME]
        own = [str(key)[:MAX_SESSION] for key in one["keys"]]
        if own and not name:
            raise DataError("A class with photos has no name. Name it first.")
        keys += own
        labels += [name] * len(own)
    if len(set(labels)) < 2:
        raise DataError("Give photos of at least two classes, a name to each.")
    if len(keys) > MAX_PHOTOS:
        raise DataError(f"got {len(keys):,} photos; at most {MAX_PHOTOS:,} can be taught from here")
    return keys, labels


def _backbone(request: dict[str, Any]) -> tuple[str, Classifier]:
    name = networks.base_of(str(request.get("variant", ""))[: networks.MAX_NAME])
    device, network = str(request.get("device", "auto"))[:20], str(request.get("network", ""))[:4000]
    return name, networks.classifier_of(name, network, device)


def _news(html: str, *, busy: bool = False, token: str = "", failed: bool = False) -> Any:
    return gr.update(news=json.dumps({"html": html, "busy": busy, "token": token, "failed": failed}))
