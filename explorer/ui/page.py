"""The page: builder at the left, summary on top, a tab for each question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from ..errors import SpecError
from ..inspection import inspect
from ..inspection.onnx.graph import OnnxGraph
from ..spec import ResNetSpec, from_query, title, to_query
from ..views.kit.markup import banner, tag
from ..views.kit.summary import summary as summary_line
from ..views.layers.table import layers as layer_table
from . import builder
from .checks.panel import checks_panel
from .classify import tab as classify
from .compare import tab as compare
from .costs import tab as costs
from .diagram.panel import foresee, graph_panel
from .export import panel as export
from .gradients import tab as gradients
from .history.panel import history
from .kit.failures import told
from .kit.model_files import FILE, Held, report_of
from .kit.visibility import on_sight
from .model_file import panel as files
from .training import tab as training

TITLE = "ResNet Explorer"
# Where a field that was not given clashes, one of these that was given is at fault.
_PARTNERS = {"widths": ("depths",), "groups": ("block",), "width_per_group": ("block",), "image_size": ("depths",)}
# The diagram, which people look at, is asked for first; what is said of it next. Of quick choices the drawings may come
# in another order: whichever is asked about after its own asks about the last choice.
_DRAWN_FIRST = """async (...values) => {
  window.explorerChosen = values;
  await window.explorerAhead?.(values.slice(2));
  return window.explorerChosen;
}"""
_DRAWER = '<button type="button" id="rx-drawer" aria-expanded="false" aria-controls="builder">Builder</button>'


def build_page(model_files: bool = False) -> gr.Blocks:
    """The whole app as Gradio blocks; the state of the network is the URL's query.

    Args:
        model_files: whether people may open weight and ONNX files.
    """
    start = ResNetSpec()
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        summary = gr.HTML(_bar(start), elem_id="summary", padding=False)
        gr.HTML(export.overlays(), elem_id="overlays", padding=False)
        past = history()
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="builder"):
                opened = files.panel(model_files)
                form = builder.create(start, opened)
            with gr.Column(elem_id="workspace"):
                message = gr.HTML("", padding=False, elem_id="message")
                query = gr.Textbox("loading", visible="hidden", label="Network", elem_id="query")
                with gr.Tabs():
                    with gr.Tab("Architecture"):
                        graph = graph_panel()
                        with gr.Tabs():
                            with gr.Tab("Shortcut checks"):
                                checks_panel()
                            with gr.Tab("Layers"):
                                asks = on_sight("asks-layers")
                                layers = gr.HTML("", padding=False, elem_id="layers")
                            with gr.Tab("What A, B and C cost"):
                                costs.build_tab()
                    with gr.Tab("Compare"):
                        beside = compare.build_tab()
                    with gr.Tab("Gradients") as gradient_tab:
                        switches = gradients.build_tab(gradient_tab, query)
                    with gr.Tab("Training") as training_tab:
                        trained = training.build_tab(training_tab, query, model_files)
                    with gr.Tab("Classify"):
                        classifying = classify.build_tab(opened, trained)
        outputs = [*form.widgets, message, summary, query, graph, beside]
        _wire(form, graph, switches, past, outputs)
        asks.input(_layers, asks, layers, show_progress="hidden", trigger_mode="always_last")
        query.change(None, query, None, js="query => window.explorerSetQuery(query)")
        opened.input(_opened, [opened, query, *form.widgets], outputs, show_progress="hidden")
        page.unload(files.left)
        page.unload(training.left)
        page.load(_on_load, form.widgets, outputs, show_progress="hidden")
        page.unload(classify.left)
        page.load(classify.loaded, None, classifying, show_progress="hidden")
    return page


def _wire(form: builder.Builder, graph: Any, switches: Any, past: Any, outputs: Sequence[Any]) -> None:
    """Every change recomputes everything, through one listener: of several quick ones the last is answered last.

    Preset, depth, the inspector's choice for a block, switches of other tabs, fixes and undo only fill fields in, in
    the browser. Typed text counts when it is finished, choices at once.
    """
    filled = gr.Number(visible="hidden", label="Filled in")
    depth_fields = [form.field(name) for name in ("block", "depths", "widths", "shortcut_overrides")]
    form.preset.input(None, [form.preset, *form.fields], [*form.fields, filled], js=builder.fill_from_preset())
    form.depth.input(None, [form.depth, *depth_fields], [*depth_fields, filled], js=builder.fill_from_depth())
    overrides = form.field("shortcut_overrides")
    graph.input(None, [graph, overrides], [overrides, filled], js=builder.fill_from_override())
    switches.input(None, [switches, *form.fields], [*form.fields, filled], js=builder.fill_from_switch())
    past.input(None, past, [*form.fields, filled], js="fields => [...JSON.parse(fields), Date.now()]")
    triggers = [filled.change]
    for widget in form.fields:
        typed = isinstance(widget, (gr.Textbox, gr.Number))
        triggers += [widget.submit, widget.blur] if typed else [widget.input]
    gr.on(
        triggers,
        _recompute,
        form.widgets,
        outputs,
        show_progress="hidden",
        trigger_mode="always_last",
        queue=False,  # a queued event takes 13 ms more to say the same
        js=_DRAWN_FIRST,
    )


def _recompute(request: gr.Request, *values: Any) -> list[Any]:
    """Widget values -> updates of all outputs. An error keeps every input and the last good diagram."""
    try:
        spec = builder.read(values[2:])
        gradients.outdate(request)
        return [*_changed(builder.show(spec), values), *_consequences(spec)]
    except Exception as error:
        return _said(banner(told(error)), values)


def _opened(request: gr.Request, wish: Any, query: str, *values: Any) -> list[Any]:
    """What the panel of files asks for (``files.wished``): a network for the builder, a graph to draw, or back."""
    try:
        do, token, held = files.wished(wish, str(request.session_hash))
        if held and (spec := files.network_of(held, do)):
            gradients.outdate(request)
            return [*_changed(builder.show(spec), values), *_consequences(spec)]
        if held and do in ("open", "show") and isinstance(held.content, OnnxGraph):
            return [*[gr.skip()] * len(values), *_graph(held, held.content, token, from_query(query))]
        if do in ("close", "builder"):
            return [*[gr.skip()] * len(values), *_consequences(from_query(query))]
        return _said(gr.skip(), values)
    except Exception as error:
        return _said(banner(told(error), "note"), values)


def _graph(held: Held, content: OnnxGraph, token: str, spec: ResNetSpec) -> list[Any]:
    words = f"The diagram and its tables show {held.shown}. The builder and the other tabs still have {title(spec)}."
    bar = tag("div", tag("span", TITLE, css="rx-brand") + summary_line(content.report) + _DRAWER, css="rx-bar")
    return [banner(words, "note"), bar, gr.skip(), gr.update(query=FILE + token), gr.skip()]


def _changed(new: Sequence[Any], old: Sequence[Any]) -> list[Any]:
    """Only widgets whose value differs are touched: a rewrite would move the caret of whoever is typing."""
    return [gr.skip() if a == b else a for a, b in zip(new, old, strict=True)]


def _consequences(spec: ResNetSpec) -> list[Any]:
    foresee(inspect(spec))
    text = to_query(spec)
    return ["", _bar(spec), text, gr.update(query=text), gr.update(query=text)]


def _said(message: Any, values: Sequence[Any]) -> list[Any]:
    """Updates that leave everything as it is but the message over the diagram."""
    return [*[gr.skip()] * len(values), message, *[gr.skip()] * 4]


def _layers(network: Any) -> str:
    try:
        return layer_table(report_of(str(network)))
    except Exception as error:
        return banner(told(error))


def _bar(spec: ResNetSpec) -> str:
    brand = tag("span", TITLE, css="rx-brand")
    return tag("div", brand + summary_line(inspect(spec)) + _DRAWER + export.buttons(spec), css="rx-bar")


def _on_load(request: gr.Request, *values: Any) -> list[Any]:
    """Restore the network that the URL names; a bad value is dropped and said, the others are kept."""
    spec, problems = spec_from_url(dict(request.query_params))
    updates = [*_changed(builder.show(spec), values), *_consequences(spec)]
    updates[len(values)] = banner(f"From the address: {problems[0]}", "note") if problems else ""
    return updates


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
