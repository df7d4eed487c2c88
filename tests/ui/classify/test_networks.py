"""The networks that can classify, and what they need first."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import gradio as gr
import pytest
import torch

from explorer.errors import WeightsError
from explorer.inference import find
from explorer.inference.classifier import DEFAULT, NotHere
from explorer.inference.head import Head, with_head
from explorer.ui.classify import heads, networks
from explorer.ui.classify.choice import Choice, build_choice
from explorer.ui.classify.heads import HEAD, HEADS, TransferHead
from explorer.ui.kit import sessions
from explorer.ui.kit.model_files import FILE
from explorer.ui.kit.sessions import Limits
from tests.support.predictions import linear_probe

RESNET50 = find("resnet50")


@pytest.fixture(autouse=True)
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))


@pytest.fixture
def choice() -> Choice:
    with gr.Blocks():
        return build_choice()


def head_on(base: str) -> str:
    head = Head(("cat", "dog"), torch.zeros(2, 8), torch.zeros(2), base, "ab" * 32, 24, 0.75)
    return HEAD + HEADS.put(TransferHead(head, base), "page of heads")


def test_a_head_needs_the_weights_of_the_network_it_was_fitted_on(choice: Choice) -> None:
    name = head_on(RESNET50.name)
    assert networks.to_download(name) == networks.to_download(RESNET50.name) == RESNET50
    update = choice.show(name, "auto")
    assert "A linear probe on the frozen features of" in update[choice.about]
    button = update[choice.download.start]
    assert (button["visible"], button["value"]) == (True, "Download 97.8 MiB")
    with pytest.raises(NotHere, match=r"ResNet-50 \(V2\) is not downloaded yet\. Download it first \(97\.8 MiB\)"):
        networks.classifier_of(name)


def test_damaged_weights_are_not_fetched_unasked(tmp_path: Path) -> None:
    damaged = tmp_path / "cache" / RESNET50.file.file_name
    damaged.parent.mkdir()
    damaged.write_bytes(b"half a file")
    assert networks.to_download(RESNET50.name) == RESNET50
    with pytest.raises(NotHere, match=r"ResNet-50 \(V2\) is damaged on this machine\. Download it first"):
        networks.classifier_of(RESNET50.name)
    assert damaged.read_bytes() == b"half a file"


def test_what_is_here_or_gone_needs_no_download(choice: Choice) -> None:
    assert networks.to_download("everyday200_resnet14") is None
    assert networks.to_download(head_on("cifar10_resnet20")) is None
    assert networks.to_download(HEAD + "gone") is None
    assert networks.to_download(FILE + "token") is None
    assert choice.show("cifar10_resnet20", "cpu")[choice.download.start]["visible"] is False


def test_heads_belong_to_their_page_and_are_choices() -> None:
    token = HEADS.put(TransferHead(linear_probe().head, "cifar10_resnet20"), "one page")
    assert networks.choices("one page")[0] == ("linear probe: <b>a</b>, b · 20 photos", HEAD + token)
    assert HEAD + token not in dict(networks.choices("another")).values()
    classifier = networks.classifier_of(HEAD + token, "", "cpu")
    assert classifier.variant.classes == ("<b>a</b>", "b")
    assert networks.classifier_of(HEAD + token, "", "cpu") is classifier
    base, loaded = networks.classifier_of("cifar10_resnet20", "", "cpu"), heads._PAIRS.size
    assert networks.base_of(HEAD + token) == "cifar10_resnet20"
    assert networks.rows("one page")[0].name == HEAD + token
    sessions.close("one page")
    assert heads._PAIRS.size == loaded - classifier.engine.size_bytes - base.engine.size_bytes
    assert networks.first_choice("one page", HEAD + token) == DEFAULT


def test_a_page_keeps_its_last_heads() -> None:
    assert HEADS.limits == Limits(count=64, per_session=8)
    tokens = [HEADS.put(TransferHead(linear_probe().head, "cifar10_resnet20"), "busy page") for _ in range(8 + 2)]
    assert [token for token, _ in HEADS.of("busy page")] == tokens[:1:-1]
    HEADS.close("busy page")


def test_a_head_of_unknown_weights_is_not_opened() -> None:
    assert networks.base_of_head(linear_probe().head, "page") == "cifar10_resnet20"
    with pytest.raises(WeightsError, match="which is not here"):
        networks.base_of_head(replace(linear_probe().head, backbone_sha256="0" * 64), "page")


def test_taught_networks_are_not_calibrated_as_their_base() -> None:
    classifier = networks.classifier_of("cifar10_resnet20", "", "cpu")
    variant = replace(classifier.variant, temperature=3.0, min_in_distribution_score=1.0)
    new = with_head(replace(classifier, variant=variant), linear_probe().head).variant
    assert (new.temperature, new.min_in_distribution_score, new.top1) == (1.0, None, None)
