"""The block classes: one, and one more for each kind of shortcut that reads or adds something else."""

from __future__ import annotations

from ...spec import Norm, ResNetSpec, Shortcut, StrideOn
from ..blocks import BLOCKS
from .layers import assign_activation, assign_norm, conv, normed
from .layout import class_text, method, tensors, wrapped


def variants(spec: ResNetSpec) -> dict[str, set[Shortcut]]:
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


def block_classes(spec: ResNetSpec) -> list[str]:
    (base, kinds), *others = variants(spec).items()
    doc, forward = _equation(spec, kinds), _forward(spec, kinds)
    whole = class_text(base, "nn.Module", doc, [_block_init(spec), _branch(spec), forward])
    return [whole, *(class_text(name, base, _equation(spec, own), [_forward(spec, own)]) for name, own in others)]


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
    return [(i, o, conv(spec, i, o, kernel, stride=stride, groups=groups)) for i, o, kernel, stride, groups in shapes]


def _block_init(spec: ResNetSpec) -> str:
    channels = ["in_channels", "width", "out_channels"] if spec.block.is_bottleneck else ["in_channels", "channels"]
    parameters = ["self", *(f"{name}: int" for name in channels), "*", "stride: int = 1"]
    layers = ["super().__init__()", assign_activation(spec)]
    for number, (inputs, outputs, layer) in enumerate(_convs(spec), start=1):
        norm = assign_norm(spec, f"bn{number}", inputs if spec.block.is_preact else outputs)
        both = [f"self.conv{number} = {layer}", *norm]
        layers += both[::-1] if spec.block.is_preact else both
    kinds = {plan.shortcut_kind for plan in spec.blocks}
    if kinds & {Shortcut.PROJECTION, Shortcut.ZERO_PAD}:
        optional = kinds & {Shortcut.IDENTITY, Shortcut.NONE}
        parameters.append("downsample: nn.Module | None = None" if optional else "downsample: nn.Module")
        layers.append("self.downsample = downsample")
    return method(wrapped("def __init__", parameters, " -> None:", margin=4), layers)


def _branch(spec: ResNetSpec) -> str:
    count, value = spec.block.convolutions, "a" if spec.block.is_preact else "x"
    lines = ['"""F."""']
    for number in range(1, count + 1):
        if spec.block.is_preact:
            ready = value if number == 1 else f"self.relu({normed(spec, f'bn{number}', value)})"
            step = f"self.conv{number}({ready})"
        else:
            step = normed(spec, f"bn{number}", f"self.conv{number}({value})")
            step = step if number == count else f"self.relu({step})"
        lines.append(f"return {step}" if number == count else f"out = {step}")
        value = "out"
    return method(tensors("branch", "a" if spec.block.is_preact else "x"), lines)


def _forward(spec: ResNetSpec, kinds: set[Shortcut]) -> str:
    preact = spec.block.is_preact
    adapted = f"self.downsample({'a' if preact and Shortcut.PROJECTION in kinds else 'x'})"
    lines = [f"a = self.relu({normed(spec, 'bn1', 'x')})"] if preact else []
    terms = [f"self.branch({'a' if preact else 'x'})"]
    if kinds == {Shortcut.IDENTITY}:
        terms.append("x")
    elif Shortcut.IDENTITY in kinds:
        lines.append(f"shortcut = x if self.downsample is None else {adapted}")
        terms.append("shortcut")
    elif kinds != {Shortcut.NONE}:
        terms.append(adapted)
    total = " + ".join(terms)
    return method(tensors("forward", "x"), [*lines, f"return {total}" if preact else f"return self.relu({total})"])
