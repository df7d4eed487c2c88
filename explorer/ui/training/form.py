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
from ..kit.fold import fold

MEMORY = 6 * 2**30
NETWORKS = {
    "both": "This and its plain twin",
    "this": "This network",
    "twin": "Its plain twin",
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
    """The form's widgets; those of the recipe have its fields' names."""

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

    def named(self, values: Sequence[Any]) -> dict[str, Any]:
        """Values of ``widgets``, by name."""
        return dict(zip(vars(self), values, strict=True))


def create(folders: bool) -> Form:
    """Lay the form out.

    Args:
        folders: whether people may name a folder of this machine.
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
    with fold("More of the recipe"), gr.Row(elem_classes="rx-form"):
        momentum = _number(DIGITS_RECIPE.momentum, "Momentum")
        label_smoothing = _number(DIGITS_RECIPE.label_smoothing, "Label smoothing")
        seed = _number(DIGITS_RECIPE.seed, "Seed of training", 0)
        nesterov = gr.Checkbox(DIGITS_RECIPE.nesterov, label="Nesterov's momentum", interactive=True, min_width=100)
        folder = gr.Textbox(
            "",
            label="Folder or archive of CIFAR-10",
            info="Empty: from RESNET_EXPLORER_DATA or the cache folder, else 170 MB are downloaded.",
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
        ExplorerError: a value is out of bounds, or no data is where it was said to be.
    """
    data, networks = values["data"], values["networks"]
    if not (isinstance(data, str) and data in TRAINING_DATA and isinstance(networks, str) and networks in NETWORKS):
        raise ExplorerError("The form was not understood. Load the page anew.")
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
        raise ExplorerError(f"{title(spec)} has no shortcuts: it is its own plain twin. Choose “This network”.")
    return {"both": [spec, spec.plain()], "this": [spec], "twin": [spec.plain()]}[networks]


def check(plans: Sequence[Plan]) -> None:
    """Refuse what cannot be trained here; takes seconds for the deepest networks.

    Raises:
        ExplorerError: a shortcut does not fit, or the networks together need more than ``MEMORY``.
    """
    needed = 0
    for plan in plans:
        report = inspect(plan.spec)
        if report.broken:
            raise ExplorerError(f"{plan.name} cannot run. {report.broken[0].explanation}")
        kept = sum(kept.bytes for kept in find_saved_tensors(report.trace))
        # Weights, their gradients, their momentum, and the copy that is kept; what waits for the backward pass.
        needed += 4 * 4 * estimate(plan.spec)[0] + kept * plan.recipe.batch_size
    if needed > MEMORY:
        raise ExplorerError(
            f"Training this needs about {numbers.size(needed)}; here {numbers.size(MEMORY)} are allowed. "
            "Take a smaller batch or a smaller network, or one network at a time."
        )
