"""The Classify tab: a photo in, top-5 out, and what follows from it; pretrained weights fetched only when asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from ..kit.shell import Shell
from . import contents, many_photos, networks, side_by_side, throughput, transfer, why
from .choice import Choice, Updates, build_choice
from .upload import ROUTE, add_route

__all__ = ["ROUTE", "add_route", "build_tab"]


def build_tab(shell: Shell) -> None:
    """Lay the tab out in the current Gradio context."""
    choice = build_choice()
    contents.build_panel()
    why.build_panel()
    side_by_side.build_panel()
    many_photos.build_panel()
    learning = transfer.build_panel()
    table = networks.build_panel()
    throughput.build_panel(choice.variant, choice.device, shell.query)
    _wire_choice(choice, shell.model_file)
    _wire_transfer(choice, learning)
    inputs = [table, *choice.inputs]
    table.input(choice.pick, inputs, choice.outputs, show_progress="hidden", trigger_mode="always_last")
    shell.page.load(choice.load, None, choice.outputs, show_progress="hidden")


def _wire_choice(choice: Choice, files: gr.HTML) -> None:
    """What changes the network, and what follows."""
    row = choice.download
    how: dict[str, Any] = {"show_progress": "hidden"}
    choice.variant.input(choice.show, choice.inputs, choice.outputs, **how, trigger_mode="always_last")
    choice.variant.input(lambda: "", None, row.status, **how)
    choice.device.input(choice.classify, choice.inputs, choice.panel, **how)
    fetching = row.start.click(row.fetch, choice.variant, row.outputs, **how)
    fetching.then(choice.show, choice.inputs, choice.outputs, **how)
    row.stop.click(row.cancel, None, row.outputs, cancels=fetching, **how)
    files.input(choice.follow_files, [files, *choice.inputs], choice.outputs, **how)


def _wire_transfer(choice: Choice, panel: gr.HTML) -> None:
    """A new head is chosen once it has learned."""

    def act(action: Any, device: str, request: gr.Request) -> Iterator[Updates]:
        for news, name in transfer.act(action, request):
            yield {panel: news, **(choice.choose(name, device, str(request.session_hash)) if name else {})}

    how: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "multiple", "concurrency_limit": None}
    panel.input(act, [panel, choice.device], [panel, *choice.outputs], **how)
