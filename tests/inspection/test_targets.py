"""What ``inspect`` takes, and a report where Python shows or stores it."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from explorer.errors import ExplorerError, TraceError
from explorer.inspection import inspect
from explorer.spec import PRESETS
from explorer.views.diagram.model import default_open

pytestmark = pytest.mark.usefixtures("one_thread")


class Signal(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv1d(2, 3, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x)


def test_a_preset_is_taken_by_its_name_and_an_image_by_its_side() -> None:
    assert inspect("resnet18") is inspect(PRESETS["resnet18"])
    assert inspect("cifar_resnet20", 48).input_size == (1, 3, 48, 48)
    assert inspect(PRESETS["resnet18"].with_(in_channels=1), 64).input_size == (1, 1, 64, 64)
    assert inspect(nn.Conv2d(3, 4, 3), 16).input_size == (1, 3, 16, 16)


def test_a_class_is_made_and_an_array_or_tensor_is_the_input() -> None:
    for x in (np.zeros((4, 2, 9), dtype=np.float32), torch.zeros(4, 2, 9)):
        assert inspect(Signal, x).input_size == (4, 2, 9), "its batch is its own"
    ids = np.zeros((2, 5), dtype=np.int64)
    assert inspect(nn.Embedding(10, 3), ids).operations[-1].shape == (2, 5, 3)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("resnet19", r"^got the name 'resnet19'; presets are resnet18, resnet34, "),
        ([1], r"^got list; expected a ResNetSpec, the name of a preset, or an nn\.Module\.$"),
        (nn.Conv2d, r"^Conv2d cannot be made without arguments \(.*'in_channels'.*\)\. Pass an object\.$"),
    ],
)
def test_what_is_no_network_is_named(target: object, words: str) -> None:
    with pytest.raises(TraceError, match=words):
        inspect(target)  # type: ignore[arg-type]


def test_a_report_is_one_line_and_can_be_stored() -> None:
    broken = inspect(PRESETS["resnet18"].with_(shortcut="identity"))
    amounts = f"{broken.params:,} parameters, {broken.macs:,} MACs"
    assert repr(broken) == f"<Report on ResNet-18: {amounts}, 5 of 8 shortcuts match>"
    refused = inspect(Signal, (4, 2, 9))  # an image of 4 channels
    assert (refused.macs, [finding.rule for finding in refused.findings]) == (0, ["wrong-rank"])
    for report in (broken, refused, inspect(Signal, torch.zeros(4, 2, 9))):
        again = pickle.loads(pickle.dumps(report))
        assert again.to_dict() == report.to_dict()
        assert again.findings == report.findings


def test_a_report_is_saved_as_the_name_of_the_file_says(tmp_path: Path) -> None:
    report = inspect("cifar_resnet20")
    report.save(tmp_path / "net.html")
    assert (tmp_path / "net.html").read_text(encoding="utf-8").startswith("<!doctype html>")
    report.save(tmp_path / "net.svg", opened=["layer1"])
    assert "layer1.0" in (tmp_path / "net.svg").read_text(encoding="utf-8")
    assert report.svg() == report.svg(default_open(report))
    with pytest.raises(ExplorerError, match=r"net\.doc: expected a name that ends in \.svg, \.png, "):
        report.save(tmp_path / "net.doc")
