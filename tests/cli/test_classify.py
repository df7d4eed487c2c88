"""``classify`` over folders with answers that outlast a run, and ``transfer``."""

from __future__ import annotations

import csv
import io
import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from explorer.cli import app
from explorer.cli.answers_file import AnswersFile
from explorer.cli.photo_files import map_in_order, photo_files
from explorer.errors import ExplorerError
from explorer.inference import load_classifier
from explorer.inference.head import from_bytes


def run(*words: object) -> Result:
    return CliRunner().invoke(app, [*map(str, words), "--device", "cpu"])


def photo(path: Path, colour: str = "#204080", seed: int = 0) -> Path:
    plain = np.asarray(Image.new("RGB", (40, 36), colour)).astype(int)
    noise = np.random.default_rng(seed).integers(-60, 61, plain.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(plain + noise, 0, 255).astype(np.uint8)).save(path, "PNG")
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four photos, a broken one, and other files of a folder."""
    place = tmp_path / "photos"
    for number, name in enumerate(("b.png", "a.JPG", "deep/er/c.png", "=d.png")):
        photo(place / name, seed=number)
    (place / "broken.jpg").write_text("no photo")
    (place / "notes.txt").write_text("no photo either")
    photo(place / ".hidden/x.png")
    (place / ".trash.png").write_bytes(b"")
    return place


def test_folders_are_walked_in_order_and_every_photo_is_taken_once(folder: Path, tmp_path: Path) -> None:
    named = folder / "notes.txt"
    found, others = photo_files([named, folder, folder / "b.png", tmp_path / "absent.png"])
    names = ["notes.txt", "=d.png", "a.JPG", "b.png", "broken.jpg", "deep/er/c.png", "../absent.png"]
    assert [path.resolve() for path in found] == [(folder / name).resolve() for name in names]
    assert others == 1


def test_results_come_in_order_and_few_are_ahead() -> None:
    started: list[Path] = []
    files = [Path(str(number)) for number in range(200)]
    lock = threading.Lock()

    def work(file: Path) -> str:
        with lock:
            started.append(file)
        return file.name

    results = map_in_order(files, work)
    assert next(results) == (files[0], "0")
    with lock:
        assert len(started) < 100
    assert [name for _, name in results] == [file.name for file in files[1:]]


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_folder_becomes_a_csv(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "answers.csv"
    result = run("classify", folder, "--top", "2", "-o", output)
    assert result.exit_code == 1
    assert result.stdout == f"{output}: 4 predictions written, 1 file could not be read\n"
    assert result.stderr.splitlines()[0] == "Skipped 1 file whose name does not end like a photo"
    assert result.stderr.splitlines()[1].startswith(f"{folder / 'broken.jpg'}: This is a text file")
    found = rows(output)
    assert [Path(row["file"]).name for row in found] == ["=d.png", "a.JPG", "b.png", "broken.jpg", "c.png"]
    assert list(found[0]) == [
        "file",
        "model",
        "class_1",
        "probability_1",
        "class_2",
        "probability_2",
        "milliseconds",
        "error",
    ]
    assert found[3]["error"].startswith("This is a text file")
    assert found[3]["class_1"] == ""
    (name, probability), _ = load_classifier(device="cpu").classify_bytes((folder / "b.png").read_bytes(), 2).top
    assert (found[2]["class_1"], found[2]["model"]) == (name, "everyday200_resnet14")
    assert float(found[2]["probability_1"]) == pytest.approx(probability, abs=1e-5)


@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_run_that_was_killed_is_continued(folder: Path, tmp_path: Path, ending: str) -> None:
    output = tmp_path / f"answers.{ending}"
    run("classify", folder, "-o", output)
    whole = output.read_text(encoding="utf-8").splitlines(keepends=True)
    head = 1 if ending == "csv" else 0
    # Two answers and half of the third.
    output.write_text("".join(whole[: head + 2]) + whole[head + 2][:20], encoding="utf-8", newline="")
    result = run("classify", folder, "-o", output)
    assert "2 predictions written, 2 were already there, 1 file could not be read" in result.stdout
    again = output.read_text(encoding="utf-8").splitlines(keepends=True)
    assert again[: head + 2] == whole[: head + 2]

    def names(lines: list[str]) -> list[str]:
        return [row["file"] for row in (csv.DictReader(lines) if head else map(json.loads, lines))]

    assert names(again) == names(whole)
    assert not list(tmp_path.glob("*.part"))


def test_only_failed_files_are_tried_again(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "answers.jsonl"
    run("classify", folder, "-o", output)
    photo(folder / "broken.jpg")
    result = run("classify", folder, "-o", output)
    assert result.exit_code == 0
    assert result.stdout == f"{output}: 1 predictions written, 4 were already there, 0 files could not be read\n"
    answers = [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]
    assert [Path(answer["file"]).name for answer in answers] == ["=d.png", "a.JPG", "b.png", "c.png", "broken.jpg"]
    assert not any("error" in answer for answer in answers)
    assert len(answers[0]["top"]) == 5


def test_a_file_name_like_a_formula_is_recognised_when_resuming(folder: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(folder)
    output = tmp_path / "answers.csv"
    run("classify", "=d.png", "-o", output)
    assert rows(output)[0]["file"] == "'=d.png"
    assert "0 predictions written, 1 were already there" in run("classify", "=d.png", "-o", output).stdout
    assert len(rows(output)) == 1


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.csv", "x,y\n1,2\n", "exists and contains no predictions of this kind. Choose another file."),
        ("a.csv", "file,model,class_1,probability_1,milliseconds,error\nx,m\n", "contains no predictions of this kind"),
        (
            "a.csv",
            "file,model,class_1,probability_1,milliseconds,error\nx,other,c,1,1,\n",
            "predictions of 'other', not",
        ),
        ("a.jsonl", "[1]\n", "contains no predictions of this kind"),
        ("a.jsonl", "no json\n", "contains no predictions of this kind"),
        ("a.jsonl", '{"file": "x", "model": "other", "top": []}\n', "predictions of 'other', not of 'everyday200_"),
    ],
)
def test_other_files_are_not_overwritten(folder: Path, tmp_path: Path, name: str, content: str, words: str) -> None:
    output = tmp_path / name
    output.write_text(content, encoding="utf-8", newline="")
    result = run("classify", folder, "--top", "1", "-o", output)
    assert result.exit_code == 2
    assert words in " ".join(result.stderr.split())
    assert output.read_text(encoding="utf-8") == content


def test_every_answer_is_in_the_file_before_the_next_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    with AnswersFile(path, "m", 1).writing() as kept:
        kept.add({"file": "x", "top": []})
        assert json.loads(path.read_text(encoding="utf-8")) == {"file": "x", "top": [], "model": "m"}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["-o", "a.txt"], "a.txt: expected a name that ends in .csv or .jsonl"),
        (["-o", "a.csv", "--json"], "--output and --json cannot be combined. Use one of them."),
    ],
)
def test_contradictory_options(folder: Path, words: list[str], reason: str) -> None:
    result = run("classify", folder, *words)
    assert (result.exit_code, result.stderr) == (2, f"Error: {reason}\n")


def test_a_folder_without_photos_is_an_error(tmp_path: Path) -> None:
    result = run("classify", tmp_path)
    assert (result.exit_code, result.stderr) == (2, "Error: no photos found\n")


# transfer


@pytest.fixture
def classes(tmp_path: Path) -> Path:
    place = tmp_path / "classes"
    for seed in range(6):
        photo(place / "sea" / f"{seed}.png", "#204080", seed)
        photo(place / "lawn" / "deep" / f"{seed}.png", "#408020", seed)
    (place / "lawn" / "broken.jpg").write_text("no photo")
    return place


def test_a_head_trained_on_a_folder_classifies(classes: Path, tmp_path: Path) -> None:
    head = tmp_path / "head.safetensors"
    result = run("transfer", classes, "-o", head)
    assert result.exit_code == 1  # for the broken one
    assert result.stderr.startswith(f"{classes / 'lawn' / 'broken.jpg'}: This is a text file")
    lines = result.stdout.splitlines()
    assert lines[0] == "Cross-validated accuracy: 100.0 %, 12 of 12 photos."
    assert [line.split() for line in lines[4:7]] == [["label", "lawn", "sea"], ["lawn", "6", "0"], ["sea", "0", "6"]]
    assert from_bytes(head.read_bytes()).classes == ("lawn", "sea")
    new = photo(tmp_path / "new.png", "#204080", 99)
    (answer,) = json.loads(run("classify", new, "--head", head, "--json").stdout)
    assert answer["top"][0]["class"] == "sea"
    assert answer["model"] == "head on everyday200_resnet14"


def test_transfer_as_json(classes: Path) -> None:
    (classes / "lawn" / "broken.jpg").unlink()
    result = run("transfer", classes, "--json", "--folds", "3")
    assert result.exit_code == 0
    told = json.loads(result.stdout)
    assert told["classes"] == {"lawn": 6, "sea": 6}
    assert (told["folds"], told["accuracy"], told["confusion"]) == (3, 1.0, [[6, 0], [0, 6]])
    assert (told["majority"], told["failed"], told["backbone"]) == (0.5, {}, "everyday200_resnet14")


def test_transfer_rejects_other_folders(classes: Path, tmp_path: Path) -> None:
    for place, reason in (
        (tmp_path / "absent", "expected a folder with one subfolder of photos per class"),
        (classes / "sea", "expected photos in at least two subfolders, one per class"),
    ):
        result = run("transfer", place)
        assert (result.exit_code, result.stderr) == (2, f"Error: {place}: {reason}\n")
    assert (
        run("transfer", classes, "-o", "head.pth").stderr
        == "Error: head.pth: expected a name that ends in .safetensors\n"
    )


def test_a_head_that_is_none_is_refused(classes: Path, tmp_path: Path) -> None:
    (tmp_path / "head.safetensors").write_bytes(b"pickle")
    result = run("classify", classes, "--head", tmp_path / "head.safetensors")
    assert result.exit_code == 2
    assert "is not a head trained here" in result.stderr


def test_an_answers_file_of_a_newer_version_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"name": "x"}\n', encoding="utf-8")
    with pytest.raises(ExplorerError, match="no predictions of this kind"), AnswersFile(path, "m", 1).writing():
        pass
    assert io.StringIO(path.read_text(encoding="utf-8")).read() == '{"name": "x"}\n'
