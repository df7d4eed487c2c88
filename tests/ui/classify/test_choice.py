"""The choice of a network: what changes it, and what changes with it."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr
import pytest

from explorer.inference.classifier import DEFAULT
from explorer.ui.classify.choice import Choice, _line, build_choice
from explorer.ui.classify.heads import HEAD, HEADS, TransferHead
from tests.support.predictions import linear_probe

PAGE = gr.Request(session_hash="page of choices")
OTHER = "cifar10_resnet20"


@pytest.fixture
def choice() -> Choice:
    with gr.Blocks():
        return build_choice()


def pick(choice: Choice, action: Any, name: str = DEFAULT) -> dict[Any, Any]:
    return choice.pick(action, name, "cpu", PAGE)


def test_another_network_comes_with_all_that_is_said_of_it(choice: Choice) -> None:
    update = pick(choice, json.dumps({"name": OTHER}))
    assert update[choice.variant]["value"] == OTHER
    assert "airplane" in update[choice.about]
    assert update[choice.download.start]["visible"] is False
    assert (update[choice.panel]["variant"], update[choice.panel]["device"]) == (OTHER, "cpu")


def test_a_head_of_the_page_is_chosen_with_its_label(choice: Choice) -> None:
    name = HEAD + HEADS.put(TransferHead(linear_probe().head, OTHER), str(PAGE.session_hash))
    update = pick(choice, json.dumps({"name": name}))
    assert update[choice.variant]["value"] == name
    assert name in [value for _, value in update[choice.variant]["choices"]]
    HEADS.close(str(PAGE.session_hash))
    assert pick(choice, "{}", name).keys() == {choice.variant}, "not understood: nothing changes"
    assert choice.follow_files("{}", name, "cpu", PAGE)[choice.variant]["value"] == DEFAULT


@pytest.mark.parametrize("name", ["resnet9000", HEAD + "somebody's", "file:gone"])
def test_what_cannot_be_chosen_changes_nothing(choice: Choice, name: str) -> None:
    update = pick(choice, json.dumps({"name": name}), OTHER)
    assert update.keys() == {choice.variant}
    assert update[choice.variant]["value"] == OTHER


@pytest.mark.parametrize("action", ["", "[]", '{"name": 5}', "x" * 2000, None])
def test_what_is_no_action_changes_nothing(choice: Choice, action: Any) -> None:
    assert pick(choice, action) == {choice.variant: gr.skip()}


def test_what_a_network_knows_comes_before_files_and_figures() -> None:
    sentence, details = _line(DEFAULT).split("<details>")
    assert sentence == (
        "<p><strong>ResNet-14 answers</strong>, with trained weights: it is not the builder's network. Knows 200 "
        "everyday classes; right for 41 of 100 test images at 32×32 pixels.</p>"
    )
    assert "41.3 % top-1 on 200 ImageNet classes at 32 px from imagenet200-32px.tar.xz" in details
    assert "Knows airplane, automobile" in _line(OTHER)
