"""The Training tab: networks train side by side on real images while their curves grow, and runs are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr
from pydantic import Field

from ...datasets import find_data
from ...errors import ExplorerError, Stopped
from ...inference.running.engine import choose_device
from ...training import DEGRADATION, TRAINING_DATA, Plan, Training, read_run
from ...training.run_file import MAX_TEXT
from ...views.kit.markup import banner, progress_bar, tag, text
from ...views.training import charts
from ...views.training import runs as words
from ..kit import bridge, jobs, plot, scripts
from ..kit.bridge import error_message
from ..kit.jobs import Finished, Waiting
from ..kit.model_files import FILE, OPEN_FILES, OpenFile
from ..kit.shell import Shell
from ..kit.visibility import on_sight
from . import form as training_form
from .page_training import KIND, TRAININGS, PageTraining, training_of
from .runs import RUNS, add_route, checkpoint_of, owner_of

__all__ = ["add_route", "build_tab"]

INTRODUCTION = (
    "Real training, here and now: the networks take turns, step by step, on the same images in the same order. "
    "What you see is measured; equal settings give equal curves."
)
_TEMPLATE = """
<section class="rx-runs" aria-label="Kept runs">
  <header>
    <h3>Kept runs</h3>
    <button type="button" class="rx-small" data-do="open">Open a run's JSON</button>
    <input type="file" accept=".json" aria-label="JSON of a run" hidden>
  </header>
  <div class="rx-run-rows"></div>
</section>
"""
_CHARTS: dict[str, tuple[str, Callable[[charts.Runs], Any]]] = {
    "training-loss": ("Training loss over epochs", charts.loss_figure),
    "training-accuracy": ("Accuracy over epochs", charts.accuracy_figure),
    "training-rate": ("Learning rate over epochs", charts.rate_figure),
    "training-norms": ("Gradient norm of every block", charts.norm_figure),
}
Updates = dict[Any, Any]


class RunAction(bridge.Request):
    """What the table of runs asks for.

    Attributes:
        do: "repeat", "classify", "show", "name", "drop" or "open".
        run: token of the run.
        on: whether it is shown in the charts.
        name: its new name.
        text: JSON of a run that is opened.
    """

    expected = "This was not understood. Load the page anew."
    do: str
    run: str = Field("", max_length=40)
    on: bool = False
    name: str = ""
    text: str = ""


def build_tab(shell: Shell) -> None:
    """Lay the tab out."""
    gr.HTML(tag("p", INTRODUCTION, css="rx-note"), padding=False)
    owner = gr.BrowserState("", storage_key="resnet-explorer-runs")
    form = training_form.create(folders=shell.local)
    with gr.Row(elem_id="training-buttons"):
        start = _button("Start", variant="primary")
        degradation = _button("Degradation experiment", elem_id="degradation")
        pause, resume, stop = (_button(name, visible=False) for name in ("Pause", "Continue", "Stop"))
    status = gr.HTML("", padding=False, elem_id="training-status")
    with gr.Row(elem_id="training-charts"):
        figures = [plot.chart(name, label, 300, "Start a run to see it.") for name, (label, _) in _CHARTS.items()]
    panel = gr.HTML(
        value="",
        rows=words.table(()),
        most=MAX_TEXT,
        classify="",
        html_template=_TEMPLATE,
        js_on_load=scripts.mount("training/training.js"),
        apply_default_css=False,
        padding=False,
        elem_id="training-runs",
    )
    desk = _Desk(form, owner, start, degradation, pause, resume, stop, status, tuple(figures), panel)
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
    opened = on_sight("asks-runs", "network", always=True)
    opened.input(desk.opened, owner, desk.outputs, show_progress="hidden")


def _button(name: str, **how: Any) -> gr.Button:
    return gr.Button(name, size="md", scale=0, min_width=216 if len(name) > 10 else 110, **how)


@dataclass(frozen=True)
class _Desk:
    """The tab's widgets that answers change, and the answers."""

    form: training_form.Form
    owner: gr.BrowserState
    begin: gr.Button
    degradation: gr.Button
    pausing: gr.Button
    going_on: gr.Button
    stopping: gr.Button
    status: gr.HTML
    figures: tuple[gr.HTML, ...]
    panel: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        buttons = [self.begin, self.degradation, self.pausing, self.going_on, self.stopping]
        return [self.owner, self.status, *self.figures, self.panel, *buttons]

    def opened(self, owner: Any, request: gr.Request) -> Updates:
        """The tab is looked at: runs of before the page was loaded anew are back."""
        return self._kept(owner_of(owner, str(request.session_hash)))

    def start(self, request: gr.Request, query: str, owner: Any, *values: Any) -> Iterator[Updates]:
        try:
            plans, source = training_form.plans(query, self.form.named(values))
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
        """What runs says its end itself; what is paused ends here."""
        session = str(request.session_hash)
        if current := training_of(session):
            current.paused = False
            if not jobs.stop(session, KIND):
                return self._ended(current, owner_of(owner, session), session, None)
        return {self.status: gr.skip()}

    def act(self, value: Any, owner: Any, request: gr.Request) -> Iterator[Updates]:
        """What the table of runs asks for, an ``RunAction`` as JSON."""
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
                yield self._kept(owner, classify=FILE + token)
            else:
                yield {**self._change(action, owner), **self._kept(owner)}
        except Exception as error:
            yield {self.status: banner(error_message(error), "finding")}

    def _change(self, action: RunAction, owner: str) -> Updates:
        if action.do == "show":
            RUNS.find(action.run, owner).shown = action.on
        elif action.do == "name":
            RUNS.rename(action.run, owner, action.name[:200])
        elif action.do == "drop":
            RUNS.drop(action.run, owner)
        elif action.do == "open":
            record = read_run(action.text)
            RUNS.add([record], owner)
            return {self.status: tag("p", text(f"{record.plan.name} is among the kept runs."), css="rx-note")}
        return {}

    def _begin(
        self, plans: Sequence[Plan], source: Path, owner: str, request: gr.Request, original: str = ""
    ) -> Iterator[Updates]:
        session = str(request.session_hash)
        if training_of(session):
            raise ExplorerError("A run of this page is going on or paused. Stop it before another starts.")
        training = Training(plans, source, choose_device("auto"))
        current = PageTraining(training, RUNS.add(training.records, owner, original))
        TRAININGS.put(current, session)
        yield from self._follow(current, owner, session)

    def _follow(self, current: PageTraining, owner: str, session: str) -> Iterator[Updates]:
        current.paused, current.pending = False, False
        drawn: dict[Any, Any] = {}
        yield {**self._kept(owner), self.status: words.progress(current.training), **self._buttons("running")}
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
            said = banner("Paused. Nothing is lost; Continue goes on with the very next step.", "note")
            said += words.outcome(current.training.records)
            return {**self._kept(owner), self.status: said, **self._buttons("paused")}
        TRAININGS.close(session)
        current.end()
        said = banner(error_message(error), "finding") if error and failed else words.outcome(current.training.records)
        said += "".join(map(self._repeated, current.tokens))
        return {**self._kept(owner), self.status: said, **self._buttons("idle")}

    def _repeated(self, token: str) -> str:
        """Whether a run that repeats another measured the same."""
        try:
            kept = RUNS.find(token)
            first = RUNS.find(kept.original).record
        except ExplorerError:
            return ""
        return tag("p", text(words.repeated(first, kept.record)), css="rx-note")

    def _kept(self, owner: str, classify: str = "") -> Updates:
        """The table of runs, and the charts of those that are shown.

        Args:
            classify: name of a network that the Classify tab is to use.
        """
        rows = [(token, kept.place, kept.record, kept.shown) for token, kept in RUNS.of(owner)]
        # An update takes away the properties that it does not name.
        panel = gr.update(rows=words.table(rows), most=MAX_TEXT, classify=classify)
        return {self.owner: owner, self.panel: panel, **self._charts(owner)}

    def _charts(self, owner: str) -> Updates:
        shown = [(kept.place, kept.record) for _, kept in RUNS.of(owner) if kept.shown]
        figures = [draw(shown) for _, draw in _CHARTS.values()]
        return {
            chart: plot.payload(figure) if shown else "" for chart, figure in zip(self.figures, figures, strict=True)
        }

    def _buttons(self, state: str) -> Updates:
        """Which buttons there are while nothing runs ("idle"), something runs, or something is paused."""
        idle = gr.update(interactive=state == "idle")
        return {
            self.begin: idle,
            self.degradation: idle,
            self.pausing: gr.update(visible=state == "running"),
            self.going_on: gr.update(visible=state == "paused"),
            self.stopping: gr.update(visible=state != "idle"),
        }
