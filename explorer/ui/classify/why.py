"""Why: where the network looked, what its layers hold, what each block adds, and what it says without some."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import wraps
from typing import Any

import gradio as gr

from ...errors import ExplorerError, Stopped
from ...inference import Classifier, Photo, Seen
from ...inference.explain import (
    branch_strengths,
    class_activation,
    contributions,
    feature_maps,
    layers,
    predict_without,
    spread,
    switchable,
)
from ...spec import to_query
from ...views.classify import why as shown
from ...views.kit.pictures import GRADIENT, heat_picture, photo_picture
from ..kit.bridge import error_message
from ..kit.jobs import Finished, Job, Waiting
from ..kit.photos import ALBUM
from .networks import classifier_of

# Multiply-adds of all passes that are done at once, without asking and out of turn: half a second on two cores.
QUICK_GMACS = 8.0
MAX_WISH = 12_000  # characters
_RUNNING: dict[str, Job] = {}  # by session

_TEMPLATE = f"""
<section class="rx-why" aria-label="Why">
  <h3>Why?</h3>
  <p class="rx-why-says rx-note" role="status">Give a photo above: here stands where the network looked, what its layers
    hold, and what each block adds to the answer.</p>
  <div class="rx-why-body" hidden>
    <div class="rx-why-left">
      <div class="rx-why-photo">
        <img alt="Your photo">
        <div class="rx-why-crop" tabindex="0" role="img" aria-label="What the network saw. Click, or press the
          arrow keys, to mark a place: feature maps are then ordered by what they hold there. Escape takes the mark
          away.">
          <img class="rx-why-heat" alt=""><span class="rx-why-mark" hidden></span>
        </div>
      </div>
      <div class="rx-why-tools">
        <label>Class <select class="rx-why-class" aria-label="Class to explain"></select></label>
        <label>Overlay <input type="range" class="rx-why-opacity" min="0" max="100" value="55"
          aria-label="Overlay, per cent"></label>
        <span class="rx-why-scale">least <i style="background:{GRADIENT}"></i> most</span>
      </div>
      <p class="rx-why-words rx-note" role="status"></p>
    </div>
    <div class="rx-why-right">
      <div class="rx-why-tools">
        <button type="button" class="rx-small" data-do="on" hidden>Switch all on</button>
        <button type="button" class="rx-small" data-do="weigh" hidden></button>
        <button type="button" class="rx-small" data-do="stop" hidden>Stop</button>
        <button type="button" class="rx-small rx-why-apply" data-tab="Architecture" hidden>Show this network in the
          diagram</button>
        <button type="button" class="rx-small" data-do="find" hidden></button>
      </div>
      <p class="rx-why-progress rx-note" role="status"></p>
      <div class="rx-scroll rx-why-blocks" tabindex="0" role="region" aria-label="Blocks"></div>
      <div class="rx-why-answers" aria-live="polite"></div>
      <p class="rx-note">A block's name chooses it for the photo. A switch turns its branch off: F(x) is then 0 and
        y = σ(s(x)), while projections and padding stay. What a block adds is found by running the network without it;
        blocks work on each other's results, so these numbers do not add up to the logit.</p>
    </div>
    <div class="rx-why-maps">
      <div class="rx-why-tools">
        <h4>Feature maps</h4>
        <select class="rx-why-layer" aria-label="Layer"></select>
        <button type="button" class="rx-small" data-do="all" aria-pressed="false">Show all</button>
        <button type="button" class="rx-small" data-do="anywhere" hidden>Take the mark away</button>
      </div>
      <p class="rx-why-about rx-note" role="status"></p>
      <div class="rx-why-grid"></div>
    </div>
  </div>
</section>
"""


@dataclass(frozen=True)
class Question:
    """What a browser asks about: a photo and a network, both known here."""

    classifier: Classifier
    photo: Photo
    seen: Seen

    @property
    def passes(self) -> float:
        """Forward passes that measuring all contributions takes (see ``explain.contributions``)."""
        return 1 + len(switchable(self.classifier.variant.spec)) / 2

    @property
    def quick(self) -> bool:
        return self.passes * self.classifier.variant.gmacs <= QUICK_GMACS


def build_panel() -> gr.HTML:
    """Follows the page's ``explorer:photo`` events; in the current Gradio context, under the answer.

    Empty until there is a photo and the panel is looked at. All but the contributions come from server functions;
    those may take long, and come as the ``weighed`` property while they are measured.
    """
    panel = gr.HTML(
        value="",
        weighed="",
        html_template=_TEMPLATE,
        js_on_load="",
        server_functions=[look, heat, maps, without],
        apply_default_css=False,
        padding=False,
        elem_id="why",
    )
    panel.input(_weigh, panel, panel, show_progress="hidden", trigger_mode="multiple", concurrency_limit=None)
    return panel


def _answering(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Callable[[Any], str]:
    """JSON of an answer, or ``{"error"}`` with a sentence."""

    @wraps(answer)
    def answered(request: Any) -> str:
        try:
            if not isinstance(request, dict):
                raise ExplorerError("A photo and a network are expected.")
            return json.dumps(answer(request))
        except Exception as error:
            return json.dumps({"error": error_message(error)})

    return answered


@_answering
def look(request: dict[str, Any]) -> dict[str, Any]:
    """Browser's ``{"token", "variant", "device", "network"}`` -> the photo, the network's blocks and its top classes.

    ``place``: of the crop on the photo. ``query``: the builder's of the same network. ``passes``: that measuring the
    contributions takes; ``quick``: whether that is soon done.
    """
    asked = _question(request)
    spec = asked.classifier.variant.spec
    return {
        "photo": photo_picture(asked.photo.image),
        "place": asked.classifier.variant.transform.place(asked.photo.image.size),
        "title": asked.classifier.variant.title,
        "query": to_query(spec),
        "blocks": shown.blocks(branch_strengths(asked.classifier, asked.seen)),
        "layers": layers(asked.classifier),
        "switchable": switchable(spec),
        "plain": "" if switchable(spec) else shown.PLAIN,
        "classes": [(score.index, score.name) for score in predict_without(asked.classifier, asked.seen, ())],
        "passes": round(asked.passes),
        "quick": asked.quick,
    }


@_answering
def heat(request: dict[str, Any]) -> dict[str, Any]:
    """``look``'s request with ``{"layer", "class"}`` -> ``{"image", "words"}``: Grad-CAM over the crop."""
    asked, layer, index = _question(request), _text(request, "layer"), _class(request)
    cells = class_activation(asked.classifier, asked.seen, layer, index)
    name = asked.classifier.variant.classes[index]
    words = shown.heat_words(layer, name, (cells.shape[0], cells.shape[1]), float(cells.max()))
    return {"image": heat_picture(spread(cells, asked.seen), 0.0, 1.0), "words": words}


@_answering
def maps(request: dict[str, Any]) -> dict[str, Any]:
    """``look``'s request with ``{"layer", "all", "at"}`` -> ``{"html", "words", "channels"}``.

    ``at``: a place on the crop, two numbers from 0 to 1, or null.
    """
    asked, at = _question(request), _place(request.get("at"))
    most = None if request.get("all") is True else 16
    found = feature_maps(asked.classifier, asked.seen, _text(request, "layer"), most, at)
    words = shown.maps_words(found, there=at is not None)
    return {"html": shown.maps(found), "words": words, "channels": found.channels}


@_answering
def without(request: dict[str, Any]) -> dict[str, Any]:
    """``look``'s request with ``{"off"}``, a list of blocks -> ``{"html"}``: the top classes before and after."""
    asked, off = _question(request), request.get("off")
    known = switchable(asked.classifier.variant.spec)
    if not isinstance(off, list) or len(off) > len(known) or not all(isinstance(name, str) for name in off):
        raise ExplorerError("A list of blocks is expected.")
    before = predict_without(asked.classifier, asked.seen, ())
    after = predict_without(asked.classifier, asked.seen, frozenset(off)) if off else before
    return {"html": shown.answers(before, after, len(off))}


def _weigh(wish: str, request: gr.Request) -> Iterator[Any]:
    """``look``'s request with ``{"class", "key"}`` -> JSON ``{"key"}`` with ``cells``, ``progress`` or ``error``.

    One at a time for each page: a new wish, or ``{"key"}`` alone, stops the one before.
    """
    session, key = str(request.session_hash), ""
    if former := _RUNNING.pop(session, None):
        former.stop()
    try:
        wanted = _wish(wish)
        key = str(wanted.get("key"))[:1000]
        if "token" not in wanted:
            return
        asked, index = _question(wanted), _class(wanted)
        if asked.quick:
            yield _said(key, cells=shown.added(contributions(asked.classifier, asked.seen, index)))
            return
        job = _RUNNING[session] = Job(lambda job: _measure(job, asked, index), session)
        try:
            for event in job.events():
                yield _heard(key, event)
        finally:
            if _RUNNING.get(session) is job:
                del _RUNNING[session]
    except Exception as error:
        yield _said(key, error=error_message(error))


def _measure(job: Job, asked: Question, index: int) -> dict[str, str]:
    def step(done: int, of: int) -> None:
        job.say(f"Measured {done} of {of} blocks …")
        if job.stopped:
            raise Stopped("Stopped. What each block adds was not measured.")

    return shown.added(contributions(asked.classifier, asked.seen, index, step))


def _heard(key: str, event: Any) -> Any:
    if isinstance(event, Finished):
        return _said(key, error=error_message(event.error)) if event.error else _said(key, cells=event.result)
    return _said(key, progress=str(event), waiting=isinstance(event, Waiting))


def _said(key: str, **answer: Any) -> Any:
    return gr.update(weighed=json.dumps({"key": key, **answer}))


def _wish(wish: str) -> dict[str, Any]:
    try:
        wanted = json.loads(wish) if isinstance(wish, str) and len(wish) < MAX_WISH else None
    except (ValueError, RecursionError):
        wanted = None
    if not isinstance(wanted, dict):
        raise ExplorerError("A photo and a network are expected.")
    return wanted


def _question(request: dict[str, Any]) -> Question:
    """Raises ``ExplorerError`` where the photo or the network is not here."""
    photo = ALBUM.find(_text(request, "token"))
    classifier = classifier_of(
        _text(request, "variant"), _text(request, "network", 10_000), _text(request, "device", 20)
    )
    return Question(classifier, photo, classifier.variant.transform(photo))


def _text(request: dict[str, Any], name: str, most: int = 100) -> str:
    value = request.get(name)
    if not isinstance(value, str) or len(value) > most:
        raise ExplorerError(f"{name}: words of at most {most} characters are expected")
    return value


def _class(request: dict[str, Any]) -> int:
    index = request.get("class")
    if type(index) is not int:
        raise ExplorerError("class: a whole number is expected")
    return index


def _place(at: Any) -> tuple[float, float] | None:
    if at is None:
        return None
    if not isinstance(at, list) or len(at) != 2 or not all(type(n) in (int, float) and 0 <= n <= 1 for n in at):
        raise ExplorerError("at: two numbers from 0 to 1 are expected")
    return float(at[0]), float(at[1])
