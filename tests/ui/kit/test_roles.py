"""The style sheets' rules for each role come from the theme's table."""

from __future__ import annotations

import re

import pytest

from explorer.ui.diagram.panel import _TEMPLATE
from explorer.ui.kit.roles import role_rules
from explorer.ui.kit.style import css
from explorer.views.kit.theme import ADAPTING_ROLES, ROLES, SHORTCUT_ROLES


def test_the_rules_take_the_place_of_their_marker():
    assert css().count(role_rules()) == 1
    assert css().count(role_rules()) == 1


@pytest.mark.parametrize("name", SHORTCUT_ROLES)
def test_every_kind_of_shortcut_is_drawn(name):
    rules = css()
    for selector in (f".rx-canvas .edge.{name} path", f".rx-map rect.{name}", f".rx-rows td.{name}::before"):
        assert re.search(rf"{re.escape(selector)}[^{{]*\{{[^}}]*var\(--rx-{name}\)", rules), selector
    assert (f".rx-canvas .node.{name} path" in rules) == (name in ADAPTING_ROLES)


def test_the_legend_has_a_sign_and_words_for_each_role_in_it():
    shown = re.findall(r'<span class="(\w+)"><button[^>]+>([^<]+)</button></span>', _TEMPLATE.partition("rx-tools")[0])
    assert shown == [(name, role.words) for name, role in ROLES.items() if role.words]
    assert [name for name, _ in shown] == ["main", "identity", "projection", "zero_pad", "broken"]
    for name, _ in shown[1:]:
        assert f".rx-legend .{name}::before {{ border-top: " in css()


def test_no_sheet_names_a_kind_of_shortcut():
    """Else a new one would need a rule in each."""
    written = css().replace(role_rules(), "")
    assert not re.search(rf"\.({'|'.join(SHORTCUT_ROLES)})\b", written)
