"""The class of the whole network: stem, stages, head, and the initial weights."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from textwrap import indent

from ...spec import Init, Norm, ResNetSpec
from ...spec.anatomy import Mismatch, last_of_branch, mismatches, stem_convs
from .blocks import arguments, class_names, variants
from .layers import activation, apply_norm, assign_layers, conv, norm, optional_norm
from .layout import COLUMNS, class_text, method, times, wrap_arguments
from .statements import Code, Method

Call = tuple[str, str, tuple[str, ...]]  # comment above a block, its class, the arguments

_INITS = {
    Init.HE: 'nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")',
    Init.XAVIER: "nn.init.xavier_normal_(module.weight)",
    Init.ORTHOGONAL: "nn.init.orthogonal_(module.weight)",
}


def resnet_class(spec: ResNetSpec) -> str:
    reset = _reset(spec)
    lines = [
        "super().__init__()",
        *_first_convolutions(spec),
        *assign_layers(spec, stem_layers(spec)),
        *stages(spec).values(),
        *assign_layers(spec, end_layers(spec)),
        *(["self.reset_parameters()"] if reset else []),
    ]
    doc = f"(N, {spec.in_channels}, H, W) -> logits (N, {spec.num_classes})."
    methods = [method("def __init__(self) -> None:", lines), *reset, forward(spec).text]
    return class_text("ResNet", "nn.Module", doc, methods)


def stem_layers(spec: ResNetSpec) -> dict[str, str]:
    """What makes each layer between ``conv1`` and the first stage, by its name."""
    after = {} if spec.block.is_preact else {**optional_norm(spec, "bn1", spec.widths[0]), "relu": activation(spec)}
    return after | ({"maxpool": "nn.MaxPool2d(3, stride=2, padding=1)"} if spec.stem.form.pools else {})


def end_layers(spec: ResNetSpec) -> dict[str, str]:
    """What makes each layer after the last stage, by its name."""
    parts = end_parts(spec)
    post = {"post": f"nn.Sequential({', '.join(parts)})" if len(parts) > 1 else parts[0]} if parts else {}
    return {**post, "avgpool": "nn.AdaptiveAvgPool2d(1)", "fc": f"nn.Linear({spec.out_channels}, {spec.num_classes})"}


def first_parts(spec: ResNetSpec) -> list[str]:
    """The first convolution, or what is inside ``conv1`` if there are several. Identities take the place of norms."""
    made: list[str] = []
    for form in stem_convs(spec):
        if made:
            made += ["nn.Identity()" if spec.norm is Norm.NONE else norm(spec, form.inputs), activation(spec)]
        made.append(conv(spec, form.inputs, form.outputs, form.kernel, stride=form.stride))
    return made


def end_parts(spec: ResNetSpec) -> list[str]:
    """What is inside ``post``, which follows the last pre-activation block."""
    if not spec.block.is_preact:
        return []
    return [*optional_norm(spec, "post", spec.out_channels).values(), activation(spec)]


def forward(spec: ResNetSpec) -> Method:
    """(N, in_channels, H, W) -> logits."""
    x = Code("x")
    stem = x.through("conv1")
    if not spec.block.is_preact:
        stem = apply_norm(spec, "bn1", stem).through("relu")
    if spec.stem.form.pools:
        stem = stem.through("maxpool")
    middle = [f"layer{number}" for number in range(1, len(spec.depths) + 1)]
    middle += ["post"] if spec.block.is_preact else []
    pooled = x.through("avgpool")
    flat = Code(f"torch.flatten({pooled.text}, 1)", (*pooled.does, "view"))
    steps = [stem, *map(x.through, middle), flat]
    return Method("forward", "x", (*(step.assign("x") for step in steps), x.through("fc").as_return()))


def stages(spec: ResNetSpec) -> dict[str, str]:
    """The statement that makes each stage, by its name."""
    comments = {mismatch.plan.path: _comment(mismatch) for mismatch in mismatches_of(spec)}
    classes = class_names(spec)
    made = {}
    for number, plans in groupby(spec.blocks, key=lambda plan: plan.stage):
        calls = [(comments.get(plan.path, ""), classes[plan.shortcut_kind], arguments(spec, plan)) for plan in plans]
        made[f"layer{number}"] = _stage(f"layer{number}", calls)
    return made


def mismatches_of(spec: ResNetSpec) -> list[Mismatch]:
    """The blocks that cannot add, for an image of the spec's own size."""
    return list(mismatches(spec, spec.image_size, spec.image_size))


def _first_convolutions(spec: ResNetSpec) -> list[str]:
    """The statement that makes ``conv1``."""
    parts = first_parts(spec)
    if len(parts) == 1:
        return [f"self.conv1 = {parts[0]}"]
    note = ["# The identities stand for norms, so that the layers keep their numbers."]
    return [*(note if spec.norm is Norm.NONE else []), wrap_arguments("self.conv1 = nn.Sequential", parts, margin=8)]


def _stage(name: str, calls: Iterable[Call]) -> str:
    """One stage, equal blocks in a row as a loop."""
    blocks = []
    for (comment, block, given), equal in groupby(calls):
        text, count = wrap_arguments(block, given, margin=12), len(list(equal))
        if count > 1:
            text = f"*({text} for _ in range({count}))"
            if len(text) > COLUMNS - 13:
                one = indent(wrap_arguments(block, given, margin=16), " " * 4)
                text = f"*(\n{one}\n    for _ in range({count})\n)"
        blocks.append(f"{comment}{text}")
    return wrap_arguments(f"self.{name} = nn.Sequential", blocks, margin=8)


def _comment(mismatch: Mismatch) -> str:
    path, shapes = mismatch.plan.path, (times(*mismatch.branch), times(*mismatch.shortcut))
    facts = f"# {path} does not fit: F(x) is {shapes[0]}, the shortcut {shapes[1]}.\n"
    repeats = "PyTorch repeats the smaller one without an error"
    return f"{facts}# {repeats if mismatch.broadcasts else 'The addition raises an error'}.\n"


def _reset(spec: ResNetSpec) -> list[str]:
    """The method that sets initial weights, or none where PyTorch's own are meant."""
    sets = [_INITS[spec.init]] if spec.init in _INITS else []
    if spec.norm is Norm.NONE:
        sets.append("nn.init.zeros_(module.bias)")
    lines = [f"        {line}" for line in sets]
    if lines:
        lines = ["for module in self.modules():", "    if isinstance(module, nn.Conv2d):", *lines]
    if spec.zero_init_residual:
        lines += [
            "# Every F starts at 0 (Goyal et al. 2017, section 5.1).",
            "for module in self.modules():",
            f"    if isinstance(module, {next(iter(variants(spec)))}):",
            f"        nn.init.zeros_(module.{last_of_branch(spec)}.weight)",
        ]
    return [method("def reset_parameters(self) -> None:", lines)] if lines else []
