"""What is kept for the backward pass, held against what autograd really saves."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from explorer.compat import torchvision
from explorer.inspection import inspect
from explorer.inspection.saved_tensors import find_saved_tensors
from explorer.network import build
from explorer.spec import ResNetSpec

SMALL = ResNetSpec(depths=(1, 2), widths=(8, 16), image_size=32, num_classes=10)
NETWORKS = {
    "basic": SMALL,
    "bottleneck": SMALL.with_(block="bottleneck"),
    "bottleneck v1": SMALL.with_(block="bottleneck", stride_on="v1"),
    "pre-activation": SMALL.with_(block="preact_basic"),
    "pre-activation bottleneck": SMALL.with_(block="preact_bottleneck", stem="cifar"),
    "zero-pad": SMALL.with_(shortcut="zero_pad"),
    "zero-pad split": SMALL.with_(shortcut="zero_pad", zero_pad="split", stem="cifar"),
    "projections everywhere": SMALL.with_(shortcut="projection_all"),
    "plain": SMALL.with_(shortcut="none"),
    "deep stem": SMALL.with_(stem="deep"),
    "group norm": SMALL.with_(norm="group"),
    "no norm": SMALL.with_(norm="none"),
    "gelu": SMALL.with_(activation="gelu"),
    "silu": SMALL.with_(activation="silu"),
    "leaky": SMALL.with_(activation="leaky_relu"),
    "grouped": SMALL.with_(block="bottleneck", groups=4, width_per_group=16),
}


def saved_bytes(model: nn.Module, x: Tensor) -> int:
    """Bytes of the memory that autograd holds after a forward pass; what the model owns is left out."""
    owned = {t.untyped_storage().data_ptr() for t in (*model.parameters(), *model.buffers())}
    held: dict[int, tuple[int, Tensor]] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in owned:
            held[storage.data_ptr()] = (storage.nbytes(), tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        out = model.train()(x)
    assert out.requires_grad
    return sum(size for size, _ in held.values())


@pytest.mark.parametrize("name", NETWORKS)
@pytest.mark.parametrize("images", [1, 3])
def test_what_is_kept_is_what_autograd_holds(name, images):
    spec = NETWORKS[name]
    size = (images, 3, spec.image_size, spec.image_size)
    if images == 1:  # the smallest map has 2×2 pixels or more, which a batch norm can normalise
        assert spec.image_size // (spec.stem_stride * 2) > 1
    kept = find_saved_tensors(inspect(spec, size).trace)
    assert sum(k.bytes for k in kept) == saved_bytes(build(spec), torch.rand(size))


def test_operations_in_place_share_their_memory():
    """torchvision's ReLUs and sums work in place."""
    model = torchvision.models.resnet18(num_classes=10)
    report = inspect(model, (2, 3, 64, 64))
    assert sum(k.bytes for k in find_saved_tensors(report.trace)) == saved_bytes(model, torch.rand(2, 3, 64, 64))


def test_who_reads_what_again():
    report = inspect(SMALL)
    ops, kept = report.trace.ops, find_saved_tensors(report.trace)
    by_name = {op.path: k for op, k in zip(ops, kept, strict=True)}
    # A batch norm reads its input again; nobody reads its own output, which ReLU replaces by 0 or leaves.
    assert [ops[i].path for i in by_name["layer1.0.conv1"].readers] == ["layer1.0.bn1"]
    assert by_name["layer1.0.conv1"].bytes == 4 * 8 * 8 * 8
    assert by_name["layer1.0.bn1"].output == 0
    assert by_name["layer1.0.bn1"].statistics == 2 * 4 * 8
    # The input of a block is read again by both its paths, and kept once.
    entry = next(k for op, k in zip(ops, kept, strict=True) if op.path == "layer1.0.relu" and len(k.readers) > 2)
    assert [ops[i].path for i in entry.readers] == ["layer1.0.relu", "layer2.0.conv1", "layer2.0.downsample.0"]
    assert entry.output == 4 * 8 * 8 * 8
    # The classifier reads the flattened map: a view, so the pooled map itself is what is kept.
    assert by_name["avgpool"].output == 4 * 16
    assert by_name["fc"].bytes == 0
