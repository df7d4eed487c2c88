"""Training runs in words and rows: progress, results, saved runs, and a run as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import ceil
from typing import TYPE_CHECKING

from ...csv_text import Value, lines
from ...spec import title
from ...spec.budget import estimate
from ..kit import markup, numbers
from ..kit.markup import Cell, Row, progress_bar, tag, text
from .charts import line
from .verdict import findings, limits

if TYPE_CHECKING:
    from ...training import Record, Training


def time_left(seconds: float | None) -> str:
    """12.3 -> "about 13 s left"; 200 -> "about 4 min left"; None -> "time left not known yet"."""
    if seconds is None:
        return "time left not known yet"
    if seconds < 100:
        return f"about {ceil(seconds)} s left"
    return f"about {ceil(seconds / 60)} min left" if seconds < 6000 else f"about {seconds / 3600:.1f} h left"


def progress(training: Training) -> str:
    """A bar, the time left, and where each network is."""
    if not training.share:
        return progress_bar("Reading the images and building the networks …", 0)
    return progress_bar(f"Training: {time_left(training.seconds_left)}. {outcomes(training.records)}", training.share)


def result(records: Sequence[Record]) -> str:
    """The verdict, then how each network ended and what so small a run cannot show, as HTML."""
    first, *others = [finding.words for finding in findings(records)] or [""]
    words = tag("strong", text(first)) + text(f" {' '.join(others)}")
    accuracies = tag("details", tag("summary", "Accuracies of each network") + tag("p", text(outcomes(records))))
    return (
        tag("p", words, css="rx-summary-sentence rx-verdict-words", role="status")
        + tag("p", text(limits(records)), css="rx-note")
        + tag("div", accuracies, css="rx-note")
    )


def outcomes(records: Sequence[Record]) -> str:
    """How far each network is, and its latest accuracies; a sentence each."""
    return " ".join(_place(record) for record in records)


def _place(record: Record) -> str:
    name, epochs, ended = record.plan.name, record.plan.recipe.epochs, f" {record.ended}" * bool(record.ended)
    if not record.epochs:
        return f"{name}: epoch 1 of {epochs}.{ended}"
    last = record.epochs[-1]
    train, test = numbers.percent(last.train_accuracy), numbers.percent(last.test_accuracy)
    done = f"{epochs} epoch{'s' * (epochs > 1)}" if record.finished else f"epoch {last.epoch + 1} of {epochs}"
    return f"{name} after {done}: right for {train} of the training images and {test} of the test images.{ended}"


def repeated(first: Record, again: Record) -> str:
    """Whether a run measured the same as the run that it repeats."""
    names = f"{again.plan.name} repeats {first.plan.name}"
    if not first.points:
        return f"{names}, whose curves are not known."
    if again.same_course(first):
        return f"{names} to the last digit: every loss, accuracy and gradient norm is equal."
    pairs = zip(first.points, again.points, strict=False)
    place = next((one.epoch for one, other in pairs if one != other), None)
    if place is None:
        return f"{names} as far as both went, to the last digit."
    return f"{names}, and differs from epoch {place:.2f} on: another machine, number of threads or version of torch."


def table(rows: Iterable[tuple[str, int, Record, bool]]) -> str:
    """The saved runs: token, place (see ``charts.line``), run, and whether the charts show it.

    Every row has a checkbox, a field with its name, and buttons by ``data-do``; files are links by ``data-kind``.
    """
    body = [_row(*row) for row in rows]
    if not body:
        return tag("p", "No run is saved yet. Start one above, or open the JSON of a run.", css="rx-note")
    return markup.table("", _HEAD, body, label="Saved runs")


_HEAD = (
    Cell("Show"),
    Cell("Name"),
    Cell("Network"),
    Cell("Trained on"),
    Cell("Epochs", css="num"),
    Cell("Training", css="num"),
    Cell("Test", css="num"),
    Cell("Time", css="num"),
    Cell("Actions"),
)


def charted(names: Sequence[str], saved: int) -> str:
    """Which of the saved runs the charts show: they are results, whatever the form says now."""
    if not names:
        return ""
    which = f"{len(names)} of {saved} saved runs" if len(names) < saved else "all saved runs"
    words = f"Charts: {which} ({', '.join(names)}), with the settings in their rows below."
    return tag("p", text(words), css="rx-note")


def _row(token: str, place: int, record: Record, shown: bool) -> Row:
    plan, last = record.plan, record.epochs[-1] if record.epochs else None
    name = text(plan.name)
    box = f'<input type="checkbox" data-do="show" aria-label="Show {name} in the charts"{" checked" * shown}>'
    field = f'<input type="text" data-do="name" maxlength="60" aria-label="Name of the run" value="{name}">'
    params = numbers.count(estimate(plan.spec)[0])
    seconds = sum(epoch.seconds for epoch in record.epochs)
    cells = (
        Cell(html=box + _swatch(place)),
        Cell(html=field),
        Cell(html=text(title(plan.spec)) + tag("small", f" {params}"), exact=f"{params} parameters"),
        Cell(_recipe(record)),
        Cell(html=f"{len(record.epochs)} of {plan.recipe.epochs}" + _ended(record), css="num"),
        Cell(numbers.percent(last.train_accuracy) if last else "–", css="num"),
        Cell(numbers.percent(last.test_accuracy) if last else "–", css="num"),
        Cell(numbers.duration(seconds) if seconds else "–", css="num"),
        Cell(html=_files(record, name) + _buttons(record, name)),
    )
    return {"data_run": token}, cells


def _ended(record: Record) -> str:
    """Why it ended before its recipe did."""
    return "<br>" + tag("small", text(record.ended)) if record.ended else ""


def _swatch(place: int) -> str:
    """The run's line as the charts draw it."""
    this = line(place)
    dashes = {
        "solid": "",
        "dash": "9 6",
        "dot": "3 4",
        "dashdot": "9 4 3 4",
        "longdash": "14 6",
        "longdashdot": "14 4 3 4",
    }
    stroke = tag(
        "line",
        "",
        x2="36",
        y1="4",
        y2="4",
        stroke=this.colour,
        stroke_width="2",
        stroke_dasharray=dashes.get(this.dash, this.dash.replace("px", "")),
    )
    return tag("svg", stroke, width="36", height="8", aria_hidden="true")


def _recipe(record: Record) -> str:
    recipe = record.plan.recipe
    schedule = recipe.schedule.value.replace("_", "-")
    batches = f"batches of {recipe.batch_size}, seed {recipe.seed}"
    return f"{record.plan.data.replace('_', ' ')}, {schedule}, rate {recipe.learning_rate:g}, {batches}"


def _files(record: Record, name: str) -> str:
    kinds = ["csv", "json", *(["safetensors"] if record.weights is not None else [])]
    words = {"csv": "CSV", "json": "JSON", "safetensors": "Weights"}
    return "".join(
        tag("a", words[kind], href="#", css="rx-small", data_kind=kind, aria_label=f"{words[kind]} of {name}")
        for kind in kinds
    )


def _buttons(record: Record, name: str) -> str:
    classify = [("classify", "Classify with it")] if record.weights is not None else []
    return "".join(
        tag("button", words, type="button", css="rx-small", data_do=do, aria_label=f"{words}: {name}")
        for do, words in (*classify, ("repeat", "Repeat"), ("drop", "Remove"))
    )


def csv(record: Record) -> str:
    """A line for each recorded step, norms in nats per unit of weight; an epoch's accuracies are in its last line."""
    head = ("epoch", "training_loss", "learning_rate", "training_accuracy", "test_accuracy")
    tested = {epoch.epoch + 1: epoch for epoch in record.epochs}
    rows: list[tuple[Value, ...]] = [(*head, *(f"gradient_norm {part}" for part in record.parts))]
    for point in record.points:
        epoch = tested.get(int(point.epoch)) if point.epoch == int(point.epoch) else None
        accuracies = (epoch.train_accuracy, epoch.test_accuracy) if epoch else (None, None)
        rows.append((point.epoch, point.loss, point.learning_rate, *accuracies, *point.norms))
    return lines(rows)
