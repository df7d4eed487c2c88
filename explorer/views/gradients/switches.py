"""The choices that change how gradients flow, as drop-downs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from ...errors import ExplorerError
from ...spec import Activation, Block, Init, Norm, Option, ResNetSpec, Shortcut
from ..kit.markup import tag, text

_PREACT = {
    Block.BASIC: Block.PREACT_BASIC,
    Block.BOTTLENECK: Block.PREACT_BOTTLENECK,
    Block.PREACT_BASIC: Block.BASIC,
    Block.PREACT_BOTTLENECK: Block.BOTTLENECK,
}


def switches(spec: ResNetSpec) -> str:
    """A labelled ``<select>`` a field of ``spec``; an option's value is the field's, as JSON.

    A choice that leaves the bounds of a spec is disabled, and its title says why.
    """
    return "".join(
        tag("label", text(label) + tag("select", _options(spec, field, choices), data_field=field, aria_label=label))
        for label, field, choices in _fields(spec)
    )


def _fields(spec: ResNetSpec) -> Iterator[tuple[str, str, Iterable[tuple[str, Any]]]]:
    yield "Normalisation", "norm", _labelled(Norm)
    yield "Initial weights", "init", _labelled(Init)
    yield "Last layer of a branch", "zero_init_residual", (("as the others", False), ("starts at 0", True))
    yield "Activation", "activation", _labelled(Activation)
    yield "Shortcut", "shortcut", _labelled(Shortcut)
    after, before = sorted((spec.block, _PREACT[spec.block]), key=lambda block: block.is_preact)
    yield "Activation order", "block", (("after the sum", after), ("pre-activation", before))


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
