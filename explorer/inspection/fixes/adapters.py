"""What can be put on a shortcut so that x fits F(x): option A and option B of He et al. 2015, §3.3."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from ..joins.additions import Merge
from ..joins.layout import channels_last
from ..tracing.operations import Op


@dataclass(frozen=True)
class ShortcutAdapter:
    """A change of x before it is added.

    Attributes:
        params: of it.
        snippet: lines of PyTorch for the block's ``__init__`` and ``forward``.
        run: the change of shape itself, in operations as the recorder sees them: it runs among those.
    """

    title: str
    params: int
    snippet: str
    run: Callable[[Tensor], Tensor]


def adapters_for(ops: Sequence[Op], merge: Merge) -> Iterator[ShortcutAdapter]:
    """Those that make the shortcut's shape the branch's, without weights first; none where no stride leads there."""
    before, after = merge.shortcut_shape, merge.branch_shape
    if len(before) != len(after) or before == after:
        return
    if channels_last(ops, merge) or len(before) == 1:
        if before[:-1] == after[:-1]:
            yield from _of_features(before[-1], after[-1])
        return
    strides = {max(1, round(b / a)) for b, a in zip(before[1:], after[1:], strict=True)}
    stride = strides.pop() if len(strides) == 1 else 0
    if not stride or len(before) > 4 or any(-(-b // stride) != a for b, a in zip(before[1:], after[1:], strict=True)):
        return
    if before[0] <= after[0]:
        yield _zero_pad(after[0] - before[0], stride, len(before) - 1)
    yield _projection(ops, merge, stride)


def _zero_pad(added: int, stride: int, dims: int) -> ShortcutAdapter:
    steps = (slice(None), slice(None), *([slice(None, None, stride)] * dims))
    pads = (0, 0) * dims + (0, added)
    taken = f"x[:, :{f', ::{stride}' * dims}]" if stride > 1 else "x"
    every = f"every {stride}{ {2: 'nd', 3: 'rd'}.get(stride, 'th') } pixel" if stride > 1 else ""
    zeros = f"{added} channels of zeros" if added else ""
    line = f"out = out + F.pad({taken}, {pads})" if added else f"out = out + {taken}"
    title = f"{'Zero-pad' if added else 'Subsample'} x: {', '.join(filter(None, (every, zeros)))}"
    return ShortcutAdapter(title, 0, line, lambda x: F.pad(x[steps], pads))


def _projection(ops: Sequence[Op], merge: Merge, stride: int) -> ShortcutAdapter:
    inputs, outputs, dims = merge.shortcut_shape[0], merge.branch_shape[0], len(merge.branch_shape) - 1
    normalised = any(ops[i].name == "batch_norm" for i in merge.branch[-2:])
    layer = f"nn.Conv{dims}d({inputs}, {outputs}, kernel_size=1, stride={stride}{', bias=False' * normalised})"
    if normalised:
        layer = f"nn.Sequential({layer}, nn.BatchNorm{dims}d({outputs}))"
    weight = torch.empty((outputs, inputs, *(1,) * dims), device="meta")
    params = weight.numel() + (2 if normalised else 1) * outputs
    window = [[stride] * dims, [0] * dims, [1] * dims, False, [0] * dims, 1]
    return ShortcutAdapter(
        f"Project x: 1×1 convolution, stride {stride}",
        params,
        projecting(layer),
        # The norm changes no shape and has no multiply-adds.
        lambda x: torch.ops.aten.convolution(
            x, torch.empty_like(weight, dtype=x.dtype, device=x.device), None, *window
        ),
    )


def _of_features(inputs: int, outputs: int) -> Iterator[ShortcutAdapter]:
    if inputs <= outputs:
        added = outputs - inputs
        line = f"out = out + F.pad(x, (0, {added}))"
        yield ShortcutAdapter(f"Zero-pad x: {added} features of zeros", 0, line, lambda x: F.pad(x, (0, added)))
    weight = torch.empty((inputs, outputs), device="meta")
    yield ShortcutAdapter(
        "Project x: linear layer",
        (inputs + 1) * outputs,
        projecting(f"nn.Linear({inputs}, {outputs})"),
        lambda x: torch.mm(x.reshape(-1, inputs), torch.empty_like(weight, dtype=x.dtype, device=x.device)).view(
            *x.shape[:-1], outputs
        ),
    )


def projecting(layer: str) -> str:
    """Lines that put a layer on the shortcut."""
    return f"self.projection = {layer}  # in __init__\nout = out + self.projection(x)  # in forward"
