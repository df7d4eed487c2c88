"""Weight files: every one that must not be read, and what is read of the others."""

from __future__ import annotations

import argparse
import json
import os
import pickle
import random
import struct
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save, save_file
from torch import nn

from explorer.errors import WeightsError
from explorer.inference import load_into, load_state_dict
from explorer.inference.weights.read import not_finite, read_file, shapes_of
from explorer.inference.weights.recognise import nearest_preset
from explorer.network import build
from explorer.spec import PRESETS, ResNetSpec

SMALL = ResNetSpec(depths=(1, 1), widths=(8, 16), num_classes=4, image_size=32)


# Reading


def tensors() -> dict[str, torch.Tensor]:
    return {
        "weight": torch.arange(24.0).view(2, 3, 2, 2),
        "half": torch.ones(3).half(),
        "count": torch.tensor(7),
    }


def saved(value: object, path: Path, **options: Any) -> Path:
    torch.save(value, path, **options)
    return path


def rezipped(path: Path, change: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]], **options: Any) -> Path:
    """The zip with its entries changed."""
    with zipfile.ZipFile(path) as archive:
        entries = change([(name, archive.read(name)) for name in archive.namelist()])
    with zipfile.ZipFile(path, "w", **options) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def check_equal(got: dict[str, torch.Tensor], wanted: dict[str, torch.Tensor]) -> None:
    assert list(got) == list(wanted)
    for name, tensor in wanted.items():
        assert got[name].dtype == tensor.dtype
        assert torch.equal(got[name], tensor)


def test_what_was_saved_is_read(tmp_path: Path) -> None:
    state = tensors()
    save_file(state, tmp_path / "a.safetensors")
    got = load_state_dict(tmp_path / "a.safetensors")
    check_equal({name: got[name] for name in state}, state)
    check_equal(load_state_dict(saved(state, tmp_path / "b.pth")), state)
    check_equal(load_state_dict(saved({"epoch": 3, "state_dict": state}, tmp_path / "c.pth")), state)
    check_equal(load_state_dict(rezipped(tmp_path / "b.pth", lambda entries: entries)), state)


def test_parameters_and_channels_last_tensors_are_plain_tensors(tmp_path: Path) -> None:
    conv = nn.Conv2d(3, 8, 3).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    state = OrderedDict(weight=conv.weight, bias=conv.bias)
    got = load_state_dict(saved(state, tmp_path / "a.pth"))
    assert torch.equal(got["weight"], conv.weight)
    assert not any(tensor.requires_grad for tensor in got.values())


def test_the_format_of_before_2020_is_read(tmp_path: Path) -> None:
    path = saved(tensors(), tmp_path / "a.pth", _use_new_zipfile_serialization=False)
    check_equal(load_state_dict(path), tensors())
    shared = torch.arange(6.0)
    views = {"a": shared[:2], "b": shared[2:]}
    check_equal(load_state_dict(saved(views, path, _use_new_zipfile_serialization=False)), views)


class Exploit:
    """Creates a file when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> tuple[Any, ...]:
        return (os.system, (f"echo ran > '{self.marker}'",))


@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_that_runs_code_does_not(tmp_path: Path, zipped: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    marker = tmp_path / "marker"
    path = saved({"w": Exploit(marker)}, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped)
    with pytest.raises(WeightsError, match=r"would call '(posix|nt|os)\.system' when opened; nothing was run|refused"):
        load_state_dict(path)
    assert not marker.exists()


@pytest.mark.parametrize("length", range(120, 400, 8))
def test_safetensors_are_known_by_more_than_their_first_byte(tmp_path: Path, length: int) -> None:
    """A header of 128 or 384 bytes begins as pickles do."""
    path = tmp_path / "a.safetensors"
    data = save({"weight": torch.ones(2)}, {"format": "pt", "said": ""})
    short = int.from_bytes(data[:8], "little")
    path.write_bytes(save({"weight": torch.ones(2)}, {"format": "pt", "said": "x" * (length - short)}))
    assert path.read_bytes()[:8] == length.to_bytes(8, "little")
    assert load_state_dict(path)["weight"].tolist() == [1, 1]


def test_bare_pickles_are_refused(tmp_path: Path) -> None:
    marker = tmp_path / "marker"
    for protocol in (2, 4):
        (tmp_path / "a.pkl").write_bytes(pickle.dumps(Exploit(marker), protocol=protocol))
        with pytest.raises(WeightsError, match="it is a bare pickle, which can run code; it was not opened"):
            load_state_dict(tmp_path / "a.pkl")
    assert not marker.exists()


def test_a_whole_module_is_its_tree_and_tensors_and_none_of_it_runs(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), Ran())
    for zipped in (True, False):
        found = read_file(saved(net, tmp_path / "a.pth", _use_new_zipfile_serialization=zipped))
        check_equal(found.state, dict(net.state_dict()))
        assert found.kinds == {"": "Sequential", "0": "Conv2d", "1": "BatchNorm2d", "2": "Ran"}
        assert found.notes == (
            "The file is a whole model of the class 'Sequential', not a state_dict. None of its code was run; "
            "4 modules and their shapes were read.",
        )
    assert Ran.times == 0


class Ran(nn.Module):
    """Counts how often it is unpickled."""

    times = 0

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("kept", torch.ones(2))
        self.register_buffer("left_out", torch.ones(2), persistent=False)

    def __setstate__(self, state: dict[str, Any]) -> None:
        Ran.times += 1
        super().__setstate__(state)


@pytest.mark.parametrize(
    ("content", "notes"),
    [
        ({"a": {"b": [{"w": torch.ones(2)}]}}, ("The weights are at 'a.b.0' in the file.",)),
        ({"model": {"w": torch.ones(2)}, "optimizer": {"state": {0: {"m": torch.ones(9)}}}}, ()),
        ({"state_dict": {"w": torch.ones(2)}, "queue": torch.ones(9)}, ()),
        (
            {"model": {"w": torch.ones(2)}, "model_ema": {"w": torch.zeros(2)}},
            ("The file contains other copies of the weights too, which were not read: 'model_ema'.",),
        ),
    ],
)
def test_the_one_set_of_weights_is_found_at_any_depth(tmp_path: Path, content: Any, notes: tuple[str, ...]) -> None:
    found = read_file(saved(content, tmp_path / "a.pth"))
    check_equal(found.state, {"w": torch.ones(2)})
    assert found.notes == notes


def test_a_pickle_that_contains_itself_or_grows_when_walked_is_searched_once(tmp_path: Path) -> None:
    loop: dict[str, Any] = {"w": torch.ones(2)}
    loop["again"] = loop
    deep: Any = loop
    for _ in range(20):
        deep = [deep] * 10
    assert list(read_file(saved({"state_dict": loop, "x": deep}, tmp_path / "a.pth")).state) == ["w"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_programs_are_refused(tmp_path: Path) -> None:
    net = nn.Linear(2, 2)
    torch.jit.save(torch.jit.trace(net, torch.zeros(1, 2)), str(tmp_path / "script.pt"))
    with pytest.raises(WeightsError, match="TorchScript"):
        load_state_dict(tmp_path / "script.pt")
    torch.export.save(torch.export.export(net, (torch.zeros(1, 2),)), tmp_path / "program.pt2")
    with pytest.raises(WeightsError, match=r"it is a zip, but not one of torch\.save"):
        load_state_dict(tmp_path / "program.pt2")


def test_zips_that_torch_never_writes_are_refused(tmp_path: Path) -> None:
    def refused(
        match: str, change: Callable[[list[tuple[str, bytes]]], list[tuple[str, bytes]]], **options: Any
    ) -> None:
        path = rezipped(saved(tensors(), tmp_path / "a.pth"), change, **options)
        with pytest.raises(WeightsError, match=match):
            load_state_dict(path)

    refused("has a compressed entry, .*; torch.save never compresses", list, compression=zipfile.ZIP_DEFLATED)
    refused("points outside, 'a/../../b'", lambda entries: [*entries, ("a/../../b", b"")])
    refused("points outside, '/b'", lambda entries: [*entries, ("/b", b"")])
    refused("points outside", lambda entries: [*entries, ("a\\..\\b", b"")])
    refused(
        "10,006 entries; at most 10,000",
        lambda entries: entries[:6] + [(f"a/{i}", b"") for i in range(10_000)],
    )
    refused("not one of torch.save", lambda entries: [*entries, ("other/data.pkl", b"")])
    refused("not one of torch.save", lambda entries: entries[1:])
    refused("is damaged", lambda entries: [(n, b"" if "/data/" in n else d) for n, d in entries])
    with pytest.warns(UserWarning, match="Duplicate name"):
        refused("names an entry twice", lambda entries: [*entries, entries[0]])


def test_a_zip_needs_one_directory_at_its_very_end(tmp_path: Path) -> None:
    whole_file = saved(tensors(), tmp_path / "a.pth").read_bytes()
    for data in (
        whole_file + b"more",
        whole_file + whole_file,
        whole_file[:-1],
        whole_file[: len(whole_file) // 2],
    ):
        (tmp_path / "a.pth").write_bytes(data)
        with pytest.raises(WeightsError, match="refused"):
            load_state_dict(tmp_path / "a.pth")


def test_tensors_larger_than_the_file_are_refused(tmp_path: Path) -> None:
    path = saved({"w": torch.arange(4.0)}, tmp_path / "a.pth")

    def lie(data: bytes) -> bytes:
        """The storage's and the tensor's number of elements, 4, made 2³¹−1."""
        most = b"J\xff\xff\xff\x7f"
        return data.replace(b"K\x04t", most + b"t").replace(b"K\x04\x85", most + b"\x85")

    rezipped(path, lambda entries: [(n, lie(d) if n.endswith("data.pkl") else d) for n, d in entries])
    with pytest.raises(WeightsError, match="it is damaged"):
        load_state_dict(path)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "match"),
    [
        (lambda: torch.eye(3).to_sparse(), "'w' is sparse"),
        (lambda: torch.quantize_per_tensor(torch.ones(3), 0.1, 0, torch.qint8), "'w' is quantised"),
        (lambda: torch.zeros(1).expand(1000), "'w' is a view that repeats or skips values"),
        (lambda: torch.zeros(100).as_strided((10, 10), (1, 1)), "'w' is a view that repeats"),
        (lambda: torch.zeros(10, 10)[:, ::2], "'w' is a view that repeats or skips values"),
        (lambda: torch.zeros(3, dtype=torch.complex64), "'w' has the number format complex64"),
        (lambda: torch.zeros(3, device="meta"), "'w' has no values"),
        (lambda: "text", "has no state_dict"),
        (
            lambda: argparse.Namespace(a=3),
            "contains 'argparse.Namespace', which was not loaded, and no named",
        ),
    ],
)
def test_only_plain_dense_tensors_are_read(tmp_path: Path, make: Callable[[], Any], match: str) -> None:
    with pytest.raises(WeightsError, match=match):
        load_state_dict(saved({"w": make()}, tmp_path / "a.pth"))


def test_many_names_for_one_storage_are_refused(tmp_path: Path) -> None:
    shared = torch.zeros(100_000)
    with pytest.raises(WeightsError, match="its tensors share memory"):
        load_state_dict(saved({f"w{i}": shared for i in range(100)}, tmp_path / "a.pth"))


def test_no_state_dict(tmp_path: Path) -> None:
    values: list[Any] = [[torch.zeros(3)], torch.zeros(3), {}]
    for value in values:
        with pytest.raises(WeightsError, match="has no state_dict"):
            load_state_dict(saved(value, tmp_path / "a.pth"))


def test_other_files_are_named_by_how_they_start(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    for data, match in (
        (b"", "it is empty"),
        (b"<!doctype html>", "it is a web page, not the file itself"),
        (b"\x89HDF\r\n\x1a\n", "it is an HDF5 file"),
        (b"GIF89a", "it starts with 'GIF89a'"),
    ):
        path.write_bytes(data)
        with pytest.raises(WeightsError, match=match):
            load_state_dict(path)
    with pytest.raises(WeightsError, match="not there, or no ordinary file"):
        load_state_dict(tmp_path)


def header(text: bytes | dict[str, Any], data: bytes = bytes(16), length: int | None = None) -> bytes:
    """A safetensors file."""
    encoded = text if isinstance(text, bytes) else json.dumps(text).encode()
    return struct.pack("<Q", len(encoded) if length is None else length) + encoded + data


def entry(first: int, last: int, *shape: int, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [first, last]}


GOOD = {"a": entry(0, 16, 4)}


@pytest.mark.parametrize(
    ("data", "match"),
    ids=lambda value: value if isinstance(value, str) else "",
    argvalues=[
        (header(GOOD, length=2**64 - 1), "header claims 18,446,744,073,709,551,615 bytes; at most 1,048,576"),
        (header(GOOD, length=5000), "header claims 5,000 bytes, but the file ends after"),
        (header(json.dumps(GOOD).encode().ljust(2**20 + 1)), "header claims 1,048,577 bytes; at most"),
        (header(GOOD)[:-1], "damaged"),
        (header(GOOD) + b"\0", "damaged: .*not fully covered"),
        (header({"a": entry(0, 8, 2), "b": entry(12, 16, 1)}), "damaged: invalid offset"),
        (header({"a": entry(8, 16, 2)}), "damaged: invalid offset"),
        (header({"a": entry(0, 16, 4), "b": entry(0, 16, 4)}), "damaged: invalid offset"),
        (header({"a": entry(0, 12, 3), "b": entry(8, 16, 2)}), "damaged: invalid offset"),
        (header({"a": entry(0, 16, 2**33, 2**33)}), "damaged: .*overflow"),
        (header({"a": entry(0, 16, 5)}), "damaged"),
        (header({"a": entry(-16, 0, 4)}), "damaged"),
        (header({"a": entry(16, 0, 4)}), "damaged"),
        (header({"a": entry(0, 16, 4, dtype="F33")}), "damaged: .*unknown variant"),
        (header({"a": entry(0, 16, 16, dtype="F8_E4M3")}), "'a' has the number format float8_e4m3fn"),
        (header(b'{"a":%s,"a":%s}' % ((json.dumps(GOOD["a"]).encode(),) * 2)), "its header names 'a' twice"),
        (header(b'{"\xff":1}'), "not valid JSON"),
        (header(b'{"a":' + b"[" * 100_000), "not valid JSON"),
        (header(b'{"a":1}'), "damaged"),
        (header(b"{}", b""), "has no state_dict"),
        (
            header({f"t{i}": entry(0, 0, 0) for i in range(10_001)}, b""),
            "does not list tensors, or more than 10,000",
        ),
    ],
)
def test_bad_safetensors_headers_are_refused(tmp_path: Path, data: bytes, match: str) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(data)
    with pytest.raises(WeightsError, match=match):
        load_state_dict(path)


def test_the_good_header_is_good(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    path.write_bytes(header(GOOD))
    assert torch.equal(load_state_dict(path)["a"], torch.zeros(4))


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize("kind", ["zip", "legacy", "safetensors"])
def test_damage_anywhere_is_refused_or_harmless(tmp_path: Path, kind: str) -> None:
    """Nothing but ``WeightsError`` comes out, whichever bytes are changed or cut off."""
    path = tmp_path / "a"
    if kind == "safetensors":
        save_file(tensors(), path)
    else:
        saved(tensors(), path, _use_new_zipfile_serialization=kind == "zip")
    good = path.read_bytes()
    dice = random.Random(1)
    for _ in range(150):
        data = bytearray(good[: dice.randrange(len(good))] if dice.random() < 0.2 else good)
        for _ in range(dice.randrange(4)):
            if data:
                data[dice.randrange(len(data))] = dice.randrange(256)
        path.write_bytes(data)
        with suppress(WeightsError):
            load_state_dict(path)


# Loading into a network


def test_weights_are_copied_exactly(tmp_path: Path) -> None:
    state = build(SMALL, seed=1).state_dict()
    save_file(state, tmp_path / "a.safetensors")
    model = build(SMALL, seed=2)
    load_into(model, load_state_dict(tmp_path / "a.safetensors"))
    assert all(torch.equal(tensor, state[name]) for name, tensor in model.state_dict().items())


def test_half_precision_is_widened_and_batch_counts_may_be_missing() -> None:
    state = {name: t.half() for name, t in build(SMALL, seed=1).state_dict().items() if t.is_floating_point()}
    model = build(SMALL, seed=2)
    load_into(model, state)
    got = model.state_dict()
    assert all(torch.equal(got[name], tensor.float()) for name, tensor in state.items())
    assert got["bn1.num_batches_tracked"] == 0
    assert got["conv1.weight"].dtype is torch.float32


def test_differences_are_listed_and_nothing_is_copied() -> None:
    model = build(SMALL)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = dict(build(SMALL.with_(num_classes=5), seed=1).state_dict())
    del state["conv1.weight"]
    state["bn1.weight"] = torch.ones(8, dtype=torch.int64)
    state["more"] = torch.zeros(2, 3)
    with pytest.raises(WeightsError) as error:
        load_into(model, state)
    assert str(error.value).splitlines() == [
        "the weights do not match this network:",
        "'conv1.weight': expected 8×3×7×7, got nothing",
        "'bn1.weight': expected 8, got 8 (integers)",
        "'fc.weight': expected 4×16, got 5×16",
        "'fc.bias': expected 4, got 5",
        "'more': expected nothing, got 2×3",
    ]
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_ten_differences_are_enough_and_the_nearest_preset_is_named() -> None:
    state = build(PRESETS["cifar_resnet32"], device="meta").state_dict()
    with pytest.raises(WeightsError) as error:
        load_into(build(SMALL), state)
    lines = str(error.value).splitlines()
    assert len(lines) == 13
    assert lines[-2].startswith("… and ")
    assert lines[-1] == "The nearest known network is cifar_resnet32."


def test_the_nearest_preset_survives_another_number_of_classes() -> None:
    for name in ("resnet50", "resnext50_32x4d", "resnet34", "cifar_resnet20"):
        state = build(PRESETS[name].with_(num_classes=7), device="meta").state_dict()
        assert nearest_preset(shapes_of(state)) == name
    assert nearest_preset({"w": (3,)}) is None
    assert nearest_preset({}) is None


def test_nan_and_infinity_are_found() -> None:
    state = {"a": torch.ones(2), "b": torch.tensor([1.0, float("nan")]), "c": torch.tensor(float("-inf"))}
    assert not_finite(state | {"d": torch.tensor(3)}) == ("b", "c")
