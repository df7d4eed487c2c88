"""A hint's markup, by itself."""

from __future__ import annotations

import pytest

from explorer.inspection import inspect
from explorer.spec import ResNetSpec
from explorer.views.inspector.panel import empty
from explorer.views.kit.hints import explained, hint
from explorer.views.kit.summary import summary


def test_a_hint_is_a_button_that_names_its_term():
    assert hint("RF", "RF 435 px") == (
        '<button type="button" class="rx-hint" data-term="receptive-field" aria-expanded="false">RF 435 px</button>'
    )
    assert hint("bottleneck").endswith(">Bottleneck block</button>")


def test_what_a_hint_says_of_its_place_is_escaped():
    assert 'data-exact="1 &lt; 2 &quot;params&quot;"' in hint("parameter", "<p>", exact='1 < 2 "params"')
    assert ">&lt;p&gt;<" in hint("parameter", "<p>")


def test_an_unknown_term_is_an_error_and_an_unknown_name_is_text():
    with pytest.raises(KeyError):
        hint("perceptron")
    assert explained("Output & more") == "Output &amp; more"
    assert 'data-term="saved-for-backward"' in explained("Saved for backward each")


def test_the_summary_explains_its_figures():
    html = summary(inspect(ResNetSpec()))
    for css, term, exact in (
        ("", "parameter", "11,689,512 parameters"),
        (" macs", "mac", "1,814,073,344 multiply-adds for one image"),
        (" field", "receptive-field", "Measured at the last feature map"),
    ):
        assert f'class="rx-hint{css}" data-term="{term}" data-exact="{exact}"' in html
    assert 'class="rx-hint layers" data-term="weighted-layer"' in html
    assert ">18 weighted layers<" in html


@pytest.mark.parametrize("term", ["parameter", "mac", "activation-memory", "saved-for-backward", "receptive-field"])
def test_the_inspector_explains_its_facts(term):
    assert f'data-term="{term}"' in empty(inspect(ResNetSpec()))
