"""The choices that change how gradients flow, as drop-downs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ...errors import ExplorerError
from ...spec import FIELD_LABELS, Activation, Init, Norm, Option, ResNetSpec, Shortcut
from ..kit.markup import tag, text

_ORDERS = {False: "after the addition", True: "pre-activation"}


def switches(spec: ResNetSpec) -> str:
    """A labelled ``<select>`` for each field; an option's value is the field's, as JSON.

    A choice that would leave the bounds of a spec is disabled, and its title says why.
    """
    return "".join(
        tag("label", text(label) + tag("select", _options(spec, field, choices), data_field=field, aria_label=label))
        for label, field, choices in _fields(spec)
    )


def _fields(spec: ResNetSpec) -> Iterator[tuple[str, str, Iterable[tuple[str, Any]]]]:
    yield _label("norm"), "norm", _labelled(Norm)
    yield _label("init"), "init", _labelled(Init)
    yield _label("zero_init_residual"), "zero_init_residual", (("as the others", False), ("starts at 0", True))
    yield _label("activation"), "activation", _labelled(Activation)
    yield _label("shortcut"), "shortcut", _labelled(Shortcut)
    blocks = ((words, spec.block.with_order(preact)) for preact, words in _ORDERS.items())
    yield "Activation order", "block", [(words, block) for words, block in blocks if block]


def _label(field: str) -> str:
    return FIELD_LABELS[field].short


def _labelled(options: type[Option]) -> list[tuple[str, Option]]:
    return [(option.label, option) for option in options]


def _options(spec: ResNetSpec, field: str, choices: Iterable[tuple[str, Any]]) -> str:
    return "".join(_option(spec, field, name, value) for name, value in choices)


def _option(spec: ResNetSpec, field: str, name: str, value: Any) -> str:
    selected = {"selected": "selected"} if getattr(spec, field) == value else {}
    try:
        spec.with_(**{field: value})
    except ExplorerError as error:
        return tag("option", text(name), disabled="disabled", title=str(error), **selected)
    return tag("option", text(name), value=json.dumps(value), **selected)
