"""Rules of the style sheets for each role of ``ROLES``: its lines, its boxes, and its sign in legends and tables."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ...views.kit.theme import ADAPTING_ROLES, ROLES, SHORTCUT_ROLES, RoleStyle

_SIGN = 'content: ""; display: inline-block; width: 14px; margin-right: 6px; vertical-align: middle;'
_LINES = {"solid": "2px solid", "dot": "3px dotted", "dash": "3px dashed", "longdash": "3px dashed"}


def role_rules() -> str:
    """The rules, one a line."""
    return "".join(f"{rule}\n" for rule in _rules())


def _rules() -> Iterator[str]:
    shortcuts = _classes(SHORTCUT_ROLES)
    yield f".rx-rows td:is({shortcuts})::before {{ {_SIGN} }}"
    for name, role in ROLES.items():
        colour, edge = f"var(--rx-{name})", f".rx-canvas .edge.{name}"
        if name != "main" and role.words:  # in the legend
            yield f".rx-legend .{name}::before {{ {_sign(role, colour)} }}"
            yield f"{edge} path, {edge} polygon {{ stroke: {colour}; }}"
            yield f"{edge} polygon {{ fill: {colour}; }}"
        if name in SHORTCUT_ROLES:
            yield f".rx-rows td.{name}::before {{ {_sign(role, colour)} }}"
            yield f".rx-map rect.{name} {{ fill: {colour}; }}"
        if name in ADAPTING_ROLES:
            dash = " stroke-dasharray: 2 3;" if role.dash == "dot" else ""
            yield f".rx-canvas .node.{name} path {{ stroke: {colour}; stroke-width: 1.6;{dash} }}"
    # A box that differs from the other network's is dashed and dark, and one that only this network has is dotted,
    # unless its role has a dash or a colour.
    differs, shapes = ".rx-pair .node:is(.differs, .only-here)", "> :is(path, polygon, ellipse)"
    dashed = _classes(name for name in ADAPTING_ROLES if ROLES[name].dash != "solid")
    for mark, dash in (("differs", "6 3"), ("only-here", "1.5 2.5")):
        box = f".rx-pair .node.{mark}:not(.broken, .hides-broken, {dashed}) {shapes}"
        yield f"{box} {{ stroke-width: 1.8; stroke-dasharray: {dash}; }}"
    coloured = _classes(ADAPTING_ROLES)
    yield f"{differs}:not(.broken, .hides-broken, {coloured}) {shapes} {{ stroke: var(--rx-text); }}"


def _sign(role: RoleStyle, colour: str) -> str:
    """A short line, or two of them."""
    second = f" height: 4px; border-bottom: {_LINES[role.dash]} {colour};" if role.double else ""
    return f"border-top: {_LINES[role.dash]} {colour};{second}"


def _classes(names: Iterable[str]) -> str:
    return ", ".join(f".{name}" for name in names)
