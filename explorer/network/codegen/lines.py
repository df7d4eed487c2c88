"""Which code makes a module, and which statement calls it: known to the generator, so that nobody parses the file.

The file makes many layers with one line, such as ``nn.Conv2d(in_channels, channels, 3, stride=stride)``. Here the
numbers of one layer take the place of the names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ...spec import BlockPlan, ResNetSpec, Shortcut
from .adapters import ADAPTERS
from .blocks import arguments, block_layers, block_methods, class_names, downsample, variants
from .resnet import end_layers, end_parts, first_parts, forward, stages, stem_layers
from .statements import Methods, steps


@dataclass(frozen=True)
class ModuleLines:
    """The code of each module of ``source(spec)``, by its path in the network."""

    spec: ResNetSpec

    def constructor(self, path: str) -> str:
        """The expression that makes the module, on one line; empty if the file has none."""
        if path in self._outside:
            return self._outside[path]
        plan, name = self._place(path)
        if plan is None:
            return ""
        if name:
            return self.layers(plan.path).get(name, "")
        return f"{self._classes[plan.shortcut_kind]}({', '.join(arguments(self.spec, plan))})"

    def layers(self, block: str) -> dict[str, str]:
        """What makes each module of a block, by its path in the block, in the order of the file."""
        plan = self._plans[block]
        made = block_layers(self.spec, _numbers(plan))
        if not (shortcut := downsample(plan)):
            return made
        inside = ADAPTERS[plan.shortcut_kind].layers(self.spec, plan.in_channels, plan.out_channels, plan.stride)
        return {**made, "downsample": shortcut, **{f"downsample.{i}": part for i, part in enumerate(inside)}}

    def stage(self, name: str) -> str:
        """The statement that makes a stage, with its line breaks and comments; empty if there is no such stage."""
        return self._stages.get(name, "")

    def methods(self, path: str) -> Methods:
        """Those of a class of the file: of the network (an empty path), of a block, or of what makes x fit."""
        if not path:
            return {"forward": forward(self.spec)}
        plan, name = self._place(path)
        if plan is None or name not in ("", "downsample"):
            return {}
        if name:
            return ADAPTERS[plan.shortcut_kind].methods(self.spec) if plan.shortcut_kind.adapts else {}
        served = next(kinds for kinds in variants(self.spec).values() if plan.shortcut_kind in kinds)
        return block_methods(self.spec, served)

    def operations(self, path: str, operation: str) -> list[str]:
        """The statements of the module's own methods that spell out an operation, in the order of the forward pass."""
        own = self.methods(path)
        return [statement for step, statement in steps(own) if step == operation] if own else []

    def calls(self, path: str) -> list[str]:
        """The statements that call the module, or the layer that it is inside, in the order of the forward pass."""
        owner, _, layer = path.rpartition(".")
        while owner and not self.methods(owner):
            owner, _, layer = owner.rpartition(".")
        return [statement for step, statement in steps(self.methods(owner)) if step == layer]

    def _place(self, path: str) -> tuple[BlockPlan | None, str]:
        """The block that a module is or is in, and its path there."""
        stage, _, rest = path.partition(".")
        index, _, name = rest.partition(".")
        return self._plans.get(f"{stage}.{index}"), name

    @cached_property
    def _plans(self) -> Mapping[str, BlockPlan]:
        return {plan.path: plan for plan in self.spec.blocks}

    @cached_property
    def _classes(self) -> Mapping[Shortcut, str]:
        return class_names(self.spec)

    @cached_property
    def _stages(self) -> Mapping[str, str]:
        return stages(self.spec)

    @cached_property
    def _outside(self) -> Mapping[str, str]:
        """What makes each module that is not in a stage."""
        made = {**stem_layers(self.spec), **end_layers(self.spec)}
        first, end = first_parts(self.spec), end_parts(self.spec)
        made |= {f"conv1.{i}": part for i, part in enumerate(first)} if len(first) > 1 else {"conv1": first[0]}
        return made | ({f"post.{i}": part for i, part in enumerate(end)} if len(end) > 1 else {})


def _numbers(plan: BlockPlan) -> dict[str, int]:
    """What the names in the class of a block stand for."""
    return {name: getattr(plan, name) for name in ("in_channels", "width", "out_channels", "stride")}
