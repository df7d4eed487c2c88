"""The style of the page: the theme's colours as CSS variables, and the style sheets."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import gradio as gr

from ...views.kit.theme import ACCENT, CHOSEN_ON_DARK, CHOSEN_ON_LIGHT, CODE, DARK, LIGHT, MONO, ROLES, SANS, Neutrals
from .roles import role_rules

_UI = Path(__file__).parents[1]
# These sheets come first, in this order, because the features' refine them; every other sheet follows by its path.
_FIRST = ("page", "builder", "kit/controls", "kit/text", "kit/tables", "kit/plot", "kit/tabs", "kit/fold")
_DRAWING = ("diagram/diagram", "diagram/drawing")
_AFTER_ROLES = ("diagram/states", "diagram/tint", "inspector/inspector")


def css() -> str:
    """Variables for both modes, then the style sheets, with the rules of each role after the drawing's own."""
    fonts = f"--rx-sans: {SANS}; --rx-mono: {MONO};"
    light = "".join(f"--rx-{name}: {role.on_light};" for name, role in ROLES.items())
    dark = "".join(f"--rx-{name}: {role.on_dark};" for name, role in ROLES.items())
    light += "".join(f"--rx-code-{name}: {colour};" for name, (colour, _) in CODE.items())
    dark += "".join(f"--rx-code-{name}: {colour};" for name, (_, colour) in CODE.items())
    variables = f":root {{ {fonts} {_neutrals(LIGHT)} {light} }}\n.dark {{ {_neutrals(DARK)} {dark} }}"
    named = (*_FIRST, *_DRAWING, *_AFTER_ROLES)
    others = sorted({path.relative_to(_UI).with_suffix("").as_posix() for path in _UI.rglob("*.css")} - {*named})
    before, after = _texts((*_FIRST, *_DRAWING)), _texts((*_AFTER_ROLES, *others))
    return "\n".join([variables, *before, role_rules(), *after])


def _texts(names: Iterable[str]) -> list[str]:
    return [(_UI / f"{name}.css").read_text() for name in names]


def theme() -> gr.themes.Base:
    """System fonts and one accent; nothing is fetched."""
    sans = [name.strip(' "') for name in SANS.split(",")]
    mono = [name.strip(' "') for name in MONO.split(",")]
    accent = gr.themes.Color(name="accent", **{f"c{shade}": colour for shade, colour in ACCENT.items()})
    return gr.themes.Base(
        primary_hue=accent,
        neutral_hue="gray",
        font=sans,
        font_mono=mono,
        spacing_size="sm",
        radius_size="sm",
        text_size="md",
    ).set(
        body_background_fill=LIGHT.page,
        body_background_fill_dark=DARK.page,
        block_background_fill=LIGHT.page,
        block_background_fill_dark=DARK.page,
        checkbox_label_background_fill_selected=CHOSEN_ON_LIGHT,
        checkbox_label_background_fill_selected_dark=CHOSEN_ON_DARK,
        checkbox_label_border_color_selected=ROLES["identity"].on_light,
        checkbox_label_border_color_selected_dark=ROLES["identity"].on_dark,
        checkbox_label_text_color_selected=LIGHT.text,
        checkbox_label_text_color_selected_dark=DARK.text,
    )


def _neutrals(greys: Neutrals) -> str:
    names = ("text", "muted", "line", "rule", "page", "surface")
    return "".join(f"--rx-{name}: {getattr(greys, name)};" for name in names)
