"""The Classify tab: a photo in, top-5 out, and what follows from it; pretrained weights fetched only when asked."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import gradio as gr

from ...errors import ExplorerError
from ...inference import available_devices
from ...inference.classifier import DEFAULT
from ...views.classify import many_photos as many
from ...views.kit import numbers
from ...views.kit.markup import tag, text
from ..kit import jobs
from ..kit.model_files import FILE
from ..kit.photos import ALBUM
from ..kit.shell import Shell
from ..model_file import panel as files
from . import answers, templates, throughput, why
from . import transfer as teach
from .download import cancelled, download
from .networks import HEADS, about, choices, known, to_download
from .upload import ROUTE, add_route

__all__ = ["ROUTE", "add_route", "build_tab", "left", "loaded"]


def build_tab(shell: Shell) -> None:
    """Lay the tab out in the current Gradio context; returns the outputs of ``loaded``.

    Args:
        opened: the panel of model files (``files.panel``); what it opens is among the choices.
        trained: holds a wish as that panel's, whenever something was trained to classify with.
    """
    devices = [("Automatic", "auto"), *((device.label, device.name) for device in available_devices())]
    with gr.Row():
        variant = gr.Dropdown(
            choices(), value=DEFAULT, label="Network", interactive=True, scale=3, min_width=280, elem_id="variant"
        )
        device = gr.Radio(devices, value="auto", label="Device", interactive=True, scale=2, min_width=280)
    line = gr.HTML(_line(DEFAULT), elem_id="variant-about", padding=False)
    with gr.Row(elem_id="download-row"):
        start = gr.Button(
            "Download", visible=False, variant="primary", size="sm", scale=0, min_width=200, elem_id="download"
        )
        stop = gr.Button("Cancel", visible=False, size="sm", scale=0, min_width=120, elem_id="cancel-download")
    status = gr.HTML("", padding=False, elem_id="download-status")
    panel = _part(
        "classify-panel",
        templates.PHOTO,
        _script("classify.js"),
        [answers.classify, answers.examples, answers.example],
        variant=DEFAULT,
        device="auto",
        ready=0,
    )
    why.build_panel()
    asks = [answers.ready, answers.beside_row, answers.beside_words]
    _part("beside-panel", templates.BESIDE, _script("side_by_side.js"), asks)
    _part(
        "many-panel",
        templates.MANY,
        _script("many_photos.js"),
        [answers.many_row],
        columns=many.CSV_HEAD,
    )
    lessons = [teach.look, teach.base, teach.stop, teach.open_head, teach.head_file]
    lesson = _part("teach-panel", templates.TEACH, _script("transfer.js"), lessons, news="")
    nets = _part("nets-panel", templates.NETWORKS, "", [answers.table])
    throughput.build_panel(variant, device)
    shown = [line, start, panel]
    both = [variant, device]
    chosen: dict[str, Any] = {"inputs": both, "outputs": shown, "show_progress": "hidden"}
    variant.input(_chosen, **chosen, trigger_mode="always_last")
    variant.input(lambda: "", None, status, show_progress="hidden")
    device.input(_on, both, panel, show_progress="hidden")
    # The choice is held while its weights arrive: what is shown when they do is what was asked for.
    busy = [status, start, stop, variant]
    fetching = start.click(download, variant, busy, show_progress="hidden")
    fetching.then(_chosen, **chosen)
    stop.click(cancelled, None, busy, cancels=fetching, show_progress="hidden")
    opened = shell.model_file
    opened.input(_offered, [opened, *both], [variant, *shown], show_progress="hidden")
    nets.input(_picked, [nets, device], [variant, *shown], show_progress="hidden", trigger_mode="always_last")
    taught: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "multiple", "concurrency_limit": None}
    lesson.input(_taught, [lesson, device], [lesson, variant, *shown], **taught)
    shell.page.unload(left)
    shell.page.load(loaded, None, [variant, panel], show_progress="hidden")


def loaded(request: gr.Request) -> list[Any]:
    """A page was opened: the choices as they are now, and what the page calls itself when it sends photos."""
    session = str(request.session_hash)
    return [gr.update(choices=choices(session)), session]


def left(request: gr.Request) -> None:
    """A page was closed: its photos, heads and jobs go."""
    session = str(request.session_hash)
    jobs.leave(session)
    ALBUM.leave(session)
    HEADS.leave(session)
    teach.NOTES.leave(session)


def _part(elem_id: str, template: str, source: str, functions: list[Any], **properties: Any) -> gr.HTML:
    return gr.HTML(
        value="",
        html_template=template,
        js_on_load=source,
        server_functions=functions,
        apply_default_css=False,
        padding=False,
        elem_id=elem_id,
        **properties,
    )


def _line(name: str) -> str:
    return tag("p", text(about(name)), css="rx-note")


def _on(name: str, device: str) -> Any:
    """Update of the photo's panel, which asks anew. An update takes away the properties it does not name."""
    return gr.update(variant=name, device=device, ready=time.time())


def _chosen(name: str, device: str) -> list[Any]:
    """Updates of the line on the network, of Download, and of the photo's panel."""
    missing = to_download(name)
    label = f"Download {numbers.size(missing.size_bytes)}" if missing else "Download"
    return [_line(name), gr.update(visible=bool(missing), value=label), _on(name, device)]


def _offered(wish: Any, now: str, device: str, request: gr.Request) -> list[Any]:
    """After the panel of files asked for something: choices, and the one it asked for; a file that went is let go."""
    session = str(request.session_hash)
    try:
        do, token, held = files.parse_action(wish, session)
        wanted = FILE + token if do == "classify" and held and held.classifies else now
    except ExplorerError:
        wanted = now
    wanted = known(wanted, session)
    rest = [gr.skip()] * 3 if wanted == now else _chosen(wanted, device)
    return [gr.update(choices=choices(session), value=wanted), *rest]


def _picked(wish: Any, device: str, request: gr.Request) -> list[Any]:
    """A row of the table of networks was chosen: ``{"name"}`` as JSON."""
    session = str(request.session_hash)
    try:
        wanted = known(str(json.loads(str(wish)[:1000])["name"]), session)
    except (ValueError, TypeError, KeyError):
        return [gr.skip()] * 4
    return [gr.update(choices=choices(session), value=wanted), *_chosen(wanted, device)]


def _taught(wish: Any, device: str, request: gr.Request) -> Iterator[list[Any]]:
    """News of the teaching; in the end the new network is chosen."""
    for news, name in teach.wished(wish, request):
        if name:
            yield [news, gr.update(choices=choices(str(request.session_hash)), value=name), *_chosen(name, device)]
        else:
            yield [news, *[gr.skip()] * 4]


def _script(name: str) -> str:
    """A part's script, behind the one that sends photos."""
    return ""
