"""How a part of the page is made: constant markup, a script beside it, and the functions that the script calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr


def create_panel(
    elem_id: str | None, template: str, script: str, functions: Sequence[Callable[[Any], str]] = (), **properties: Any
) -> gr.HTML:
    """A part of the page in the current Gradio context.

    Args:
        script: JavaScript that mounts it (``scripts.mount``).
        functions: decorated with ``bridge.answers``; the script calls them by name.
        properties: of the component; the script reads them as ``props``.
    """
    return gr.HTML(
        html_template=template,
        js_on_load=script,
        server_functions=list(functions) or None,
        apply_default_css=False,
        padding=False,
        elem_id=elem_id,
        **{"value": "", **properties},
    )
