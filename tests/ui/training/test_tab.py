"""The Training tab without a browser: the form's plans, what is kept, how a training runs, charts and rows."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import torch
from fastapi.testclient import TestClient
from safetensors.torch import load

from explorer.datasets import DIGITS
from explorer.datasets.digits import TRAIN
from explorer.errors import DataError, ExplorerError, Stopped
from explorer.spec import PRESETS, to_query
from explorer.training import Plan, Recipe, Record, Schedule, Training, read_run, run_json
from explorer.ui.kit import jobs, sessions
from explorer.ui.kit.jobs import Finished, Job, Waiting
from explorer.ui.kit.model_files import OpenFile
from explorer.ui.kit.sessions import Limits
from explorer.ui.server import create_app
from explorer.ui.training import form as training_form
from explorer.ui.training.page_training import KIND, TRAININGS, PageTraining, training_of
from explorer.ui.training.runs import LIMITS, RUNS, Runs, checkpoint_of, owner_of
from explorer.views.kit.theme import CURVES
from explorer.views.training import charts
from explorer.views.training import runs as words

TINY = DIGITS.fit(PRESETS["cifar_resnet20"].with_(depths=(1, 1), widths=(4, 8)))
RECIPE = Recipe(epochs=2, batch_size=256, learning_rate=0.05, pad=1, flip=False)
EVIL = "<img src=x onerror=alert(1)>"
OWNER = "an owner's secret"
VALUES: dict[str, Any] = {
    "data": "digits",
    "networks": "both",
    "epochs": 3,
    "learning_rate": 0.1,
    "batch_size": 64,
    "weight_decay": 1e-4,
    "schedule": "cosine",
    "augmentation": "crops",
    "momentum": 0.8,
    "nesterov": True,
    "label_smoothing": 0.1,
    "seed": 5,
    "folder": "",
}

pytestmark = pytest.mark.usefixtures("one_thread")


def plan(name: str = "tiny", **changes: Any) -> Plan:
    return Plan(name, TINY, RECIPE, "digits", **changes)


@pytest.fixture(scope="module")
def record(one_thread: None) -> Record:
    training = Training([plan()], Path())
    list(training.steps())
    return training.records[0]


@pytest.fixture(autouse=True)
def empty() -> Iterator[None]:
    yield
    for token, _ in RUNS.of(OWNER):
        RUNS.drop(token)


# The form


def planned(query: str = "", **changes: Any) -> list[Plan]:
    return training_form.plans(query, {**VALUES, **changes})[0]


def test_a_form_is_a_plan_for_every_network() -> None:
    first, twin = planned("preset=cifar_resnet32")
    spec = PRESETS["cifar_resnet32"].with_(image_size=8)
    assert (first.spec, twin.spec) == (spec, spec.plain())
    assert (first.name, twin.name, first.data) == ("ResNet-32", "Plain-32", "digits")
    assert first.recipe == twin.recipe
    assert first.recipe == Recipe(
        3, 64, 0.1, 0.8, 1e-4, True, Schedule.COSINE, pad=1, flip=False, label_smoothing=0.1, seed=5
    )
    assert [p.spec for p in planned("preset=cifar_resnet32", networks="this")] == [spec]
    assert [p.spec for p in planned("preset=cifar_resnet32", networks="twin")] == [spec.plain()]


def test_the_degradation_experiment_is_the_papers_four() -> None:
    names = [p.name for p in planned("preset=resnet50", networks="degradation")]
    assert names == ["ResNet-20", "Plain-20", "ResNet-56", "Plain-56"]


@pytest.mark.parametrize(
    ("augmentation", "data", "pad", "flip"),
    [("none", "digits", 0, False), ("crops", "digits", 1, False), ("mirrored", "cifar10", 4, True)],
)
def test_augmentation_follows_the_images(tmp_path: Path, augmentation: str, data: str, pad: int, flip: bool) -> None:
    recipe = planned(augmentation=augmentation, data=data, folder=str(tmp_path))[0].recipe
    assert (recipe.pad, recipe.flip) == (pad, flip)


def test_a_folder_is_where_cifar_is_read_from(tmp_path: Path) -> None:
    assert training_form.plans("", {**VALUES, "data": "cifar10", "folder": f" {tmp_path} "})[1] == tmp_path
    with pytest.raises(DataError, match=r"^data: '.*absent' does not exist, expected a folder or archive of CIFAR-10"):
        planned(data="cifar10_tenth", folder=str(tmp_path / "absent"))


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"data": "mnist"}, r"^These settings are not valid\. Reload the page\.$"),
        ({"networks": ["both"]}, r"^These settings are not valid"),
        ({"epochs": None}, r"^epochs: got 'None', expected a whole number from 1 to 10,000$"),
        ({"learning_rate": -1}, r"^learning_rate: got '-1'"),
        ({"schedule": EVIL}, r"^schedule: got "),
        ({"nesterov": "yes"}, r"^nesterov: got 'yes'; allowed: true and false$"),
    ],
)
def test_a_form_that_cannot_be_is_refused(changes: dict[str, Any], match: str) -> None:
    with pytest.raises(ExplorerError, match=match):
        planned(**changes)


def test_a_plain_network_has_no_counterpart() -> None:
    with pytest.raises(
        ExplorerError,
        match=r"^Plain-18 has no shortcuts, so it is its own plain counterpart\. Choose “The builder's network”",
    ):
        planned("shortcut=none")


def test_what_cannot_run_or_is_too_large_is_refused() -> None:
    training_form.check(planned("preset=cifar_resnet56"))
    with pytest.raises(ExplorerError, match=r"^ResNet-18 cannot run\. layer2\.0: the branch gives 128×1×1"):
        training_form.check(planned("shortcut=identity", networks="this"))
    with pytest.raises(ExplorerError, match=r"^Training this needs about \d\d\.\d GiB; 6\.00 GiB are allowed here\."):
        training_form.check(planned("preset=cifar_resnet1202", batch_size=1000))


def test_before_a_run_the_form_says_what_it_would_train() -> None:
    assert training_form.preview("preset=cifar_resnet32", "digits", "both") == (
        "Start trains ResNet-32 and Plain-32 for images of 8×8 pixels in 10 classes: "
        "the builder's network, fitted to the data."
    )
    assert training_form.preview("preset=resnet50", "digits", "degradation") == (
        "Start trains ResNet-20, Plain-20, ResNet-56 and Plain-56 for images of 8×8 pixels in 10 classes: "
        "not ResNet-50, which the builder shows."
    )
    assert training_form.preview("shortcut=identity", "digits", "this").endswith(
        "These are shapes for training images of 8×8 pixels; the diagram shows those for the builder's input side."
    )
    assert training_form.preview("shortcut=none", "digits", "both").startswith("Plain-18 has no shortcuts")


# Saved runs


def test_every_run_has_a_name_and_a_line_of_its_own() -> None:
    runs = Runs()
    tokens = [runs.add([Record(plan(name))], "a")[0] for name in ("tiny", "tiny", "tiny", "other")]
    assert [kept.record.plan.name for _, kept in runs.of("a")] == ["tiny", "tiny, run 2", "tiny, run 3", "other"]
    runs.drop(tokens[1], "a")
    runs.add([Record(plan("new"))], "a")
    assert [kept.place for _, kept in runs.of("a")] == [0, 2, 3, 1]
    assert runs.of("b") == []


def test_a_new_training_hides_earlier_runs_in_the_charts() -> None:
    runs = Runs()
    mine, other = (runs.add([Record(plan())], owner)[0] for owner in ("a", "b"))
    runs.hide_all("a")
    later = runs.add([Record(plan())], "a")[0]
    assert [runs.find(token).in_charts for token in (mine, later, other)] == [False, True, True]


def test_runs_are_their_owners_alone() -> None:
    runs = Runs()
    (token,) = runs.add([Record(plan())], "a")
    for use in (lambda: runs.find(token, "b"), lambda: runs.drop(token, "b"), lambda: runs.rename(token, "b", "x")):
        with pytest.raises(ExplorerError, match=r"^This run is no longer saved here\.$"):
            use()
    assert runs.find(token).record.plan.name == "tiny"
    runs.rename(token, "a", f"  a\x00b \n {'c' * 99}")
    assert runs.find(token).record.plan.name == f"a\ufffdb \ufffd {'c' * 51}…"
    runs.rename(token, "a", "  ")
    assert runs.find(token).record.plan.name.startswith("a")


def test_a_page_has_one_owner_whatever_answers_first() -> None:
    new = owner_of("", "session")
    assert owner_of(None, "session") == new != owner_of("", "another")
    assert owner_of(new, "later") == new
    sessions.close("session")
    assert owner_of("x" * 65, "session") not in (new, "x" * 65)


def test_only_so_many_runs_are_kept() -> None:
    assert RUNS.limits == LIMITS == Limits(count=400, per_session=16, size=2**30, seconds=6 * 3600)
    runs = Runs()
    tokens = [runs.add([Record(plan())], "a")[0] for _ in range(16 + 2)]
    assert [token for token, _ in runs.of("a")] == tokens[2:]
    runs.limits = replace(LIMITS, size=300)
    heavy = [Record(plan(), weights={"w": torch.zeros(40)}) for _ in range(2)]
    runs.add(heavy, "b")
    assert [kept.record for _, kept in runs.of("b")] == heavy[1:]


def test_files_of_a_run(record: Record) -> None:
    (token,) = RUNS.add([record], OWNER)
    with TestClient(create_app(build=gr.Blocks)) as client:
        table = list(csv.reader(io.StringIO(client.get(f"/run/{token}/csv").text)))
        assert table[0][:5] == ["epoch", "training_loss", "learning_rate", "training_accuracy", "test_accuracy"]
        assert table[0][5:] == [f"gradient_norm {part}" for part in ("stem", "layer1.0", "layer2.0", "head")]
        assert [float(row[1]) for row in table[1:]] == [point.loss for point in record.points]
        assert [float(row[4]) for row in table[1:] if row[4]] == [epoch.test_accuracy for epoch in record.epochs]
        answer = client.get(f"/run/{token}/json")
        assert answer.headers["content-disposition"] == 'attachment; filename="tiny.json"'
        assert read_run(answer.text).same_course(record)
        weights = load(client.get(f"/run/{token}/safetensors").content)
        assert weights.keys() == (record.weights or {}).keys()
        assert client.get(f"/run/{token}/exe").status_code == 404
        gone = client.get("/run/nobody/csv")
        assert (gone.status_code, gone.text) == (404, "This run is no longer saved here.")
        curves = RUNS.add([read_run(run_json(record))], OWNER)[0]
        assert client.get(f"/run/{curves}/safetensors").status_code == 404


def test_trained_weights_are_asked_about_photos(record: Record) -> None:
    file = OpenFile(record.plan.name, checkpoint_of(record))
    assert file.can_classify
    classifier = file.classifier(file.spec_for(to_query(PRESETS["resnet18"])), "cpu")
    assert (classifier.variant.spec, classifier.variant.classes) == (TINY, tuple("0123456789"))
    assert classifier.variant.transform.std == record.std


# A training of the page


def new_training(*plans: Plan, session: str | None = None) -> PageTraining:
    training = Training(plans or [plan()], Path())
    current = PageTraining(training, RUNS.add(training.records, OWNER))
    if session:
        TRAININGS.put(current, session)
    return current


def follow(current: PageTraining) -> list[Any]:
    return list(Job(current.work).events())


def hold() -> Job:
    """A job that runs until it is stopped, so that the next one waits."""
    return Job(lambda job: [None for _ in iter(lambda: job.stopped, True)])


def test_a_training_runs_to_its_end() -> None:
    current = new_training()
    last = follow(current)[-1]
    assert isinstance(last, Finished)
    assert last.error is None
    assert current.training.over
    assert [run.record for _, run in RUNS.of(OWNER)] == current.training.records


def test_a_training_is_paused_and_goes_on(record: Record) -> None:
    current = new_training()
    job = Job(current.work)
    current.paused = True
    job.stop()
    list(job.events())
    assert not current.training.over
    current.paused = False
    follow(current)
    assert current.training.records[0].same_course(record)


def test_a_training_that_is_stopped_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.ui.training.page_training.INTERVAL", 0)
    current = new_training()
    job = Job(current.work)
    with closing(job.events()) as events:  # type: ignore[type-var]  # a generator
        assert next(events) is None
    # Nobody looks any more, and the next job's turn comes when this one is done.
    assert isinstance(list(Job(lambda job: None).events())[-1], Finished)
    (record,) = [run.record for _, run in RUNS.of(OWNER)]
    assert 0 < len(record.points) < 12
    assert record.ended == "It was stopped there."
    assert record.weights is not None


def test_a_training_that_never_began_keeps_nothing() -> None:
    other = hold()
    current = new_training()
    job = Job(current.work)
    events = job.events()
    waiting = next(events)
    assert isinstance(waiting, Waiting)
    assert waiting.ahead == 1
    job.stop()
    last = next(events)
    assert isinstance(last, Finished)
    assert isinstance(last.error, Stopped)
    current.end()
    other.stop()
    assert RUNS.of(OWNER) == []


def test_a_training_too_large_is_refused_in_words() -> None:
    current = new_training(Plan("huge", PRESETS["cifar_resnet1202"], Recipe(batch_size=1000), "cifar10"))
    last = follow(current)[-1]
    assert "Training this needs about" in str(last.error)
    assert RUNS.of(OWNER) == []


# A page that closes


def test_a_paused_training_ends_with_its_page_and_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.ui.training.page_training.INTERVAL", 0)
    current = new_training(session="page")
    events = jobs.run("page", KIND, current.work)
    assert next(event for event in events if not isinstance(event, Waiting)) is None
    current.paused = True
    assert jobs.stop("page", KIND)
    list(events)
    (record,) = current.training.records
    steps = len(record.points)
    assert (record.ended, training_of("page")) == ("", current), "it may go on"
    sessions.close("page")
    assert training_of("page") is None
    assert record.ended == "It was stopped there."
    assert [run.record for _, run in RUNS.of(OWNER)] == [record], "runs are the browser's, not the page's"
    follow(current)
    assert len(record.points) == steps, "it does not go on any more"


def test_a_running_training_ends_with_its_page_and_keeps_what_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer.ui.training.page_training.INTERVAL", 0)
    current = new_training(session="page")
    events = jobs.run("page", KIND, current.work)
    assert next(event for event in events if not isinstance(event, Waiting)) is None
    sessions.close("page")
    (record,) = current.training.records
    assert record.ended == "It was stopped there."
    assert 0 < len(record.points) < 12
    assert isinstance(list(events)[-1], Finished)
    assert training_of("page") is None


def test_a_training_that_waits_when_its_page_closes_keeps_nothing() -> None:
    other = hold()
    current = new_training(session="page")
    events = jobs.run("page", KIND, current.work)
    assert isinstance(next(events), Waiting)
    sessions.close("page")
    assert RUNS.of(OWNER) == []
    other.stop()
    assert isinstance(list(events)[-1].error, Stopped)


# Charts and rows


def test_lines_differ_in_colour_dash_and_marker() -> None:
    for what in ("colour", "dash", "symbol"):
        assert len({getattr(line, what) for line in CURVES}) == len(CURVES)
    assert charts.line(len(CURVES)) == CURVES[0]


def test_figures_hold_what_was_measured(record: Record) -> None:
    runs = [(3, record), (0, record)]
    losses, rates = charts.loss_figure(runs).data, charts.rate_figure(runs).data
    assert [list(trace.y) for trace in losses] == [[point.loss for point in record.points]] * 2
    assert [list(trace.y) for trace in rates] == [[point.learning_rate for point in record.points]] * 2
    assert [trace.line.color for trace in losses] == [CURVES[3].colour, CURVES[0].colour]
    _, _, test, training = charts.accuracy_figure(runs[:1]).data
    assert list(test.y) == pytest.approx([100 * epoch.test_accuracy for epoch in record.epochs])
    assert list(training.y) == pytest.approx([100 * epoch.train_accuracy for epoch in record.epochs])
    _, _, first, last = charts.norm_figure(runs[:1]).data
    assert (tuple(first.y), tuple(last.y)) == (record.points[0].norms, record.points[-1].norms)
    assert tuple(last.customdata) == record.parts
    assert charts.loss_figure([]).data == ()


def test_charts_have_titles_and_say_what_bold_and_thin_lines_are(record: Record) -> None:
    figures = {draw: draw([(0, record)]) for draw in (charts.accuracy_figure, charts.loss_figure, charts.norm_figure)}
    assert [figure.layout.title.text for figure in figures.values()] == [
        "Images that are classified correctly",
        "Loss on the training images",
        "Gradient norm of the weights of each block",
    ]
    keys = {draw: [trace.name for trace in figure.data if trace.y == (None,)] for draw, figure in figures.items()}
    assert keys[charts.accuracy_figure] == ["bold: test", "thin: training"]
    assert keys[charts.norm_figure] == ["bold: latest step", "thin: first step"]


def test_a_sample_in_the_legend_shows_more_line_than_gap() -> None:
    """Plotly's samples are 30 px long; its own "longdash" is a dash and a gap of 15 px each there."""
    assert "longdash" not in {line.dash for line in CURVES}


def test_names_are_text_everywhere(record: Record) -> None:
    evil = Record(plan(EVIL), points=record.points, epochs=record.epochs, parts=record.parts)
    html = words.table([("token", 0, evil, True)]) + words.result([evil]) + words.repeated(evil, evil)
    assert "<img" not in html.replace(words.repeated(evil, evil), "")
    assert "&lt;img" in html
    for draw in (charts.loss_figure, charts.accuracy_figure, charts.norm_figure, charts.rate_figure):
        drawn = str(json.loads(draw([(0, evil)]).to_json()))  # the JSON itself spells < otherwise
        assert "<img" not in drawn
        assert "&lt;img" in drawn


def test_a_row_says_what_there_is_to_say(record: Record) -> None:
    html = words.table([("token", 1, record, True), ("other", 0, Record(plan("empty")), False)])
    assert html.count(" checked") == 1
    assert "digits, one-cycle, rate 0.05, batches of 256, seed 0" in html
    assert html.count('data-kind="safetensors"') == html.count('data-do="classify"') == 1
    assert html.count('data-kind="csv"') == 2
    assert words.table([]).count("No run is saved yet") == 1


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "time left not known yet"),
        (0.2, "about 1 s left"),
        (99.5, "about 100 s left"),
        (200, "about 4 min left"),
        (9000, "about 2.5 h left"),
    ],
)
def test_time_left_in_words(seconds: float | None, text: str) -> None:
    assert words.time_left(seconds) == text


def test_what_a_repeat_showed(record: Record) -> None:
    again = read_run(run_json(record))
    assert words.repeated(record, again).endswith("to the last digit: every loss, accuracy and gradient norm is equal.")
    again.points[5] = again.points[4]
    assert words.repeated(record, again).startswith(
        "tiny repeats tiny, and differs from epoch 1.00 on: another machine"
    )
    assert words.repeated(Record(plan("first")), again) == "tiny repeats first, whose curves are not known."
    assert TRAIN // RECIPE.batch_size == 5  # six steps an epoch
    assert json.loads(run_json(record))["images"] == [1437, 360]
