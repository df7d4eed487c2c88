"""Why: where the network looked, its feature maps, what each block adds, and the answer without some blocks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...errors import ExplorerError, Stopped
from ...inference import Classifier, Photo, PreprocessedInput
from ...inference.explain import (
    Contributions,
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
from ...views.classify import why as views
from ...views.kit.pictures import GRADIENT, heat_picture, photo_picture
from ..kit import jobs, scripts
from ..kit.bridge import answers, error_message, parse_json
from ..kit.jobs import Finished, Job, Waiting
from ..kit.panel import create_panel
from .networks import classifier_of
from .requests import PhotoRequest
from .why_requests import ContributionsRequest, HeatRequest, MapsRequest, SwitchRequest

# Multiply-adds of all passes that are done at once, without asking and out of turn: a moment on any CPU.
QUICK_GMACS = 8.0
MAX_ACTION = 24_000  # characters
KIND = "contributions"  # of its jobs

_TEMPLATE = f"""
<section class="rx-why" aria-label="Why">
  <h3>Why?</h3>
  <p class="rx-why-says rx-note" role="status">Add a photo to see where the network looked, its feature maps, and what
    each block contributes.</p>
  <p class="rx-why-found" role="status"></p>
  <div class="rx-why-body" hidden>
    <div class="rx-why-left">
      <div class="rx-why-photo">
        <img alt="Your photo">
        <div class="rx-why-crop" tabindex="0" role="img" aria-label="The part of the photo that the network received.
          Click, or press the arrow keys, to mark a place: feature maps are then ordered by their values there. Escape
          removes the mark.">
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
      <div class="rx-why-answers" aria-live="polite"></div>
      <div class="rx-why-blocks"></div>
      <p class="rx-note">Click a block to show its Grad-CAM. A switch turns the block's branch off, so that only its
        shortcut is left. Both columns at the right are measured by running the network without that block.</p>
      <details class="rx-note"><summary>What is a logit?</summary><p>The network's raw score for a class. Softmax turns
        the scores of all classes into probabilities: the more a logit exceeds the others, the more probable its class.
        A block may add a negative logit and still matter for the probability, because switching it off changes the
        other classes too. Blocks build on each other's results, so that these numbers do not sum to the
        logit.</p></details>
    </div>
    <div class="rx-why-maps">
      <div class="rx-why-tools">
        <h4>Feature maps</h4>
        <select class="rx-why-layer" aria-label="Layer"></select>
        <button type="button" class="rx-small" data-do="all" aria-pressed="false">Show all</button>
        <button type="button" class="rx-small" data-do="anywhere" hidden>Remove the mark</button>
      </div>
      <p class="rx-why-about rx-note" role="status"></p>
      <div class="rx-why-grid"></div>
    </div>
  </div>
</section>
"""


@dataclass(frozen=True)
class Question:
    """A photo, its preprocessed form, and the network that classifies it."""

    classifier: Classifier
    photo: Photo
    model_input: PreprocessedInput

    @property
    def passes(self) -> float:
        """Forward passes that measuring all contributions takes (see ``explain.contributions``)."""
        return 1 + len(switchable(self.classifier.variant.spec)) / 2

    @property
    def quick(self) -> bool:
        return self.passes * self.classifier.variant.gmacs <= QUICK_GMACS


def build_panel() -> gr.HTML:
    """Lay the panel out in the current Gradio context, under the answer. It follows the page's photo.

    Empty until there is a photo and the panel is in view. Server functions answer everything except contributions,
    which may take long: they are the ``contributions`` property while they are measured.
    """
    functions = [describe_network, draw_heat, draw_maps, answer_without]
    panel = create_panel("why", _TEMPLATE, scripts.mount("classify/why.js"), functions, contributions="")
    panel.input(measure, panel, panel, show_progress="hidden", trigger_mode="multiple", concurrency_limit=None)
    return panel


@answers(PhotoRequest)
def describe_network(request: PhotoRequest) -> dict[str, Any]:
    """-> the photo, the network's blocks and its top classes.

    ``place``: of the crop on the photo. ``query``: the builder's of the same network. ``passes``: that measuring the
    contributions takes; ``quick``: whether that takes only a moment.
    """
    question = _question(request)
    classifier, spec = question.classifier, question.classifier.variant.spec
    return {
        "photo": photo_picture(question.photo.image),
        "place": classifier.variant.transform.place(question.photo.image.size),
        "title": classifier.variant.title,
        "query": to_query(spec),
        "blocks": views.blocks(branch_strengths(classifier, question.model_input)),
        "layers": layers(classifier),
        "switchable": switchable(spec),
        "plain": "" if switchable(spec) else views.PLAIN,
        "classes": [(score.index, score.name) for score in predict_without(classifier, question.model_input, ())],
        "passes": round(question.passes),
        "quick": question.quick,
    }


@answers(HeatRequest)
def draw_heat(request: HeatRequest) -> dict[str, Any]:
    """-> ``{"image", "words"}``: Grad-CAM over the crop."""
    question = _question(request)
    cells = class_activation(question.classifier, question.model_input, request.layer, request.index)
    name = question.classifier.variant.classes[request.index]
    words = views.heat_words(request.layer, name, (cells.shape[0], cells.shape[1]), float(cells.max()))
    return {"image": heat_picture(spread(cells, question.model_input), 0.0, 1.0), "words": words}


@answers(MapsRequest)
def draw_maps(request: MapsRequest) -> dict[str, Any]:
    """-> ``{"html", "words", "channels"}``: feature maps of a layer, the strongest first."""
    question, most = _question(request), None if request.all else 16
    found = feature_maps(question.classifier, question.model_input, request.layer, most, request.at)
    words = views.maps_words(found, at_mark=request.at is not None)
    return {"html": views.maps(found), "words": words, "channels": found.channels}


@answers(SwitchRequest)
def answer_without(request: SwitchRequest) -> dict[str, Any]:
    """-> ``{"html"}``: the top classes with all blocks on, and without some."""
    question, off = _question(request), request.off
    if len(off) > len(switchable(question.classifier.variant.spec)):
        raise ExplorerError("A list of blocks is expected.")
    before = predict_without(question.classifier, question.model_input, ())
    after = predict_without(question.classifier, question.model_input, frozenset(off)) if off else before
    return {"html": views.answers(before, after, len(off))}


def measure(action: Any, request: gr.Request) -> Iterator[Any]:
    """A ``ContributionsRequest`` as JSON -> JSON ``{"key"}`` with ``cells`` and ``words``, ``progress`` or ``error``.

    One at a time for each page: the next stops the one before.
    """
    session, key = str(request.session_hash), ""
    jobs.stop(session, KIND)
    try:
        wanted = parse_json(ContributionsRequest, action, MAX_ACTION)
        key = wanted.key
        if not wanted.token:
            return
        question, index = _question(wanted), wanted.index
        if question.quick:
            yield _update(key, **_described(contributions(question.classifier, question.model_input, index)))
            return
        for event in jobs.run(session, KIND, lambda job: _contributions(job, question, index)):
            yield _news(key, event)
    except Exception as error:
        yield _update(key, error=error_message(error))


def _contributions(job: Job, question: Question, index: int) -> dict[str, Any]:
    def step(done: int, of: int) -> None:
        job.say(f"Measured {done} of {of} blocks …")
        if job.stopped:
            raise Stopped("Stopped. What each block adds was not measured.")

    return _described(contributions(question.classifier, question.model_input, index, step))


def _described(found: Contributions) -> dict[str, Any]:
    """The cells of the table of blocks, and what was found as a sentence."""
    return {"cells": views.contribution_cells(found), "words": views.findings(found)}


def _news(key: str, event: Any) -> Any:
    if isinstance(event, Finished):
        return _update(key, error=error_message(event.error)) if event.error else _update(key, **event.result)
    return _update(key, progress=str(event), waiting=isinstance(event, Waiting))


def _update(key: str, **answer: Any) -> Any:
    return gr.update(contributions=json.dumps({"key": key, **answer}))


def _question(request: PhotoRequest) -> Question:
    """Raises ``ExplorerError`` if the photo or the network is not here."""
    photo = request.photo
    classifier = classifier_of(request.variant, request.network, request.device)
    return Question(classifier, photo, classifier.variant.transform(photo))
