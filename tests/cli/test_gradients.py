"""``gradients`` beyond the plain twin: other twins, real images, sweeps and paths."""

import csv
import io
import re
from pathlib import Path

import pytest

from explorer.datasets import CIFAR10, sample
from explorer.gradients import (
    depth_sweep,
    path_csv,
    path_lengths,
    probe_beside,
    probe_gradients,
    probe_with_twin,
    sweep_csv,
)
from explorer.spec import PRESETS, to_query
from explorer.ui.gradients.settings import read
from tests.cli.test_cli import FEW, TINY, TINY_TEXT, printed, refused
from tests.support.cifar10_files import made_folder, made_tar

pytestmark = pytest.mark.usefixtures("one_thread")


def table(*words: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(printed("gradients", TINY_TEXT, *FEW, *words, "--csv"))))


def test_several_twins_have_a_column_each() -> None:
    here, (plain, other) = probe_beside(
        TINY, (TINY.plain(), PRESETS["cifar_resnet20"]), batches=2, batch_size=2, seed=5
    )
    rows = table("--twin", "plain", "--twin", "cifar_resnet20")
    assert [float(row["norm"]) for row in rows] == pytest.approx([layer.norm for layer in here.layers], rel=1e-5)
    assert [float(row["twin_norm"]) for row in rows] == pytest.approx([x.norm for x in plain.layers], rel=1e-5)
    norms = {layer.path: layer.norm for layer in other.layers}
    assert [float(row["twin_norm_2"]) for row in rows] == pytest.approx([norms[row["layer"]] for row in rows], rel=1e-5)
    head = printed("gradients", TINY_TEXT, *FEW, "--twin", "plain", "--twin", "cifar_resnet20").splitlines()[0]
    assert re.split(r"  +", head.strip())[-2:] == ["plain counterpart", "CIFAR ResNet-20"]


def test_no_twin_where_none_is_wanted() -> None:
    assert {row["twin_norm"] for row in table("--twin", "none")} == {""}
    assert "twin" not in printed("gradients", TINY_TEXT, *FEW, "--twin", "none")


def test_norm_is_short_for_a_change() -> None:
    assert table("--norm", "none") == table("--set", "norm=none")


def test_seeds_are_averaged() -> None:
    probe = probe_gradients(TINY, batches=2, batch_size=2, seed=5, seeds=2)
    rows = table("--seeds", "2")
    assert [float(row["high"]) for row in rows] == pytest.approx([layer.high for layer in probe.layers], rel=1e-5)


def test_digits_come_with_their_labels() -> None:
    found = sample("digits", 4, 5)
    probe = probe_gradients(TINY, inputs=found.inputs(TINY), labels=found.labels, batches=2, batch_size=2, seed=5)
    rows = table("--inputs", "digits")
    assert [float(row["norm"]) for row in rows] == pytest.approx([layer.norm for layer in probe.layers], rel=1e-5)


@pytest.mark.parametrize(("kind", "seed"), [("digits", 0), ("digits", 5), ("cifar10", 0), ("cifar10", 3)])
@pytest.mark.parametrize("archived", [False, True])
def test_the_page_measures_the_same_numbers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, seed: int, archived: bool
) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_DATA", str(tmp_path))
    if archived:
        made_tar(tmp_path / CIFAR10.archive)
    else:
        made_folder(tmp_path)
    options, _ = read(to_query(TINY), kind, 1, seed, "a page").options()
    probe, twin = probe_with_twin(TINY, **options)
    assert twin is not None
    words = ("gradients", TINY_TEXT, "--inputs", kind, "--seed", str(seed), "--csv")
    rows = list(csv.DictReader(io.StringIO(printed(*words))))
    assert [float(row["norm"]) for row in rows] == [layer.norm for layer in probe.layers]
    assert [float(row["high"]) for row in rows] == [layer.high for layer in probe.layers]
    assert [float(row["twin_norm"]) for row in rows if row["twin_norm"]] == [layer.norm for layer in twin.layers]


def test_cifar10_is_read_from_where_it_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_DATA", str(tmp_path / "nowhere"))
    found = sample("cifar10", 4, 5, made_folder(tmp_path / "data"))
    probe = probe_gradients(TINY, inputs=found.inputs(TINY), labels=found.labels, batches=2, batch_size=2, seed=5)
    rows = table("--inputs", "cifar10", "--data", str(tmp_path / "data"))
    assert [float(row["norm"]) for row in rows] == [layer.norm for layer in probe.layers]
    assert refused("gradients", TINY_TEXT, "--inputs", "cifar10").startswith("data: ")


def test_a_sweep_of_depths() -> None:
    spec = PRESETS["cifar_resnet20"].with_(widths=(4, 8, 8))
    words = ("gradients", "cifar_resnet20", "--set", "widths=4,8,8", *FEW, "--sweep", "depth", "--depths", "14,8")
    points = list(depth_sweep(spec, (8, 14), batches=2, batch_size=2, seed=5))
    assert len(printed(*words, "--csv").splitlines()) == len(sweep_csv(points).splitlines()) == 9
    lines = printed(*words).splitlines()
    assert re.split(r"  +", lines[0].strip()) == ["layers", *(point.name for point in points[:4])]
    assert [line.split()[0] for line in lines[1:3]] == ["8", "14"]
    assert lines[4].startswith("With 14 layers, the gradient ")
    assert any(line.endswith("Mean of 2 × 2 images, 32×32 px.") for line in lines[5:])


def test_paths_by_length() -> None:
    result = path_lengths(TINY, batches=2, batch_size=2, seed=5)
    rows = table("--paths")
    assert [row["paths"] for row in rows] == ["1", "2", "1"]
    assert [float(row["gradient"]) for row in rows] == pytest.approx([x.gradient for x in result.lengths], rel=1e-5)
    assert list(rows[0]) == path_csv(result).splitlines()[0].split(",")
    shown = printed("gradients", TINY_TEXT, *FEW, "--paths")
    assert re.search(r"^ResNet-6: .* paths? .*Veit|^ResNet-6: (mostly|paths)", shown, re.MULTILINE)
    assert "2 blocks with a shortcut make 2^2 paths with a mean length of 1 branch." in shown
    assert "Up to 2 paths of each length in each of 2 batches of 2 images, 32×32 px" in shown


@pytest.mark.parametrize("words", [("--paths",), ("--sweep", "depth", "--depths", "6,10"), ("--twin", "resnet18")])
def test_each_is_written_as_a_page_that_works_offline(tmp_path: Path, words: tuple[str, ...]) -> None:
    path = tmp_path / "plot.html"
    assert printed("gradients", TINY_TEXT, *FEW, *words, "--html", path).endswith(f"\nWrote {path}\n")
    text = path.read_text(encoding="utf-8")
    assert text.count("Plotly.newPlot(") >= 1
    assert not re.search(r"<(script|link|img)[^>]*\s(src|href)=", text)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--sweep", "depth", "--paths"), "--sweep and --paths cannot be combined. Use one of them."),
        (("--depths", "8"), "--depths needs --sweep depth"),
        (("--sweep", "depth", "--depths", "8;9"), "--depths: expected whole numbers with commas"),
        (("--twin", "plain", "--paths"), "--twin cannot be combined with --sweep or --paths"),
        (("--twin", "none", "--twin", "plain"), "--twin none cannot be combined with another --twin"),
        (("--paths", "--set", "shortcut=none"), "A plain network has one path, through all its layers"),
    ],
)
def test_what_does_not_go_together_is_said(words: tuple[str, ...], message: str) -> None:
    assert refused("gradients", TINY_TEXT, *words).startswith(message)
