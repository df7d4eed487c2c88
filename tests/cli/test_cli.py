"""The command line: exit codes, JSON and files, in process and as the real program; faults are one line on stderr."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from explorer import __version__
from explorer.cli import app
from explorer.cli.networks import branches
from explorer.datasets import CIFAR10, DIGITS
from explorer.datasets.cifar10 import CLASSES
from explorer.gradients import probe_with_twin
from explorer.inference import find, load_classifier
from explorer.inference.checkpoint import open_checkpoint
from explorer.inference.photo_score import score_photos
from explorer.spec import PRESETS, ResNetSpec, Stem, to_json
from explorer.training import NETS, BuiltIn, Plan, Recipe, Training, read_run, run_json
from explorer.views.classify.measurements import photo_score_words
from explorer.views.training.verdict import limits, verdict
from tests.support.paths import ROOT

TINY = PRESETS["cifar_resnet20"].with_(depths=(1, 1), widths=(4, 8))
TINY_TEXT = to_json(TINY)

pytestmark = pytest.mark.usefixtures("one_thread")
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")


def run(*words: str | Path, stdin: str | bytes | None = None) -> Any:
    """The command in this process; an exception that would be a traceback is raised here."""
    result = CliRunner().invoke(app, [str(word) for word in words], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def printed(*words: str | Path, stdin: str | None = None, code: int = 0) -> str:
    """Standard output of a command that says nothing on stderr."""
    result = run(*words, stdin=stdin)
    assert (result.exit_code, result.stderr) == (code, "")
    return result.stdout


def refused(*words: str | Path, stdin: str | bytes | None = None) -> str:
    """The one line that says why a command cannot be done."""
    result = run(*words, stdin=stdin)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line.removeprefix("Error: ")


# inspect


def test_inspect_gives_one_json_object() -> None:
    data = json.loads(printed("inspect", "resnet18", "--json"))
    assert (data["name"], data["params"], data["macs"]) == ("ResNet-18", 11_689_512, 1_814_073_344)
    sizes = [(64, 56), (128, 28), (256, 14), (512, 7)]
    expected = [
        (f"layer{stage}.{block}", [channels, side, side], "match")
        for stage, (channels, side) in enumerate(sizes, 1)
        for block in (0, 1)
    ]
    assert [(m["path"], m["branch_shape"], m["verdict"]) for m in data["merges"]] == expected
    assert [m["shortcut_shape"] for m in data["merges"]] == [shape for _, shape, _ in expected]


def test_inspect_gives_totals_despite_mismatches() -> None:
    data = json.loads(printed("inspect", "resnet50", "--set", "shortcut=identity", "--json"))
    projections = 64 * 256 * 56**2 + 256 * 512 * 28**2 + 512 * 1024 * 14**2 + 1024 * 2048 * 7**2
    assert (data["params"], data["macs"]) == (25_557_032 - 2_776_576, 4_089_184_256 - projections)
    merges = data["merges"]
    assert len(merges) == 16
    assert [(m["path"], m["branch_shape"], m["shortcut_shape"]) for m in merges if m["verdict"] != "match"] == [
        ("layer1.0", [256, 56, 56], [64, 56, 56]),
        ("layer2.0", [512, 28, 28], [256, 56, 56]),
        ("layer3.0", [1024, 14, 14], [512, 28, 28]),
        ("layer4.0", [2048, 7, 7], [1024, 14, 14]),
    ]
    assert {m["verdict"] for m in merges} == {"match", "mismatch"}


def test_inspect_prints_a_tree_of_the_levels_asked_for() -> None:
    stages = printed("inspect", TINY_TEXT, "--depth", "1")
    assert re.findall(r"layer\d\S*", stages) == ["layer1", "layer2"]
    tree = printed("inspect", TINY_TEXT)
    assert re.findall(r"layer\d\S*", tree) == ["layer1", "layer1.0", "layer2", "layer2.0"]
    (row,) = [line for line in tree.splitlines() if "layer2.0" in line]
    assert "8×16×16" in row
    assert row.rstrip().endswith("✓ zero-pad")
    assert "✕ identity" in printed("inspect", TINY_TEXT, "--set", "shortcut=identity")
    assert tree.splitlines()[-1] == "✓ 2 of 2 shortcuts match"


def test_branches_of_a_tree() -> None:
    assert branches([1, 2, 2, 1]) == ["├─ ", "│  ├─ ", "│  └─ ", "└─ "]
    assert branches([1, 2, 3]) == ["└─ ", "   └─ ", "      └─ "]
    assert branches([]) == []


# TARGET and --set


def test_a_network_is_read_from_text_a_file_and_standard_input(tmp_path: Path) -> None:
    spec = '{"preset": "cifar_resnet20", "depths": [2, 1], "widths": [4, 8], "num_classes": 7}'
    path = tmp_path / "net.json"
    path.write_text(spec, encoding="utf-8-sig")  # as Windows editors write it
    inline = printed("inspect", spec, "--json")
    assert [m["path"] for m in json.loads(inline)["merges"]] == ["layer1.0", "layer1.1", "layer2.0"]
    assert printed("inspect", f"\n {spec}", "--json") == inline
    assert printed("inspect", path, "--json") == inline
    assert printed("inspect", "-", "--json", stdin=spec) == inline


def test_changes_are_applied_in_order_over_the_target() -> None:
    changes = ("depths=1, 2", "widths=4,8", "norm=group", "widths= 8,16 ", "shortcut_overrides=layer2.0:identity")
    words = [word for change in changes for word in ("--set", change)]
    got = json.loads(printed("inspect", "cifar_resnet20", *words, "--json"))
    spec = PRESETS["cifar_resnet20"].with_(
        depths=(1, 2), widths=(8, 16), norm="group", shortcut_overrides={"layer2.0": "identity"}
    )
    assert got == json.loads(printed("inspect", to_json(spec), "--json"))
    assert [(m["path"], m["verdict"]) for m in got["merges"]] == [
        ("layer1.0", "match"),
        ("layer2.0", "mismatch"),
        ("layer2.1", "match"),
    ]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["resnet19"], "TARGET: got 'resnet19', expected a .json file, JSON text, - or one of resnet18, "),
        ([""], "TARGET: got ''"),
        (["resnet50\nx\x1b[31m"], r"TARGET: got 'resnet50\nx\x1b[31m'"),
        (["resnet18", "--set", "shortcut"], "--set: got 'shortcut', expected FIELD=VALUE"),
        (["resnet18", "--set", "shortcut=none=none"], "shortcut: got 'none=none'; allowed: "),
        (["resnet18", "--set", "colour=red"], "colour: no such field; known fields: depths, "),
        (["resnet18", "--set", "=3"], ": no such field"),
        (["resnet18", "--set", "depths=2,x"], "depths[1]: got 'x'; a whole number from 1 to 512 is allowed"),
        (["resnet18", "--set", "image_size=1e3"], "image_size: got '1e3'"),
        (["resnet18", "--set", "zero_init_residual=yes"], "zero_init_residual: got 'yes'; true or false is allowed"),
        (["{"], "spec: not valid JSON: "),
        (['{"depths": [1], "depths": [2]}'], "depths: given twice"),
        (['{"num_classes": NaN}'], "spec: NaN is not a number a network can have"),
        (['{"num_classes": 1' + "0" * 5000 + "}"], "spec: not valid JSON: "),
        (['{"depths":' + "[" * 5000], "spec: JSON nested deeper than 8 levels"),
        (['{"depths": [9, 9, 9, 9, 9]}'], "widths: got 4 widths for 5 stages"),
        (["nowhere/net.json"], "nowhere/net.json: No such file or directory"),
    ],
    ids=lambda value: ascii(value)[:40],
)
def test_invalid_commands_print_one_line(words: list[str], reason: str) -> None:
    line = refused("check", *words)
    assert reason in line
    assert line.isprintable()


def test_files_without_a_network(tmp_path: Path) -> None:
    path = tmp_path / "net.json"
    for data, reason in (
        (b"", "spec: not valid JSON"),
        (b"[1]", "spec: expected a JSON object with the fields of a network"),
        (b"\xff\xfe{}", f"{path}: expected a network as JSON in UTF-8"),
        (b" " * 300_000, "characters of JSON; at most 65,536 are allowed"),
    ):
        path.write_bytes(data)
        assert reason in refused("inspect", path)
        assert reason.replace(str(path), "standard input") in refused("inspect", "-", stdin=data)
    path.unlink()
    path.mkdir()
    assert refused("inspect", path) == f"{path}: Is a directory"


def test_options_the_program_does_not_know() -> None:
    for words in (
        ["inspect"],
        ["check", "resnet18", "--nonsense"],
        ["inspect", "resnet18", "--depth", "0"],
        ["cheque"],
    ):
        result = run(*words)
        assert result.exit_code == 2
        assert result.stdout == ""
        assert "Error" in result.stderr


def test_version() -> None:
    assert printed("--version") == f"ResNet Explorer {__version__}\n"


# diagram


@needs_dot
def test_a_diagram_is_a_file_that_needs_no_other(tmp_path: Path) -> None:
    path = tmp_path / "net.svg"
    words = ("resnet50", "--set", "shortcut=identity")
    assert printed("diagram", *words, "-o", path) == f"ResNet-50: wrote {path}\n"
    text = path.read_text(encoding="utf-8")
    root = ET.fromstring(text)
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    words_shown = {"".join(element.itertext()) for element in root.iter("{http://www.w3.org/2000/svg}text")}
    assert any("layer1" in words for words in words_shown)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert not tags & {"script", "a", "image", "use", "foreignObject", "iframe", "link"}
    assert not [name for element in root.iter() for name in element.attrib if "href" in name or name.startswith("on")]
    assert not re.search(r"url\(|@import|javascript:|<!DOCTYPE|<!ENTITY", text)
    assert set(re.findall(r"https?://[^\"<\s]+", text)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }


def test_diagrams_are_written_to_svg_files_only(tmp_path: Path) -> None:
    assert refused("diagram", "resnet18", "-o", "net.png") == "net.png: expected a name that ends in .svg"
    path = tmp_path / "absent" / "net.svg"
    if shutil.which("dot"):
        assert refused("diagram", TINY_TEXT, "-o", path) == f"{path}: No such file or directory"


# gradients

FEW = ("--batches", "2", "--batch-size", "2", "--seed", "5")
LAYERS = ["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2", "fc"]


def test_gradients_are_printed_as_a_table() -> None:
    lines = printed("gradients", TINY_TEXT, *FEW).splitlines()
    assert lines[0].split("  ")[0] == "depth"
    assert lines[0].rstrip().endswith("plain counterpart")
    rows = [line.split() for line in lines[1 : 1 + len(LAYERS)]]
    assert [row[:2] for row in rows] == [[str(i), layer] for i, layer in enumerate(LAYERS, 1)]
    assert lines[1 + len(LAYERS)] == ""
    assert lines[2 + len(LAYERS)].startswith("ResNet-6: the gradient ")
    assert "Mean of 2 × 2 images, 32×32 px." in lines


def test_gradients_as_csv_have_all_digits() -> None:
    probe, twin = probe_with_twin(TINY, batches=2, batch_size=2, seed=5)
    assert twin is not None
    rows = list(csv.DictReader(io.StringIO(printed("gradients", TINY_TEXT, *FEW, "--csv"))))
    assert [(int(row["depth"]), row["layer"], row["is_projection"]) for row in rows] == [
        (i, layer, "0") for i, layer in enumerate(LAYERS, 1)
    ]
    for row, layer, other in zip(rows, probe.layers, twin.layers, strict=True):
        numbers = [float(row[name]) for name in ("norm", "low", "high", "weight_norm", "twin_norm")]
        assert numbers == pytest.approx([layer.norm, layer.low, layer.high, layer.weight_norm, other.norm], rel=1e-5)


def test_a_projection_has_no_twin_and_a_plain_network_neither() -> None:
    shown = printed("gradients", TINY_TEXT, *FEW, "--set", "shortcut=projection", "--csv")
    rows = list(csv.DictReader(io.StringIO(shown)))
    (projection,) = (row for row in rows if row["is_projection"] == "1")
    assert projection["layer"].startswith("layer2.0.")
    assert [row for row in rows if row["twin_norm"] == ""] == [projection]
    plain = printed("gradients", TINY_TEXT, *FEW, "--set", "shortcut=none")
    assert "plain counterpart" not in plain.splitlines()[0]


def test_gradients_as_a_page_that_works_offline(tmp_path: Path) -> None:
    path = tmp_path / "plot.html"
    assert printed("gradients", TINY_TEXT, *FEW, "--html", path).endswith(f"\nWrote {path}\n")
    page = path.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert "Mean of 2 × 2 images" in page
    assert not re.search(r"<(script|link|img)[^>]*\s(src|href)=", page)
    assert refused("gradients", TINY_TEXT, "--html", "plot.svg") == "plot.svg: expected a name that ends in .html"


def test_gradients_of_what_cannot_run() -> None:
    assert "layer2.0" in refused("gradients", TINY_TEXT, "--set", "shortcut=identity")
    assert refused("gradients", TINY_TEXT, "--batches", "0").startswith("batches: ")


# classify


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo [red].png"
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_classify_names_what_a_photo_shows(photo: Path) -> None:
    expected = load_classifier(device="cpu").classify_bytes(photo.read_bytes(), 2)
    (first, _), _ = expected.top
    lines = printed("classify", photo, "--top", "2", "--device", "cpu").splitlines()
    assert lines[0].startswith(f"{photo}: {first} ")
    assert lines[0].count("%") == 2
    assert lines[-1] == f"{expected.variant.title}. {expected.transform} {expected.variant.note}"


def test_a_file_that_cannot_be_read_does_not_stop_the_others(photo: Path, tmp_path: Path) -> None:
    text, absent = tmp_path / "notes.jpg", tmp_path / "absent.jpg"
    text.write_text("no photo")
    result = run("classify", text, absent, photo, "--device", "cpu")
    assert result.exit_code == 1
    bad = result.stderr.splitlines()
    assert [line.partition(": ")[0] for line in bad] == [str(text), str(absent)]
    assert bad[1].partition(": ")[2] == "No such file or directory"
    assert result.stdout.startswith(f"{photo}: ")


def test_classify_as_json(photo: Path, tmp_path: Path) -> None:
    absent = tmp_path / "absent.jpg"
    result = run("classify", absent, photo, "--json", "--top", "3", "--device", "cpu")
    assert (result.exit_code, result.stderr) == (1, "")
    failed, named = json.loads(result.stdout)
    assert failed == {"file": str(absent), "error": "No such file or directory"}
    expected = load_classifier(device="cpu").classify_bytes(photo.read_bytes(), 3)
    assert [(answer["class"], answer["probability"]) for answer in named["top"]] == [
        (name, pytest.approx(probability)) for name, probability in expected.top
    ]
    assert (named["file"], named["model"], named["device"]) == (str(photo), "everyday200_resnet14", "cpu")
    assert named["milliseconds"] > 0
    assert json.loads(printed("classify", photo, "--json", "--device", "cpu"))[0]["file"] == str(photo)


def test_classify_without_a_usable_file_names_no_network(tmp_path: Path) -> None:
    result = run("classify", tmp_path / "absent.jpg", "--device", "cpu")
    assert (result.exit_code, result.stdout) == (1, "")


def test_networks_and_devices_that_are_not_there(photo: Path) -> None:
    assert refused("classify", photo, "--model", "resnet5").startswith("no pretrained network is named 'resnet5'; ")
    assert refused("classify", photo, "--device", "tpu").startswith("device: got 'tpu'; this machine has ")


# train

TRAINED = ResNetSpec(depths=(1,), widths=(4,), stem=Stem.CIFAR)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """CIFAR-10's folders, with two training images and a test image of every class."""
    dice = np.random.default_rng(0)
    for split, count in (("train", 2), ("test", 1)):
        for name in CLASSES:
            folder = tmp_path / "data" / split / name
            folder.mkdir(parents=True)
            for i in range(count):
                Image.fromarray(dice.integers(0, 256, (32, 32, 3), dtype=np.uint8)).save(folder / f"{i}.png")
    return tmp_path / "data"


def training(data: Path, *more: str) -> list[str]:
    """A short training, whose files go beside the data."""
    folder = data.parent
    options = ["--data", str(data), "--runs", str(folder / "runs"), "--output", str(folder / "weights")]
    words = ["--network", to_json(TRAINED), "--name", "tiny", "--batch-size", "8", "--device", "cpu"]
    return ["train", *options, *words, *more]


def test_train_writes_weights_for_classify(data: Path) -> None:
    lines = printed(*training(data, "--epochs", "2")).splitlines()
    assert lines[0] == f"Reading CIFAR-10 from {data}"
    assert [line[:12] for line in lines[1:3]] == ["epoch 1 of 2", "epoch 2 of 2"]
    assert lines[-1] == f"Wrote {data.parent / 'weights' / 'tiny.safetensors'} and tiny.json"
    variant = find("tiny", data.parent / "weights")
    assert (variant.spec, variant.classes) == (TRAINED.with_(image_size=32, num_classes=10), CLASSES)
    assert lines[-2] == f"{variant.top1:.2f} % of 10 test images correct"


def test_a_finished_run_is_recognised_and_not_overwritten(data: Path) -> None:
    printed(*training(data, "--epochs", "1"))
    assert "tiny: resuming after epoch 1 of 1" in printed(*training(data, "--epochs", "1"))
    result = run(*training(data, "--epochs", "2"))
    assert result.exit_code == 2
    assert result.stderr.startswith("Error: tiny: a run of this name, of another network, recipe or data, has been ")
    assert "going on" not in printed(*training(data, "--epochs", "2", "--fresh"))


def test_what_cannot_be_trained_is_refused_before_the_data_is_read(data: Path) -> None:
    assert refused(*training(data, "--data", "nowhere")).startswith("data: 'nowhere' does not exist, ")
    assert refused(*training(data, "--name", "../x")).startswith("name: got '../x'; ")
    assert refused(*training(data, "--network", "resnet18", "--set", "shortcut=identity")).startswith("layer2.0: ")
    assert not (data.parent / "runs").exists()


def test_a_learning_rate_that_is_too_high_is_said_and_nothing_is_written(data: Path) -> None:
    result = run(*training(data, "--learning-rate", "1000", "--epochs", "50", "--set", "norm=none"))
    assert result.exit_code == 2
    assert re.fullmatch(r"Error: epoch \d+: the loss is no longer finite; lower the learning rate\n", result.stderr)
    assert not (data.parent / "weights").exists()


def test_digits_need_no_data_and_a_run_is_repeated_from_its_json(tmp_path: Path) -> None:
    few = ["--network", to_json(TRAINED), "--epochs", "2", "--batch-size", "256", "--schedule", "cosine", "--seed", "3"]
    words = ["train", "--data", "digits", "--runs", str(tmp_path), "--device", "cpu", *few, "--no-flip", "--pad", "0"]
    lines = printed(*words).splitlines()
    assert lines[0] == "Reading scikit-learn's digits"
    card = json.loads((tmp_path / "digits_resnet20" / "digits_resnet20.json").read_text(encoding="utf-8"))
    assert (card["recipe"]["pad"], card["recipe"]["seed"], card["recipe"]["schedule"]) == (0, 3, "cosine")
    assert (card["classes"], card["accuracy"]["split"]) == ([*"0123456789"], "Digits, the last 360 images")
    recipe = Recipe.from_dict(card["recipe"])
    training = Training([Plan("mine", DIGITS.fit(TRAINED), recipe, "digits")], Path())
    list(training.steps())
    assert [epoch.loss for epoch in training.records[0].epochs] == [epoch["loss"] for epoch in card["curves"]]
    kept = tmp_path / "mine.json"
    kept.write_text(run_json(training.records[0]), encoding="utf-8")
    lines = printed("train", "--repeat", str(kept), "--output", str(tmp_path / "again"), "--device", "cpu").splitlines()
    assert "mine again repeats mine to the last digit: every loss, accuracy and gradient norm is equal." in lines
    again = read_run((tmp_path / "again" / "run.json").read_text(encoding="utf-8"))
    assert again.same_course(training.records[0])
    assert open_checkpoint(tmp_path / "again" / "run.safetensors").spec == training.records[0].plan.spec
    assert refused("train", "--repeat", str(kept)) == "--repeat needs --output: a folder for the repeated run"


def test_a_built_in_network_is_scored_on_photos_before_its_files_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The score in the side file is the one of the network that the catalogue loads."""
    dice = np.random.default_rng(0)
    for split, count in (("train", 6), ("test", 1)):
        for name in CLASSES:
            (tmp_path / split / name).mkdir(parents=True)
            for i in range(count):
                pixels = dice.integers(0, 256, (32, 32, 3), dtype=np.uint8)
                Image.fromarray(pixels).save(tmp_path / split / name / f"{i}.png")
    (tmp_path / "photos").mkdir()
    for i, name in enumerate(("cat", "dog", "ship", "a_spoon", "a_fork")):
        pixels = dice.integers(0, 256, (48, 64, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "photos" / f"n0{i}_{name}.png")
    recipe = Recipe(epochs=1, batch_size=16, learning_rate=0.05)
    polish = Recipe(epochs=1, batch_size=16, learning_rate=0.01)
    monkeypatch.setitem(NETS, "tiny", BuiltIn("Tiny", CIFAR10.fit(TRAINED), recipe, CIFAR10, polish))
    folder = tmp_path / "weights"
    words = ["--name", "tiny", "--data", str(tmp_path), "--runs", str(tmp_path / "runs"), "--output", str(folder)]
    lines = printed("train", *words).splitlines()
    side = json.loads((folder / "tiny.json").read_text(encoding="utf-8"))
    score = score_photos(load_classifier("tiny", folder=folder), tmp_path / "photos")
    assert (score.known, score.others) == (3, 2)
    assert side["photos"] == asdict(score)
    assert lines[-2:] == [photo_score_words(score), f"Wrote {folder / 'tiny.safetensors'} and tiny.json"]
    assert [Recipe.from_dict(run["recipe"]) for run in (*side["before"], side)] == [recipe, polish]
    assert (side["title"], side["calibration"]["images"]) == ("Tiny", 1)


def test_an_experiment_prints_a_table_and_saves_its_runs(tmp_path: Path) -> None:
    few = ["--epochs", "1", "--batch-size", "256", "--seed", "3", "--device", "cpu"]
    lines = printed(
        "train", "--experiment", "degradation", *few, "--seeds", "2", "--output", str(tmp_path)
    ).splitlines()
    names = ["ResNet-20", "Plain-20", "ResNet-56", "Plain-56"]
    assert re.split(r"  +", lines[0].strip()) == names
    cells = [re.split(r"  +", line.strip()) for line in lines[1:3]]
    assert [row[0] for row in cells] == ["training, %", "test, %"]
    saved = [
        [read_run((tmp_path / f"{name.lower()}-seed{seed}.json").read_text("utf-8")) for name in names]
        for seed in (3, 4)
    ]
    verdicts = [f"Seed {seed}: {verdict(records)}" for seed, records in zip((3, 4), saved, strict=True)]
    assert lines[3:] == [*verdicts, limits(saved[0]), f"Wrote 8 runs to {tmp_path}"]
    for column, name in enumerate(names, start=1):
        runs = [read_run((tmp_path / f"{name.lower()}-seed{seed}.json").read_text("utf-8")) for seed in (3, 4)]
        last = [run.epochs[-1] for run in runs]
        assert cells[0][column] == ", ".join(f"{100 * epoch.train_accuracy:.1f}" for epoch in last)
        assert cells[1][column] == ", ".join(f"{100 * epoch.test_accuracy:.1f}" for epoch in last)
        assert [(run.plan.recipe.seed, run.plan.recipe.epochs) for run in runs] == [(3, 1), (4, 1)]
        assert open_checkpoint(tmp_path / f"{name.lower()}-seed4.safetensors").spec == runs[1].plan.spec


@pytest.mark.parametrize("words", [("--network", "resnet18"), ("--name", "x"), ("--data", "x"), ("--fresh",)])
def test_an_experiment_has_its_own_networks_and_images(words: tuple[str, ...]) -> None:
    said = "--experiment has its own networks and images; it allows only recipe options, --device and --output"
    assert refused("train", "--experiment", "degradation", *words) == said


def test_several_seeds_need_an_experiment() -> None:
    assert refused("train", "--data", "digits", "--seeds", "2") == "--seeds needs --experiment"


# serve


# The real program


def program(*words: str) -> list[str]:
    return [sys.executable, "-X", "utf8", *words]


@pytest.mark.parametrize("command", ["train", "gradients"])
def test_help_of_a_command_comes_without_what_takes_seconds_to_import(command: str) -> None:
    done = subprocess.run(
        program("-X", "importtime", "-m", "explorer", command, "--help"), cwd=ROOT, capture_output=True, timeout=120
    )
    assert done.returncode == 0
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.decode().splitlines()}
    assert not imported & {"torch", "torchvision", "sklearn", "numpy", "PIL"}


def test_help_comes_without_what_takes_seconds_to_import() -> None:
    command = program("-X", "importtime", "-m", "explorer", "--help")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0
    for name in ("inspect", "check", "diagram", "gradients", "classify", "transfer", "train", "serve"):
        assert re.search(rf"^ +{name} ", done.stdout, re.MULTILINE)
    imported = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines()}
    assert "explorer" in imported
    assert not imported & {"torch", "torchvision", "gradio", "plotly", "numpy", "PIL"}


@pytest.fixture
def long_training(data: Path) -> Iterator[subprocess.Popen[str]]:
    # The shell of a script starts background programs with Ctrl-C ignored, which Python inherits.
    code = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from explorer.cli import main; main()"
    )
    command = program("-c", code, *training(data, "--epochs", "10000"))
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    )
    with process:
        yield process
        process.kill()


def test_ctrl_c_keeps_the_whole_epochs(data: Path, long_training: subprocess.Popen[str]) -> None:
    assert long_training.stdout is not None
    for line in long_training.stdout:
        if line.startswith("epoch     2 of 10000"):
            break
    long_training.send_signal(signal.SIGINT)
    rest, problems = long_training.communicate(timeout=120)
    assert (long_training.returncode, problems) == (130, "")
    last = rest.splitlines()[-1]
    kept = re.fullmatch(r"Stopped\. (.*) contains (\d+) of 10000 epochs\. The same command resumes there\.", last)
    assert kept is not None
    assert Path(kept[1]).is_file()
    assert int(kept[2]) >= 2
