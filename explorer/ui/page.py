"""The page: builder at the left, summary on top, a tab for each question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from ..errors import SpecError
from ..inspection import inspect
from ..spec import ResNetSpec, from_query, to_query
from ..views import tables
from ..views.markup import banner, tag
from . import classify, compare, controls, export, gradients
from .failures import told
from .graph_panel import graph_panel

TITLE = "ResNet Explorer"
# Where a field that was not given clashes, one of these that was given is at fault.
_PARTNERS = {"widths": ("depths",), "groups": ("block",), "width_per_group": ("block",), "image_size": ("depths",)}
_DRAWER = '<button type="button" id="rx-drawer" aria-expanded="false" aria-controls="builder">Builder</button>'


def build_page() -> gr.Blocks:
    """The whole app as Gradio blocks; the state of the network is the URL's query."""
    start = ResNetSpec()
    with gr.Blocks(title=TITLE, analytics_enabled=False, fill_width=True) as page:
        summary = gr.HTML(_bar(start), elem_id="summary", padding=False)
        gr.HTML(export.overlays(), elem_id="overlays", padding=False)
        with gr.Row(elem_id="columns"):
            with gr.Column(elem_id="builder"):
                builder = controls.create(start)
            with gr.Column(elem_id="workspace"):
                message = gr.HTML("", padding=False, elem_id="message")
                query = gr.Textbox("loading", visible="hidden", label="Network", elem_id="query")
                with gr.Tabs():
                    with gr.Tab("Architecture"):
                        graph = graph_panel()
                        with gr.Tabs():
                            with gr.Tab("Shortcut checks"):
                                checks = gr.HTML(tables.checks(inspect(start)), padding=False, elem_id="checks")
                            with gr.Tab("Layers"):
                                layers = gr.HTML(tables.layers(inspect(start)), padding=False, elem_id="layers")
                    with gr.Tab("Compare"):
                        compare.build_tab(query)
                    with gr.Tab("Gradients") as gradient_tab:
                        gradients.build_tab(gradient_tab, query)
                    with gr.Tab("Classify"):
                        variant = classify.build_tab()
        outputs = [*builder.widgets, message, summary, query, graph]
        _wire(builder, graph, outputs)
        # After the diagram, which is what people look at: rows by the hundred take as long to send and lay out.
        query.change(_tables, query, [checks, layers], show_progress="hidden", trigger_mode="always_last")
        query.change(None, query, None, js="query => window.explorerSetQuery(query)")
        page.load(_on_load, builder.widgets, outputs, show_progress="hidden")
        page.load(classify.refreshed, None, variant, show_progress="hidden")
    return page


def _wire(builder: controls.Builder, graph: Any, outputs: Sequence[Any]) -> None:
    """Every change recomputes everything, through one listener: of several quick ones the last is answered last.

    Preset, depth and the inspector's choice for a block only fill fields in, in the browser. Typed text counts when it
    is finished, choices at once.
    """
    filled = gr.Number(visible="hidden", label="Filled in")
    depth_fields = [builder.field(name) for name in ("block", "depths", "widths", "shortcut_overrides")]
    builder.preset.input(
        None, [builder.preset, *builder.fields], [*builder.fields, filled], js=controls.fill_from_preset()
    )
    builder.depth.input(None, [builder.depth, *depth_fields], [*depth_fields, filled], js=controls.fill_from_depth())
    overrides = builder.field("shortcut_overrides")
    graph.input(None, [graph, overrides], [overrides, filled], js=controls.fill_from_override())
    triggers = [filled.change]
    for widget in builder.fields:
        typed = isinstance(widget, (gr.Textbox, gr.Number))
        triggers += [widget.submit, widget.blur] if typed else [widget.input]
    gr.on(
        triggers,
        _recompute,
        builder.widgets,
        outputs,
        show_progress="hidden",
        trigger_mode="always_last",
        queue=False,  # a queued event takes 13 ms more to say the same
    )


def _recompute(request: gr.Request, *values: Any) -> list[Any]:
    """Widget values -> updates of all outputs. An error keeps every input and the last good diagram."""
    try:
        spec = controls.read(values[2:])
        gradients.outdate(request)
        return [*_changed(controls.show(spec), values), *_consequences(spec)]
    except Exception as error:
        return [*[gr.skip()] * len(values), banner(told(error)), *[gr.skip()] * 3]


def _changed(new: Sequence[Any], old: Sequence[Any]) -> list[Any]:
    """Only widgets whose value differs are touched: a rewrite would move the caret of whoever is typing."""
    return [gr.skip() if a == b else a for a, b in zip(new, old, strict=True)]


def _consequences(spec: ResNetSpec) -> list[Any]:
    text = to_query(spec)
    return ["", _bar(spec), text, gr.update(query=text)]


def _tables(query: str) -> list[str]:
    try:
        report = inspect(from_query(query))
        return [tables.checks(report), tables.layers(report)]
    except Exception as error:
        return [banner(told(error))] * 2


def _bar(spec: ResNetSpec) -> str:
    brand = tag("span", TITLE, css="rx-brand")
    return tag("div", brand + tables.summary(inspect(spec)) + _DRAWER + export.buttons(spec), css="rx-bar")


def _on_load(request: gr.Request, *values: Any) -> list[Any]:
    """Restore the network that the URL names; a bad value is dropped and said, the others are kept."""
    spec, problems = spec_from_url(dict(request.query_params))
    updates = [*_changed(controls.show(spec), values), *_consequences(spec)]
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
