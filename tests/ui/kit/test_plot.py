"""plotly's script as the page gets it."""

from __future__ import annotations

import json
from importlib.metadata import version

import plotly.graph_objects as go
from fastapi import FastAPI
from fastapi.testclient import TestClient

from explorer.ui.kit import plot


def test_the_script_is_served_whole_and_may_be_kept_for_good() -> None:
    app = FastAPI()
    plot.add_route(app)
    client = TestClient(app)
    packed = client.get(plot.ROUTE, headers={"Accept-Encoding": "gzip"})
    plain = client.get(plot.ROUTE, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < 2_000_000
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert b"plotly.js v4." in plain.content[:200]
    assert "immutable" in plain.headers["cache-control"]
    assert version("plotly") in plot.ROUTE, "another version has another name"


def test_a_payload_keeps_what_ties_the_legend_to_its_traces() -> None:
    figure = json.loads(plot.payload(go.Figure(go.Scatter(y=[1], uid="here"))))
    assert figure["data"][0]["uid"] == "here"
