"""How a part of the tab is made: constant markup, a script beside it, and the functions that the script calls."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

# The ``accept`` of an <input type=file>. Browsers do not count HEIC and AVIF among images everywhere.
PICK = 'accept="image/*,.heic,.heif,.avif" hidden'


def create_panel(
    elem_id: str, template: str, script: str, functions: Sequence[Callable[[Any], str]], **properties: Any
) -> gr.HTML:
    """A part of the tab in the current Gradio context.

    Args:
        script: JavaScript that mounts it (``scripts.mount``).
        functions: decorated with ``bridge.answers``; the script calls them by name.
        properties: of the component; the script reads them as ``props``.
    """
    return gr.HTML(
        value="",
        html_template=template,
        js_on_load=script,
        server_functions=list(functions),
        apply_default_css=False,
        padding=False,
        elem_id=elem_id,
        **properties,
    )
