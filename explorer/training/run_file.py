"""A run as files: JSON that trains it again, and weights with a card that describes their network."""

from __future__ import annotations

import json
import platform
from collections.abc import Sequence
from typing import Annotated, Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors.torch import save

from ..errors import ExplorerError
from ..network.card import CARD_KEY
from ..spec import from_dict, to_dict
from .loop import Epoch
from .recipe import Recipe
from .record import TRAINING_DATA, CurvePoint, Plan, Record

SCHEMA = 1
MAX_TEXT = 8 * 2**20  # characters; a run of the deepest network has six million
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Part = Annotated[str, Field(pattern=r"^(stem|head|layer[0-9]+\.[0-9]+)$", max_length=20)]
_MOST = 20_000


def run_json(record: Record) -> str:
    """JSON text: the plan, what it was trained on and with, and every measured number in all its digits."""
    plan, points = record.plan, record.points
    data = {
        "schema": SCHEMA,
        "name": plan.name,
        "spec": to_dict(plan.spec),
        "recipe": plan.recipe.to_dict(),
        "data": plan.data,
        "images": [record.train, record.test],
        "mean": record.mean,
        "std": record.std,
        "with": {"torch": torch.__version__, "threads": record.threads, "machine": platform.machine()},
        "ended": record.ended,
        "parts": record.parts,
        "points": {
            "epoch": [point.epoch for point in points],
            "loss": [point.loss for point in points],
            "learning_rate": [point.learning_rate for point in points],
            "gradient_norms": [point.norms for point in points],
        },
        "epochs": [vars(epoch) for epoch in record.epochs],
    }
    return json.dumps(data, indent=1, allow_nan=False)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class _Points(_Strict):
    epoch: list[_Number] = Field(max_length=_MOST)
    loss: list[_Number] = Field(max_length=_MOST)
    learning_rate: list[_Number] = Field(max_length=_MOST)
    gradient_norms: list[list[_Number]] = Field(max_length=_MOST)


class _Epoch(_Strict):
    epoch: int = Field(ge=0, lt=10_000)
    loss: _Number
    train_accuracy: float = Field(ge=0, le=1)
    test_accuracy: float = Field(ge=0, le=1)
    seconds: float = Field(ge=0)


class _File(_Strict):
    schema_: int = Field(alias="schema", ge=SCHEMA, le=SCHEMA)
    name: str = Field(max_length=200)
    spec: dict[str, Any]
    recipe: dict[str, Any]
    data: str = Field(max_length=40)
    images: list[int] = Field(default_factory=list, max_length=2)
    ended: str = Field(default="", max_length=400)
    parts: list[_Part] = Field(default_factory=list, max_length=2000)
    points: _Points | None = None
    epochs: list[_Epoch] = Field(default_factory=list, max_length=10_000)


def read_run(text: str) -> Record:
    """Inverse of ``run_json``, without weights; only name, spec, recipe and data need be there.

    Raises:
        ExplorerError: the text is not such JSON.
    """
    if len(text) > MAX_TEXT:
        raise ExplorerError(f"run: got {len(text):,} characters; at most {MAX_TEXT:,} are read")
    try:
        file = _File.model_validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part)[:40] for part in first["loc"]) or "file"
        raise ExplorerError(f"run: this is not the JSON of a run; {place}: {first['msg'][:120]}") from None
    if file.data not in TRAINING_DATA:
        raise ExplorerError(f"data: got {file.data!a}; allowed: {', '.join(TRAINING_DATA)}")
    spec = TRAINING_DATA[file.data].fit(from_dict(file.spec))
    record = Record(Plan(file.name, spec, Recipe.from_dict(file.recipe), file.data), tuple(file.parts))
    record.train, record.test = file.images if len(file.images) == 2 else (0, 0)
    record.points = _points(file.points, len(file.parts)) if file.points else []
    record.epochs = [Epoch(**vars(epoch)) for epoch in file.epochs]
    record.ended = file.ended
    return record


def _points(given: _Points, parts: int) -> list[CurvePoint]:
    columns: Sequence[Sequence[Any]] = (given.epoch, given.loss, given.learning_rate, given.gradient_norms)
    if len({len(column) for column in columns}) != 1 or any(len(norms) != parts for norms in given.gradient_norms):
        raise ExplorerError("run: the columns of points are not of one length")
    return [CurvePoint(a, b, c, tuple(norms)) for a, b, c, norms in zip(*columns, strict=True)]


def weights_file(record: Record) -> bytes:
    """The weights as safetensors; their metadata says network, classes and normalisation (see ``network.card``).

    Raises:
        ExplorerError: only its curves are known.
    """
    if record.weights is None:
        raise ExplorerError(f"{record.plan.name}: its weights are no longer available. Train it again")
    return save(dict(record.weights), {"format": "pt", CARD_KEY: record.card().to_json()})
