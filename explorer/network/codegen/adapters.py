"""What makes x fit on a shortcut: the definition in the file, and the layers it makes in one block."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from textwrap import indent

from ...spec import Norm, ResNetSpec, Shortcut, ZeroPlacement
from .layers import conv, norm
from .layout import method, wrap_arguments
from .statements import Code, Method, Methods

_ZERO_PAD = '''\
class ZeroPad(nn.Module):
    """Shortcut option A: every stride-th pixel, and zeros for the new channels."""

    def __init__(self, in_channels: int, out_channels: int, *, stride: int = 1) -> None:
        super().__init__()
        self.stride = stride
        {added}

{forward}'''


@dataclass(frozen=True)
class Adapter:
    """A function or a class of the file that makes a ``downsample`` of channels in, channels out and a stride.

    Attributes:
        name: of the function or class.
        define: text of its definition.
        layers: what makes each module in it, in order, from the three numbers or from names for them.
        methods: those of a class.
        uses_functional: whether the definition needs ``torch.nn.functional``.
    """

    name: str
    define: Callable[[ResNetSpec], str]
    layers: Callable[[ResNetSpec, object, object, object], list[str]] = lambda *_: []
    methods: Callable[[ResNetSpec], Methods] = lambda _: {}
    uses_functional: bool = False


def _projection_layers(spec: ResNetSpec, inputs: object, outputs: object, stride: object) -> list[str]:
    has_norm = spec.norm is not Norm.NONE and not spec.block.is_preact
    return [conv(spec, inputs, outputs, 1, stride=stride), *([norm(spec, outputs)] if has_norm else [])]


def _projection(spec: ResNetSpec) -> str:
    layers = _projection_layers(spec, "in_channels", "out_channels", "stride")
    doc = f'"""Shortcut option B or C: a 1x1 convolution{" and a norm" if len(layers) > 1 else ""}."""'
    head = "def projection(in_channels: int, out_channels: int, *, stride: int = 1) -> nn.Sequential:"
    return method(head, [doc, wrap_arguments("return nn.Sequential", layers, margin=4)])


def _zero_pad(spec: ResNetSpec) -> str:
    padded = [plan for plan in spec.blocks if plan.shortcut_kind is Shortcut.ZERO_PAD]
    added = "out_channels - in_channels"
    if any(plan.out_channels < plan.in_channels for plan in padded):
        added = f"max(0, {added})"
    lines = f"self.added = {added}"
    if spec.zero_pad is ZeroPlacement.SPLIT:
        lines = f"added = {added}\n        self.before, self.after = added // 2, added - added // 2"
    forward = indent(_zero_pad_methods(spec)["forward"].text, " " * 4)
    return _ZERO_PAD.format(added=lines, forward=forward)


def _zero_pad_methods(spec: ResNetSpec) -> Methods:
    zeros = "0, self.added" if spec.zero_pad is ZeroPlacement.APPEND else "self.before, self.after"
    subsample = Code("x = x[:, :, ::self.stride, ::self.stride]", ("slice",))
    pad = Code(f"return F.pad(x, (0, 0, 0, 0, {zeros}))", ("pad",))
    return {"forward": Method("forward", "x", (subsample, pad))}


# In the order of the file.
ADAPTERS: dict[Shortcut, Adapter] = {
    Shortcut.PROJECTION: Adapter("projection", _projection, _projection_layers),
    Shortcut.ZERO_PAD: Adapter("ZeroPad", _zero_pad, methods=_zero_pad_methods, uses_functional=True),
}


def adapters(spec: ResNetSpec) -> list[Adapter]:
    """Those that the blocks of a network need."""
    kinds = {plan.shortcut_kind for plan in spec.blocks}
    return [adapter for kind, adapter in ADAPTERS.items() if kind in kinds]
