"""Colours, dashes and type shared by the diagram, the tables and the plots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from ...spec import Shortcut

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif'
MONO = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace'


@dataclass(frozen=True)
class RoleStyle:
    """The meaning of a colour, with the sign that says it without colour. Colours are hex.

    Attributes:
        colour: of lines and fills, the same in both modes.
        on_light, on_dark: of text and small signs, at least 4.5:1 against ``LIGHT`` and ``DARK`` surfaces.
        dash: of lines, as plotly spells it.
        mark: a character that goes with it; empty where the dash or shape is enough.
        words: beside its sign in the legend of the diagram; empty if it is not in the legend.
        double: whether its sign in a legend or a table is two lines.
    """

    colour: str
    on_light: str
    on_dark: str
    dash: Literal["solid", "dash", "dot", "longdash"]
    mark: str = ""
    words: str = ""
    double: bool = False


@dataclass(frozen=True)
class Look:
    """How a shortcut mode looks beside others.

    Attributes:
        role: key of ``ROLES``; also ``Merge.kind`` of what it builds where the shape changes.
        pattern: of its bars, as plotly spells it, which tells without colour; empty for none.
    """

    role: str
    pattern: str


@dataclass(frozen=True)
class Neutrals:
    """Greys of one mode, hex.

    Attributes:
        text, muted: at least 4.5:1 on ``page`` and on ``surface``.
        line: of the main path and of node outlines, at least 3:1.
        rule: of separators that carry no meaning.
        page, surface: behind everything; of panels and nodes.
    """

    text: str
    muted: str
    line: str
    rule: str
    page: str
    surface: str


LIGHT = Neutrals(text="#1F2937", muted="#5B6472", line="#6B7280", rule="#E5E7EB", page="#FFFFFF", surface="#F9FAFB")
DARK = Neutrals(text="#E5E7EB", muted="#9CA3AF", line="#9CA3AF", rule="#374151", page="#0B0F19", surface="#111827")

# Okabe & Ito 2008, "Color Universal Design". The darker and lighter forms keep the hue.
ROLES: dict[str, RoleStyle] = {
    "main": RoleStyle("#757A82", LIGHT.muted, DARK.muted, "solid", words="main path"),
    "identity": RoleStyle("#0072B2", "#0072B2", "#56B4E9", "solid", words="identity"),
    "projection": RoleStyle("#E69F00", "#8A6000", "#E69F00", "solid", "▫", "projection", double=True),
    "zero_pad": RoleStyle("#CC79A7", "#A64D80", "#CC79A7", "dot", words="zero-pad"),
    "fits": RoleStyle("#009E73", "#007A59", "#1AB589", "solid", "✓"),
    "broken": RoleStyle("#D55E00", "#B84F00", "#E8752A", "dash", "✕", "shape mismatch"),
}
# Colours of the generated code, on light and on dark: at least 4.5:1 on ``page``, ``surface`` and highlighted lines.
CODE: dict[str, tuple[str, str]] = {
    "keyword": ("#6639BA", "#C9ADFB"),
    "string": ("#0F5F33", "#7EE2A8"),
    "number": ("#8A4500", "#F0B880"),
    "comment": ("#4F5866", "#AEB6C2"),
    "name": ("#0550AE", "#8AC2FF"),
    "builtin": ("#8A2F6B", "#EBAAD6"),
}
LOOKS: dict[Shortcut, Look] = {
    Shortcut.ZERO_PAD: Look("zero_pad", "."),
    Shortcut.PROJECTION: Look("projection", "/"),
    Shortcut.PROJECTION_ALL: Look("projection", "x"),
    Shortcut.IDENTITY: Look("identity", "\\"),
    Shortcut.NONE: Look("main", ""),
}
# Roles of the shortcuts, and of those of them that change the shape of x.
SHORTCUT_ROLES = tuple(dict.fromkeys(look.role for mode, look in LOOKS.items() if mode.form))
ADAPTING_ROLES = tuple(dict.fromkeys(look.role for mode, look in LOOKS.items() if mode.adapts))


@dataclass(frozen=True)
class Curve:
    """How a plot draws one network: colour, dash and marker, each of which alone tells it from the others.

    Attributes:
        colour: hex.
        dash, symbol: as plotly spells them.
    """

    colour: str
    dash: str
    symbol: str


HERE = Curve(ROLES["identity"].colour, "solid", "circle")
TWIN = Curve(ROLES["main"].colour, "dash", "diamond-open")
# Networks beside each other; the first two are a network and its plain counterpart everywhere on the page. A legend's
# sample is 30 px long, so that plotly's own "longdash" would be a dash and a hole there.
CURVES = (
    HERE,
    TWIN,
    Curve(ROLES["fits"].colour, "20px 4px", "square"),
    Curve(ROLES["broken"].colour, "dot", "cross"),
    Curve(ROLES["zero_pad"].colour, "dashdot", "star"),
    Curve(ROLES["projection"].colour, "longdashdot", "pentagon"),
    Curve(ROLES["identity"].on_dark, "3px 6px", "hexagon"),
    Curve("#7F6FC8", "10px 3px", "bowtie"),
)

# Tints of ``ROLES["identity"]``, light to dark, for the controls; the numbers are those of Gradio's themes.
ACCENT = {
    50: "#E8F3FA",
    100: "#CFE5F3",
    200: "#A3CDE7",
    300: "#70B1D8",
    400: "#3A93C6",
    500: ROLES["identity"].colour,
    600: ROLES["identity"].colour,
    700: "#005A8D",
    800: "#004468",
    900: "#003049",
    950: "#00202F",
}
# Behind a chosen option.
CHOSEN_ON_LIGHT, CHOSEN_ON_DARK = ACCENT[50], "#0B3550"

# For one picture in both modes: 4.3:1 on white, 4.4:1 on the dark page; no grey reaches 4.5:1 on both.
NEUTRAL = ROLES["main"].colour
GRID = "rgba(117, 122, 130, 0.22)"
AXIS = "rgba(117, 122, 130, 0.55)"


def translucent(colour: str, opacity: float) -> str:
    """ "#0072B2", 0.2 -> "rgba(0, 114, 178, 0.2)": the form every plotly.js understands."""
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red}, {green}, {blue}, {opacity:g})"


def plotly_layout(text: str = NEUTRAL, **changes: Any) -> dict[str, Any]:
    """Layout of every plot: transparent, legible in both modes, legend in a row above the plot.

    Args:
        text: colour of letters; a page that knows its mode may pass ``LIGHT.text`` or ``DARK.text``.
        changes: further layout entries; an entry that is a dict here too is merged into it, so that
            ``xaxis={"title": {"text": "depth"}}`` keeps grid and ticks.
    """
    axis = {
        "gridcolor": GRID,
        "linecolor": AXIS,
        "tickcolor": AXIS,
        "zeroline": False,
        "showline": True,
        "ticks": "outside",
        "ticklen": 4,
        "title": {"standoff": 8, "font": {"size": 12}},
        "automargin": True,
    }
    layout: dict[str, Any] = {
        "template": "none",  # plotly's own adds seven kilobytes of colours that nothing here uses
        "paper_bgcolor": "rgba(0, 0, 0, 0)",
        "plot_bgcolor": "rgba(0, 0, 0, 0)",
        "font": {"family": SANS, "size": 12, "color": text},
        "margin": {"l": 64, "r": 16, "t": 72, "b": 48},
        "xaxis": {**axis, "showgrid": False},
        "yaxis": axis,
        "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.08, "yanchor": "bottom"},
        # Opaque, so that it reads over lines and in both modes.
        "hoverlabel": {
            "bgcolor": LIGHT.text,
            "bordercolor": LIGHT.text,
            "font": {"family": SANS, "size": 12, "color": LIGHT.surface},
            "align": "left",
        },
        "modebar": {
            "bgcolor": "rgba(0, 0, 0, 0)",
            "color": AXIS,
            "activecolor": text,
            "remove": ["select2d", "lasso2d", "autoScale2d"],
        },
        "uirevision": "constant",
    }
    return _merged(layout, changes)


def _merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    both = {
        key: _merged(base[key], value)
        for key, value in changes.items()
        if isinstance(value, dict) and isinstance(base.get(key), dict)
    }
    return {**base, **changes, **both}
