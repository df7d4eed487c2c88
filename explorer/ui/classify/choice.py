"""The choice of a network and a device above the photo, and everything that changes with it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...errors import ExplorerError
from ...inference import available_devices
from ...inference.classifier import DEFAULT
from ...views.kit.markup import tag, text
from ..kit.bridge import Request, parse_json
from ..kit.model_files import FILE
from ..model_file import panel as model_file
from . import networks, photo
from .download import DownloadRow, build_row

Updates = dict[Any, Any]
_MAX_ACTION = 1000  # characters


class NetworkAction(Request):
    """A network was chosen outside the list."""

    name: str


@dataclass(frozen=True)
class Choice:
    """The components that change with the network.

    Attributes:
        about: a line on the network.
        panel: the photo's.
    """

    variant: gr.Dropdown
    device: gr.Radio
    about: gr.HTML
    download: DownloadRow
    panel: gr.HTML

    @property
    def inputs(self) -> list[Any]:
        return [self.variant, self.device]

    @property
    def outputs(self) -> list[Any]:
        return [self.variant, self.about, self.download.start, self.panel]

    def load(self, request: gr.Request) -> Updates:
        """A page was opened: the current choices, and the name of the session for uploads."""
        session = str(request.session_hash)
        return {self.variant: gr.update(choices=networks.choices(session)), self.panel: session}

    def show(self, name: str, device: str) -> Updates:
        """The line on the network, Download, and the photo's panel, which classifies again."""
        return {self.about: _line(name), **self.download.offer(name), **self.classify(name, device)}

    def classify(self, name: str, device: str) -> Updates:
        """The photo's panel classifies again."""
        # An update takes away the properties that it does not name.
        return {self.panel: gr.update(variant=name, device=device, ready=time.time())}

    def choose(self, name: str, device: str, session: str) -> Updates:
        """Another network, with the current choices."""
        return {self.variant: gr.update(choices=networks.choices(session), value=name), **self.show(name, device)}

    def switch(self, name: str, device: str, session: str, *wanted: str) -> Updates:
        """From ``name`` to the first of ``wanted`` that can be chosen; a network that is gone is no longer chosen."""
        first = networks.first_choice(session, *wanted, name)
        if first != name:
            return self.choose(first, device, session)
        return {self.variant: gr.update(choices=networks.choices(session), value=name)}

    def pick(self, action: Any, name: str, device: str, request: gr.Request) -> Updates:
        """A network was chosen in the table or by another tab: a ``NetworkAction`` as JSON."""
        try:
            wanted = parse_json(NetworkAction, action, _MAX_ACTION).name
        except ExplorerError:
            return {self.variant: gr.skip()}
        return self.switch(name, device, str(request.session_hash), wanted)

    def follow_files(self, action: Any, name: str, device: str, request: gr.Request) -> Updates:
        """After an action of the panel of model files, for example that a file is to classify."""
        session = str(request.session_hash)
        return self.switch(name, device, session, *_wanted_file(action, session))


def _wanted_file(action: Any, session: str) -> list[str]:
    """The network of the file that is to classify, if any."""
    try:
        do, token, file = model_file.parse_action(action, session)
    except ExplorerError:
        return []
    return [FILE + token] if do == "classify" and file and file.can_classify else []


def _line(name: str) -> str:
    """Which network answers, what it knows, and the numbers behind that in a part that opens."""
    built, details = networks.architecture(name), networks.details(name)
    who = f"{tag('strong', text(f'{built} answers'))}, with trained weights: it is not the builder's network. "
    fold = tag("details", tag("summary", "Details") + tag("p", text(details)))
    return tag("p", who * bool(built) + text(networks.about(name))) + fold * bool(details)


def build_choice() -> Choice:
    """Lay out the choice, the download's buttons and the photo's panel in the current Gradio context."""
    devices = [("Automatic", "auto"), *((device.label, device.name) for device in available_devices())]
    with gr.Row():
        variant = gr.Dropdown(
            networks.choices(),
            value=DEFAULT,
            label="Network",
            interactive=True,
            scale=3,
            min_width=280,
            elem_id="variant",
        )
        device = gr.Radio(devices, value="auto", label="Device", interactive=True, scale=2, min_width=280)
    about = gr.HTML(_line(DEFAULT), elem_id="variant-about", padding=False)
    return Choice(variant, device, about, build_row(variant), photo.build_panel())
