"""What the builder says beside its choices: what a depth stands for, and which blocks do not follow the mode."""

from __future__ import annotations

from ...spec import DEPTHS, ResNetSpec, Shortcut, block_of_depth, title
from . import numbers
from .markup import tag, text

_MOST = 6  # names of blocks


def depth_note(spec: ResNetSpec) -> str:
    """Why the number of layers is another than the depth, or which depths share their stages; else empty."""
    depths = [depth for depth, repeats in DEPTHS.items() if repeats == spec.depths]
    stages = "-".join(map(str, spec.depths))
    words = ""
    if depths and spec.weighted_layers not in depths:
        words = (
            f"Depth {' or '.join(map(str, depths))} stands for {stages} blocks. This network has "
            f"{spec.weighted_layers} weighted layers: {title(spec)}."
        )
    elif len(depths) > 1:
        kinds = (f"{'bottleneck' if block_of_depth(d).is_bottleneck else 'basic'} blocks make it {d}" for d in depths)
        words = f"Depths {' and '.join(map(str, depths))} have the same stages, {stages}: {', '.join(kinds)}."
    return tag("p", text(words), css="rx-note") if words else ""


def override_note(spec: ResNetSpec) -> str:
    """Blocks whose shortcut does not follow the mode, and a button that clears them; empty if there are none."""
    own = spec.shortcut_overrides
    if not own:
        return ""
    modes = dict.fromkeys(mode for _, mode in own)
    listed = "; ".join(f"{_names(spec, mode)} ({mode.label})" for mode in modes)
    head = "1 block has its own shortcut" if len(own) == 1 else f"{len(own)} blocks have their own shortcut"
    button = tag("button", "Clear", type="button", css="rx-small", title="Make them follow the shortcut mode again")
    return tag("p", text(f"{head} instead of this mode: {listed}. ") + button, css="rx-note rx-overrides")


def _names(spec: ResNetSpec, mode: Shortcut) -> str:
    own = dict(spec.shortcut_overrides)
    paths = [plan.path for plan in spec.blocks if own.get(plan.path) is mode]
    more = f" and {numbers.exact(len(paths) - _MOST)} more" if len(paths) > _MOST else ""
    return f"{', '.join(paths[:_MOST])}{more}"
