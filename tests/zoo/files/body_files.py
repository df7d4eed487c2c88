"""Weight files of bodies: without a head, with another one, inside other networks, and under other libraries' names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

import torch
from torch import Tensor, nn

from .nets import bottleneck, resnet
from .specimens import right

State = dict[str, Tensor]
SMALL, IMAGE = (1, 3, 32, 32), (1, 3, 224, 224)


def body_of(net: nn.Module) -> nn.Module:
    net.fc = nn.Identity()
    return net


def small_body() -> nn.Module:
    return body_of(resnet())


def large_body() -> nn.Module:
    return body_of(bottleneck())


def state(net: nn.Module, prefix: str = "") -> State:
    return {prefix + name: tensor for name, tensor in net.state_dict().items()}


def mlp(prefix: str, *widths: int) -> State:
    """Linear layers with batch norms between, as projection heads are."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.ReLU()]
    return state(nn.Sequential(*layers), prefix)


def saved(folder: Path, content: object, name: str = "net.pth") -> Path:
    torch.save(content, folder / name)
    return folder / name


def renamed(tensors: Mapping[str, Tensor], *pairs: tuple[str, str]) -> State:
    found = {}
    for name, tensor in tensors.items():
        for pattern, replacement in pairs:
            name = re.sub(pattern, replacement, name)
        found[name] = tensor
    return found


@right(large_body, IMAGE, says="The file has no classifier")
def without_a_head(folder: Path) -> Path:
    return saved(folder, state(large_body()))


@right(small_body, SMALL, says="The file has no classifier")
def without_a_head_small(folder: Path) -> Path:
    return saved(folder, {"state_dict": state(small_body(), "module.")})


@right(large_body, IMAGE, says="'fc' (4 tensors)")
def moco_v2(folder: Path) -> Path:
    """A query and a key encoder with heads of two layers, and a queue."""
    head = renamed(mlp("fc.", 32, 16, 8), (r"^fc\.1\..*|^fc\.4\..*", "unused"), (r"^fc\.3\.", "fc.2."))
    head.pop("unused")
    encoders = {
        f"module.{which}.{k}": v
        for which in ("encoder_q", "encoder_k")
        for k, v in {**state(large_body()), **head}.items()
    }
    queue = {"module.queue": torch.ones(8, 16), "module.queue_ptr": torch.zeros(1, dtype=torch.int64)}
    return saved(folder, {"epoch": 2, "arch": "resnet50", "state_dict": encoders | queue})


@right(large_body, IMAGE, says="'predictor' (14 tensors)")
def simsiam(folder: Path) -> Path:
    encoder = {**state(large_body(), "encoder."), **mlp("encoder.fc.", 32, 16, 16)}
    return saved(
        folder, {"state_dict": {f"module.{k}": v for k, v in {**encoder, **mlp("predictor.", 16, 4, 16)}.items()}}
    )


@right(large_body, IMAGE, says="other copies of the weights too")
def dino(folder: Path) -> Path:
    net = {**state(large_body(), "module.backbone."), **mlp("module.head.mlp.", 32, 16, 8)}
    return saved(folder, {"student": net, "teacher": dict(net), "epoch": 3, "optimizer": {"state": {}}})


@right(large_body, IMAGE, says="'prototypes' (1 tensor)")
def swav(folder: Path) -> Path:
    heads = {**mlp("projection_head.", 32, 16, 8), "prototypes.weight": torch.ones(30, 8)}
    return saved(folder, {f"module.{k}": v for k, v in {**state(large_body()), **heads}.items()})


@right(large_body, IMAGE, says="'projector' (14 tensors)")
def byol(folder: Path) -> Path:
    net = {**state(large_body(), "online_network.encoder."), **mlp("online_network.projector.", 32, 16, 8)}
    return saved(folder, net)


@right(large_body, IMAGE, says="'bn' (5 tensors)")
def barlow_twins(folder: Path) -> Path:
    model = {**state(large_body(), "module.backbone."), **mlp("module.projector.", 32, 16, 16)}
    return saved(folder, {"model": model | state(nn.BatchNorm1d(16), "module.bn.")})


@right(large_body, IMAGE, says="'rpn' (2 tensors)")
def in_a_detector(folder: Path) -> Path:
    """Frozen batch norms have no counts of batches."""
    body = {k: v for k, v in state(large_body(), "backbone.body.").items() if "num_batches" not in k}
    return saved(folder, {**body, **state(nn.Conv2d(8, 8, 1), "rpn.head.conv."), **mlp("roi_heads.box_head.", 8, 8)})


@right(large_body, IMAGE, says="'classifier' (4 tensors)")
def in_a_segmenter(folder: Path) -> Path:
    heads = {**state(nn.Conv2d(32, 8, 1), "classifier.0.convs.0."), **state(nn.Conv2d(8, 21, 1), "classifier.4.")}
    return saved(folder, {**state(large_body(), "backbone."), **heads})


@right(large_body, IMAGE, says="'decoder' (2 tensors)")
def encoder_of_a_unet(folder: Path) -> Path:
    return saved(folder, {**state(large_body(), "encoder."), **state(nn.Conv2d(32, 8, 3), "decoder.blocks.0.conv1.")})


@right(bottleneck, IMAGE, says="detectron2")
def detectron2(folder: Path) -> Path:
    net = renamed(
        state(bottleneck()),
        (r"^conv1\.", "stem.conv1."),
        (r"^bn1\.", "stem.conv1.norm."),
        (r"downsample\.0\.", "shortcut."),
        (r"downsample\.1\.", "shortcut.norm."),
        (r"\.bn(\d)\.", r".conv\1.norm."),
        (r"^layer1\.", "res2."),
        (r"^layer2\.", "res3."),
        (r"^fc\.", "linear."),
    )
    return saved(folder, {"model": net})


@right(large_body, IMAGE, says="detectron2")
def detectron2_in_a_detector(folder: Path) -> Path:
    content = torch.load(detectron2(folder))["model"]
    inside = {f"backbone.bottom_up.{k}": v for k, v in content.items() if not k.startswith("linear")}
    return saved(folder, {"model": {**inside, **state(nn.Conv2d(8, 8, 1), "backbone.fpn_lateral2.")}, "iteration": 9})


@right(large_body, IMAGE, says="positions in an nn.Sequential")
def children_in_a_sequential(folder: Path) -> Path:
    return saved(folder, state(nn.Sequential(*list(bottleneck().children())[:-1])))


@right(large_body, IMAGE, says="positions in an nn.Sequential")
def fastai(folder: Path) -> Path:
    """A body and a head of its own, one after the other."""
    body = nn.Sequential(*list(bottleneck().children())[:-2])
    head = nn.Sequential(nn.Flatten(), nn.BatchNorm1d(64), nn.Linear(64, 16), nn.ReLU(), nn.Linear(16, 3))
    return saved(folder, {"model": state(nn.Sequential(body, head)), "opt": {"hypers": [], "state": []}})


@right(bottleneck, IMAGE)
def mmclassification(folder: Path) -> Path:
    net = {
        **state(large_body(), "backbone."),
        **{k.replace("fc.", "head.fc."): v for k, v in state(bottleneck()).items() if k.startswith("fc.")},
    }
    return saved(folder, {"meta": {"epoch": 3, "CLASSES": ("a", "b")}, "state_dict": net})


@right(bottleneck, IMAGE, says="'criterion' (1 tensor)")
def lightning_with_a_loss(folder: Path) -> Path:
    return saved(folder, {"state_dict": {**state(bottleneck(), "net."), "criterion.weight": torch.ones(6)}})


@right(bottleneck, IMAGE)
def timm_of_any_depth(folder: Path) -> Path:
    return saved(folder, state(bottleneck(), "a.b.c.d.e."))
