"""The builder's widgets and the spec they stand for."""

from __future__ import annotations

import gradio as gr
from hypothesis import given

from explorer.spec import ResNetSpec
from explorer.ui import builder
from tests.support.strategies import specs

with gr.Blocks():
    FORM = builder.create(ResNetSpec())


@given(specs())
def test_a_change_alters_no_field_but_those_that_are_its_outputs(spec: ResNetSpec) -> None:
    given_values = [
        value.replace(", ", " ,") if isinstance(widget, gr.Textbox) else value
        for widget, value in zip(FORM.widgets, builder.show(spec), strict=True)
    ]
    again = builder.read(given_values[2:])
    assert again == spec
    for widget, old, new in zip(FORM.widgets, given_values, builder.show(again), strict=True):
        assert new == old or widget in FORM.rewritten
