"""The page's look: the theme's colours as CSS variables, the style sheets, and what goes into ``<head>``."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

from ...views.kit.theme import ACCENT, CHOSEN_ON_DARK, CHOSEN_ON_LIGHT, DARK, LIGHT, MONO, ROLES, SANS, Neutrals

ASSETS = Path(__file__).parents[3] / "assets"
_UI = Path(__file__).parents[1]
# One sheet for each part of the page. A feature's may refine those of the frame and of the kit, which come first.
_SHEETS = (
    "page", "builder", "kit/controls", "kit/text", "kit/tables", "kit/plot",
    "diagram/diagram", "diagram/drawing", "diagram/tint", "inspector/inspector", "history/history", "checks/checks",
    "costs/costs", "compare/compare", "export/export", "model_file/model_file", "gradients/gradients",
    "training/training", "classify/classify", "classify/many_photos", "classify/side_by_side", "classify/transfer",
    "classify/networks", "classify/throughput", "classify/why",
)  # fmt: skip


def script(*names: str) -> str:
    """Files of ``ui`` as one script: what a later one uses stands in an earlier one."""
    return "\n".join((_UI / name).read_text() for name in names)


def css() -> str:
    """Variables for both modes, then the style sheets."""
    fonts = f"--rx-sans: {SANS}; --rx-mono: {MONO};"
    light = "".join(f"--rx-{name}: {role.on_light};" for name, role in ROLES.items())
    dark = "".join(f"--rx-{name}: {role.on_dark};" for name, role in ROLES.items())
    variables = f":root {{ {fonts} {_neutrals(LIGHT)} {light} }}\n.dark {{ {_neutrals(DARK)} {dark} }}"
    return "\n".join([variables, *((_UI / f"{name}.css").read_text() for name in _SHEETS)])


def head() -> str:
    """Scripts of the page; inline, so that they need no route of their own."""
    colour = f'<meta name="theme-color" content="{ROLES["identity"].colour}">'
    return f"{colour}<script>{script('page.js', 'export/export.js')}</script>"


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
