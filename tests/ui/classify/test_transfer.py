"""Transfer learning on the page: features, fitting a head, and its file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from threading import Event
from typing import Any

import gradio as gr
import pytest

from explorer.errors import DataError
from explorer.inference import decode, find
from explorer.inference.head import to_bytes
from explorer.ui.classify import transfer
from explorer.ui.classify.heads import HEAD, HEADS
from explorer.ui.classify.photo import classify
from explorer.ui.kit import sessions
from explorer.ui.kit.jobs import Job
from explorer.ui.kit.photos import PHOTOS
from explorer.ui.kit.sessions import Limits
from tests.support.answers import ask
from tests.support.predictions import png


def fitting(action: Any) -> Iterator[tuple[dict[str, Any], str]]:
    for news, name in transfer.act(json.dumps(action), gr.Request(session_hash="page")):
        yield json.loads(news["news"]), name


def act(action: Any) -> list[tuple[dict[str, Any], str]]:
    return list(fitting(action))


def looked_at(colour: str) -> str:
    token = PHOTOS.put(decode(png(colour)), "page")
    request = {"session": "page", "token": token, "variant": "cifar10_resnet20"}
    return str(ask(transfer.extract_features, request)["key"])


def sea_and_lawn() -> dict[str, Any]:
    """An action that fits a head to them."""
    classes = [
        {"name": " sea ", "keys": [looked_at(colour) for colour in ("#103060", "#204070", "#305080")]},
        {"name": "lawn", "keys": [looked_at(colour) for colour in ("#306010", "#407020", "#508030")]},
    ]
    return {"do": "fit", "variant": "cifar10_resnet20", "device": "cpu", "network": "", "classes": classes}


def test_a_second_fit_stops_the_one_before() -> None:
    go_on = Event()
    Job(lambda job: go_on.wait(20))
    first, second = fitting(sea_and_lawn()), fitting(sea_and_lawn())
    assert next(first)[0]["busy"]
    assert next(second)[0]["busy"]
    assert list(first) == [], "the second speaks now"
    go_on.set()
    *_, (_, name) = second
    assert name.startswith(HEAD)


def test_a_fit_that_is_stopped_says_so_and_is_no_error() -> None:
    go_on = Event()
    Job(lambda job: go_on.wait(20))
    events = fitting(sea_and_lawn())
    assert next(events)[0]["busy"]
    assert ask(transfer.stop, {"session": "page"}) == {}
    ((news, name),) = events
    assert (news["failed"], name) == (True, "")
    assert "Stopped before it began." in news["html"]
    assert "error" not in news["html"], "who stops it made no mistake"
    go_on.set()


def test_the_page_fits_a_head_and_uses_it_at_once() -> None:
    *_, (news, name) = act(sea_and_lawn())
    assert not news["failed"]
    assert ", 6 of 6 photos." in news["html"]
    assert name == HEAD + news["token"]
    photo = PHOTOS.put(decode(png("#254575")), "page")
    told = ask(classify, {"token": photo, "variant": name, "device": "cpu"})
    assert "<h3>sea</h3>" in told["html"]
    # The file opens again, and is the same head.
    file = ask(transfer.write_head, {"token": news["token"]})
    opened = ask(transfer.open_head, {"session": "page", "data": file["data"]})
    (first, second) = (HEADS.find(token).head for token in (news["token"], opened["token"]))
    assert to_bytes(first) == to_bytes(second)
    ((news, name),) = act({"do": "open", "token": opened["token"]})
    assert name == HEAD + opened["token"]
    assert "This head knows lawn, sea." in news["html"]
    # Features of a head are those of the network it was fitted on.
    assert ask(transfer.base_network, {"variant": name})["base"] == "cifar10_resnet20"


@pytest.mark.parametrize(
    ("action", "words"),
    [
        ({"do": "fit"}, "This action is not valid"),
        ([], "This action is not valid"),
        ({"do": "open", "token": "gone"}, "This head is no longer here"),
        ({"do": "fit", "variant": "cifar10_resnet20", "classes": [{"name": "", "keys": ["a"]}]}, "has no name"),
        (
            {"do": "fit", "variant": "cifar10_resnet20", "classes": [{"name": "a", "keys": ["a"]}]},
            "at least two classes",
        ),
        ({"do": "fit", "variant": "cifar10_resnet20", "classes": []}, "at least two classes"),
    ],
)
def test_actions_that_cannot_be_done_are_answered(action: Any, words: str) -> None:
    *_, (news, name) = act(action)
    assert (news["failed"], name) == (True, "")
    assert words in news["html"]


def test_features_are_forgotten_with_their_page() -> None:
    key = looked_at("#123456")
    transfer.find_features([key], find("cifar10_resnet20").file.sha256)
    with pytest.raises(DataError, match="features of another network"):
        transfer.find_features([key], "0" * 64)
    assert transfer.FEATURES.limits == Limits(count=20_000, per_session=transfer.MAX_PHOTOS)
    sessions.close("page")
    with pytest.raises(DataError, match="are no longer here"):
        transfer.find_features([key], find("cifar10_resnet20").file.sha256)
