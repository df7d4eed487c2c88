"""``source(spec)``: the network as one PyTorch file, as it would be written by hand for this spec alone.

Modules are named as in ``explorer.network``, so that weights load strictly in both directions. What a spec doesn't use
is not in its file. The text is ASCII, laid out as ``ruff format`` does at 100 columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from itertools import groupby
from textwrap import indent

from ..spec import Activation, Init, Norm, ResNetSpec, Shortcut, Stem, StrideOn, ZeroPad, title, to_dict
from ..spec.budget import estimate, halved
from .blocks import BLOCKS
from .layers import activation

COLUMNS = 100

Call = tuple[str, str, tuple[str, ...]]  # comment above a block, its class, the arguments

_INITS = {
    Init.HE: 'nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")',
    Init.XAVIER: "nn.init.xavier_normal_(module.weight)",
    Init.ORTHOGONAL: "nn.init.orthogonal_(module.weight)",
}
_GROUP_NORM = '''\
def norm(channels: int) -> nn.GroupNorm:
    """Group normalisation: 32 groups, or as many as divide 32 and have two channels or more."""
    groups = next((g for g in (32, 16, 8, 4, 2) if channels % g == 0 and channels >= 2 * g), 1)
    return nn.GroupNorm(groups, channels)'''
_ZERO_PAD = '''\
class ZeroPad(nn.Module):
    """Shortcut option A: every stride-th pixel, and zeros for the new channels."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        {added}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x[:, :, :: self.stride, :: self.stride]
        return F.pad(x, (0, 0, 0, 0, {zeros}))'''
_MAIN = '''\
def build() -> ResNet:
    """The network in training mode, with new weights."""
    return ResNet()


if __name__ == "__main__":
    model = build().eval()
    with torch.inference_mode():
        logits = model(torch.randn(2, {channels}, {side}, {side}))
    print("output:", tuple(logits.shape))
    print("parameters:", sum(p.numel() for p in model.parameters()))'''


def source(spec: ResNetSpec) -> str:
    """Text of a Python module that defines the network of ``spec``, and ``build()``, which makes it.

    Where a shortcut doesn't fit, the network is built all the same, and a comment at the block says what meets.
    """
    kinds = {plan.shortcut_kind for plan in spec.blocks}
    parts = [_head(spec, kinds)]
    if spec.norm is Norm.GROUP:
        parts.append(_GROUP_NORM)
    if Shortcut.PROJECTION in kinds:
        parts.append(_projection(spec))
    if Shortcut.ZERO_PAD in kinds:
        parts.append(_zero_pad(spec))
    parts += _block_classes(spec)
    parts.append(_resnet(spec))
    parts.append(_MAIN.format(channels=spec.in_channels, side=spec.image_size))
    return "\n\n\n".join(parts) + "\n"


def _head(spec: ResNetSpec, kinds: set[Shortcut]) -> str:
    params, macs = estimate(spec)
    image = _times(spec.in_channels, spec.image_size, spec.image_size)
    lines = [
        f"{title(spec).replace('×', 'x')}, written by ResNet Explorer for this one network.",
        "",
        f"{params:,} parameters; {macs:,} multiply-adds (MACs) for an image of {image}.",
    ]
    if misfits := len(_misfits(spec)):
        does = "1 shortcut does" if misfits == 1 else f"{misfits} shortcuts do"
        lines.append(f"{does} not fit: see the comments in ResNet.")
    docstring = "\n".join([*lines, "Its description:", "", _json(spec)])
    imports = "import torch\nfrom torch import nn"
    if Shortcut.ZERO_PAD in kinds:
        imports += "\nfrom torch.nn import functional as F"
    return f'"""{_escape(docstring)}\n"""\n\n{imports}'


def _json(spec: ResNetSpec) -> str:
    """``to_json``, a line for each field and for each override."""
    values = {k: json.dumps(v, indent=4 if isinstance(v, dict) and v else None) for k, v in to_dict(spec).items()}
    fields = (f'  "{name}": ' + (text[:-1] + "  }" if "\n" in text else text) for name, text in values.items())
    return "{\n" + ",\n".join(fields) + "\n}"


def _escape(text: str) -> str:
    """Text as it is spelled between three double quotes, in ASCII."""
    return text.encode("ascii", "backslashreplace").decode().replace("\\", "\\\\").replace('"""', '\\"\\"\\"')


def _conv(
    spec: ResNetSpec, inputs: object, outputs: object, kernel: int, *, stride: object = 1, groups: int = 1
) -> str:
    """A same-padded convolution; it has a bias only where no norm follows."""
    options = {
        f"stride={stride}": stride != 1,
        f"padding={kernel // 2}": kernel > 1,
        f"groups={groups}": groups > 1,
        "bias=False": spec.norm is not Norm.NONE,
    }
    words = [str(inputs), str(outputs), str(kernel), *(word for word, used in options.items() if used)]
    return f"nn.Conv2d({', '.join(words)})"


def _norm(spec: ResNetSpec, channels: object) -> str:
    return f"norm({channels})" if spec.norm is Norm.GROUP else f"nn.BatchNorm2d({channels})"


def _normed(spec: ResNetSpec, name: str, value: str) -> str:
    return value if spec.norm is Norm.NONE else f"self.{name}({value})"


def _assign_norm(spec: ResNetSpec, name: str, channels: object) -> list[str]:
    return [] if spec.norm is Norm.NONE else [f"self.{name} = {_norm(spec, channels)}"]


def _activation(spec: ResNetSpec) -> str:
    return f"nn.{type(activation(spec)).__name__}()"


def _assign_activation(spec: ResNetSpec) -> str:
    note = "" if spec.activation is Activation.RELU else "  # called relu whatever it is, as in torchvision"
    return f"self.relu = {_activation(spec)}{note}"


def _projection(spec: ResNetSpec) -> str:
    conv = _conv(spec, "in_channels", "out_channels", 1, stride="stride")
    normed = spec.norm is not Norm.NONE and not spec.block.is_preact
    layers = _wrap("return nn.Sequential", [conv, _norm(spec, "out_channels")] if normed else [conv], margin=4)
    doc = f'"""Shortcut option B or C: a 1x1 convolution{" and a norm" if normed else ""}."""'
    head = "def projection(in_channels: int, out_channels: int, *, stride: int = 1) -> nn.Sequential:"
    return _method(head, [doc, layers])


def _zero_pad(spec: ResNetSpec) -> str:
    padded = [plan for plan in spec.blocks if plan.shortcut_kind is Shortcut.ZERO_PAD]
    added = "out_channels - in_channels"
    if any(plan.out_channels < plan.in_channels for plan in padded):
        added = f"max(0, {added})"
    if spec.zero_pad is ZeroPad.APPEND:
        return _ZERO_PAD.format(added=f"self.added = {added}", zeros="0, self.added")
    halves = f"added = {added}\n        self.before, self.after = added // 2, added - added // 2"
    return _ZERO_PAD.format(added=halves, zeros="self.before, self.after")


def _misfits(spec: ResNetSpec) -> dict[str, str]:
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
            facts = f"# {plan.path} does not fit: F(x) is {_times(*branch)}, the shortcut {_times(*shortcut)}.\n"
            outcome = "PyTorch repeats the smaller one without an error" if repeats else "The addition raises an error"
            found[plan.path] = f"{facts}# {outcome}.\n"
        side = max(out, shortcut[1]) if repeats else out
    return found


def _variants(spec: ResNetSpec) -> dict[str, set[Shortcut]]:
    """Block classes, the first one the base of the others -> the shortcuts that its ``forward`` serves.

    Plain blocks have one to themselves; so has zero padding where pre-activation blocks project too, since a projection
    reads a, and padding x.
    """
    kinds = {plan.shortcut_kind for plan in spec.blocks}
    name = BLOCKS[spec.block].__name__
    own = {Shortcut.NONE: f"Plain{name}"}
    if spec.block.is_preact and Shortcut.PROJECTION in kinds:
        own[Shortcut.ZERO_PAD] = f"ZeroPad{name}"
    base = {name: kinds - own.keys()} if kinds - own.keys() else {}
    return {**base, **{own[kind]: {kind} for kind in own if kind in kinds}}


def _block_classes(spec: ResNetSpec) -> list[str]:
    (base, kinds), *others = _variants(spec).items()
    doc, forward = _equation(spec, kinds), _forward(spec, kinds)
    whole = _class(base, "nn.Module", doc, [_block_init(spec), _branch(spec), forward])
    return [whole, *(_class(name, base, _equation(spec, own), [_forward(spec, own)]) for name, own in others)]


def _equation(spec: ResNetSpec, kinds: set[Shortcut]) -> str:
    """The block in one line, for each shortcut that the class serves."""
    sigma = spec.activation.value
    read = "a" if spec.block.is_preact and Shortcut.PROJECTION in kinds else "x"
    terms = {Shortcut.NONE: "", Shortcut.IDENTITY: " + x"}
    sums = sorted({terms.get(kind, f" + downsample({read})") for kind in kinds}, key=len)
    if not spec.block.is_preact:
        return f"y = {' or '.join(f'{sigma}(F(x){term})' for term in sums)}."
    a = "x" if spec.norm is Norm.NONE else "norm(x)"
    return f"y = {' or '.join(f'F(a){term}' for term in sums)}, where a = {sigma}({a})."


def _convs(spec: ResNetSpec) -> list[tuple[str, str, str]]:
    """The branch's convolutions: channels in, channels out, and the layer."""
    if not spec.block.is_bottleneck:
        shapes = [("in_channels", "channels", 3, "stride", 1), ("channels", "channels", 3, 1, 1)]
    else:
        first, middle = ("stride", 1) if spec.stride_on is StrideOn.V1 else (1, "stride")
        shapes = [
            ("in_channels", "width", 1, first, 1),
            ("width", "width", 3, middle, spec.groups),
            ("width", "out_channels", 1, 1, 1),
        ]
    return [(i, o, _conv(spec, i, o, kernel, stride=stride, groups=groups)) for i, o, kernel, stride, groups in shapes]


def _block_init(spec: ResNetSpec) -> str:
    channels = ["in_channels", "width", "out_channels"] if spec.block.is_bottleneck else ["in_channels", "channels"]
    parameters = ["self", *(f"{name}: int" for name in channels), "*", "stride: int = 1"]
    layers = ["super().__init__()", _assign_activation(spec)]
    for number, (inputs, outputs, conv) in enumerate(_convs(spec), start=1):
        norm = _assign_norm(spec, f"bn{number}", inputs if spec.block.is_preact else outputs)
        both = [f"self.conv{number} = {conv}", *norm]
        layers += both[::-1] if spec.block.is_preact else both
    kinds = {plan.shortcut_kind for plan in spec.blocks}
    if kinds & {Shortcut.PROJECTION, Shortcut.ZERO_PAD}:
        optional = kinds & {Shortcut.IDENTITY, Shortcut.NONE}
        parameters.append("downsample: nn.Module | None = None" if optional else "downsample: nn.Module")
        layers.append("self.downsample = downsample")
    return _method(_wrap("def __init__", parameters, " -> None:", margin=4), layers)


def _branch(spec: ResNetSpec) -> str:
    count, value = spec.block.convolutions, "a" if spec.block.is_preact else "x"
    lines = ['"""F."""']
    for number in range(1, count + 1):
        if spec.block.is_preact:
            ready = value if number == 1 else f"self.relu({_normed(spec, f'bn{number}', value)})"
            step = f"self.conv{number}({ready})"
        else:
            step = _normed(spec, f"bn{number}", f"self.conv{number}({value})")
            step = step if number == count else f"self.relu({step})"
        lines.append(f"return {step}" if number == count else f"out = {step}")
        value = "out"
    return _method(_tensors("branch", "a" if spec.block.is_preact else "x"), lines)


def _forward(spec: ResNetSpec, kinds: set[Shortcut]) -> str:
    preact = spec.block.is_preact
    adapted = f"self.downsample({'a' if preact and Shortcut.PROJECTION in kinds else 'x'})"
    lines = [f"a = self.relu({_normed(spec, 'bn1', 'x')})"] if preact else []
    terms = [f"self.branch({'a' if preact else 'x'})"]
    if kinds == {Shortcut.IDENTITY}:
        terms.append("x")
    elif Shortcut.IDENTITY in kinds:
        lines.append(f"shortcut = x if self.downsample is None else {adapted}")
        terms.append("shortcut")
    elif kinds != {Shortcut.NONE}:
        terms.append(adapted)
    total = " + ".join(terms)
    return _method(_tensors("forward", "x"), [*lines, f"return {total}" if preact else f"return self.relu({total})"])


def _resnet(spec: ResNetSpec) -> str:
    names = [f"layer{number}" for number in range(1, len(spec.depths) + 1)]
    layers = ["super().__init__()", *_stem(spec)]
    calls = _calls(spec)
    for number, name in enumerate(names, start=1):
        layers.append(_stage(name, [calls[plan.path] for plan in spec.blocks if plan.stage == number]))
    stem = "self.conv1(x)"
    if not spec.block.is_preact:
        stem = f"self.relu({_normed(spec, 'bn1', stem)})"
    steps = [f"x = {stem if spec.stem is Stem.CIFAR else f'self.maxpool({stem})'}"]
    steps += [f"x = self.{name}(x)" for name in names]
    if spec.block.is_preact:
        normed = f"nn.Sequential({_norm(spec, spec.out_channels)}, {_activation(spec)})"
        layers.append(f"self.post = {_activation(spec) if spec.norm is Norm.NONE else normed}")
        steps.append("x = self.post(x)")
    layers.append("self.avgpool = nn.AdaptiveAvgPool2d(1)")
    layers.append(f"self.fc = nn.Linear({spec.out_channels}, {spec.num_classes})")
    reset = _reset(spec)
    if reset:
        layers.append("self.reset_parameters()")
    steps += ["x = torch.flatten(self.avgpool(x), 1)", "return self.fc(x)"]
    doc = f"(N, {spec.in_channels}, H, W) -> logits (N, {spec.num_classes})."
    methods = [_method("def __init__(self) -> None:", layers), *reset, _method(_tensors("forward", "x"), steps)]
    return _class("ResNet", "nn.Module", doc, methods)


def _stem(spec: ResNetSpec) -> list[str]:
    width = spec.widths[0]
    if spec.stem is Stem.DEEP:
        half = max(1, width // 2)
        between = ["nn.Identity()" if spec.norm is Norm.NONE else _norm(spec, half), _activation(spec)]
        first, middle = _conv(spec, spec.in_channels, half, 3, stride=2), _conv(spec, half, half, 3)
        convs = [first, *between, middle, *between, _conv(spec, half, width, 3)]
        note = ["# The identities stand for norms, so that the layers keep their numbers."]
        lines = [*(note if spec.norm is Norm.NONE else []), _wrap("self.conv1 = nn.Sequential", convs, margin=8)]
    elif spec.stem is Stem.IMAGENET:
        lines = [f"self.conv1 = {_conv(spec, spec.in_channels, width, 7, stride=2)}"]
    else:
        lines = [f"self.conv1 = {_conv(spec, spec.in_channels, width, 3)}"]
    if not spec.block.is_preact:
        lines += [*_assign_norm(spec, "bn1", width), _assign_activation(spec)]
    return lines if spec.stem is Stem.CIFAR else [*lines, "self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)"]


def _calls(spec: ResNetSpec) -> dict[str, Call]:
    """What makes each block."""
    classes = {kind: name for name, kinds in _variants(spec).items() for kind in kinds}
    misfits = _misfits(spec)
    calls = {}
    for plan in spec.blocks:
        stride = [f"stride={plan.stride}"] if plan.stride > 1 else []
        width = [str(plan.width)] if spec.block.is_bottleneck else []
        arguments = [str(plan.in_channels), *width, str(plan.out_channels), *stride]
        if adapter := {Shortcut.PROJECTION: "projection", Shortcut.ZERO_PAD: "ZeroPad"}.get(plan.shortcut_kind):
            sizes = ", ".join([str(plan.in_channels), str(plan.out_channels), *stride])
            arguments.append(f"downsample={adapter}({sizes})")
        calls[plan.path] = misfits.get(plan.path, ""), classes[plan.shortcut_kind], tuple(arguments)
    return calls


def _stage(name: str, calls: Iterable[Call]) -> str:
    """One stage, equal blocks in a row as a loop."""
    blocks = []
    for (comment, block, arguments), equal in groupby(calls):
        text, count = _wrap(block, arguments, margin=12), len(list(equal))
        if count > 1:
            text = f"*({text} for _ in range({count}))"
            if len(text) > COLUMNS - 13:
                one = indent(_wrap(block, arguments, margin=16), " " * 4)
                text = f"*(\n{one}\n    for _ in range({count})\n)"
        blocks.append(f"{comment}{text}")
    return _wrap(f"self.{name} = nn.Sequential", blocks, margin=8)


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
            f"    if isinstance(module, {next(iter(_variants(spec)))}):",
            f"        nn.init.zeros_(module.{last}.weight)",
        ]
    return [_method("def reset_parameters(self) -> None:", lines)] if lines else []


def _class(name: str, base: str, doc: str, methods: Iterable[str]) -> str:
    body = "\n\n".join([f'"""{doc}"""', *methods])
    return f"class {name}({base}):\n{indent(body, ' ' * 4)}"


def _method(head: str, lines: Iterable[str]) -> str:
    return f"{head}\n" + indent("\n".join(lines), " " * 4)


def _tensors(name: str, value: str) -> str:
    return f"def {name}(self, {value}: torch.Tensor) -> torch.Tensor:"


def _wrap(head: str, arguments: Sequence[str], tail: str = "", *, margin: int) -> str:
    """``head(arguments)tail`` on one line, or with a line for each argument where it is too long at ``margin``."""
    line = f"{head}({', '.join(arguments)}){tail}"
    if "\n" not in line and margin + len(line) < COLUMNS:
        return line
    return f"{head}(\n" + "".join(indent(argument, " " * 4) + ",\n" for argument in arguments) + f"){tail}"


def _times(*sizes: int) -> str:
    return "x".join(map(str, sizes))
