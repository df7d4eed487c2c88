"""The networks one can ask, and what they need first."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from explorer.inference import find
from explorer.inference.classifier import NotHere
from explorer.inference.transfer import Head
from explorer.ui.classify import networks
from explorer.ui.classify import tab as classify
from explorer.ui.kit.model_files import FILE

RESNET50 = find("resnet50")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


def taught_on(base: str) -> str:
    head = Head(("cat", "dog"), torch.zeros(2, 8), torch.zeros(2), base, "ab" * 32, 24, 0.75)
    return networks.TAUGHT + networks.HEADS.put(head, base, "page of heads")


def test_a_head_needs_the_weights_of_the_network_it_was_taught_on() -> None:
    name = taught_on(RESNET50.name)
    assert networks.to_download(name) == networks.to_download(RESNET50.name) == RESNET50
    line, button, _ = classify._chosen(name, "auto")
    assert "Taught here" in line
    assert (button["visible"], button["value"]) == (True, "Download 97.8 MiB")
    with pytest.raises(NotHere, match=r"ResNet-50 \(V2\) is not on this machine yet\. Download it first \(97\.8 MiB\)"):
        networks.classifier_of(name)


def test_damaged_weights_are_not_fetched_unasked(tmp_path: Path) -> None:
    damaged = tmp_path / "cache" / RESNET50.file_name
    damaged.parent.mkdir()
    damaged.write_bytes(b"half a file")
    assert networks.to_download(RESNET50.name) == RESNET50
    with pytest.raises(NotHere, match=r"ResNet-50 \(V2\) is damaged on this machine\. Download it first"):
        networks.classifier_of(RESNET50.name)
    assert damaged.read_bytes() == b"half a file"


def test_what_is_here_or_gone_needs_no_download() -> None:
    assert networks.to_download("everyday200_resnet14") is None
    assert networks.to_download(taught_on("cifar10_resnet20")) is None
    assert networks.to_download(networks.TAUGHT + "gone") is None
    assert networks.to_download(FILE + "token") is None
    assert classify._chosen("cifar10_resnet20", "cpu")[1]["visible"] is False
