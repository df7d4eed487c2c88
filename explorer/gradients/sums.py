"""Gradients need a network that runs: every block has to add two equal shapes."""

from __future__ import annotations

from ..errors import ExplorerError
from ..spec import ResNetSpec, shapes
from ..spec.anatomy import Mismatch, mismatches


def check_sums(spec: ResNetSpec, height: int, width: int) -> None:
    """
    Raises:
        ExplorerError: a shortcut does not match; the message names the first such block and both shapes.
    """
    mismatch = next(mismatches(spec, height, width), None)
    if mismatch is not None:
        raise ExplorerError(_sentence(mismatch))


def _sentence(mismatch: Mismatch) -> str:
    silently = " (PyTorch would add them by broadcasting, without an error)" if mismatch.broadcasts else ""
    # Option A only ever adds channels.
    zero_pad = " or zero-pad" if mismatch.plan.out_channels >= mismatch.plan.in_channels else ""
    return (
        f"{mismatch.plan.path}: the branch gives {shapes.text(mismatch.branch)}, "
        f"the shortcut {shapes.text(mismatch.shortcut)}{silently}; "
        f"gradients need a network that runs. Choose a projection{zero_pad} shortcut."
    )
