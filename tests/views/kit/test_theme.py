"""Every kind of shortcut has its words and its look: one that is forgotten fails here."""

from __future__ import annotations

import pytest

from explorer.inspection import inspect
from explorer.spec import FIELD_LABELS, FIELDS, Block, Shortcut
from explorer.views.checks.rows import KINDS
from explorer.views.diagram.model import Role
from explorer.views.inspector.formulas import merge_formula
from explorer.views.kit.theme import ADAPTING_ROLES, LOOKS, ROLES, SHORTCUT_ROLES
from tests.support.strategies import described

SMALL = described(depths=(1, 1), widths=(8, 16), stem="cifar", image_size=8)


@pytest.mark.parametrize("mode", Shortcut)
def test_every_mode_has_words_and_a_look(mode):
    assert mode.words.name
    assert mode.words.short
    assert mode.words.in_block
    assert mode.words.built
    assert LOOKS[mode].role in ROLES


@pytest.mark.parametrize("block", Block)
@pytest.mark.parametrize("mode", [mode for mode in Shortcut if mode is not Shortcut.NONE])
def test_what_a_mode_builds_is_found_and_drawn_in_its_role(mode, block):
    """``Merge.kind`` of a traced network is the role of the mode, and everything that is keyed by kinds knows it."""
    merge = inspect(SMALL.with_(shortcut=mode, block=block)).merges[-1]
    assert merge.path == "layer2.0"
    assert merge.kind == LOOKS[mode].role
    assert Role(merge.kind).value == merge.kind
    assert KINDS[merge.kind] == ROLES[merge.kind].words != ""
    assert merge_formula(merge.kind).startswith("y = F(x) + ")


def test_patterns_tell_the_modes_apart():
    assert len({look.pattern for look in LOOKS.values()}) == len(Shortcut)


def test_roles_of_shortcuts():
    assert set(ADAPTING_ROLES) < set(SHORTCUT_ROLES) < set(ROLES)
    assert "main" not in SHORTCUT_ROLES


def test_every_field_has_words():
    assert tuple(FIELD_LABELS) == FIELDS
    for kind in ("name", "short", "change"):
        words = [getattr(label, kind) for label in FIELD_LABELS.values()]
        assert all(words)
        assert len(set(words)) == len(words)
