"""The builder: the only translation between widgets and ``ResNetSpec``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ..spec import (
    DEPTHS,
    PRESETS,
    Activation,
    Block,
    Init,
    Norm,
    Option,
    ResNetSpec,
    Shortcut,
    Stem,
    StrideOn,
    ZeroPad,
    from_words,
    preset_of,
    title,
)
from ..views.inspector.shortcut_choice import AS_NETWORK
from .kit.fold import fold

CUSTOM = "custom"
Make = Callable[[Any, str], gr.components.Component]


@dataclass(frozen=True)
class Control:
    """One widget of the builder.

    Attributes:
        field: the ``ResNetSpec`` field it stands for.
        make: creates the widget for an initial value and an id of its element.
        show: field value -> widget value. (Its inverse is the codec's ``from_words``, through ``str``.)
    """

    field: str
    make: Make
    show: Callable[[Any], Any]


def _choice(label: str, options: type[Option], info: str = "") -> Make:
    choices = [(option.label, option.value) for option in options]
    return lambda value, elem_id: gr.Radio(
        choices, value=value, label=label, info=info or None, interactive=True, elem_id=elem_id
    )


def _text(label: str, info: str) -> Make:
    return lambda value, elem_id: gr.Textbox(
        value, label=label, info=info, interactive=True, max_lines=1, elem_id=elem_id
    )


def _number(label: str, info: str = "") -> Make:
    return lambda value, elem_id: gr.Number(
        value, label=label, info=info or None, precision=0, interactive=True, elem_id=elem_id
    )


def _checkbox(label: str) -> Make:
    return lambda value, elem_id: gr.Checkbox(value, label=label, interactive=True, elem_id=elem_id)


def _commas(value: Sequence[int]) -> str:
    return ", ".join(map(str, value))


def _overrides(value: Sequence[tuple[str, Shortcut]]) -> str:
    return ", ".join(f"{path}:{mode}" for path, mode in value)


def _same(value: Any) -> Any:
    return value.value if isinstance(value, Option) else value


MAIN = (
    Control("block", _choice("Block type", Block), _same),
    Control("shortcut", _choice("Shortcut mode", Shortcut), _same),
)
MORE = (
    Control("depths", _text("Blocks in each stage", "for example 3, 4, 6, 3"), _commas),
    Control("widths", _text("Width of each stage", "channels, before a bottleneck's ×4"), _commas),
    Control("stem", _choice("Stem", Stem), _same),
    Control("stride_on", _choice("Bottleneck strides in", StrideOn), _same),
    Control("zero_pad", _choice("Option A puts zeros", ZeroPad), _same),
    Control("groups", _number("Groups of the 3×3"), _same),
    Control("width_per_group", _number("Width per group"), _same),
    Control("norm", _choice("Normalisation", Norm), _same),
    Control("activation", _choice("Activation", Activation), _same),
    Control("init", _choice("Initial weights", Init), _same),
    Control("zero_init_residual", _checkbox("Last layer of every branch starts at 0"), _same),
    Control("num_classes", _number("Classes"), _same),
    Control("in_channels", _number("Input channels"), _same),
    Control("image_size", _number("Input side, px"), _same),
    Control("shortcut_overrides", _text("Shortcuts of single blocks", "for example layer2.0:identity"), _overrides),
)
CONTROLS = (*MAIN, *MORE)


@dataclass(frozen=True)
class Builder:
    """The widgets, in a fixed order: preset, depth, then ``CONTROLS``.

    Gradio adds a component's events while the program runs, so the fields' type says nothing of them: ``Any``.
    """

    preset: gr.Dropdown
    depth: gr.Radio
    fields: tuple[Any, ...]

    def field(self, name: str) -> Any:
        """The widget of one ``ResNetSpec`` field."""
        return self.fields[[control.field for control in CONTROLS].index(name)]

    @property
    def widgets(self) -> list[Any]:
        return [self.preset, self.depth, *self.fields]


def create(spec: ResNetSpec, under_preset: Any = None) -> Builder:
    """Lay the builder out in the current Gradio context, showing ``spec``; ``under_preset`` is rendered there."""
    presets = [(title(preset), name) for name, preset in PRESETS.items()]
    preset = gr.Dropdown(
        [*presets, ("Custom", CUSTOM)], value=preset_of(spec) or CUSTOM, label="Preset", interactive=True
    )
    if under_preset:
        under_preset.render()
    depth = gr.Radio([str(d) for d in DEPTHS], value=_depth(spec), label="Depth", interactive=True)
    main = [_widget(control, spec) for control in MAIN]
    with fold("More"):
        more = [_widget(control, spec) for control in MORE]
    return Builder(preset, depth, (*main, *more))


def _widget(control: Control, spec: ResNetSpec) -> gr.components.Component:
    return control.make(control.show(getattr(spec, control.field)), f"field-{control.field}")


def show(spec: ResNetSpec) -> list[Any]:
    """``spec`` as widget values, in ``Builder.widgets``' order."""
    values = [control.show(getattr(spec, control.field)) for control in CONTROLS]
    return [preset_of(spec) or CUSTOM, _depth(spec), *values]


def read(fields: Sequence[Any]) -> ResNetSpec:
    """Widget values (of ``CONTROLS``) -> spec.

    Raises:
        SpecError: naming the field that is out of bounds.
    """
    pairs = zip(CONTROLS, fields, strict=True)
    return from_words((control.field, str("" if value is None else value)) for control, value in pairs)


def tables() -> dict[str, Any]:
    """What ``builder.js`` turns actions into fields with."""
    return {
        "names": [control.field for control in CONTROLS],
        "presets": {name: show(preset)[2:] for name, preset in PRESETS.items()},
        "depths": {
            str(depth): {"repeats": repeats, "blocks": {block: _block(block, depth) for block in Block}}
            for depth, repeats in DEPTHS.items()
        },
        "asNetwork": AS_NETWORK,
    }


def _block(block: Block, depth: int) -> Block:
    """The block type that a depth is built of (34 and 50 differ in nothing else), pre-activation or not as before."""
    wanted = (depth >= 50, block.is_preact)
    return next(each for each in Block if (each.is_bottleneck, each.is_preact) == wanted)


def _depth(spec: ResNetSpec) -> str | None:
    """The depth that names these stage repeats. 34 and 50 share theirs: the block type decides."""
    named = [depth for depth, depths in DEPTHS.items() if depths == spec.depths]
    if not named:
        return None
    return str(named[-1] if spec.block.is_bottleneck else named[0])
