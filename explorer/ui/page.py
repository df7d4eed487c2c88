"""The page: builder at the left, summary on top, a tab for each question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gradio as gr

from ..errors import SpecError
from ..inspection import Graph, inspect
from ..spec import ResNetSpec, from_query, title, to_query
from ..views.kit.markup import banner, tag
from ..views.kit.summary import summary as summary_line
from ..views.kit.theme import ROLES
from ..views.layers.table import layers as layer_table
from . import builder
from .checks.panel import checks_panel
from .classify.tab import build_tab as classify
from .code.panel import code_panel
from .compare.tab import build_tab as compare
from .costs import tab as costs
from .diagram.panel import foresee, graph_panel
from .export import panel as export
from .glossary.panel import address as glossary_address
from .glossary.panel import glossary_panel
from .gradients.tab import build_tab as gradients
from .gradients.tab import outdate_others
from .history.panel import history
from .kit import scripts, sessions
from .kit.bridge import error_message
from .kit.model_files import FILE, OpenFile, report_of
from .kit.shell import Shell
from .kit.tabs import tabs
from .kit.visibility import on_sight
from .model_file import panel as model_file
from .start.panel import start_card
from .training.tab import build_tab as training

TITLE = "ResNet Explorer"


def architecture(shell: Shell) -> None:
    """The diagram, and below it the tables of its network."""
    start_card()
    shell.graph.render()  # type: ignore[no-untyped-call]
    code_panel()
    checks, layers, cost = tabs(["Shortcut checks", "Layers", "What A, B and C cost"], "The network's tables", "tables")
    with checks:
        checks_panel()
    with layers:
        asks = on_sight("asks-layers")
        rows = gr.HTML("", padding=False, elem_id="layers")
        asks.input(_layers, asks, rows, show_progress="hidden", trigger_mode="always_last")
    with cost:
        costs.build_tab()


# Every tab: its name, and what lays it out. The first one is open at first.
TABS: dict[str, Callable[[Shell], None]] = {
    "Architecture": architecture,
    "Compare": compare,
    "Gradients": gradients,
    "Training": training,
    "Classify": classify,
}
# If a field that was not given clashes, one of these that was given is at fault.
_PARTNERS = {"widths": ("depths",), "groups": ("block",), "width_per_group": ("block",), "image_size": ("depths",)}
_DRAWER = '<button type="button" id="rx-drawer" aria-expanded="false" aria-controls="builder">Builder</button>'
_BRAND = tag("span", TITLE, css="rx-brand")
Updates = dict[Any, Any]


def build_page(model_files: bool = False) -> gr.Blocks:
    """The whole app as Gradio blocks; the state of the network is the URL's query.

    Args:
        model_files: whether people may open weight and ONNX files.
    """
    start = ResNetSpec()
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        with gr.Row(elem_id="top"):
            summary = gr.HTML(_bar(start), elem_id="summary", padding=False)
            gr.HTML(_DRAWER, elem_id="drawer", padding=False, apply_default_css=False)
            actions = history()
        gr.HTML(export.overlays(), elem_id="overlays", padding=False)
        graph = graph_panel()
        glossary_panel()
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="builder"):
                file_panel = model_file.panel(model_files)
                form = builder.create(start, file_panel)
            with gr.Column(elem_id="workspace"):
                message = gr.HTML("", padding=False, elem_id="message")
                # The two wires between scripts and program: the network that the program understood last, and a time
                # that changes whenever a script has filled the builder's fields.
                query = gr.Textbox("loading", visible="hidden", label="Network", elem_id="query")
                filled = gr.Number(visible="hidden", label="Filled in")
                shell = Shell(page, query, graph, file_panel, local=model_files)
                for build, panel in zip(TABS.values(), tabs(list(TABS), "Views", "tabs"), strict=True):
                    with panel:
                        build(shell)
        page.unload(sessions.on_close)
        _Network(form, message, summary, query, filled, graph).wire(page, actions, file_panel)
    return page


def head() -> str:
    """What the page's scripts need, for ``<head>``."""
    colour = ROLES["identity"].colour
    constants = {"builder": builder.tables(), "glossary": glossary_address()}
    return f'<meta name="theme-color" content="{colour}">{scripts.head(constants)}'


@dataclass(frozen=True)
class _Network:
    """The components that change with the network, and what changes them."""

    form: builder.Builder
    message: gr.HTML
    summary: gr.HTML
    query: gr.Textbox
    filled: gr.Number
    graph: gr.HTML

    @property
    def outputs(self) -> list[Any]:
        return [*self.form.widgets, *self.results]

    @property
    def results(self) -> list[Any]:
        notes = self.form.depth_note, self.form.override_note
        return [*notes, self.message, self.summary, self.query, self.graph]

    def wire(self, page: gr.Blocks, actions: gr.HTML, file_panel: gr.HTML) -> None:
        """Every change recomputes everything, through one listener: of several quick ones, the last is answered last.

        Preset, depth, and the actions of scripts (the inspector, switches of other tabs, fixes, Undo) only fill fields
        in, in the browser. Typed text counts when it is finished, choices at once.
        """
        form, fields = self.form, self.form.fields
        for trigger, function in (
            (form.preset, "choosePreset"),
            (form.depth, "chooseDepth"),
            (actions, "applyAction"),
        ):
            fill = scripts.call("builder.js", function)
            trigger.input(None, [trigger, *fields], [*fields, self.filled], js=fill)
        changes = [self.filled.change]
        for widget in fields:
            typed = isinstance(widget, (gr.Textbox, gr.Number))
            changes += [widget.submit, widget.blur] if typed else [widget.input]
        gr.on(
            changes,
            self.recompute,
            form.widgets,
            [*form.rewritten, *self.results],  # each field that is an output costs the browser a millisecond
            show_progress="hidden",
            trigger_mode="always_last",
            queue=False,  # a queued event takes 13 ms more to say the same
            js=scripts.call("builder.js", "drawFirst"),
        )
        self.query.change(None, self.query, None, js=scripts.call("page.js", "setNetwork"))
        file_panel.input(self.open_file, [file_panel, self.query, *form.widgets], self.outputs, show_progress="hidden")
        page.load(self.restore, form.widgets, self.outputs, show_progress="hidden")

    def recompute(self, request: gr.Request, *values: Any) -> Updates:
        """Widget values -> what changes. An error keeps every input and the last good diagram."""
        try:
            spec = builder.read(values[2:])
            outdate_others(request, spec)
            return {**self._fill(spec, values), **self._show(spec)}
        except Exception as error:
            return {self.message: banner(error_message(error))}

    def open_file(self, request: gr.Request, action: Any, query: str, *values: Any) -> Updates:
        """What the panel of files asks for: a network for the builder, a graph to draw, or back."""
        try:
            do, token, held = model_file.parse_action(action, str(request.session_hash))
            if held and (spec := model_file.network_of(held, do)):
                outdate_others(request, spec)
                return {**self._fill(spec, values), **self._show(spec)}
            if held and do in ("open", "show") and isinstance(held.content, Graph):
                return self._graph(held, held.content, token, from_query(query))
            if do in ("close", "builder"):
                return self._show(from_query(query))
            return {self.message: gr.skip()}
        except Exception as error:
            return {self.message: banner(error_message(error), "note")}

    def restore(self, request: gr.Request, *values: Any) -> Updates:
        """The network that the URL names; a bad value is dropped and reported, the others are kept."""
        spec, problems = spec_from_url(dict(request.query_params))
        said = banner(f"From the address: {problems[0]}", "note") if problems else ""
        return {**self._fill(spec, values), **self._show(spec), self.message: said}

    def _fill(self, spec: ResNetSpec, values: Any) -> Updates:
        """Only widgets whose value differs are touched: rewriting one would move the caret of a user who is typing."""
        new = zip(self.form.widgets, builder.show(spec), values, strict=True)
        return {widget: value for widget, value, old in new if value != old}

    def _show(self, spec: ResNetSpec) -> Updates:
        foresee(inspect(spec))
        query = to_query(spec)
        shown = {self.message: "", self.summary: _bar(spec), self.query: query, self.graph: gr.update(query=query)}
        return {**shown, **self.form.notes(spec)}

    def _graph(self, held: OpenFile, content: Graph, token: str, spec: ResNetSpec) -> Updates:
        words = (
            f"The diagram and its tables show {held.display_name}. "
            f"The builder and the other tabs still have {title(spec)}."
        )
        bar = _BRAND + summary_line(content.report)
        return {self.message: banner(words, "note"), self.summary: bar, self.graph: gr.update(query=FILE + token)}


def _layers(network: Any) -> str:
    try:
        return layer_table(report_of(str(network)))
    except Exception as error:
        return banner(error_message(error))


def _bar(spec: ResNetSpec) -> str:
    return _BRAND + summary_line(inspect(spec)) + export.buttons(spec)


def spec_from_url(params: Mapping[str, str]) -> tuple[ResNetSpec, list[str]]:
    """The network of a URL's query, and what was wrong with fields that had to be left out."""
    left, problems = dict(params), list[str]()
    while True:
        try:
            return from_query(left), problems
        except SpecError as error:
            problems.append(str(error))
            field = error.field.partition("[")[0].partition(".")[0]
            if not any(left.pop(name, None) for name in (field, *_PARTNERS.get(field, ()))):
                # Fields contradict each other, and none that was given is to blame.
                return ResNetSpec(), problems
