"""Names, attributes and multiply-adds of recorded tensor operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import prod
from typing import Any

import torch
from torch import Tensor

aten = torch.ops.aten

# Readable names; an operation not listed keeps its own.
NAMES: dict[Any, str] = {
    aten.convolution: "conv",
    aten.native_batch_norm: "batch_norm",
    aten.native_group_norm: "group_norm",
    aten.native_layer_norm: "layer_norm",
    aten.max_pool2d_with_indices: "max_pool",
    aten.avg_pool2d: "avg_pool",
    aten.max_pool3d_with_indices: "max_pool",
    aten.avg_pool3d: "avg_pool",
    aten._adaptive_avg_pool2d: "adaptive_avg_pool",
    aten._adaptive_avg_pool3d: "adaptive_avg_pool",
    aten.mean: "mean",
    aten.addmm: "linear",
    aten.mm: "linear",
    aten.constant_pad_nd: "pad",
    aten.slice: "slice",
    aten.add: "add",
    aten.add_: "add",
    aten.sub_: "sub",
    aten.mul_: "mul",
    aten.div_: "div",
    aten.relu_: "relu",
    aten.silu_: "silu",
    aten.leaky_relu_: "leaky_relu",
}

# These don't change values; with an unchanged shape they are not steps worth showing.
TRANSPARENT = frozenset({"alias", "detach", "clone", "slice", "view", "expand", "contiguous", "dropout"})


def _like(x: Tensor) -> Tensor:
    """``empty_like``, faster: that one is a Python decomposition as well, ``empty`` is not."""
    return torch.empty(x.shape, dtype=x.dtype, device=x.device) if x.is_contiguous() else torch.empty_like(x)


def _batch_norm(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The output, and no statistics of the batch: in evaluation there are none."""
    return _like(x), torch.empty(0, device=x.device), torch.empty(0, device=x.device)


# The output has the input's shape by definition. On the meta device PyTorch works that out by Python decompositions,
# which take a large part of a pass; giving the shape directly makes the pass fast.
SHAPE_PRESERVING: dict[Any, Callable[[Tensor], Any]] = {
    aten.native_batch_norm.default: _batch_norm,
    aten.relu.default: _like,
    aten.gelu.default: _like,
    aten.silu.default: _like,
    aten.leaky_relu.default: _like,
    aten.add.Tensor: _like,
}


def added(a: tuple[int, ...], b: tuple[int, ...], *, in_place: bool = False) -> tuple[int, ...] | None:
    """Shape of a + b as PyTorch broadcasts it (a += b if ``in_place``); None where it raises."""
    if any(x != y and 1 not in (x, y) for x, y in zip(reversed(a), reversed(b), strict=False)):
        return None
    longer, shorter = (a, b) if len(a) >= len(b) else (b, a)
    padded = (1,) * (len(longer) - len(shorter)) + shorter
    # A side of 1 repeats, also to nothing.
    result = tuple(y if x == 1 else x for x, y in zip(longer, padded, strict=True))
    return None if in_place and result != a else result


# These take two tensors element by element.
ELEMENTWISE: frozenset[Any] = frozenset(
    {
        *(getattr(aten, f"{name}{end}").Tensor for name in ("add", "sub", "mul", "div") for end in ("", "_")),
        *(getattr(aten, name).Tensor for name in ("lt", "le", "gt", "ge", "eq", "ne")),
        *(getattr(aten, name).default for name in ("maximum", "minimum", "atan2")),
        *(getattr(aten, name).Scalar for name in ("masked_fill", "masked_fill_")),
    }
)


@dataclass(frozen=True)
class Refusal:
    """Why PyTorch refuses an operation; the pass went on as if it had not.

    Attributes:
        rule: as ``Finding``'s.
        facts: what its sentence needs, by name: plain values.
    """

    rule: str
    facts: Mapping[str, Any]


# Weighted operations carry the main branch; see ``forks``.
WEIGHTED = frozenset({"conv", "linear", "bmm", "baddbmm"})


@dataclass(frozen=True)
class Op:
    """One recorded tensor operation.

    Attributes:
        index: position in execution order; inputs of the network come first.
        name: "conv", "batch_norm", "add" …; "input" for an input of the network.
        path: module whose forward ran it; empty for the network's own.
        inputs: producing operations, one for each activation it read; weights are not listed.
        in_shapes, shape: with the batch dimension.
        bytes: of the output.
        attrs: kernel, stride, padding, dilation, groups, weight … where the operation has them; ``wants``, the channels
            that a layer is built for, where it got others and the pass went on as if it had them; ``refusal``, a
            ``Refusal`` of another kind; ``macs``, its multiply-adds, where they don't follow from the shapes;
            ``opaque``, that it may mix positions; ``unknown``, that its shape is unknown, and empty here.
        source: line of the program that asked for it, ``models/net.py:123``; empty where unknown.
    """

    index: int
    name: str
    path: str
    inputs: tuple[int, ...]
    in_shapes: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]
    bytes: int
    attrs: Mapping[str, Any]
    source: str = ""

    def moved(self, path: str, by: int) -> Op:
        """The same operation in another module, ``by`` places further on, as are those it reads."""
        inputs = tuple([i + by for i in self.inputs])
        return Op(self.index + by, self.name, path, inputs, self.in_shapes, self.shape, self.bytes, self.attrs)

    @property
    def macs(self) -> int:
        """Multiply-adds of convolutions and matrix products, those of recurrent layers included; everything else counts
        0 (torchvision's ``_ops``)."""
        if self.name == "conv" and "weight" in self.attrs:  # a refused one has no shapes to count with
            _, inputs, *kernel = self.attrs["weight"]
            if self.attrs["transposed"]:
                return prod(self.in_shapes[0]) * inputs * prod(kernel)
            return prod(self.shape) * inputs * prod(kernel)
        if self.name in ("linear", "bmm", "baddbmm"):
            return prod(self.shape) * int(self.attrs["inner"])
        return int(self.attrs.get("macs", 0))


def creates(name: str) -> bool:
    """Whether an operation reads only its input's shape (``new_zeros``, ``ones_like`` …): its output is not a path."""
    return name.startswith("new_") or name.endswith("_like")


def describe(func: Any, args: Any) -> dict[str, Any]:
    """The attributes of an operation that matter to a reader, from its positional arguments."""
    reader = _READERS.get(func.overloadpacket)
    return reader(args) if reader else {}


def _conv(args: Any) -> dict[str, Any]:
    x, weight, bias, stride, padding, dilation, transposed, output_padding, groups = args
    attrs = {
        "kernel": tuple(weight.shape[2:]),
        "stride": tuple(stride),
        "padding": tuple(padding),
        "dilation": tuple(dilation),
        "groups": groups,
        "bias": bias is not None,
        "transposed": transposed,
        "weight": tuple(weight.shape),
    }
    if transposed:
        attrs["output_padding"] = tuple(output_padding)
    wants = weight.shape[0] if transposed else weight.shape[1] * groups
    if x.shape[1] != wants or weight.shape[0] % groups:  # not every convolution without memory notices
        attrs["wants"] = wants
    return attrs


def _pool(dims: int) -> Callable[[Any], dict[str, Any]]:
    def read(args: Any) -> dict[str, Any]:
        kernel = _each(args[1], dims)
        stride = _each(args[2], dims) if len(args) > 2 and args[2] else kernel
        padding = _each(args[3], dims) if len(args) > 3 else (0,) * dims
        dilation = _each(args[4], dims) if len(args) > 4 and isinstance(args[4], (list, tuple)) else (1,) * dims
        return {"kernel": kernel, "stride": stride, "padding": padding, "dilation": dilation}

    return read


def _each(value: Any, dims: int) -> tuple[int, ...]:
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,)
    return values * dims if len(values) == 1 else values


def _in_place(args: Any) -> dict[str, Any]:
    return {"in_place": True}


def _group_norm(args: Any) -> dict[str, Any]:
    return {"groups": args[6]}


def _layer_norm(args: Any) -> dict[str, Any]:
    return {"normalized": tuple(args[1])}


def _permute(args: Any) -> dict[str, Any]:
    return {"dims": tuple(dim % args[0].dim() for dim in args[1])}


def _transpose(args: Any) -> dict[str, Any]:
    dims = list(range(args[0].dim()))
    first, second = args[1:3] if len(args) > 2 else (0, -1)
    if dims:
        dims[first], dims[second] = dims[second], dims[first]
    return {"dims": tuple(dims)}


def _unsqueeze(args: Any) -> dict[str, Any]:
    return {"dim": args[1] % (args[0].dim() + 1)}


def _select(args: Any) -> dict[str, Any]:
    return {"dim": args[1] % args[0].dim(), "at": args[2]}


def _reduce(args: Any) -> dict[str, Any]:
    rank = args[0].dim()
    dims = args[1] if len(args) > 1 and isinstance(args[1], (list, tuple, int)) else ()
    dims = (dims,) if isinstance(dims, int) else dims
    keeps = len(args) > 2 and args[2] is True
    return {"reduced": tuple(d % rank for d in dims) if dims and rank else tuple(range(rank)), "keeps": keeps}


def _factor(args: Any) -> dict[str, Any]:
    """The shape that a product is taken with; of a number there is none."""
    shapes = [tuple(a.shape) for a in args[:2] if isinstance(a, Tensor)]
    return {"factors": tuple(shapes)} if len(shapes) == 2 else {}


def _slice(args: Any) -> dict[str, Any]:
    dim = args[1] if len(args) > 1 else 0
    return {"dim": dim % args[0].dim(), "step": args[4] if len(args) > 4 else 1}


def _pad(args: Any) -> dict[str, Any]:
    return {"pad": tuple(args[1])}


def _product(args: Any) -> dict[str, Any]:
    left = [a for a in args if isinstance(a, Tensor)][-2]
    return {"inner": left.shape[-1]}


_READERS: dict[Any, Callable[[Any], dict[str, Any]]] = {
    aten.convolution: _conv,
    aten.max_pool2d_with_indices: _pool(2),
    aten.avg_pool2d: _pool(2),
    aten.max_pool3d_with_indices: _pool(3),
    aten.avg_pool3d: _pool(3),
    aten.slice: _slice,
    aten.native_layer_norm: _layer_norm,
    aten.permute: _permute,
    aten.transpose: _transpose,
    aten.t: _transpose,
    aten.unsqueeze: _unsqueeze,
    aten.select: _select,
    **dict.fromkeys((aten.mean, aten.sum, aten.amax, aten.amin, aten.var, aten.max, aten.min), _reduce),
    aten.mul: _factor,
    aten.add_: _in_place,
    aten.sub_: _in_place,
    aten.relu_: _in_place,
    aten.silu_: _in_place,
    aten.leaky_relu_: _in_place,
    aten.native_group_norm: _group_norm,
    aten.constant_pad_nd: _pad,
    aten.addmm: _product,
    aten.mm: _product,
    aten.bmm: _product,
    aten.baddbmm: _product,
}
