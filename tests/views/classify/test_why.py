"""The Why panel: what its server functions answer, to honest requests and to others, and how it is worded."""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Callable, Generator
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from PIL import Image

from explorer.inference import Photo, find, load_variant
from explorer.inference.explain import BranchStrength, Contribution, FeatureMap, FeatureMaps, Score, contributions
from explorer.spec import from_query
from explorer.ui.classify import why
from explorer.ui.kit.photos import ALBUM
from explorer.views.classify import why as words
from explorer.views.kit.pictures import heat_picture, photo_picture

BLOCKS = [f"layer{stage}.{index}" for stage in (1, 2, 3) for index in range(3)]


@pytest.fixture
def request_() -> dict[str, Any]:
    """What the page sends of a photo that is kept."""
    image = Image.effect_noise((96, 64), 90).convert("RGB")
    token = ALBUM.put(Photo(image, "PNG", image.size, ()), "session")
    return {"token": token, "variant": "cifar10_resnet20", "device": "cpu", "network": ""}


def ask(function: Callable[[Any], str], request: Any, **more: Any) -> Any:
    return json.loads(function(request | more if isinstance(request, dict) else request))


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


# What is asked


def test_a_look_tells_all_that_the_panel_shows_first(request_: dict[str, Any]) -> None:
    answer = ask(why.look, request_)
    assert answer["place"] == [8 / 48, 0, 40 / 48, 1]
    assert decoded(answer["photo"]).size == (96, 64)
    assert answer["switchable"] == BLOCKS
    assert list(answer["layers"]) == ["stem", *BLOCKS]
    assert from_query(answer["query"]) == find("cifar10_resnet20").spec
    classifier = load_variant(find("cifar10_resnet20"), "cpu")
    image = ALBUM.find(request_["token"]).image
    assert [name for _, name in answer["classes"]] == [name for name, _ in classifier.classify(image).top]
    assert answer["quick"]
    assert answer["plain"] == ""
    assert re.findall(r'data-block="([^"]+)"', answer["blocks"]) == ["stem", *BLOCKS]


def test_heat_is_as_large_as_the_crop(request_: dict[str, Any]) -> None:
    answer = ask(why.heat, request_, **{"layer": "layer3.2", "class": 3})
    assert decoded(answer["image"]).size == (32, 32)
    assert answer["words"] in (
        "Grad-CAM at layer3.2: the brighter, the more its features speak for “cat”. 8×8 cells.",
        "No feature of layer3.2 speaks for “cat”: the map is 0 everywhere.",
    )


def test_maps_are_sixteen_or_all(request_: dict[str, Any]) -> None:
    some = ask(why.maps, request_, layer="layer3.2", all=False, at=None)
    every = ask(why.maps, request_, layer="layer3.2", all=True, at=[0.5, 0.5])
    assert (some["html"].count("<img"), every["html"].count("<img")) == (16, 64)
    assert some["words"].startswith("16 of 64 channels, 8×8 cells each, ordered by their root mean square.")
    assert every["words"].startswith("all 64 channels, 8×8 cells each, ordered by what they hold at the marked place.")


def test_the_answer_without_blocks_stands_beside_the_whole(request_: dict[str, Any]) -> None:
    whole = ask(why.without, request_, off=[])["html"]
    assert re.findall("<h4>(.*?)</h4>", whole) == ["All blocks on"]
    both = ask(why.without, request_, off=["layer2.1", "layer3.0"])["html"]
    assert re.findall("<h4>(.*?)</h4>", both) == ["All blocks on", "2 blocks off"]


def test_what_each_block_adds_comes_at_once_from_a_small_network(request_: dict[str, Any]) -> None:
    wish = json.dumps({**request_, "class": 3, "key": "the key"})
    (update,) = why._weigh(wish, gr.Request(session_hash="session"))
    answer = json.loads(update["weighed"])
    classifier = load_variant(find("cifar10_resnet20"), "cpu")
    seen = classifier.variant.transform(ALBUM.find(request_["token"]).image)
    assert answer == {"key": "the key", "cells": words.added(contributions(classifier, seen, 3))}


def test_what_each_block_adds_is_a_job_where_it_takes_long(
    request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(why, "QUICK_GMACS", 0.0)
    assert not ask(why.look, request_)["quick"]
    wish = json.dumps({**request_, "class": 3, "key": "k"})
    heard = [json.loads(update["weighed"]) for update in why._weigh(wish, gr.Request(session_hash="session"))]
    told = [each["progress"] for each in heard[:-1] if not each["waiting"]]
    assert told == [f"Measured {done} of 9 blocks …" for done in range(1, 10)]
    assert list(heard[-1]["cells"]) == BLOCKS


def test_a_new_wish_stops_the_one_before(request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why, "QUICK_GMACS", 0.0)
    page, wish = gr.Request(session_hash="page"), json.dumps({**request_, "class": 3, "key": "k"})
    first = why._weigh(wish, page)
    next(first)
    job = why._RUNNING["page"]
    assert list(why._weigh(json.dumps({"key": ""}), page)) == []
    assert job.stopped
    assert "page" not in why._RUNNING
    *_, last = first
    assert json.loads(last["weighed"]).keys() & {"error", "cells"}


def test_a_page_that_closes_leaves_nothing_behind(request_: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(why, "QUICK_GMACS", 0.0)
    events = why._weigh(json.dumps({**request_, "class": 3, "key": "k"}), gr.Request(session_hash="page"))
    assert isinstance(events, Generator)
    next(events)
    job = why._RUNNING["page"]
    events.close()
    assert job.stopped
    assert "page" not in why._RUNNING


BAD: list[tuple[Callable[[Any], str], Any, str]] = [
    (why.look, [], "A photo and a network are expected."),
    (why.look, {"token": 5}, "token: words of at most 100 characters are expected"),
    (why.look, {"token": "nobody's"}, "This photo is not kept here any more. Drop it once more."),
    (why.look, {"variant": "resnet9000"}, "no pretrained network is named 'resnet9000'"),
    (why.look, {"variant": "file:nobody's"}, "This file is not kept here any more."),
    (why.look, {"device": "cpu" * 10}, "device: words of at most 20 characters are expected"),
    (why.heat, {"layer": "layer3.2", "class": True}, "class: a whole number is expected"),
    (why.heat, {"layer": "layer3.2", "class": 10}, "class: got 10; this network's classes are numbered 0 to 9"),
    (why.heat, {"layer": "<b>", "class": 1}, "no layer named '<b>' gives feature maps"),
    (why.maps, {"layer": "layer3.2", "at": [0.5, float("nan")]}, "at: two numbers from 0 to 1 are expected"),
    (why.maps, {"layer": "layer3.2", "at": [0, 2]}, "at: two numbers from 0 to 1 are expected"),
    (why.maps, {"layer": None}, "layer: words of at most 100 characters are expected"),
    (why.without, {"off": "layer1.0"}, "A list of blocks is expected."),
    (why.without, {"off": [["layer1.0"]]}, "A list of blocks is expected."),
    (why.without, {"off": ["layer1.0"] * 10}, "A list of blocks is expected."),
    (why.without, {"off": ["layer4.0"]}, "no block is named 'layer4.0'; blocks run from layer1.0 to layer3.2"),
]


@pytest.mark.parametrize(("function", "wrong", "message"), BAD)
def test_a_request_that_makes_no_sense_is_told_so(
    function: Callable[[Any], str], wrong: Any, message: str, request_: dict[str, Any]
) -> None:
    answer = ask(function, request_ | wrong if isinstance(wrong, dict) else wrong)
    assert list(answer) == ["error"]
    assert message in answer["error"]


@pytest.mark.parametrize("wish", ["[]", "", "x" * 20_000, None, "{", "[" * 11_000])
def test_a_wish_that_makes_no_sense_is_told_so(wish: Any) -> None:
    (update,) = why._weigh(wish, gr.Request(session_hash="session"))
    assert json.loads(update["weighed"]) == {"key": "", "error": "A photo and a network are expected."}


# How it is shown


def test_blocks_stand_in_stages_and_a_plain_one_has_no_switch() -> None:
    html = words.blocks([BranchStrength("layer1.0", 3.0, 4.0), BranchStrength("layer2.0", 5.0, None)])
    first, second = re.findall(r'<tr data-block="layer\d\.0">.*?</tr>', html)
    assert re.findall(r"data-stage=\"(.*?)\"", html) == ["layer1"]
    assert 'aria-label="Branch of layer1.0"' in first
    assert "‖F(x)‖ 3.00, ‖x‖ 4.00" in first
    assert 'style="--share:1.000"' in first
    assert ">0.750<" in first
    assert "checkbox" not in second
    assert "plain" in second


def test_what_a_block_adds_has_a_sign_and_a_side() -> None:
    cells = words.added([Contribution("a", 2.0), Contribution("b", -1.0), Contribution("c", 0.0)])
    assert 'both for" style="--share:1.000"' in cells["a"]
    assert ">+2.00<" in cells["a"]
    assert 'both against" style="--share:0.500"' in cells["b"]
    assert ">−1.00<" in cells["b"]
    assert ">0<" in cells["c"]
    assert words.added([Contribution("a", 0.0)])["a"].count("--share:0.000") == 1


def test_changes_of_the_answer_are_marked_in_words() -> None:
    before = [Score(i, name, 0.0, 0.2) for i, name in enumerate(["cat", "<dog>", "ship"])]
    after = [before[1], Score(9, "truck", 0.0, 0.2), before[0]]
    whole, without = re.findall("<section.*?</section>", words.answers(before, after, 1))
    assert re.findall('class="mark">(.*?)<', whole) == ["", "", "✕ out"]
    assert re.findall('class="mark">(.*?)<', without) == ["▲ 1", "new", "▼ 2"]
    assert "1 block off" in without
    assert "<dog>" not in without
    assert re.findall('class="mark">(.*?)<', words.answers(before, before, 0)) == ["", "", ""]


def test_maps_are_buttons_that_say_what_they_are() -> None:
    found = FeatureMaps("layer1.0", 16, (FeatureMap(7, 1.5, torch.tensor([[-1.0, 2.0]])),))
    html = words.maps(found)
    assert 'aria-label="Channel 7 of layer1.0, strength 1.50"' in html
    assert 'title="channel 7: −1.00 … 2.00"' in html
    assert words.heat_words("layer1.0", "cat", (8, 4), 0.0) == (
        "No feature of layer1.0 speaks for “cat”: the map is 0 everywhere."
    )


def test_heat_goes_from_dark_to_bright_at_every_step() -> None:
    picture = decoded(heat_picture(torch.arange(256.0)[None], 0, 255)).convert("RGB")
    lightness = np.asarray(picture)[0] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(lightness) > -0.5).all()
    assert len(np.unique(np.asarray(picture)[0], axis=0)) > 250
    assert (picture.getpixel((0, 0)), picture.getpixel((255, 0))) == ((0, 0, 4), (252, 255, 164))


def test_heat_without_a_span_is_dark() -> None:
    assert decoded(heat_picture(torch.full((2, 3), 5.0), 5, 5)).convert("RGB").getpixel((2, 1)) == (0, 0, 4)


def test_a_photo_goes_back_small_and_as_a_new_file() -> None:
    image = Image.new("RGB", (3000, 1000), "teal")
    picture = decoded(photo_picture(image))
    assert (picture.size, picture.format, image.size) == ((800, 267), "JPEG", (3000, 1000))
    exact = decoded(photo_picture(image, 96, lossless=True))
    assert (exact.size, exact.format, exact.getpixel((0, 0))) == ((96, 32), "PNG", (0, 128, 128))
