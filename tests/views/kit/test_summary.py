"""The verdict of the summary line."""

from __future__ import annotations

import pytest

from explorer.inspection import inspect
from explorer.spec import ResNetSpec
from explorer.views.kit.summary import mismatches, summary, verdict


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (ResNetSpec(), "✓ 8 of 8 shortcuts match"),
        (ResNetSpec().with_(shortcut="identity"), "✕ 3 of 8 shortcuts do not match"),
        (ResNetSpec().with_(shortcut_overrides={"layer3.0": "identity"}), "✕ 1 of 8 shortcuts does not match"),
        (ResNetSpec().plain(), "No shortcuts: a plain network"),
    ],
)
def test_the_verdict_counts_what_is_wrong(spec: ResNetSpec, words: str) -> None:
    assert f">{words}</span>" in verdict(inspect(spec))


def test_a_mismatch_is_a_button_on_the_page_alone() -> None:
    report = inspect(ResNetSpec().with_(shortcut="identity"))
    assert mismatches(report) == "3 of 8 shortcuts do not match"
    assert 'data-select="layer2.0:add"' in summary(report)
    assert "<button" not in verdict(report)
    assert "data-select" not in summary(inspect(ResNetSpec()))


def test_the_number_of_layers_says_which_it_counts() -> None:
    line = summary(inspect(ResNetSpec()))
    assert ">18 weighted layers</button>" in line
    assert "Projections in shortcuts, norms and activations are not counted" in line
