"""Results that are marked as outdated as soon as they belong to another network, or to other settings, than the page's.

    with result("gradient-result") as belongs_to:
        chart = plot.chart(…)
    follow("gradient-result", widgets)

A listener that shows a result gives ``belongs_to`` the value ``stamp(title, query, values)``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import gradio as gr

from ...views.kit.markup import tag
from . import scripts
from .panel import create_panel

_SCRIPT = "kit/currency.js"


@contextmanager
def result(elem_id: str, advice: str = "Measure again to update them.") -> Iterator[gr.HTML]:
    """Components of the ``with`` block show one result. If that is outdated, a line above says so and they are greyed.

    Yields the component that knows what the result belongs to; its value is "" without a result, or a ``stamp``.

    Args:
        advice: what the line says last, or ""; a constant.
    """
    with gr.Column(elem_classes="rx-result", elem_id=elem_id):
        yield create_panel(
            None,
            tag("p", "", css="rx-outdated", role="status", hidden="hidden"),
            scripts.mount(_SCRIPT, result=elem_id, advice=advice),
        )


def follow(elem_id: str, settings: Sequence[Any]) -> None:
    """The result of this id also depends on these widgets; the page's network counts always."""
    gr.on(
        [widget.change for widget in settings],
        None,
        list(settings),
        None,
        js=scripts.call(_SCRIPT, "setSettings", elem_id),
        show_progress="hidden",
    )


def stamp(name: str, query: str, settings: Sequence[Any] = ()) -> str:
    """What a result belongs to.

    Args:
        name: of its network, for a reader.
        query: of its network, as the page has it.
        settings: values of the widgets given to ``follow``, in that order.
    """
    return json.dumps({"name": name, "network": query, "settings": list(settings)})
