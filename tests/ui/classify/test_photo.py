"""Photos that the page sends: the route that takes them, the examples, and what is answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr
import pytest
from fastapi.testclient import TestClient

from explorer.errors import ImageError
from explorer.inference import decode
from explorer.inference.classifier import load_classifier
from explorer.ui.classify import many_photos, networks, photo, side_by_side, transfer, upload, why
from explorer.ui.classify.tab import ROUTE
from explorer.ui.kit.photos import PHOTOS
from explorer.ui.server import create_app
from tests.support.answers import ask
from tests.support.predictions import png


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(build=gr.Blocks)) as client:
        yield client


def sent(client: TestClient, data: bytes, session: str = "page", name: str = "a.png") -> dict[str, Any]:
    reply = client.post(ROUTE, params={"session": session, "name": name}, content=data)
    assert reply.status_code == 200, reply.text
    return dict(reply.json())


def test_a_photo_is_kept_for_the_page_that_sent_it_and_answered(client: TestClient) -> None:
    reply = sent(client, png(), name="a" * 500)
    assert reply["photo"].startswith("data:image/jpeg;base64,")
    assert len(reply["name"]) == upload.MAX_NAME
    assert reply["token"] in [token for token, _ in PHOTOS.of("page")]
    told = ask(photo.classify, {"token": reply["token"], "variant": "cifar10_resnet20", "decoding": 1.25})
    assert told["answered"]
    assert told["html"].count('class="score') == 5
    assert "decode 1.25 ms" in told["html"]
    PHOTOS.close("page")
    assert ask(photo.classify, {"token": reply["token"]})["gone"]


def test_what_is_no_photo_or_too_large_is_refused(client: TestClient) -> None:
    assert "PDF" in sent(client, b"%PDF-1.7 no photo")["error"]
    large = client.post(ROUTE, content=bytes(20 * 2**20 + 1))
    assert (large.status_code, large.text) == (413, "The request is too large; at most 20 MiB are taken.")
    assert client.post(ROUTE, content=png(), headers={"sec-fetch-site": "cross-site"}).status_code == 403


def test_examples_are_photos_of_this_machine() -> None:
    assert len(upload.examples()) >= 3
    assert upload.open_example(0, "page")["token"]
    for number in (-1, 99, "0", None):
        with pytest.raises(ImageError, match="no such sample"):
            upload.open_example(number, "page")


def test_samples_that_the_built_in_network_classifies_correctly_come_first() -> None:
    """The first answer that a visitor gets is right."""
    truth = {"lion": "lion", "tower": "tower", "cheetah1": "cheetah", "cheetah": "cheetah", "bus": "bus"}
    classifier = load_classifier(device="cpu")
    names = [name for name, _ in upload.examples()]
    answers = [classifier.classify(decode(upload._bytes(name))).top[0][0] for name in names]
    right = [answer == truth[name.partition(".")[0]] for name, answer in zip(names, answers, strict=True)]
    assert right[0]
    assert right == sorted(right, reverse=True)


@pytest.mark.parametrize(
    "function",
    [
        photo.classify,
        photo.list_examples,
        photo.open_example,
        many_photos.classify_row,
        side_by_side.list_ready,
        side_by_side.classify_beside,
        side_by_side.summarize_votes,
        networks.list_networks,
        transfer.extract_features,
        transfer.base_network,
        transfer.stop,
        transfer.open_head,
        transfer.write_head,
        why.describe_network,
        why.draw_heat,
        why.draw_maps,
        why.answer_without,
    ],
)
@pytest.mark.parametrize("request_", [None, 1, "x", [], {}, {"token": 1, "variant": [], "session": {}, "votes": [1]}])
def test_whatever_a_browser_sends_gets_json(function: Any, request_: Any) -> None:
    told = ask(function, request_)
    assert "Traceback" not in str(told)
    assert "nobody foresaw" not in str(told)
