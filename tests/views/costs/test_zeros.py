"""The zeros that option A's shortcuts add: counted for each block, and against the network that really pads."""

from __future__ import annotations

from hypothesis import given, settings

from explorer.inspection import inspect
from explorer.spec import PRESETS, ResNetSpec
from explorer.views.costs.zeros import ZeroChannels, zero_channels, zeros_panel, zeros_sentence
from tests.support.strategies import normalisable, small_specs


def test_three_quarters_of_the_first_bottlenecks_shortcut_are_zeros() -> None:
    found = zero_channels(PRESETS["resnet50"])
    assert found[0] == ZeroChannels("layer1.0", 64, 192, 56 * 56)
    assert [(each.block, each.zeros, each.channels) for each in found[1:]] == [
        ("layer2.0", 256, 512),
        ("layer3.0", 512, 1024),
        ("layer4.0", 1024, 2048),
    ]
    additions = 192 * 56**2 + 256 * 28**2 + 512 * 14**2 + 1024 * 7**2
    assert additions == 953_344
    assert zeros_sentence(PRESETS["resnet50"]) == (
        "With option A, 192 of the 256 channels (75 %) that the shortcut of layer1.0 adds are zeros; in all 4 such "
        "blocks together 1,984 of the 3,840 channels (52 %). These 953 k additions an image change nothing: such a "
        "channel contains F(x) alone, as if it had no shortcut. MACs do not count additions, so no column shows this "
        "waste."
    )


def test_the_table_has_a_row_for_each_block_and_the_total() -> None:
    html = zeros_panel(PRESETS["cifar_resnet20"])
    assert html.count("<tr") == 1 + 2 + 1
    assert '>total</th><td class="num">96</td><td class="num">48</td><td class="num">48</td>' in html
    assert '<td class="num">50.0 %</td>' in html


def test_a_network_that_never_grows_adds_no_zeros() -> None:
    spec = ResNetSpec().with_(widths=(64, 64, 64, 64))
    assert zero_channels(spec) == ()
    assert "no block of this network adds zeros" in zeros_panel(spec)
    assert "<table" not in zeros_panel(spec)
    (only,) = zero_channels(ResNetSpec().with_(widths=(64, 128, 128, 128)))
    assert only.block == "layer2.0"
    assert "; it is the only such block. " in zeros_sentence(ResNetSpec().with_(widths=(64, 128, 128, 128)))


@settings(max_examples=10)
@given(small_specs().filter(normalisable))
def test_zeros_are_those_that_the_network_pads(spec: ResNetSpec) -> None:
    padded = spec.with_(shortcut="zero_pad", shortcut_overrides=())
    pads = [op for op in inspect(padded).trace.ops if op.name == "pad"]
    assert [sum(op.attrs["pad"][4:6]) for op in pads if sum(op.attrs["pad"][4:6])] == [
        each.zeros for each in zero_channels(spec)
    ]
