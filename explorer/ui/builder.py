"""The builder: the only translation between widgets and ``ResNetSpec``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr

from ..spec import (
    DEPTHS,
    FIELD_LABELS,
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
    ZeroPlacement,
    block_of_depth,
    from_words,
    preset_of,
    title,
)
from ..views.inspector.shortcut_choice import AS_NETWORK
from ..views.kit.builder_notes import depth_note, override_note
from .kit.fold import fold

CUSTOM = "custom"
Make = Callable[..., gr.components.Component]
_NUMBER = partial(gr.Number, precision=0)


@dataclass(frozen=True)
class Control:
    """One widget of the builder.

    Attributes:
        field: the ``ResNetSpec`` field it stands for.
        make: creates the widget for an initial value and what all widgets have, such as ``label``.
        show: field value -> widget value. (Its inverse is the codec's ``from_words``, through ``str``.)
    """

    field: str
    make: Make
    show: Callable[[Any], Any]

    def widget(self, spec: ResNetSpec) -> gr.components.Component:
        label = FIELD_LABELS[self.field].name
        value = self.show(getattr(spec, self.field))
        return self.make(value, label=label, interactive=True, elem_id=f"field-{self.field}")


def _choice(options: type[Option]) -> Make:
    choices = [(option.label, option.value) for option in options]
    return lambda value, **common: gr.Radio(choices, value=value, **common)


def _text(info: str) -> Make:
    return partial(gr.Textbox, info=info, max_lines=1)


def _commas(value: Sequence[int]) -> str:
    return ", ".join(map(str, value))


def _overrides(value: Sequence[tuple[str, Shortcut]]) -> str:
    return ", ".join(f"{path}:{mode}" for path, mode in value)


def _same(value: Any) -> Any:
    return value.value if isinstance(value, Option) else value


MAIN = (
    Control("block", _choice(Block), _same),
    Control("shortcut", _choice(Shortcut), _same),
)
MORE = (
    Control("depths", _text("for example 3, 4, 6, 3"), _commas),
    Control("widths", _text("channels, before a bottleneck's ×4"), _commas),
    Control("stem", _choice(Stem), _same),
    Control("stride_on", _choice(StrideOn), _same),
    Control("zero_pad", _choice(ZeroPlacement), _same),
    Control("groups", _NUMBER, _same),
    Control("width_per_group", _NUMBER, _same),
    Control("norm", _choice(Norm), _same),
    Control("activation", _choice(Activation), _same),
    Control("init", _choice(Init), _same),
    Control("zero_init_residual", gr.Checkbox, _same),
    Control("num_classes", _NUMBER, _same),
    Control("in_channels", _NUMBER, _same),
    Control("image_size", _NUMBER, _same),
    Control("shortcut_overrides", _text("for example layer2.0:identity"), _overrides),
)
CONTROLS = (*MAIN, *MORE)


@dataclass(frozen=True)
class Builder:
    """The widgets, in a fixed order: preset, depth, then ``CONTROLS``; and the notes below depth and shortcut.

    Gradio adds a component's events while the program runs, so the fields' type does not know them: ``Any``.
    """

    preset: gr.Dropdown
    depth: gr.Radio
    fields: tuple[Any, ...]
    depth_note: gr.HTML
    override_note: gr.HTML

    def field(self, name: str) -> Any:
        """The widget of one ``ResNetSpec`` field."""
        return self.fields[[control.field for control in CONTROLS].index(name)]

    @property
    def widgets(self) -> list[Any]:
        return [self.preset, self.depth, *self.fields]

    @property
    def rewritten(self) -> list[Any]:
        """What may read differently once its own values have become a network: names of it, and text ("3,4" → "3, 4").

        A choice or a number is shown as it was given.
        """
        return [self.preset, self.depth, *(field for field in self.fields if isinstance(field, gr.Textbox))]

    def notes(self, spec: ResNetSpec) -> dict[Any, str]:
        """The notes as they are for this network."""
        return {self.depth_note: depth_note(spec), self.override_note: override_note(spec)}


def create(spec: ResNetSpec, under_preset: Any = None) -> Builder:
    """Lay the builder out in the current Gradio context, showing ``spec``; ``under_preset`` is rendered there."""
    presets = [(title(preset), name) for name, preset in PRESETS.items()]
    preset = gr.Dropdown(
        [*presets, ("Custom", CUSTOM)],
        value=preset_of(spec) or CUSTOM,
        label="Preset",
        interactive=True,
        elem_id="field-preset",
    )
    if under_preset:
        under_preset.render()
    depth = gr.Radio(
        [str(d) for d in DEPTHS], value=_depth(spec), label="Depth", interactive=True, elem_id="field-depth"
    )
    block, shortcut = MAIN
    main = [block.widget(spec)]
    about_depth = _note(depth_note(spec), "depth-note")
    main.append(shortcut.widget(spec))
    about_overrides = _note(override_note(spec), "override-note")
    with fold("More"):
        more = [control.widget(spec) for control in MORE]
    return Builder(preset, depth, (*main, *more), about_depth, about_overrides)


def _note(html: str, elem_id: str) -> gr.HTML:
    return gr.HTML(html, elem_id=elem_id, elem_classes="rx-builder-note", padding=False, apply_default_css=False)


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
            str(depth): {
                "repeats": repeats,
                "blocks": {block: block_of_depth(depth, block.is_preact) for block in Block},
            }
            for depth, repeats in DEPTHS.items()
        },
        "asNetwork": AS_NETWORK,
    }


def _depth(spec: ResNetSpec) -> str | None:
    """The depth that names these stage repeats. 34 and 50 share theirs: the block type decides."""
    named = [depth for depth, depths in DEPTHS.items() if depths == spec.depths]
    alike = (depth for depth in named if block_of_depth(depth, spec.block.is_preact) is spec.block)
    return str(next(alike, named[0])) if named else None
