"""The form of the Training tab: what is trained, on what and by which recipe; and a form's values as plans."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ...datasets import DataSet, find_data
from ...errors import ExplorerError
from ...inspection import inspect
from ...inspection.saved_tensors import find_saved_tensors
from ...spec import ResNetSpec, from_query, title
from ...spec.budget import estimate
from ...training import DIGITS_RECIPE, EXPERIMENTS, TRAINING_DATA, Plan, Recipe, Schedule, plan_runs
from ...views.kit import numbers
from ...views.training.experiment import mismatch
from ...views.training.experiment import preview as describe_plans
from ..kit.fold import fold

MEMORY = 6 * 2**30
NETWORKS = {
    "both": "Builder's and plain counterpart",
    "this": "The builder's network",
    "twin": "Its plain counterpart",
    **{experiment.name: experiment.title for experiment in EXPERIMENTS.values()},
}
AUGMENTATION = {"none": "None", "crops": "Shifts", "mirrored": "Shifts and mirror images"}
_SCHEDULES = {
    Schedule.PAPER: "The paper's, ÷10 twice",
    Schedule.COSINE: "Cosine",
    Schedule.ONE_CYCLE: "One cycle",
}


@dataclass(frozen=True)
class Form:
    """The form's widgets; those of the recipe are named like its fields."""

    data: gr.Dropdown
    networks: gr.Dropdown
    epochs: gr.Number
    learning_rate: gr.Number
    batch_size: gr.Number
    schedule: gr.Dropdown
    weight_decay: gr.Number
    augmentation: gr.Dropdown
    momentum: gr.Number
    nesterov: gr.Checkbox
    label_smoothing: gr.Number
    seed: gr.Number
    folder: gr.Textbox

    @property
    def widgets(self) -> list[Any]:
        return list(vars(self).values())

    def by_name(self, values: Sequence[Any]) -> dict[str, Any]:
        """``values`` of ``widgets``, by name."""
        return dict(zip(vars(self), values, strict=True))


def create(folders: bool) -> Form:
    """Lay the form out.

    Args:
        folders: whether visitors may name a folder of this machine.
    """
    first = next(iter(TRAINING_DATA))
    with gr.Row(elem_classes="rx-form"):
        data = _choice({key: one.title for key, one in TRAINING_DATA.items()}, first, "Images", wide=True)
        networks = _choice(NETWORKS, "both", "Networks", wide=True)
        epochs = _number(DIGITS_RECIPE.epochs, "Epochs", 0)
        learning_rate = _number(DIGITS_RECIPE.learning_rate, "Learning rate")
        batch_size = _number(DIGITS_RECIPE.batch_size, "Batch size", 0)
        weight_decay = _number(DIGITS_RECIPE.weight_decay, "Weight decay")
        courses = {course.value: words for course, words in _SCHEDULES.items()}
        schedule = _choice(courses, DIGITS_RECIPE.schedule.value, "Schedule", wide=True)
        augmentation = _choice(AUGMENTATION, _suits(first), "Augmentation", wide=True)
    with fold("More settings"), gr.Row(elem_classes="rx-form"):
        momentum = _number(DIGITS_RECIPE.momentum, "Momentum")
        label_smoothing = _number(DIGITS_RECIPE.label_smoothing, "Label smoothing")
        seed = _number(DIGITS_RECIPE.seed, "Seed of training", 0)
        nesterov = gr.Checkbox(DIGITS_RECIPE.nesterov, label="Nesterov's momentum", interactive=True, min_width=100)
        folder = gr.Textbox(
            "",
            label="Folder or archive of CIFAR-10",
            info="If empty, RESNET_EXPLORER_DATA or the cache folder is used; otherwise 170 MB are downloaded.",
            visible=folders,
            max_length=1000,
            interactive=True,
            elem_classes="rx-wide",
            min_width=100,
        )
    data.input(_suits, data, augmentation, show_progress="hidden", queue=False)
    return Form(
        data=data,
        networks=networks,
        epochs=epochs,
        learning_rate=learning_rate,
        batch_size=batch_size,
        weight_decay=weight_decay,
        schedule=schedule,
        augmentation=augmentation,
        momentum=momentum,
        label_smoothing=label_smoothing,
        seed=seed,
        nesterov=nesterov,
        folder=folder,
    )


def _choice(choices: dict[str, str], value: str, label: str, wide: bool = False) -> gr.Dropdown:
    pairs = [(words, name) for name, words in choices.items()]
    css = "rx-wide" if wide else None
    return gr.Dropdown(
        pairs, value=value, label=label, interactive=True, filterable=False, elem_classes=css, min_width=100
    )


def _number(value: float, label: str, precision: int | None = None) -> gr.Number:
    return gr.Number(value, label=label, precision=precision, interactive=True, min_width=100)


def _suits(data: str) -> str:
    return "mirrored" if TRAINING_DATA[data].flip else "crops"


def plans(query: str, values: Mapping[str, Any]) -> tuple[list[Plan], Path]:
    """A form's values -> what to train side by side, and where CIFAR-10 is.

    Args:
        query: the builder's network.
        values: of the widgets, by the names of ``Form``.

    Raises:
        ExplorerError: a value is out of bounds, or there is no data at the given place.
    """
    data, networks = values["data"], values["networks"]
    if not (isinstance(data, str) and data in TRAINING_DATA and isinstance(networks, str) and networks in NETWORKS):
        raise ExplorerError("These settings are not valid. Reload the page.")
    recipe = _recipe(TRAINING_DATA[data], values)
    planned = plan_runs(_networks(query, networks), recipe, data)
    folder = str(values["folder"] or "").strip()
    return list(planned), find_data(TRAINING_DATA[data], Path(folder) if folder else None)


def _recipe(data: DataSet, values: Mapping[str, Any]) -> Recipe:
    augmentation, fields = values["augmentation"], Recipe().to_dict()
    given = {name: value for name, value in values.items() if name in fields}
    pad = 0 if augmentation == "none" else data.pad
    return Recipe.from_dict({**given, "pad": pad, "flip": augmentation == "mirrored"})


def _networks(query: str, networks: str) -> Sequence[ResNetSpec]:
    if networks in EXPERIMENTS:
        return EXPERIMENTS[networks].networks
    spec = from_query(query)
    if networks == "both" and spec.is_plain:
        raise ExplorerError(
            f"{title(spec)} has no shortcuts, so it is its own plain counterpart. Choose “{NETWORKS['this']}”."
        )
    return {"both": [spec, spec.plain()], "this": [spec], "twin": [spec.plain()]}[networks]


def preview(query: str, data: Any, networks: Any) -> str:
    """What Start would train: plain text; empty while the builder shows no network that can be trained.

    Args:
        query, data, networks: as ``plans`` takes them.
    """
    try:
        planned = plan_runs(_networks(query, networks), DIGITS_RECIPE, data)
        return describe_plans(planned, from_query(query), from_builder=networks not in EXPERIMENTS)
    except ExplorerError as error:
        return str(error)


def check(plans: Sequence[Plan]) -> None:
    """Refuse what cannot be trained here; takes seconds for the deepest networks.

    Raises:
        ExplorerError: a shortcut does not match, or the networks together need more than ``MEMORY``.
    """
    if broken := mismatch(plans):
        raise ExplorerError(broken)
    needed = 0
    for plan in plans:
        saved = sum(tensor.bytes for tensor in find_saved_tensors(inspect(plan.spec).trace))
        # Weights, gradients, momentum and a copy of the weights, then what is saved for backward.
        needed += 4 * 4 * estimate(plan.spec)[0] + saved * plan.recipe.batch_size
    if needed > MEMORY:
        raise ExplorerError(
            f"Training this needs about {numbers.size(needed)}; {numbers.size(MEMORY)} are allowed here. "
            "Choose a smaller batch, a smaller network, or one network at a time."
        )
