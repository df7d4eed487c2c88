"""A card and its text say the same; a text that contradicts itself is not a card."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from explorer.network.card import Card, parse_card
from explorer.spec import PRESETS, to_dict

SPEC = PRESETS["cifar_resnet20"].with_(num_classes=2)
CARD = Card("ResNet-20 “mine”", SPEC, ("cat", "dog"), (0.5, 0.4, 0.3), (0.1, 0.2, 0.3), "Pets, test split", 0.75)


def test_the_text_is_json_in_the_order_of_the_fields() -> None:
    data = json.loads(CARD.to_json())
    assert list(data) == ["title", "spec", "classes", "mean", "std", "data", "accuracy"]
    assert (data["spec"], data["classes"], data["accuracy"]) == (to_dict(SPEC), ["cat", "dog"], 0.75)


@pytest.mark.parametrize("card", [CARD, replace(CARD, accuracy=None)])
def test_a_card_is_read_back_from_its_text(card: Card) -> None:
    assert parse_card(card.to_json()) == card


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": ["cat"]},
        {"spec": {"depths": 0}},
        {"mean": [0, 0]},
        {"std": [0, 1, 1]},
        {"accuracy": 2},
        {"title": 1},
    ],
)
def test_other_text_is_not_a_card(changes: dict[str, object]) -> None:
    assert parse_card(json.dumps({**json.loads(CARD.to_json()), **changes})) is None


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"classes": ("cat",)}, "classes: got 1 names; 2"),
        ({"spec": SPEC.with_(in_channels=1)}, "in_channels: got 1; 3"),
    ],
)
def test_a_card_that_contradicts_its_network_is_refused(changes: dict[str, object], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        replace(CARD, **changes)  # type: ignore[arg-type]
