"""The route of the glossary's texts, and the way to a term's place."""

from __future__ import annotations

import json

from fastapi import FastAPI
from fastapi.testclient import TestClient

from explorer.spec import PRESETS, from_query
from explorer.ui.glossary import panel
from explorer.views.glossary.texts import texts


def client() -> TestClient:
    app = FastAPI()
    panel.add_route(app)
    return TestClient(app)


def test_the_texts_come_once_and_stay_for_good() -> None:
    answer = client().get(f"/{panel.address()}")
    assert answer.headers["content-encoding"] == "gzip"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.json() == texts()
    assert client().get(f"/{panel.address()}", headers={"accept-encoding": "identity"}).json() == texts()


def test_the_texts_are_small() -> None:
    assert len(panel._compressed()) < 24_000


def test_a_term_is_located_in_the_reader_s_network() -> None:
    answer = json.loads(panel.locate_term({"query": "preset=resnet50", "term": "bottleneck-block"}))
    assert from_query(answer.pop("query")) == PRESETS["resnet50"]
    assert answer == {"at": "layer2.1", "selector": "", "name": "Bottleneck block"}


def test_nonsense_gets_a_sentence() -> None:
    sentence = {"error": "A term of the glossary is expected."}
    assert json.loads(panel.locate_term({"query": "", "term": "<script>"})) == sentence
    assert json.loads(panel.locate_term({"term": 3})) == sentence
