"""The builder: the only translation between widgets and ``ResNetSpec``."""

from __future__ import annotations

import json
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

CUSTOM = "custom"


@dataclass(frozen=True)
class Control:
    """One widget of the builder.

    Attributes:
        field: the ``ResNetSpec`` field it stands for.
        make: creates the widget for an initial value.
        show: field value -> widget value. (Its inverse is the codec's ``from_words``, through ``str``.)
    """

    field: str
    make: Callable[[Any], gr.components.Component]
    show: Callable[[Any], Any]


def _choice(label: str, options: type[Option], info: str = "") -> Callable[[Any], gr.components.Component]:
    choices = [(option.label, option.value) for option in options]
    return lambda value: gr.Radio(choices, value=value, label=label, info=info or None, interactive=True)


def _text(label: str, info: str) -> Callable[[Any], gr.components.Component]:
    return lambda value: gr.Textbox(value, label=label, info=info, interactive=True, max_lines=1)


def _number(label: str, info: str = "") -> Callable[[Any], gr.components.Component]:
    return lambda value: gr.Number(value, label=label, info=info or None, precision=0, interactive=True)


def _checkbox(label: str) -> Callable[[Any], gr.components.Component]:
    return lambda value: gr.Checkbox(value, label=label, interactive=True)


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
    main = [control.make(control.show(getattr(spec, control.field))) for control in MAIN]
    with gr.Accordion("More", open=False):
        more = [control.make(control.show(getattr(spec, control.field))) for control in MORE]
    return Builder(preset, depth, (*main, *more))


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


def fill_from_preset() -> str:
    """JavaScript: (preset, …fields) -> (…fields, now). In the browser, so that the next click sees the new fields."""
    table = {name: show(preset)[2:] for name, preset in PRESETS.items()}
    return f"(name, ...fields) => [...({json.dumps(table)}[name] ?? fields), Date.now()]"


def fill_from_depth() -> str:
    """JavaScript: (depth, block, depths, widths, overrides) -> (block, depths, widths, overrides, now).

    A depth names the stage repeats and the block that goes with them (34 and 50 differ in nothing else); another block
    may be chosen after. Widths double along the stages where their number changes; overrides of lost blocks go too.
    """
    return f"""(depth, block, depths, widths, overrides) => {{
      const next = {json.dumps({str(depth): list(depths) for depth, depths in DEPTHS.items()})}[depth];
      const now = widths.split(",").map(Number);
      const fits = now.length === next.length ? now : next.map((_, i) => now[0] * 2 ** i);
      const kept = overrides.split(",").map(word => word.trim()).filter(word => {{
        const [, stage, index] = word.match(/^layer(\\d+)\\.(\\d+):/) ?? [];
        return stage && Number(index) < (next[stage - 1] ?? 0);
      }});
      const form = block.replace(/(preact_)?.*/, "$1") + (depth < 50 ? "basic" : "bottleneck");
      return [form, next.join(", "), fits.join(", "), kept.join(", "), Date.now()];
    }}"""


def fill_from_override() -> str:
    """JavaScript: (the inspector's ``{"blocks", "mode"}`` as JSON, overrides) -> (overrides, now).

    The blocks' own words are replaced; a mode of ``AS_NETWORK`` leaves them out.
    """
    return f"""(choice, overrides) => {{
      const {{blocks, mode}} = JSON.parse(choice);
      const words = overrides.split(",").map(word => word.trim()).filter(Boolean);
      const others = words.filter(word => !blocks.includes(word.split(":")[0].trim()));
      const own = mode === {json.dumps(AS_NETWORK)} ? [] : blocks.map(block => `${{block}}:${{mode}}`);
      return [[...others, ...own].join(", "), Date.now()];
    }}"""


def fill_from_switch() -> str:
    """JavaScript: (another place's ``{"field", "value"}`` as JSON, …fields) -> (…fields, now)."""
    names = json.dumps([control.field for control in CONTROLS])
    return f"""(choice, ...fields) => {{
      const {{field, value}} = JSON.parse(choice), place = {names}.indexOf(field);
      return [...fields.map((old, i) => (i === place ? value : old)), Date.now()];
    }}"""


def _depth(spec: ResNetSpec) -> str | None:
    """The depth that names these stage repeats. 34 and 50 share theirs: the block type decides."""
    named = [depth for depth, depths in DEPTHS.items() if depths == spec.depths]
    if not named:
        return None
    return str(named[-1] if spec.block.is_bottleneck else named[0])
