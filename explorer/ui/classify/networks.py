"""The networks that can classify, by name: those of the catalogue, of opened files and heads; and a table of all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gradio as gr

from ...errors import ExplorerError, WeightsError
from ...inference import Classifier, Photo, Prediction, Variant, find, is_cached, load_variant, variants
from ...inference.checkpoint import variant_of
from ...inference.classifier import DEFAULT
from ...inference.head import Head
from ...inference.weights.cache import intact_path
from ...spec import title
from ...views.classify import networks_table
from ...views.classify.networks_table import NetworkRow
from ...views.kit import numbers
from ...views.kit.words import printable
from ..kit import scripts
from ..kit.bridge import answers, error_message
from ..kit.model_files import FILE, OPEN_FILES, OpenFile
from ..kit.panel import create_panel
from ..model_file import panel as model_file
from .heads import HEAD, HEADS
from .requests import ClassifierRequest, SessionRequest

MAX_NAME = 100
_TEMPLATE = """
<details class="rx-section rx-nets">
  <summary>All networks <small>accuracy, cost and input size; choose one</small></summary>
  <div class="rx-list"></div>
  <div class="rx-published"></div>
</details>
"""


def classifier_of(name: str, network: str = "", device: str = "auto") -> Classifier:
    """The classifier of a name, loaded.

    Args:
        name: of the catalogue, or ``file:TOKEN``, or ``head:TOKEN``.
        network: the builder's, as ``from_query`` reads it; it completes a model file whose weights say too little.

    Raises:
        NotHere: its weights would have to be downloaded first.
        ExplorerError: there is no such network, or it cannot run.
    """
    if name.startswith(HEAD):
        head = HEADS.find(name.removeprefix(HEAD))
        return head.on(classifier_of(head.base, network, device))
    if name.startswith(FILE):
        file = file_of(name)
        return file.classifier(file.spec_for(network), device)
    return load_variant(find(name), device, download=False)


def predict(request: ClassifierRequest, photo: Photo) -> Prediction:
    """The prediction of a network (see ``classifier_of``); for a file's weights also how they were read."""
    prediction = classifier_of(request.variant, request.network, request.device).classify(photo)
    if not request.variant.startswith(FILE):
        return prediction
    file = file_of(request.variant)
    notes = model_file.assumption_sentences(file, file.spec_for(request.network))
    return replace(prediction, notes=(*prediction.notes, *notes))


def file_of(name: str) -> OpenFile:
    """The opened file of ``file:TOKEN``."""
    return OPEN_FILES.find(name.removeprefix(FILE))


def base_of(name: str) -> str:
    """The network whose features ``name`` uses: that of a head, otherwise itself."""
    return HEADS.find(name.removeprefix(HEAD)).base if name.startswith(HEAD) else name


def to_download(name: str) -> Variant | None:
    """The network of the catalogue whose weights ``name`` still needs; None if they are here."""
    try:
        base = base_of(name)
    except ExplorerError:  # a head that is gone; the answer will say so
        return None
    variant = None if base.startswith(FILE) else find(base)
    return variant if variant and intact_path(variant.file) is None else None


def base_of_head(head: Head, session: str) -> str:
    """Name of the network that an opened head was fitted on.

    Raises:
        WeightsError: it is neither in the catalogue nor among the page's files.
    """
    for variant in variants():
        if variant.file.sha256 == head.backbone_sha256:
            return variant.name
    for token, file in OPEN_FILES.of(session):
        if file.can_classify and file.checkpoint.sha256 == head.backbone_sha256:
            return FILE + token
    raise WeightsError(
        f"This head was trained on {head.backbone[:MAX_NAME]!a}, which is not here. "
        "Open that model file first, then the head."
    )


def choices(session: str = "") -> list[tuple[str, str]]:
    """Labels and names; the heads and files of a page come first."""
    new = [(f"linear probe: {label_of(one.head)}", HEAD + token) for token, one in HEADS.of(session)]
    own = [
        (f"your file: {file.display_name}", FILE + token) for token, file in OPEN_FILES.of(session) if file.can_classify
    ]
    return [*new, *own, *((_label(variant), variant.name) for variant in variants())]


def choices_without_download(session: str = "") -> list[tuple[str, str]]:
    """The choices that need no download."""
    return [(label, name) for label, name in choices(session) if ":" in name or is_cached(find(name))]


def rows(session: str) -> list[NetworkRow]:
    """The heads and files of a page, for the table of networks."""
    new = [NetworkRow.of(one.variant, HEAD + token, "trained here") for token, one in HEADS.of(session) if one.variant]
    return [*new, *(_row_of(FILE + token, file) for token, file in OPEN_FILES.of(session) if file.can_classify)]


def _row_of(name: str, file: OpenFile) -> NetworkRow:
    variant = variant_of(file.checkpoint, file.checkpoint.spec)
    return replace(NetworkRow.of(variant, name, "your file"), title=f"{file.display_name}: {title(variant.spec)}")


def label_of(head: Head) -> str:
    """ "cat, dog · 24 photos"."""
    return f"{printable(', '.join(head.classes), 48)} · {head.photos} photos"


def about(name: str) -> str:
    """What a network knows and how often it is right, in one or two sentences."""
    if name.startswith((FILE, HEAD)):
        try:
            return _about_head(name) if name.startswith(HEAD) else _about_file(name)
        except ExplorerError as error:
            return error_message(error)
    variant = find(name)
    side = variant.transform.crop
    score = ""
    if variant.top1 is not None:
        score = f"; right for {variant.top1:.0f} of 100 test images at {side}×{side} pixels"
    return f"Knows {_known(variant)}{score}."


def details(name: str) -> str:
    """Numbers and sources behind ``about``; empty if the name is not in the catalogue."""
    if name.startswith((FILE, HEAD)):
        return ""
    variant = find(name)
    score = f"{variant.top1:.1f} % top-1 on {variant.dataset}. " if variant.top1 is not None else ""
    return f"{variant.title}: {score}{numbers.count(variant.params)} parameters."


def architecture(name: str) -> str:
    """Title of the network that answers, for example "ResNet-14"; empty if it is gone."""
    try:
        base = base_of(name)
        return title(file_of(base).checkpoint.spec if base.startswith(FILE) else find(base).spec)
    except ExplorerError:
        return ""


def _known(variant: Variant) -> str:
    """Its classes, or how many and of which kind: "200 everyday classes"."""
    if len(variant.classes) <= 12:
        return ", ".join(variant.classes)
    kind = variant.title.partition(",")[0]
    return kind if kind.endswith(" classes") else f"{len(variant.classes):,} classes"


def first_choice(session: str, *names: str) -> str:
    """The first of ``names`` that can be chosen, otherwise the built-in network."""
    possible = dict(choices(session)).values()
    return next((name for name in names if name in possible), DEFAULT)


def _label(variant: Variant) -> str:
    if variant.file.builtin:
        return f"{variant.title} · built in"
    return f"{variant.title} · {'on this machine' if is_cached(variant) else numbers.size(variant.file.size_bytes)}"


def _about_file(name: str) -> str:
    file = file_of(name)
    spec = file.checkpoint.spec
    size = numbers.size(file.checkpoint.size_bytes)
    return (
        f"{file.display_name}: {title(spec)}, {spec.num_classes:,} classes, {size}. "
        "Settings that weights do not contain are the builder's while the builder shows this network."
    )


def _about_head(name: str) -> str:
    head = HEADS.find(name.removeprefix(HEAD)).head
    return (
        f"A linear probe on the frozen features of {head.backbone}. Knows {printable(', '.join(head.classes), 200)}. "
        f"Cross-validated accuracy: {numbers.percent(head.accuracy)} of {head.photos} photos."
    )


def build_panel() -> gr.HTML:
    """Lay the table out in the current Gradio context. Its ``input`` event brings ``choice.NetworkAction``."""
    return create_panel("nets-panel", _TEMPLATE, scripts.mount("classify/networks.js"), [list_networks])


@answers(SessionRequest)
def list_networks(request: SessionRequest) -> dict[str, Any]:
    """-> ``{"html", "published"}``: all networks; accuracies of the first of them."""
    return {"html": networks_table.networks(rows(request.session)), "published": networks_table.history()}
