"""Files of heads: they come back equal, and nothing in them is trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load, save

from explorer.errors import WeightsError
from explorer.inference.head import MAX_HEAD_BYTES, Head, from_bytes, to_bytes


def head_of(width: int = 4) -> Head:
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(3, width, generator=generator)
    return Head(("a", "b", "ü"), weight, torch.arange(3.0), "cifar10_resnet20", "ab" * 32, 12, 0.75)


def test_a_head_comes_back_from_its_file() -> None:
    head = head_of()
    again = from_bytes(to_bytes(head))
    assert torch.equal(again.weight, head.weight)
    assert torch.equal(again.bias, head.bias)
    told = ("classes", "backbone", "backbone_sha256", "photos", "accuracy")
    assert [getattr(again, name) for name in told] == [getattr(head, name) for name in told]


def changed(**facts: Any) -> bytes:
    about = {"classes": ["a", "b", "c"], "backbone": "n", "backbone_sha256": "s", "photos": 3, "accuracy": 1.0}
    return save(load(to_bytes(head_of())), metadata={"resnet_explorer_head": json.dumps(about | facts)})


@pytest.mark.parametrize(
    "make",
    [
        lambda: b"",
        lambda: b"\x80\x04pickle",
        lambda: to_bytes(head_of())[:-4],
        lambda: save({"fc.weight": torch.zeros(3, 4)}),
        lambda: changed(classes=["a", "b"]),
        lambda: changed(classes=["a", "a", "b"]),
        lambda: changed(classes=[1, 2, 3]),
        lambda: changed(classes=None),
        lambda: changed(photos="many"),
        lambda: changed(accuracy=float("nan")),
        lambda: to_bytes(replace(head_of(), bias=torch.full((3,), torch.nan))),
        lambda: to_bytes(replace(head_of(), weight=torch.zeros(3, 4, dtype=torch.float64))),
        lambda: to_bytes(replace(head_of(), bias=torch.zeros(2))),
    ],
)
def test_other_files_are_not_heads(make: Callable[[], bytes]) -> None:
    with pytest.raises(WeightsError, match="damaged or is not a head trained here"):
        from_bytes(make())


def test_a_head_larger_than_any_is_refused_unread() -> None:
    with pytest.raises(WeightsError, match="at most 4 MiB are read"):
        from_bytes(bytes(MAX_HEAD_BYTES + 1))


def test_a_changed_file_that_is_still_a_head_is_read() -> None:
    assert from_bytes(changed()).classes == ("a", "b", "c")


def test_the_head_is_plain_safetensors(tmp_path: Path) -> None:
    from safetensors import safe_open

    path = tmp_path / "head.safetensors"
    path.write_bytes(to_bytes(head_of()))
    with safe_open(path, "pt") as opened:
        assert sorted(opened.keys()) == ["fc.bias", "fc.weight"]
        assert json.loads(opened.metadata()["resnet_explorer_head"])["photos"] == 12
