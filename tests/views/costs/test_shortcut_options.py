"""What the shortcut options cost: exact differences, the paper's figures, the table and the chart."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings

from explorer.errors import SpecError
from explorer.inspection import inspect
from explorer.spec import PRESETS, ResNetSpec, Shortcut
from explorer.spec.budget import estimate
from explorer.views.costs.shortcut_options import cost_figure, cost_table, costs
from tests.support.strategies import normalisable, small_specs


def of(spec: ResNetSpec) -> dict[Shortcut, int]:
    return {cost.mode: cost.params for cost in costs(spec)}


def test_resnet_34_beside_the_papers_errors():
    rows = {cost.mode: cost for cost in costs(PRESETS["resnet34"])}
    # Table 3 of He et al. 2015, 10-crop.
    assert {mode: cost.errors for mode, cost in rows.items() if cost.errors} == {
        Shortcut.ZERO_PAD: (25.03, 7.76),
        Shortcut.PROJECTION: (24.52, 7.46),
        Shortcut.PROJECTION_ALL: (24.19, 7.40),
        Shortcut.NONE: (28.54, 10.02),
    }
    # torchvision's resnet34 is option B; its three projections are 8,448 + 33,280 + 132,096 parameters.
    assert rows[Shortcut.PROJECTION].params == 21_797_672
    assert rows[Shortcut.PROJECTION].params - rows[Shortcut.ZERO_PAD].params == 8_448 + 33_280 + 132_096
    # Each of the three halves the map as it doubles the channels: 64 × 128 × 28² a piece.
    assert rows[Shortcut.PROJECTION].macs - rows[Shortcut.ZERO_PAD].macs == 3 * 64 * 128 * 28**2
    fits = {mode: (cost.broken, cost.merges) for mode, cost in rows.items()}
    assert (fits.pop(Shortcut.IDENTITY), fits.pop(Shortcut.NONE)) == ((3, 16), (0, 0))
    assert set(fits.values()) == {(0, 16)}
    # Nothing on an identity or a zero-padded shortcut is read again by the backward pass.
    assert rows[Shortcut.ZERO_PAD].saved == rows[Shortcut.NONE].saved < rows[Shortcut.PROJECTION].saved


def test_shortcuts_of_single_blocks_are_left_out():
    spec = ResNetSpec().with_(shortcut_overrides={"layer2.0": "identity"})
    assert of(spec) == of(ResNetSpec())
    assert "Shortcuts of single blocks are left out" in cost_table(spec)
    assert ">current<" not in cost_table(spec)


def test_a_mode_beyond_the_bounds_is_left_out():
    spec = ResNetSpec().with_(depths=(100,) * 4, block="bottleneck", widths=(512,) * 4, shortcut="zero_pad")
    with pytest.raises(SpecError, match="parameters; at most"):
        spec.with_(shortcut="projection_all")
    assert [cost.mode for cost in costs(spec)] == [mode for mode in Shortcut if mode is not Shortcut.PROJECTION_ALL]


@settings(max_examples=8)
@given(small_specs().filter(normalisable))
def test_amounts_are_those_of_the_network_in_that_mode(spec: ResNetSpec):
    for cost in costs(spec):
        alone = spec.with_(shortcut=cost.mode, shortcut_overrides=())
        report = inspect(alone)
        assert (cost.params, cost.macs, cost.activations) == (report.params, report.macs, report.activation_bytes)
        if not cost.broken:
            assert (cost.params, cost.macs) == estimate(alone)


def test_the_table_says_whose_errors_these_are_and_what_is_shown_now():
    html = cost_table(PRESETS["resnet50"])
    assert "He et al. 2015 report them in Table 3. They are not measured here." in html
    row = re.search(r'<tr class="fits selected">(.*?)</tr>', html)
    assert row
    assert "B · project on change" in row[1]
    assert "current" in row[1]
    assert 'data-apply="?depths=3,4,6,3&amp;block=bottleneck&amp;shortcut=zero_pad"' in html
    assert '<td title="25,557,032 parameters" class="num">25.6 M<small>+2.78 M</small></td>' in html
    plain = re.search(r">None \(plain\)<small>no shortcuts</small></th>(.*?)</tr>", html)
    assert plain
    assert "<small>as A</small>" in plain[1]
    assert ">+0" not in html


def test_the_chart_adds_up_to_the_totals_and_leaves_out_what_does_not_run():
    spec = ResNetSpec()
    by_mode = {cost.mode: cost for cost in costs(spec)}
    shown = {mode.words.short: mode for mode in by_mode if mode is not Shortcut.IDENTITY}
    assert {"A", "B", "C", "None"} <= shown.keys()
    for name, amount in (("Parameters", "params"), ("MACs", "macs"), ("Saved for backward", "saved")):
        bars = [bar for bar in cost_figure(spec).data if bar.name == name]
        totals = {
            label: sum(x for bar in bars for x, y in zip(bar.x, bar.y, strict=True) if y == label) for label in shown
        }
        assert totals == {label: getattr(by_mode[mode], amount) for label, mode in shown.items()}
        assert {y for bar in bars for y in bar.y} == set(shown)
