"""Weight files as people's training loops save them, and as accidents leave them."""

from __future__ import annotations

import argparse
import collections
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import nn

from .nets import resnet
from .specimens import broken, hostile, right

IMAGE = (1, 3, 32, 32)


class AttributeDict(dict[str, Any]):
    """As Lightning keeps hyper-parameters: a dict whose keys are attributes too."""

    def __getattr__(self, name: str) -> Any:
        return self[name]


class Node:
    """As OmegaConf keeps a configuration: objects inside objects."""

    def __init__(self, content: Any) -> None:
        self.content = {key: Node(value) for key, value in content.items()} if isinstance(content, dict) else content
        self.metadata = collections.defaultdict(list, flags=[True])


class Exploit:
    """Creates the file ``ran`` in the current folder when it is unpickled."""

    def __init__(self, call: Any = os.system, argument: str = "touch ran") -> None:
        self.call, self.argument = call, argument

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call, (self.argument,)


def weights(prefix: str = "") -> dict[str, torch.Tensor]:
    return {prefix + name: tensor for name, tensor in resnet().state_dict().items()}


def trained() -> dict[str, Any]:
    """State of an optimiser that has made a step."""
    net = resnet()
    optimiser = torch.optim.Adam(net.parameters())
    net(torch.zeros(2, 3, 16, 16)).sum().backward()
    optimiser.step()
    return dict(optimiser.state_dict())


def saved(folder: Path, value: Any, name: str = "net.pth", **options: Any) -> Path:
    torch.save(value, folder / name, **options)
    return folder / name


def changed(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


# ---- right ------------------------------------------------------------------------------------------------


@right(resnet, IMAGE)
def state_dict(folder: Path) -> Path:
    return saved(folder, weights())


@right(resnet, IMAGE)
def safetensors(folder: Path) -> Path:
    save_file(weights(), folder / "net.safetensors")
    return folder / "net.safetensors"


@right(resnet, IMAGE, says="argparse.Namespace")
def namespace_beside(folder: Path) -> Path:
    """As MLPerf's and many others' loops."""
    return saved(folder, {"args": argparse.Namespace(lr=0.1, path="x"), "epoch": 3, "state_dict": weights()})


@right(resnet, IMAGE, says="multiarray.scalar")
def numpy_scalar_beside(folder: Path) -> Path:
    return saved(folder, {"best": np.float64(91.2), "history": np.ones(3), "model": weights()})


@right(resnet, IMAGE, says="AttributeDict")
def lightning(folder: Path) -> Path:
    return saved(
        folder,
        {
            "hyper_parameters": AttributeDict(lr=0.1, inner=AttributeDict(a=1)),
            "state_dict": weights("model."),
            "callbacks": {"EarlyStopping": {"best_score": torch.tensor(1.0)}},
            "optimizer_states": [trained()],
            "loops": {"fit": {"state": {}}},
        },
        "epoch=3.ckpt",
    )


@right(resnet, IMAGE, says="Node")
def configuration_beside(folder: Path) -> Path:
    return saved(folder, {"cfg": Node({"a": {"b": [1, 2]}}), "model": weights()})


@right(resnet, IMAGE)
def optimiser_beside(folder: Path) -> Path:
    return saved(folder, {"optimizer": trained(), "net": weights(), "scheduler": {"last": 3}})


@right(resnet, IMAGE)
def imagenet_example(folder: Path) -> Path:
    """PyTorch's own example: data parallel, and an ending that says nothing."""
    content = {"epoch": 1, "arch": "resnet18", "state_dict": weights("module."), "best_acc1": torch.tensor(3.0)}
    return saved(folder, {**content, "optimizer": trained()}, "checkpoint.pth.tar")


@right(resnet, IMAGE)
def old_container(folder: Path) -> Path:
    return saved(folder, weights(), _use_new_zipfile_serialization=False)


@right(resnet, IMAGE, says="argparse.Namespace")
def old_container_with_extras(folder: Path) -> Path:
    content = {"opt": argparse.Namespace(lr=1), "state_dict": weights("module."), "optimizer": trained()}
    return saved(folder, content, "net.th", _use_new_zipfile_serialization=False)


@right(resnet, IMAGE)
def no_ending(folder: Path) -> Path:
    return saved(folder, weights(), "weights")


@right(resnet, IMAGE)
def pickle_ending(folder: Path) -> Path:
    return saved(folder, weights(), "weights.pkl")


@right(resnet, IMAGE)
def model_ending(folder: Path) -> Path:
    return saved(folder, weights(), "best.model")


@right(resnet, IMAGE, says="'checkpoint.last.network'")
def deeply_nested(folder: Path) -> Path:
    return saved(folder, {"checkpoint": {"last": {"network": weights()}, "step": 7}})


@right(resnet, IMAGE)
def in_a_list(folder: Path) -> Path:
    return saved(folder, [weights(), 12, "resnet"])


@right(resnet, IMAGE, says="other copies of the weights too, which were not read: 'ema'")
def moving_average_beside(folder: Path) -> Path:
    return saved(folder, {"ema": weights(), "model": weights()})


@right(resnet, IMAGE)
def backbone_and_head_apart(folder: Path) -> Path:
    state = weights()
    head = {name: state.pop(f"fc.{name}") for name in ("weight", "bias")}
    return saved(folder, {"model": {"backbone": state, "head": head}})


@right(resnet, IMAGE, says="None of its code was run")
def whole_model(folder: Path) -> Path:
    return saved(folder, resnet())


@right(resnet, IMAGE, says="None of its code was run")
def whole_model_in_parallel(folder: Path) -> Path:
    return saved(folder, {"model": nn.DataParallel(resnet()), "epoch": 1})


@right(resnet, IMAGE, says="None of its code was run")
def whole_model_of_before_2020(folder: Path) -> Path:
    return saved(folder, resnet(), _use_new_zipfile_serialization=False)


@right(resnet, IMAGE)
def parameters_as_weights(folder: Path) -> Path:
    net = resnet()
    state = {**dict(net.named_parameters()), **dict(net.named_buffers())}
    return saved(folder, collections.OrderedDict(state))


@right(resnet, IMAGE)
def half_precision(folder: Path) -> Path:
    return saved(folder, {name: t.half() if t.is_floating_point() else t for name, t in weights().items()})


@right(resnet, IMAGE)
def old_pickle_protocol(folder: Path) -> Path:
    return saved(folder, {"state_dict": weights(), "args": argparse.Namespace(a=1)}, pickle_protocol=5)


# ---- broken -----------------------------------------------------------------------------------------------


@broken("cut off")
def cut_zip(folder: Path) -> Path:
    path = saved(folder, weights())
    return changed(path, path.read_bytes()[:-500])


@broken("damaged")
def cut_old_container(folder: Path) -> Path:
    path = saved(folder, weights(), _use_new_zipfile_serialization=False)
    return changed(path, path.read_bytes()[:-500])


@broken("the file ends after")
def cut_header(folder: Path) -> Path:
    path = safetensors(folder)
    return changed(path, path.read_bytes()[:200])


@broken("damaged")
def cut_safetensors(folder: Path) -> Path:
    path = safetensors(folder)
    return changed(path, path.read_bytes()[:-100])


@broken("Git LFS pointer")
def lfs_pointer(folder: Path) -> Path:
    return changed(folder / "net.pth", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2\nsize 46830571\n")


@broken("web page")
def web_page(folder: Path) -> Path:
    return changed(folder / "net.safetensors", b"<html><title>Sign in</title></html>")


@broken("JSON text")
def error_of_an_interface(folder: Path) -> Path:
    return changed(folder / "net.pth", b'{"error": "Repository not found"}')


@broken("gzip")
def compressed(folder: Path) -> Path:
    import gzip

    return changed(folder / "net.pth", gzip.compress(saved(folder, weights()).read_bytes()))


@broken("it is empty")
def empty(folder: Path) -> Path:
    return changed(folder / "net.pth", b"")


@broken("it starts with")
def noise(folder: Path) -> Path:
    return changed(folder / "net.ckpt", np.random.default_rng(3).bytes(3000))


@broken("damaged")
def storage_left_out(folder: Path) -> Path:
    import zipfile

    path = saved(folder, weights())
    with zipfile.ZipFile(path) as archive:
        entries = [(name, archive.read(name)) for name in archive.namelist() if not name.endswith("/data/3")]
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


# ---- hostile ----------------------------------------------------------------------------------------------


@hostile("it would call 'posix.system' when opened; nothing was run")
def runs_code(folder: Path) -> Path:
    return saved(folder, {"state_dict": weights(), "epoch": Exploit()})


@hostile("it would call 'posix.system' when opened; nothing was run")
def runs_code_in_old_container(folder: Path) -> Path:
    return saved(folder, {"w": Exploit()}, _use_new_zipfile_serialization=False)


@hostile("builtin__.exec' when opened; nothing was run")
def runs_python(folder: Path) -> Path:
    return saved(folder, {"state_dict": weights(), "x": Exploit(exec, "open('ran', 'w')")})


@hostile("it is a bare pickle, which can run code")
def bare_pickle(folder: Path) -> Path:
    return changed(folder / "net.pkl", pickle.dumps({"w": Exploit()}))


# ---- cut anywhere -----------------------------------------------------------------------------------------


def _cut(kind: str, write_whole: Callable[[Path], Path], share: int) -> None:
    def write(folder: Path) -> Path:
        path = write_whole(folder)
        data = path.read_bytes()
        return changed(path, data[: len(data) * share // 100])

    write.__name__ = f"{kind}_cut_at_{share}_percent"
    broken("the weight file was refused")(write)


for share in (10, 50, 90, 99):
    _cut("zip", state_dict, share)
    _cut("safetensors", safetensors, share)
    _cut("old_container", old_container, share)
    _cut("checkpoint", lightning, share)
