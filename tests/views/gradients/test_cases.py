"""The buttons of the textbook cases say what they make, and are disabled if they would change nothing."""

from __future__ import annotations

import re
from html import unescape

from explorer.gradients.cases import Case, apply_case
from explorer.spec import PRESETS, from_query
from explorer.views.gradients.cases import WARNING, case_buttons

SPEC = PRESETS["cifar_resnet20"]


def buttons(html: str) -> dict[str, str]:
    return {words: unescape(attributes) for attributes, words in re.findall(r"<button([^>]*)>([^<]*)", html)}


def test_a_button_puts_its_network_in_place() -> None:
    found = buttons(case_buttons(SPEC))
    assert list(found) == ["Make it vanish", "Make it explode", "Put the shortcuts back"]
    for words, case in zip(found, Case, strict=True):
        if case is not Case.SHORTCUTS:
            applied = re.search(r'data-apply="\?([^"]*)"', found[words])
            assert applied
            assert from_query(applied[1]) == apply_case(SPEC, case)
    assert 'data-done="Now Plain-20, no normalisation, PyTorch default weights."' in found["Make it vanish"]
    assert 'title="Every block has its shortcut."' in found["Put the shortcuts back"]
    assert WARNING in case_buttons(SPEC)


def test_a_case_that_is_there_already_is_disabled() -> None:
    found = buttons(case_buttons(apply_case(SPEC, Case.VANISHING)))
    assert 'title="The network is this case already."' in found["Make it vanish"]
    assert "disabled" not in found["Make it explode"]
    done = "Now ResNet-20, no normalisation, PyTorch default weights. Only the shortcuts differ."
    assert f'data-done="{done}"' in found["Put the shortcuts back"]


def test_a_case_that_would_be_too_large_says_why() -> None:
    huge = SPEC.with_(depths=(1,), widths=(5000,), image_size=32)
    found = buttons(case_buttons(huge))
    assert "disabled" in found["Make it explode"]
    assert "parameters; at most" in found["Make it explode"]
