"""The class of the whole network: stem, stages, head, and the initial weights."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from textwrap import indent

from ...spec import Init, Norm, ResNetSpec, Shortcut, Stem
from ...spec.budget import halved
from .blocks import variants
from .layers import activation, assign_activation, assign_norm, conv, norm, normed
from .layout import COLUMNS, class_text, method, tensors, times, wrapped

Call = tuple[str, str, tuple[str, ...]]  # comment above a block, its class, the arguments

_INITS = {
    Init.HE: 'nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")',
    Init.XAVIER: "nn.init.xavier_normal_(module.weight)",
    Init.ORTHOGONAL: "nn.init.orthogonal_(module.weight)",
}


def resnet_class(spec: ResNetSpec) -> str:
    names = [f"layer{number}" for number in range(1, len(spec.depths) + 1)]
    layers = ["super().__init__()", *_stem(spec)]
    calls = _calls(spec)
    for number, name in enumerate(names, start=1):
        layers.append(_stage(name, [calls[plan.path] for plan in spec.blocks if plan.stage == number]))
    stem = "self.conv1(x)"
    if not spec.block.is_preact:
        stem = f"self.relu({normed(spec, 'bn1', stem)})"
    steps = [f"x = {stem if spec.stem is Stem.CIFAR else f'self.maxpool({stem})'}"]
    steps += [f"x = self.{name}(x)" for name in names]
    if spec.block.is_preact:
        post = f"nn.Sequential({norm(spec, spec.out_channels)}, {activation(spec)})"
        layers.append(f"self.post = {activation(spec) if spec.norm is Norm.NONE else post}")
        steps.append("x = self.post(x)")
    layers.append("self.avgpool = nn.AdaptiveAvgPool2d(1)")
    layers.append(f"self.fc = nn.Linear({spec.out_channels}, {spec.num_classes})")
    reset = _reset(spec)
    if reset:
        layers.append("self.reset_parameters()")
    steps += ["x = torch.flatten(self.avgpool(x), 1)", "return self.fc(x)"]
    doc = f"(N, {spec.in_channels}, H, W) -> logits (N, {spec.num_classes})."
    methods = [method("def __init__(self) -> None:", layers), *reset, method(tensors("forward", "x"), steps)]
    return class_text("ResNet", "nn.Module", doc, methods)


def _stem(spec: ResNetSpec) -> list[str]:
    width = spec.widths[0]
    if spec.stem is Stem.DEEP:
        half = max(1, width // 2)
        between = ["nn.Identity()" if spec.norm is Norm.NONE else norm(spec, half), activation(spec)]
        first, middle = conv(spec, spec.in_channels, half, 3, stride=2), conv(spec, half, half, 3)
        convs = [first, *between, middle, *between, conv(spec, half, width, 3)]
        note = ["# The identities stand for norms, so that the layers keep their numbers."]
        lines = [*(note if spec.norm is Norm.NONE else []), wrapped("self.conv1 = nn.Sequential", convs, margin=8)]
    elif spec.stem is Stem.IMAGENET:
        lines = [f"self.conv1 = {conv(spec, spec.in_channels, width, 7, stride=2)}"]
    else:
        lines = [f"self.conv1 = {conv(spec, spec.in_channels, width, 3)}"]
    if not spec.block.is_preact:
        lines += [*assign_norm(spec, "bn1", width), assign_activation(spec)]
    return lines if spec.stem is Stem.CIFAR else [*lines, "self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)"]


def _calls(spec: ResNetSpec) -> dict[str, Call]:
    """What makes each block."""
    classes = {kind: name for name, kinds in variants(spec).items() for kind in kinds}
    comments = misfits(spec)
    calls = {}
    for plan in spec.blocks:
        stride = [f"stride={plan.stride}"] if plan.stride > 1 else []
        width = [str(plan.width)] if spec.block.is_bottleneck else []
        arguments = [str(plan.in_channels), *width, str(plan.out_channels), *stride]
        if adapter := {Shortcut.PROJECTION: "projection", Shortcut.ZERO_PAD: "ZeroPad"}.get(plan.shortcut_kind):
            sizes = ", ".join([str(plan.in_channels), str(plan.out_channels), *stride])
            arguments.append(f"downsample={adapter}({sizes})")
        calls[plan.path] = comments.get(plan.path, ""), classes[plan.shortcut_kind], tuple(arguments)
    return calls


def _stage(name: str, calls: Iterable[Call]) -> str:
    """One stage, equal blocks in a row as a loop."""
    blocks = []
    for (comment, block, arguments), equal in groupby(calls):
        text, count = wrapped(block, arguments, margin=12), len(list(equal))
        if count > 1:
            text = f"*({text} for _ in range({count}))"
            if len(text) > COLUMNS - 13:
                one = indent(wrapped(block, arguments, margin=16), " " * 4)
                text = f"*(\n{one}\n    for _ in range({count})\n)"
        blocks.append(f"{comment}{text}")
    return wrapped(f"self.{name} = nn.Sequential", blocks, margin=8)


def misfits(spec: ResNetSpec) -> dict[str, str]:
    """Block's path -> a comment, where F(x) and the shortcut have different shapes."""
    found = {}
    side = halved(spec.image_size, spec.stem_stride)
    for plan in spec.blocks:
        out = halved(side, plan.stride)
        branch = (plan.out_channels, out, out)
        shortcut = {
            Shortcut.IDENTITY: (plan.in_channels, side, side),
            Shortcut.ZERO_PAD: (max(plan.in_channels, plan.out_channels), out, out),
        }.get(plan.shortcut_kind, branch)
        repeats = all(a == b or 1 in (a, b) for a, b in zip(branch, shortcut, strict=True))
        if branch != shortcut:
            facts = f"# {plan.path} does not fit: F(x) is {times(*branch)}, the shortcut {times(*shortcut)}.\n"
            outcome = "PyTorch repeats the smaller one without an error" if repeats else "The addition raises an error"
            found[plan.path] = f"{facts}# {outcome}.\n"
        side = max(out, shortcut[1]) if repeats else out
    return found


def _reset(spec: ResNetSpec) -> list[str]:
    """The method that sets initial weights, or none where PyTorch's own are meant."""
    sets = [_INITS[spec.init]] if spec.init in _INITS else []
    if spec.norm is Norm.NONE:
        sets.append("nn.init.zeros_(module.bias)")
    lines = [f"        {line}" for line in sets]
    if lines:
        lines = ["for module in self.modules():", "    if isinstance(module, nn.Conv2d):", *lines]
    if spec.zero_init_residual:
        ends_in_norm = spec.norm is not Norm.NONE and not spec.block.is_preact
        last = f"{'bn' if ends_in_norm else 'conv'}{spec.block.convolutions}"
        lines += [
            "# Every F starts at 0 (Goyal et al. 2017, section 5.1).",
            "for module in self.modules():",
            f"    if isinstance(module, {next(iter(variants(spec)))}):",
            f"        nn.init.zeros_(module.{last}.weight)",
        ]
    return [method("def reset_parameters(self) -> None:", lines)] if lines else []
