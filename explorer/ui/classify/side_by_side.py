"""One photo through several networks, one after the other; those that need no download."""

from __future__ import annotations

from typing import Annotated, Any

import gradio as gr
from pydantic import BeforeValidator, Field

from ...views.classify.side_by_side import Vote, agreement, failed_row, row, vote
from ..kit import scripts
from ..kit.bridge import Request, answers, error_message
from ..kit.panel import create_panel
from . import networks
from .requests import PhotoRequest, SessionRequest

_MOST_VOTES = 64
_MOST_WORDS = 200  # characters
_TEMPLATE = """
<details class="rx-section rx-beside-nets">
  <summary>Side by side <small>the photo above through several networks</small></summary>
  <fieldset class="rx-names" aria-label="Networks to compare"></fieldset>
  <div class="rx-row">
    <button type="button" class="rx-button" data-do="ask">Classify with all</button>
    <button type="button" class="rx-button" data-do="stop" hidden>Stop</button>
    <span class="rx-told rx-note" role="status"></span>
  </div>
  <div class="rx-agreement" aria-live="polite"></div>
  <div class="rx-scroll" tabindex="0" role="region" aria-label="Answers side by side" hidden>
    <table class="rx-table"><thead><tr><th scope="col">Network</th><th scope="col">Answer</th>
      <th scope="col" class="num">Score</th><th scope="col">Then</th>
      <th scope="col" class="num">Forward</th></tr></thead>
      <tbody></tbody></table>
  </div>
</details>
"""


def build_panel() -> gr.HTML:
    """Lay the panel out in the current Gradio context."""
    functions = [list_ready, classify_beside, summarize_votes]
    return create_panel("beside-panel", _TEMPLATE, scripts.mount("classify/side_by_side.js"), functions)


def _sound_votes(value: Any) -> list[Vote]:
    """The votes among whatever a browser sent."""
    return [
        (str(vote[0])[:_MOST_WORDS], str(vote[1])[:_MOST_WORDS], str(vote[2])[:_MOST_WORDS])
        for vote in (value if isinstance(value, list) else [])[:_MOST_VOTES]
        if isinstance(vote, list) and len(vote) == 3
    ]


class VotesRequest(Request):
    """
    Attributes:
        votes: as ``classify_beside`` gave them.
    """

    votes: Annotated[list[Vote], BeforeValidator(_sound_votes)] = Field([])


@answers(SessionRequest)
def list_ready(request: SessionRequest) -> dict[str, Any]:
    """-> ``{"networks": [[label, name]]}``: those that answer without a download."""
    return {"networks": networks.choices_without_download(request.session)}


@answers(PhotoRequest)
def classify_beside(request: PhotoRequest) -> dict[str, Any]:
    """-> ``{"row", "vote"}``: one network's answer, and its vote for ``summarize_votes``; null if it failed."""
    try:
        prediction = networks.predict(request, request.photo)
    except Exception as error:
        return {"row": failed_row(request.variant, error_message(error)), "vote": None}
    return {"row": row(prediction), "vote": vote(prediction)}


@answers(VotesRequest)
def summarize_votes(request: VotesRequest) -> dict[str, Any]:
    """-> ``{"html"}``: where the networks agree."""
    return {"html": agreement(request.votes)}
