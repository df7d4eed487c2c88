"""Weights that this program trained say what they are of; a card that contradicts them is not believed."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from safetensors.torch import save

from explorer.datasets.digits import load_digits
from explorer.inference.checkpoint import checkpoint_classifier, open_checkpoint, trained_checkpoint
from explorer.inference.weights.card import read_card
from explorer.network import build
from explorer.network.card import CARD_KEY
from explorer.training import Training, weights_file
from explorer.training.loop import normalise
from tests.support.tiny_runs import BOTH, DIGITS_NET, trained

CPU = torch.device("cpu")

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def both(one_thread: None) -> Training:
    return trained(*BOTH)


def test_trained_weights_say_what_they_are_and_classify(both: Training, tmp_path: Path) -> None:
    record = both.records[0]
    path = tmp_path / "run.safetensors"
    path.write_bytes(weights_file(record))
    opened = open_checkpoint(path)
    assert opened.spec == DIGITS_NET
    assert opened.recognition.unknown == {}
    classifier = checkpoint_classifier(opened, device="cpu")
    assert classifier.variant.classes == tuple("0123456789")
    assert classifier.variant.transform.mean == record.mean
    assert classifier.variant.top1 == pytest.approx(100 * record.epochs[-1].test_accuracy, abs=0.005)
    assert classifier.variant.dataset == "Digits, the last 360 images"
    _, test = load_digits()
    model = build(DIGITS_NET).eval()
    model.load_state_dict(dict(record.weights or {}))
    for pixels in test.images[:3]:
        file = io.BytesIO()
        Image.fromarray(pixels.permute(1, 2, 0).numpy()).save(file, "PNG")
        with torch.no_grad():
            shares = torch.softmax(model(normalise(pixels[None], record.mean, record.std, CPU))[0], 0)
        got = dict(classifier.classify_bytes(file.getvalue(), top=10).top)
        assert [got[name] for name in classifier.variant.classes] == pytest.approx(shares.tolist(), abs=1e-5)


@pytest.mark.parametrize(
    "changes",
    [
        {"spec": {"depths": [1, 1, 1], "widths": [4, 8, 16]}},  # of another network
        {"spec": {"depths": "many"}},
        {"classes": ["one"]},
        {"mean": [0.5]},
        {"std": [0, 1, 1]},
        {"accuracy": 7},
    ],
)
def test_a_card_that_contradicts_itself_is_ignored(both: Training, tmp_path: Path, changes: dict[str, Any]) -> None:
    record = both.records[0]
    path = tmp_path / "run.safetensors"
    path.write_bytes(
        save(dict(record.weights or {}), {CARD_KEY: json.dumps({**json.loads(record.card().to_json()), **changes})})
    )
    opened = open_checkpoint(path)
    assert opened.card is None
    assert opened.spec.image_size == 32  # assumed, and said
    assert "image_size" in opened.recognition.unknown


def test_cards_are_read_from_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for data in (
        b"",
        b"PK\x03\x04" + bytes(60),
        (2).to_bytes(8, "little") + b"[]",
        (9).to_bytes(8, "little") + b"[" * 9,
    ):
        path.write_bytes(data)
        assert read_card(path) is None
    for metadata in ({}, {CARD_KEY: "{"}, {CARD_KEY: "[" * 10_000}):
        path.write_bytes(save({"x": torch.zeros(1)}, metadata))
        assert read_card(path) is None


def test_weights_from_this_process_are_as_if_their_file_were_opened(both: Training, tmp_path: Path) -> None:
    record = both.records[0]
    file, state = weights_file(record), dict(record.weights or {})
    path = tmp_path / "residual.safetensors"
    path.write_bytes(file)
    direct, opened = trained_checkpoint("residual", record.card(), state, file), open_checkpoint(path)
    assert (direct.sha256, direct.size_bytes, direct.card) == (opened.sha256, opened.size_bytes, opened.card)
    assert (direct.spec, direct.broken) == (opened.spec, opened.broken)
    assert direct.sentences() == opened.sentences()
    assert direct.state.keys() == opened.state.keys()
    assert all(torch.equal(tensor, opened.state[name]) for name, tensor in direct.state.items())
