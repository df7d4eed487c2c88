"""The Training tab: networks train side by side on real images while their curves grow; runs are saved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ...datasets import find_data
from ...errors import ExplorerError, Stopped
from ...inference.running.engine import choose_device
from ...training import DEGRADATION, TRAINING_DATA, Plan, Training, read_run
from ...training.run_file import MAX_TEXT
from ...views.kit.markup import banner, progress_bar, tag, text
from ...views.training import charts
from ...views.training import runs as words
from ...views.training.experiment import introduction
from ..kit import bridge, jobs, plot, scripts
from ..kit.bridge import error_message
from ..kit.fold import fold
from ..kit.jobs import Finished, Waiting
from ..kit.model_files import FILE, OPEN_FILES, OpenFile
from ..kit.panel import create_panel
from ..kit.shell import Shell
from ..kit.visibility import on_sight
from . import form as training_form
from .page_training import KIND, TRAININGS, PageTraining, training_of
from .requests import RunAction
from .runs import RUNS, add_route, checkpoint_of, owner_of

__all__ = ["add_route", "build_tab"]

_TEMPLATE = """
<section class="rx-runs" aria-label="Saved runs">
  <header>
    <h3>Saved runs</h3>
    <button type="button" class="rx-small" data-do="open">Open a run's JSON</button>
    <input type="file" accept=".json" aria-label="JSON of a run" hidden>
  </header>
  <div class="rx-run-rows"></div>
</section>
"""
_CHARTS: dict[str, tuple[str, Callable[[charts.Runs], Any]]] = {
    "training-accuracy": ("Accuracy over epochs", charts.accuracy_figure),
    "training-loss": ("Training loss over epochs", charts.loss_figure),
    "training-norms": ("Gradient norm of every block", charts.norm_figure),
    "training-rate": ("Learning rate over epochs", charts.rate_figure),
}
Updates = dict[Any, Any]


def build_tab(shell: Shell) -> None:
    """Lay the tab out."""
    owner = gr.BrowserState("", storage_key="resnet-explorer-runs")
    with gr.Row(elem_id="training-desk"):
        with gr.Column(elem_id="training-controls"):
            with gr.Row(elem_id="training-buttons"):
                start = _button("Start", variant="primary")
                degradation = _button("Degradation experiment", elem_id="degradation")
                pause, resume, stop = (_button(name, visible=False) for name in ("Pause", "Continue", "Stop"))
            form = training_form.create(folders=shell.local)
            preview = gr.HTML("", padding=False, elem_id="training-preview")
        with gr.Column(elem_id="training-results"):
            gr.HTML(introduction(), padding=False, elem_id="training-introduction")
            status = gr.HTML("", padding=False, elem_id="training-status")
            with gr.Row(elem_id="training-charts"):
                figures = [_chart(name) for name in list(_CHARTS)[:-1]]
            with fold("Learning rate", elem_id="training-rate-fold"):
                figures.append(_chart("training-rate"))
            legend = gr.HTML("", padding=False, elem_id="training-legend")
    panel = create_panel(
        "training-runs",
        _TEMPLATE,
        scripts.mount("training/training.js"),
        rows=words.table(()),
        most=MAX_TEXT,
        classify="",
    )
    desk = _Desk(form, owner, start, degradation, pause, resume, stop, status, tuple(figures), legend, panel)
    streams: dict[str, Any] = {
        "outputs": desk.outputs,
        "show_progress": "hidden",
        "concurrency_id": "training",
        "concurrency_limit": 12,
    }
    start.click(desk.start, [shell.query, owner, *form.widgets], **streams)
    degradation.click(lambda: DEGRADATION.name, None, form.networks, show_progress="hidden").then(
        desk.start, [shell.query, owner, *form.widgets], **streams
    )
    resume.click(desk.resume, owner, **streams)
    panel.input(desk.act, [panel, owner], **streams, trigger_mode="multiple")
    at_once: dict[str, Any] = {"queue": False, "show_progress": "hidden"}
    pause.click(desk.pause, None, None, **at_once)
    stop.click(desk.stop, owner, desk.outputs, **at_once)
    runs = on_sight("asks-runs", "network", always=True)
    runs.input(desk.load, owner, desk.outputs, show_progress="hidden")
    planned: list[Any] = [runs, form.data, form.networks]
    # The button of the degradation experiment sets the networks: a change, not an input.
    for event in (runs.input, form.data.input, form.networks.change):
        event(_preview, planned, preview, show_progress="hidden", trigger_mode="always_last")


def _chart(name: str) -> gr.HTML:
    return plot.chart(name, _CHARTS[name][0], 312, "Start a run to see it.")


def _preview(query: Any, data: Any, networks: Any) -> str:
    """What Start would train, as HTML."""
    try:
        words = training_form.preview(str(query or ""), data, networks)
    except Exception as error:
        words = error_message(error)
    return tag("p", text(words), css="rx-note")


def _button(name: str, **how: Any) -> gr.Button:
    return gr.Button(name, size="md", scale=0, min_width=216 if len(name) > 10 else 110, **how)


@dataclass(frozen=True)
class _Desk:
    """The tab's widgets that events change, and the handlers of those events."""

    form: training_form.Form
    owner: gr.BrowserState
    begin: gr.Button
    degradation: gr.Button
    pausing: gr.Button
    going_on: gr.Button
    stopping: gr.Button
    status: gr.HTML
    figures: tuple[gr.HTML, ...]
    legend: gr.HTML
    panel: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        buttons = [self.begin, self.degradation, self.pausing, self.going_on, self.stopping]
        return [self.owner, self.status, *self.figures, self.legend, self.panel, *buttons]

    def load(self, owner: Any, request: gr.Request) -> Updates:
        """The tab was opened: show the browser's saved runs, also those of before a reload."""
        return self._saved(owner_of(owner, str(request.session_hash)))

    def start(self, request: gr.Request, query: str, owner: Any, *values: Any) -> Iterator[Updates]:
        try:
            plans, source = training_form.plans(query, self.form.by_name(values))
            yield from self._begin(plans, source, owner_of(owner, str(request.session_hash)), request)
        except Exception as error:
            yield {self.status: banner(error_message(error), "finding"), **self._buttons("idle")}

    def resume(self, owner: Any, request: gr.Request) -> Iterator[Updates]:
        session = str(request.session_hash)
        current = training_of(session)
        if current and current.paused:
            yield from self._follow(current, owner_of(owner, session), session)

    def pause(self, request: gr.Request) -> None:
        session = str(request.session_hash)
        if current := training_of(session):
            current.paused = True
            jobs.stop(session, KIND)

    def stop(self, owner: Any, request: gr.Request) -> Updates:
        """A running job reports its own end; a paused training ends here."""
        session = str(request.session_hash)
        if current := training_of(session):
            current.paused = False
            if not jobs.stop(session, KIND):
                return self._ended(current, owner_of(owner, session), session, None)
        return {self.status: gr.skip()}

    def act(self, value: Any, owner: Any, request: gr.Request) -> Iterator[Updates]:
        """Carry out an action of the table of runs: a ``RunAction`` as JSON."""
        session = str(request.session_hash)
        owner = owner_of(owner, session)
        try:
            action = bridge.parse_json(RunAction, value, MAX_TEXT + 1000)
            if action.do == "repeat":
                plan = RUNS.find(action.run, owner).record.plan
                source = find_data(TRAINING_DATA[plan.data])
                yield from self._begin([plan], source, owner, request, action.run)
            elif action.do == "classify":
                record = RUNS.find(action.run, owner).record
                token = OPEN_FILES.put(OpenFile(record.plan.name, checkpoint_of(record)), session)
                yield self._saved(owner, classify=FILE + token)
            else:
                yield {**self._change(action, owner), **self._saved(owner)}
        except Exception as error:
            yield {self.status: banner(error_message(error), "finding")}

    def _change(self, action: RunAction, owner: str) -> Updates:
        if action.do == "show":
            RUNS.find(action.run, owner).in_charts = action.on
        elif action.do == "name":
            RUNS.rename(action.run, owner, action.name[:200])
        elif action.do == "drop":
            RUNS.drop(action.run, owner)
        elif action.do == "open":
            record = read_run(action.text)
            RUNS.add([record], owner)
            return {self.status: tag("p", text(f"{record.plan.name} is now among the saved runs."), css="rx-note")}
        return {}

    def _begin(
        self, plans: Sequence[Plan], source: Path, owner: str, request: gr.Request, original: str = ""
    ) -> Iterator[Updates]:
        session = str(request.session_hash)
        if training_of(session):
            raise ExplorerError("This page is still training, or has paused. Stop that run before you start another.")
        training = Training(plans, source, choose_device("auto"))
        RUNS.hide_all(owner)
        if original:
            RUNS.find(original, owner).in_charts = True
        current = PageTraining(training, RUNS.add(training.records, owner, original))
        TRAININGS.put(current, session)
        yield from self._follow(current, owner, session)

    def _follow(self, current: PageTraining, owner: str, session: str) -> Iterator[Updates]:
        current.paused, current.pending = False, False
        drawn: dict[Any, Any] = {}
        yield {**self._saved(owner), self.status: words.progress(current.training), **self._buttons("running")}
        for event in jobs.run(session, KIND, current.work):
            if isinstance(event, Waiting):
                yield {self.status: progress_bar(str(event), 0)}
            elif isinstance(event, Finished):
                yield self._ended(current, owner, session, event.error)
            else:
                current.pending = False
                latest = self._charts(owner)
                yield {
                    self.status: words.progress(current.training),
                    **{chart: value for chart, value in latest.items() if drawn.get(chart) != value},
                }
                drawn = latest

    def _ended(self, current: PageTraining, owner: str, session: str, error: Exception | None) -> Updates:
        failed = error is not None and not isinstance(error, Stopped)
        if current.paused and not failed and not current.training.over:
            message = banner("Paused. Nothing is lost: Continue resumes with the next step.", "note")
            message += tag("p", text(words.outcomes(current.training.records)), css="rx-note")
            return {**self._saved(owner), self.status: message, **self._buttons("paused")}
        TRAININGS.close(session)
        current.end()
        records = current.training.records
        message = banner(error_message(error), "finding") if error and failed else words.result(records)
        message += "".join(map(self._repetition, current.tokens))
        return {**self._saved(owner), self.status: message, **self._buttons("idle")}

    def _repetition(self, token: str) -> str:
        """Whether a run that repeats another measured the same, as HTML."""
        try:
            again = RUNS.find(token)
            first = RUNS.find(again.original).record
        except ExplorerError:
            return ""
        return tag("p", text(words.repeated(first, again.record)), css="rx-note")

    def _saved(self, owner: str, classify: str = "") -> Updates:
        """The table of saved runs, and the charts of those that are chosen.

        Args:
            classify: name of a network that the Classify tab is to use.
        """
        rows = [(token, run.place, run.record, run.in_charts) for token, run in RUNS.of(owner)]
        # An update takes away the properties that it does not name.
        panel = gr.update(rows=words.table(rows), most=MAX_TEXT, classify=classify)
        return {self.owner: owner, self.panel: panel, **self._charts(owner)}

    def _charts(self, owner: str) -> Updates:
        saved = RUNS.of(owner)
        chosen = [(run.place, run.record) for _, run in saved if run.in_charts]
        figures = [plot.payload(draw(chosen)) if chosen else "" for _, draw in _CHARTS.values()]
        names = [record.plan.name for _, record in chosen]
        return {**dict(zip(self.figures, figures, strict=True)), self.legend: words.charted(names, len(saved))}

    def _buttons(self, state: str) -> Updates:
        """Which buttons are visible while nothing runs ("idle"), a training runs, or one is paused."""
        idle = gr.update(interactive=state == "idle")
        return {
            self.begin: idle,
            self.degradation: idle,
            self.pausing: gr.update(visible=state == "running"),
            self.going_on: gr.update(visible=state == "paused"),
            self.stopping: gr.update(visible=state != "idle"),
        }
