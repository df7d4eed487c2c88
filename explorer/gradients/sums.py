"""Whether every block of a spec adds two equal shapes: gradients need a network that runs."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import ExplorerError
from ..spec import BlockPlan, ResNetSpec, Shortcut, shapes
from ..spec.budget import halved

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class Misfit:
    """A block whose sum F(x) + s(x) has two shapes, C×H×W."""

    plan: BlockPlan
    branch: Shape
    shortcut: Shape

    @property
    def broadcasts(self) -> bool:
        """Whether PyTorch would add the two anyway, by repeating the sides that are 1."""
        return all(a == b or 1 in (a, b) for a, b in zip(self.branch, self.shortcut, strict=True))

    def __str__(self) -> str:
        silently = " (PyTorch would add them by broadcasting, without an error)" if self.broadcasts else ""
        # Option A only ever adds channels.
        zero_pad = " or zero-pad" if self.plan.out_channels >= self.plan.in_channels else ""
        return (
            f"{self.plan.path}: the branch gives {shapes.text(self.branch)}, "
            f"the shortcut {shapes.text(self.shortcut)}{silently}; "
            f"gradients need a network that runs. Choose a projection{zero_pad} shortcut."
        )


def first_misfit(spec: ResNetSpec, height: int, width: int) -> Misfit | None:
    """The first block, from the input, that cannot add, for images of ``height`` × ``width`` px."""
    sides = halved(height, spec.stem_stride), halved(width, spec.stem_stride)
    for plan in spec.blocks:
        smaller = halved(sides[0], plan.stride), halved(sides[1], plan.stride)
        branch = (plan.out_channels, *smaller)
        shortcut = {
            Shortcut.IDENTITY: (plan.in_channels, *sides),
            Shortcut.ZERO_PAD: (max(plan.in_channels, plan.out_channels), *smaller),
        }.get(plan.shortcut_kind, branch)
        if branch != shortcut:
            return Misfit(plan, branch, shortcut)
        sides = smaller
    return None


def check_sums(spec: ResNetSpec, height: int, width: int) -> None:
    """
    Raises:
        ExplorerError: a shortcut doesn't fit; the message names the first such block and both shapes.
    """
    misfit = first_misfit(spec, height, width)
    if misfit is not None:
        raise ExplorerError(str(misfit))
