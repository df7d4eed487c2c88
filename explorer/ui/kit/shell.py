"""What the page passes to each tab."""

from __future__ import annotations

from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True)
class Shell:
    """The page around a tab.

    Attributes:
        page: the whole of it, for events of loading and closing.
        query: the builder's network, as ``from_query`` reads it.
        graph: the diagram, which is rendered by the tab that shows it.
        model_file: the panel of model files; its ``input`` event brings what it asks for.
        local: whether only people who may use files of this machine reach the page.
    """

    page: gr.Blocks
    query: gr.Textbox
    graph: gr.HTML
    model_file: gr.HTML
    local: bool
