"""Buttons that turn the reader's network into a textbook case."""

from __future__ import annotations

from ...errors import ExplorerError
from ...gradients.cases import Case, apply_case
from ...spec import ResNetSpec, title, to_query
from ..kit.markup import tag, text
from .verdict import settings_words

WARNING = "These settings change your network on every tab."
_LABELS = {
    Case.VANISHING: "Make it vanish",
    Case.EXPLODING: "Make it explode",
    Case.SHORTCUTS: "Put the shortcuts back",
}


def case_buttons(spec: ResNetSpec) -> str:
    """A button for each case. Its title says which network it makes; it is disabled if ``spec`` is that one already, or
    if such a network would be too large."""
    buttons = "".join(_button(spec, case) for case in Case)
    return tag("div", buttons, css="rx-case-buttons") + tag("p", text(WARNING), css="rx-note")


def _button(spec: ResNetSpec, case: Case) -> str:
    words, style = text(_LABELS[case]), {"type": "button", "css": "rx-small"}
    try:
        changed = apply_case(spec, case)
    except ExplorerError as error:
        return tag("button", words, disabled="disabled", title=str(error), **style)
    if changed == spec:
        reason = "Every block has its shortcut." if case is Case.SHORTCUTS else "The network is this case already."
        return tag("button", words, disabled="disabled", title=reason, **style)
    made = f"{title(changed)}, {settings_words(changed)}{_depth_words(spec, changed)}"
    rest = " Only the shortcuts differ." if case is Case.SHORTCUTS else ""
    return tag(
        "button",
        words,
        title=f"Makes {made}.{rest}",
        data_apply=f"?{to_query(changed)}",
        data_done=f"Now {made}.{rest}",
        **style,
    )


def _depth_words(spec: ResNetSpec, changed: ResNetSpec) -> str:
    before, after = spec.weighted_layers, changed.weighted_layers
    return f"; {after} layers instead of {before}, because the effect grows with depth" if after > before else ""
