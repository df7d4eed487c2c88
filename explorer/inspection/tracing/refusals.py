"""What PyTorch refuses other than channels and sums: views, kernels, ranks, matrix products. Each gets an output as if
it had been right, so that the pass continues."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from inspect import signature
from math import prod
from typing import Any

from torch import Tensor
from torch.nn import functional as F

from .operations import Refusal
from .repeats import Shape


@dataclass(frozen=True)
class Refused:
    """A refused call.

    Attributes:
        name: of the operation.
        operands: tensors that it read.
        outputs: those that continue; ``result``: what the call returns.
    """

    name: str
    operands: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    refusal: Refusal
    result: Any


def stand_in(func: Any, args: Sequence[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    """What continues in the place of a call that raised; None where the reason is unknown."""
    name = str(getattr(func, "__name__", "")).strip("_")
    reader = _READERS.get(name)
    try:
        return reader(name, list(args), kwargs, error) if reader else None
    except Exception:  # the arguments are none that it could have
        return None


def _refused(name: str, x: Tensor, shape: Sequence[int], rule: str, **facts: Any) -> Refused:
    out = x.new_zeros(tuple(shape))
    facts["came"] = tuple(x.shape)
    return Refused(name, (x,), (out,), Refusal(rule, facts), out)


def _view(name: str, args: list[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    x, *sizes = args
    sizes = list(kwargs.get("shape", sizes[0] if sizes and isinstance(sizes[0], (tuple, list)) else sizes))
    known = prod(size for size in sizes if size != -1)
    if "stride" in str(error):
        out = x.reshape(sizes)
        return Refused("view", (x,), (out,), Refusal("view-strides", {"came": tuple(x.shape)}), out)
    if (known == x.numel() and -1 not in sizes) or sizes.count(-1) > 1 or known == 0:
        return None
    rest = x.shape[0] if sizes[0] == -1 else max(1, x.numel() // known)
    shape = [rest if size == -1 else size for size in sizes]
    return _refused("view", x, shape, "view-size", sizes=tuple(sizes))


def _unflatten(name: str, args: list[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    x, dim, sizes = args
    shape = [*x.shape[:dim], *sizes, *x.shape[dim % x.dim() + 1 :]]
    return _refused("view", x, [abs(side) for side in shape], "view-size", sizes=tuple(shape))


def _split(name: str, args: list[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    given = dict(zip(("self", "sizes", "dim"), args, strict=False)) | kwargs
    x, sizes = given["self"], given.get("sizes", given.get("split_size"))
    dim = given.get("dim", 0) % x.dim()
    if not isinstance(sizes, (list, tuple)):
        return None
    outputs = tuple(x.new_zeros((*x.shape[:dim], size, *x.shape[dim + 1 :])) for size in sizes)
    facts = {"came": tuple(x.shape), "sizes": tuple(sizes), "dim": dim}
    return Refused("split", (x,), outputs, Refusal("split-size", facts), outputs)


def _conv(name: str, args: list[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    names = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
    given = dict(zip(names, args, strict=False)) | kwargs
    x, weight = given["input"], given["weight"]
    dims = weight.dim() - 2
    groups = given.get("groups", 1)
    is_unbatched = x.dim() == dims + 1 and x.shape[0] == weight.shape[1] * groups
    if x.dim() != dims + 2 and not is_unbatched:
        channels = weight.shape[0]
        shape = (x.shape[0], channels, *x.shape[2:]) if x.dim() > 2 else (x.shape[0], channels, *(1,) * dims)
        return _refused("conv", x, shape, "wrong-rank", takes=(dims + 2,), layer=f"Conv{dims}d")
    stride, padding, dilation = (
        _each(given.get(key, default), dims) for key, default in (("stride", 1), ("padding", 0), ("dilation", 1))
    )
    return _window("conv", x, tuple(weight.shape[2:]), stride, padding, dilation, channels=weight.shape[0])


def _pool(name: str, args: list[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    dims = int(name.removesuffix("_with_indices")[-2])
    names = ("input", "kernel_size", "stride", "padding")
    given = dict(zip(names, args, strict=False)) | kwargs
    x, kernel = given["input"], _each(given["kernel_size"], dims)
    if x.dim() not in (dims + 1, dims + 2):
        return _refused(name[:8], x, x.shape, "wrong-rank", takes=(dims + 2,), layer=f"{name[:3].title()}Pool{dims}d")
    stride = _each(given.get("stride") or kernel, dims)
    padding = _each(given.get("padding", 0), dims)
    return _window(name[:8], x, kernel, stride, padding, (1,) * dims, channels=x.shape[-dims - 1])


def _window(
    name: str, x: Tensor, kernel: Shape, stride: Shape, padding: Shape, dilation: Shape, channels: int
) -> Refused | None:
    dims = len(kernel)
    sides = [
        (n + 2 * p - (k - 1) * d - 1) // s + 1
        for n, k, s, p, d in zip(x.shape[-dims:], kernel, stride, padding, dilation, strict=True)
    ]
    if min(sides) > 0:
        return None
    shape = (*x.shape[: -dims - 1], channels, *(max(1, side) for side in sides))
    return _refused(name, x, shape, "kernel-too-large", kernel=kernel, padding=padding, dilation=dilation)


def _each(value: Any, dims: int) -> Shape:
    if value == "same":
        return (1 << 20,) * dims  # never too small
    if value == "valid":
        return (0,) * dims
    return tuple(value) * (dims if len(value) == 1 else 1) if isinstance(value, (tuple, list)) else (value,) * dims


def _matmul(name: str, args: list[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    a, b = args[:2]
    if name == "rmatmul":
        a, b = b, a
    if a.dim() < 2 or b.dim() < 2:
        return None
    batch = max(a.shape[:-2], b.shape[:-2], key=len)
    out = a.new_zeros((*batch, a.shape[-2], b.shape[-1]))
    facts = {"shapes": (tuple(a.shape), tuple(b.shape))}
    return Refused("bmm", (a, b), (out,), Refusal("matmul-differs", facts), out)


def _attention(name: str, args: list[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    q, k, v = (args + [kwargs.get(key) for key in ("query", "key", "value")[len(args) :]])[:3]
    mask = kwargs.get("attn_mask", args[3] if len(args) > 3 else None)
    out = q.new_zeros((*q.shape[:-1], v.shape[-1]))
    if mask is not None and q.shape[-1] == k.shape[-1]:
        scores = (*q.shape[:-1], k.shape[-2])
        facts = {"shapes": (scores, tuple(mask.shape)), "constant": 1, "name": "", "in_place": False}
        return Refused("attention", (q, k, v), (out,), Refusal("constant-differs", facts), out)
    facts = {"shapes": (tuple(q.shape), tuple(k.transpose(-1, -2).shape))}
    return Refused("attention", (q, k, v), (out,), Refusal("matmul-differs", facts), out)


def _shuffle(name: str, args: list[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    x, factor = args[0], args[1] if len(args) > 1 else next(iter(kwargs.values()))
    n, c, h, w = x.shape
    if name == "pixel_shuffle":
        shape = (n, max(1, c // factor**2), h * factor, w * factor)
        return _refused(name, x, shape, "channels-do-not-divide", divisor=factor**2, what=f"{factor}² = {factor**2}")
    shape = (n, c * factor**2, max(1, h // factor), max(1, w // factor))
    return _refused(name, x, shape, "size-does-not-divide", divisor=factor)


def _layer_norm(name: str, args: list[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    given = dict(zip(signature(F.layer_norm).parameters, args, strict=False)) | kwargs
    x = given["input"]
    return _refused(name, x, x.shape, "wrong-norm-shape", normalized=tuple(given["normalized_shape"]))


def _embedding(name: str, args: list[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    given = dict(zip(("input", "weight"), args, strict=False)) | kwargs
    x, weight = given["input"], given["weight"]
    if not x.is_floating_point():
        return None
    out = weight.new_zeros((*x.shape, weight.shape[1]))
    facts = {"came": tuple(x.shape), "dtype": str(x.dtype).removeprefix("torch.")}
    return Refused(name, (x,), (out,), Refusal("wrong-dtype", facts), out)


def _einsum(name: str, args: list[Any], kwargs: dict[str, Any], error: Exception) -> Refused | None:
    equation, *given = args
    tensors: list[Tensor] = list(given[0]) if isinstance(given[0], (list, tuple)) else given
    left, _, right = equation.replace(" ", "").partition("->")
    sides: dict[str, int] = {}
    differs: tuple[str, int, int] | None = None
    for letters, tensor in zip(left.split(","), tensors, strict=True):
        for letter, side in zip(letters, tensor.shape, strict=True):
            if sides.setdefault(letter, side) != side and differs is None:
                differs = (letter, sides[letter], side)
    if differs is None:
        return None
    out = tensors[0].new_zeros([sides[letter] for letter in right])
    shapes = tuple(tuple(t.shape) for t in tensors)
    facts = {"shapes": shapes, "letter": differs}
    return Refused("bmm", tuple(tensors), (out,), Refusal("matmul-differs", facts), out)


Reader = Callable[[str, list[Any], dict[str, Any], Exception], Refused | None]
_READERS: dict[str, Reader] = {
    **dict.fromkeys(("view", "reshape"), _view),
    "unflatten": _unflatten,
    **dict.fromkeys(("split", "split_with_sizes"), _split),
    **{f"conv{dims}d": _conv for dims in (1, 2, 3)},
    **{f"{kind}_pool{dims}d": _pool for kind in ("max", "avg") for dims in (1, 2, 3)},
    **{f"max_pool{dims}d_with_indices": _pool for dims in (1, 2, 3)},
    **dict.fromkeys(("matmul", "rmatmul", "bmm", "mm"), _matmul),
    "scaled_dot_product_attention": _attention,
    **dict.fromkeys(("pixel_shuffle", "pixel_unshuffle"), _shuffle),
    "layer_norm": _layer_norm,
    "embedding": _embedding,
    "einsum": _einsum,
}
