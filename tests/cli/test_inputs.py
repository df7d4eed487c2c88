"""``--input`` and networks from somebody's own code in every command that shows a network."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from explorer.cli import app

OWN = """
import torch
from torch import nn

class Tagger(nn.Module):
    def __init__(self, width=8):
        super().__init__()
        self.words, self.mix, self.head = nn.Embedding(50, width), nn.Linear(width, width), nn.Linear(width, 4)
    def forward(self, ids):
        x = self.words(ids)
        return self.head(x + torch.relu(self.mix(x)))

class Map(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.conv = nn.Conv2d(1, width, 3, padding=1)
    def forward(self, x):
        return self.conv(x)
"""

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    file = tmp_path / "own_inputs.py"
    file.write_text(OWN)
    return file


def run(*words: str | Path) -> Any:
    result = CliRunner().invoke(app, [str(word) for word in words])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def printed(*words: str | Path) -> str:
    result = run(*words)
    assert (result.exit_code, result.stderr) == (0, "")
    return str(result.stdout)


def test_inspect_shows_a_network_of_whole_numbers(own: Path) -> None:
    shown = printed("inspect", f"{own}:Tagger", "--input", "ids=2x16:int64")
    assert "1 of 1 shortcuts match" in shown
    assert "508 parameters" in shown  # 50·8 + 8·8 + 8 + 8·4 + 4
    assert "for an input of 16" in shown


def test_inspect_counts_for_the_given_size(own: Path) -> None:
    shown = json.loads(printed("inspect", f"{own}:Map(2)", "--input", "1x1x10x10", "--json"))
    assert shown["macs"] == 1 * 2 * 3 * 3 * 10 * 10


def test_export_writes_the_layers_at_the_given_size(own: Path, tmp_path: Path) -> None:
    printed("export", f"{own}:Map", "--input", "1x1x12x9", "-o", tmp_path / "layers.csv")
    rows = list(csv.DictReader((tmp_path / "layers.csv").open(encoding="utf-8-sig")))
    assert [(row["layer"], row["output"], row["macs"]) for row in rows] == [("conv", "4x12x9", "3888")]  # 9·4·12·9


def test_diagram_takes_inputs(own: Path, tmp_path: Path) -> None:
    printed("diagram", f"{own}:Map", "--input", "1x1x12x9", "-o", tmp_path / "net.svg")
    assert "12×9" in (tmp_path / "net.svg").read_text(encoding="utf-8")


def test_compare_takes_two_of_ones_own_networks(own: Path) -> None:
    shown = json.loads(printed("compare", f"{own}:Map(2)", f"{own}:Map(6)", "--input", "1x1x10x10", "--json"))
    assert (shown["left"]["macs"], shown["right"]["macs"]) == (1800, 5400)  # 1·9·100 a filter


def test_a_wrong_input_is_named(own: Path) -> None:
    result = run("inspect", f"{own}:Map", "--input", "1x1x8x8:float99")
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: --input: got 'float99' as a type; allowed: ")
