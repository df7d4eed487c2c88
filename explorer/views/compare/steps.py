"""From one network to another, one choice at a time: the words of every choice that differs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...spec import FIELD_LABELS, Option, ResNetSpec

Change = tuple[str, dict[str, Any]]
_MOST_NAMED = 3


def changes(left: ResNetSpec, right: ResNetSpec) -> Iterator[Change]:
    """What turns ``left`` into ``right``: words and new field values, from the input to the classifier.

    Applied in this order, all of them give ``right``. One alone may contradict the fields not changed yet, as groups do
    with basic blocks. Overrides of blocks that go are dropped on the way.
    """
    if _input(left) != _input(right):
        yield (
            f"Input: {_input(left)} → {_input(right)}",
            {name: getattr(right, name) for name in ("in_channels", "image_size")},
        )
    yield from _fields(left, right, "stem", "block")
    if _groups(left) != _groups(right):
        yield (
            f"{_label('groups')}: {_groups(left)} → {_groups(right)}",
            {name: getattr(right, name) for name in ("groups", "width_per_group")},
        )
    yield from _stages(left, right)
    yield from _fields(left, right, "shortcut", "zero_pad", "stride_on", "norm", "activation", "init")
    yield from _fields(left, right, "zero_init_residual", "num_classes")
    kept = _kept(left.shortcut_overrides, right.depths)
    if kept != right.shortcut_overrides:
        yield _overrides(right, dict(kept)), {"shortcut_overrides": right.shortcut_overrides}


def _fields(left: ResNetSpec, right: ResNetSpec, *names: str) -> Iterator[Change]:
    for name in names:
        old, new = getattr(left, name), getattr(right, name)
        if old != new:
            yield f"{_label(name)}: {_word(old)} → {_word(new)}", {name: new}


def _label(field: str) -> str:
    return FIELD_LABELS[field].change


def _stages(left: ResNetSpec, right: ResNetSpec) -> Iterator[Change]:
    """Stages that go or come, then widths, then blocks, one stage after the other."""
    depths, widths = left.depths, left.widths
    while len(depths) > len(right.depths):
        yield f"Stage {len(depths)}: {_blocks(depths[-1])} → none", _shape(left, depths[:-1], widths[:-1])
        depths, widths = depths[:-1], widths[:-1]
    common = len(depths)
    if widths != right.widths[:common]:
        new = right.widths[:common]
        yield f"{_label('widths')}: {_list(widths)} → {_list(new)}", _shape(left, depths, new)
        widths = new
    for place in range(common):
        old, blocks = depths[place], right.depths[place]
        if old != blocks:
            depths = (*depths[:place], blocks, *depths[place + 1 :])
            yield f"Stage {place + 1}: {old} → {_blocks(blocks)}", _shape(left, depths, widths)
    for place in range(common, len(right.depths)):
        depths, widths = right.depths[: place + 1], right.widths[: place + 1]
        yield f"Stage {place + 1}: none → {_blocks(depths[-1])}", _shape(left, depths, widths)


def _shape(left: ResNetSpec, depths: tuple[int, ...], widths: tuple[int, ...]) -> dict[str, Any]:
    return {"depths": depths, "widths": widths, "shortcut_overrides": _kept(left.shortcut_overrides, depths)}


def _kept(overrides: tuple[tuple[str, Any], ...], depths: tuple[int, ...]) -> tuple[tuple[str, Any], ...]:
    """Those of blocks that exist."""
    paths = {f"layer{stage}.{index}" for stage, depth in enumerate(depths, start=1) for index in range(depth)}
    return tuple((path, mode) for path, mode in overrides if path in paths)


def _overrides(right: ResNetSpec, old: dict[str, Any]) -> str:
    new = dict(right.shortcut_overrides)
    plans = {plan.path: plan for plan in right.blocks}
    changed = sorted(path for path in plans if old.get(path) != new.get(path))
    named = [f"{path} {_word(new.get(path, right.shortcut))}" for path in changed[:_MOST_NAMED]]
    more = [f"{len(changed) - _MOST_NAMED} more"] if len(changed) > _MOST_NAMED else []
    return f"{_label('shortcut_overrides')}: {', '.join([*named, *more])}"


def _input(spec: ResNetSpec) -> str:
    return f"{spec.in_channels}×{spec.image_size}×{spec.image_size}"


def _groups(spec: ResNetSpec) -> str:
    return f"{spec.groups} of width {spec.width_per_group}"


def _blocks(number: int) -> str:
    return f"{number} block{'' if number == 1 else 's'}"


def _list(values: tuple[int, ...]) -> str:
    return ", ".join(map(str, values))


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value.label if isinstance(value, Option) else str(value)
