"""The Why panel: what its server functions answer, to honest requests and to others."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Generator
from threading import Event
from typing import Any

import gradio as gr
import pytest
from PIL import Image

from explorer.inference import Photo, find, load_variant
from explorer.inference.explain import contributions
from explorer.spec import from_query
from explorer.ui.classify import why
from explorer.ui.kit import jobs
from explorer.ui.kit.photos import PHOTOS
from explorer.views.classify import why as words

BLOCKS = [f"layer{stage}.{index}" for stage in (1, 2, 3) for index in range(3)]


@pytest.fixture
def request_() -> dict[str, Any]:
    """What the page sends of a photo that is kept."""
    image = Image.effect_noise((96, 64), 90).convert("RGB")
    token = PHOTOS.put(Photo(image, "PNG", image.size, ()), "session")
    return {"token": token, "variant": "cifar10_resnet20", "device": "cpu", "network": ""}


def ask(function: Callable[[Any], str], request: Any, **more: Any) -> Any:
    return json.loads(function(request | more if isinstance(request, dict) else request))


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_a_look_tells_all_that_the_panel_shows_first(request_: dict[str, Any]) -> None:
    answer = ask(why.describe_network, request_)
    assert answer["place"] == [8 / 48, 0, 40 / 48, 1]
    assert decoded(answer["photo"]).size == (96, 64)
    assert answer["switchable"] == BLOCKS
    assert list(answer["layers"]) == ["stem", *BLOCKS]
    assert from_query(answer["query"]) == find("cifar10_resnet20").spec
    classifier = load_variant(find("cifar10_resnet20"), "cpu")
    image = PHOTOS.find(request_["token"]).image
    assert [name for _, name in answer["classes"]] == [name for name, _ in classifier.classify(image).top]
    assert answer["quick"]
    assert answer["plain"] == ""
    assert re.findall(r'data-block="([^"]+)"', answer["blocks"]) == ["stem", *BLOCKS]


def test_heat_is_as_large_as_the_crop(request_: dict[str, Any]) -> None:
    answer = ask(why.draw_heat, request_, **{"layer": "layer3.2", "class": 3})
    assert decoded(answer["image"]).size == (32, 32)
    assert answer["words"] in (
        "Grad-CAM at layer3.2: the brighter, the more its features speak for “cat”. 8×8 cells.",
        "No feature of layer3.2 speaks for “cat”: the map is 0 everywhere.",
    )


def test_maps_are_sixteen_or_all(request_: dict[str, Any]) -> None:
    some = ask(why.draw_maps, request_, layer="layer3.2", all=False, at=None)
    every = ask(why.draw_maps, request_, layer="layer3.2", all=True, at=[0.5, 0.5])
    assert (some["html"].count("<img"), every["html"].count("<img")) == (16, 64)
    assert some["words"].startswith("16 of 64 channels, 8×8 cells each, the strongest first.")
    assert every["words"].startswith("all 64 channels, 8×8 cells each, the strongest at the marked place first.")


def test_the_answer_without_blocks_stands_beside_the_whole(request_: dict[str, Any]) -> None:
    whole = ask(why.answer_without, request_, off=[])["html"]
    assert re.findall("<h4>(.*?)</h4>", whole) == ["All blocks on"]
    both = ask(why.answer_without, request_, off=["layer2.1", "layer3.0"])["html"]
    assert re.findall("<h4>(.*?)</h4>", both) == ["All blocks on", "2 blocks off"]


def test_what_each_block_adds_comes_at_once_from_a_small_network(request_: dict[str, Any]) -> None:
    action = json.dumps({**request_, "class": 3, "key": "the key"})
    (update,) = why.measure(action, gr.Request(session_hash="session"))
    answer = json.loads(update["contributions"])
    classifier = load_variant(find("cifar10_resnet20"), "cpu")
    seen = classifier.variant.transform(PHOTOS.find(request_["token"]).image)
    found = contributions(classifier, seen, 3)
    cells = {block: list(pair) for block, pair in words.contribution_cells(found).items()}
    assert answer == {"key": "the key", "cells": cells, "words": words.findings(found)}


def test_what_each_block_adds_is_a_job_where_it_takes_long(
    request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(why, "QUICK_GMACS", 0.0)
    assert not ask(why.describe_network, request_)["quick"]
    action = json.dumps({**request_, "class": 3, "key": "k"})
    heard = [json.loads(update["contributions"]) for update in why.measure(action, gr.Request(session_hash="session"))]
    told = [each["progress"] for each in heard[:-1] if not each["waiting"]]
    assert told == [f"Measured {done} of 9 blocks …" for done in range(1, 10)]
    assert list(heard[-1]["cells"]) == BLOCKS


def test_a_new_measurement_stops_the_one_before(request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why, "QUICK_GMACS", 0.0)
    page, action = gr.Request(session_hash="page"), json.dumps({**request_, "class": 3, "key": "k"})
    others = Event()
    jobs.Job(lambda _: others.wait(60))  # comes first, so that the page's job cannot end by itself
    try:
        first = why.measure(action, page)
        assert json.loads(next(first)["contributions"])["waiting"]
        job = jobs.running("page", why.KIND)
        assert job
        assert list(why.measure(json.dumps({"key": ""}), page)) == []
        assert job.stopped
        *_, last = first
        assert json.loads(last["contributions"]).keys() == {"key", "error"}
        assert jobs.running("page", why.KIND) is None
    finally:
        others.set()


def test_a_page_that_closes_leaves_nothing_behind(request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why, "QUICK_GMACS", 0.0)
    events = why.measure(json.dumps({**request_, "class": 3, "key": "k"}), gr.Request(session_hash="page"))
    assert isinstance(events, Generator)
    next(events)
    job = jobs.running("page", why.KIND)
    events.close()
    assert job
    assert job.stopped
    assert jobs.running("page", why.KIND) is None


BAD: list[tuple[Callable[[Any], str], Any, str]] = [
    (why.describe_network, [], "A photo and a network are expected."),
    (why.describe_network, {"token": 5}, "token: words of at most 100 characters are expected"),
    (why.describe_network, {"token": "nobody's"}, "Your session expired. Add the photo again."),
    (why.describe_network, {"variant": "resnet9000"}, "no pretrained network is named 'resnet9000'"),
    (why.describe_network, {"variant": "file:nobody's"}, "Your session expired. Open the file again."),
    (why.describe_network, {"device": "cpu" * 10}, "device: words of at most 20 characters are expected"),
    (why.draw_heat, {"layer": "layer3.2", "class": True}, "class: a whole number is expected"),
    (why.draw_heat, {"layer": "layer3.2", "class": 10}, "class: got 10; this network's classes are numbered 0 to 9"),
    (why.draw_heat, {"layer": "<b>", "class": 1}, "no layer named '<b>' gives feature maps"),
    (why.draw_maps, {"layer": "layer3.2", "at": [0.5, float("nan")]}, "at: two numbers from 0 to 1 are expected"),
    (why.draw_maps, {"layer": "layer3.2", "at": [0, 2]}, "at: two numbers from 0 to 1 are expected"),
    (why.draw_maps, {"layer": None}, "layer: words of at most 100 characters are expected"),
    (why.answer_without, {"off": "layer1.0"}, "A list of blocks is expected."),
    (why.answer_without, {"off": [["layer1.0"]]}, "A list of blocks is expected."),
    (why.answer_without, {"off": ["layer1.0"] * 10}, "A list of blocks is expected."),
    (why.answer_without, {"off": ["layer4.0"]}, "no block is named 'layer4.0'; blocks run from layer1.0 to layer3.2"),
]


@pytest.mark.parametrize(("function", "wrong", "message"), BAD)
def test_a_request_that_makes_no_sense_is_told_so(
    function: Callable[[Any], str], wrong: Any, message: str, request_: dict[str, Any]
) -> None:
    answer = ask(function, request_ | wrong if isinstance(wrong, dict) else wrong)
    assert list(answer) == ["error"]
    assert message in answer["error"]


@pytest.mark.parametrize("action", ["[]", "", "x" * 20_000, None, "{", "[" * 11_000])
def test_a_action_that_makes_no_sense_is_told_so(action: Any) -> None:
    (update,) = why.measure(action, gr.Request(session_hash="session"))
    assert json.loads(update["contributions"]) == {"key": "", "error": "A photo and a network are expected."}
