"""The page's look: the theme's colours as CSS variables, and the style sheets."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from ...views.kit.theme import DARK, LIGHT, MONO, ROLES, SANS, Neutrals
from .roles import MARKER, role_rules

ASSETS = Path(__file__).parents[3] / "assets"
_UI = Path(__file__).parents[1]
# One sheet for each part of the page; a later one may refine an earlier one.
_SHEETS = (
    "page", "kit/tabs", "kit/fold", "diagram/diagram", "inspector/inspector", "kit/tables", "classify/classify",
    "compare/compare", "export/export", "model_file/model_file", "checks/checks", "gradients/gradients", "classify/why",
    "classify/more", "training/training",
)  # fmt: skip


def css() -> str:
    """Variables for both modes, then the style sheets."""
    fonts = f"--rx-sans: {SANS}; --rx-mono: {MONO};"
    light = "".join(f"--rx-{name}: {role.on_light};" for name, role in ROLES.items())
    dark = "".join(f"--rx-{name}: {role.on_dark};" for name, role in ROLES.items())
    variables = f":root {{ {fonts} {_neutrals(LIGHT)} {light} }}\n.dark {{ {_neutrals(DARK)} {dark} }}"
    sheets = "\n".join([variables, *((_UI / f"{name}.css").read_text() for name in _SHEETS)])
    before, _, after = sheets.partition(MARKER)
    return before + role_rules() + after


def theme() -> gr.themes.Base:
    """System fonts and one accent; nothing is fetched."""
    sans = [name.strip(' "') for name in SANS.split(",")]
    mono = [name.strip(' "') for name in MONO.split(",")]
    accent = gr.themes.Color(
        name="accent",
        c50="#e8f3fa", c100="#cfe5f3", c200="#a3cde7", c300="#70b1d8", c400="#3a93c6", c500="#0072b2",
        c600="#0072b2", c700="#005a8d", c800="#004468", c900="#003049", c950="#00202f",
    )  # fmt: skip
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
        checkbox_label_background_fill_selected="#e8f3fa",
        checkbox_label_background_fill_selected_dark="#0b3550",
        checkbox_label_border_color_selected="#0072b2",
        checkbox_label_border_color_selected_dark="#56b4e9",
        checkbox_label_text_color_selected=LIGHT.text,
        checkbox_label_text_color_selected_dark=DARK.text,
    )


def _neutrals(greys: Neutrals) -> str:
    names = ("text", "muted", "line", "rule", "page", "surface")
    return "".join(f"--rx-{name}: {getattr(greys, name)};" for name in names)
