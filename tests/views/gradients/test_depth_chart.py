"""The chart along depth and the table of colours: what is drawn, left out and said."""

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from math import inf, nan
from typing import Any

import pytest

from explorer.gradients import BlockGradient, GradientProbe, LayerGradient, Setting
from explorer.spec import PRESETS, ResNetSpec
from explorer.views.gradients.depth_chart import gradient_figure, measured_sentence
from explorer.views.gradients.quantity import Quantity
from explorer.views.kit.theme import DARK, LIGHT, NEUTRAL, ROLES, plotly_layout, translucent

SPEC = ResNetSpec().with_(
    depths=(1, 1), widths=(8, 16), stem="cifar", shortcut="projection", num_classes=5, image_size=16
)
PATHS = ["conv1", "layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1", "layer2.0.conv2", "fc"]
SETTINGS = "batch norm, He (fan-out) weights"
NAME, PLAIN_NAME = f"ResNet-6 · {SETTINGS}", f"Plain-6 · {SETTINGS}"
NORMS = [0.031, 0.1, 0.2, 0.3, 0.4, 0.5]


def made(spec: ResNetSpec, norms: Sequence[float], projection: float | None = None, batches: int = 3) -> GradientProbe:
    """A measurement with these norms along the main path; the batches lie 10 % around."""
    layers = [
        LayerGradient(path, depth, False, norm, 0.9 * norm, 1.1 * norm, 2.0)
        for depth, (path, norm) in enumerate(zip(PATHS, norms, strict=True), start=1)
    ]
    if projection is not None:
        path = "layer2.0.downsample.0"
        layers.insert(5, LayerGradient(path, 5, True, projection, projection, projection, 4.0))
    blocks = (BlockGradient("layer1.0", 1, 3, 0.01, 1.0), BlockGradient("layer2.0", 2, 5, 0.02, 1.5))
    setting = Setting(batch_size=8, batches=batches, height=16, width=16, seed=0)
    return GradientProbe(spec, setting, tuple(layers), blocks, 1.6, "cpu", "float32", ())


HERE = made(SPEC, NORMS, projection=0.05)
TWIN = made(SPEC.plain(), [8.66e-6, 0.001, 0.01, 0.1, 0.2, 0.25])


def drawn(probe: GradientProbe, twin: GradientProbe | None = None) -> dict[str, Any]:
    """The figure as the browser gets it."""
    return json.loads(gradient_figure(probe, twin, Quantity.WEIGHTS).to_json())


def traces(figure: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {trace["name"]: trace for trace in figure["data"] if "name" in trace}


def test_both_networks_are_drawn_along_depth_on_a_logarithmic_axis() -> None:
    figure = drawn(HERE, TWIN)
    here, twin = traces(figure)[NAME], traces(figure)[PLAIN_NAME]
    assert (here["x"], here["y"]) == ([1, 2, 3, 4, 5, 6], NORMS)
    assert (twin["x"], twin["y"]) == ([1, 2, 3, 4, 5, 6], [layer.norm for layer in TWIN.layers])
    assert figure["layout"]["yaxis"]["type"] == "log"
    assert figure["layout"]["xaxis"]["title"]["text"] == "layer with weights, from input to output"
    assert figure["layout"]["yaxis"]["title"]["text"] == "gradient of a layer's weights, ‖∂L/∂W‖₂"
    assert figure["layout"]["uirevision"] == "gradients"


def test_two_signs_besides_colour_tell_the_networks_apart() -> None:
    named = traces(drawn(HERE, TWIN))
    here, twin = named[NAME], named[PLAIN_NAME]
    assert here["line"]["color"] != twin["line"]["color"]
    assert here["line"]["dash"] != twin["line"]["dash"]
    assert here["marker"]["symbol"] != twin["marker"]["symbol"]
    assert named["projections"]["mode"] == "markers"
    assert named["projections"]["marker"]["symbol"] not in (
        here["marker"]["symbol"],
        twin["marker"]["symbol"],
    )


def test_projections_stand_beside_their_blocks_last_convolution() -> None:
    projections = traces(drawn(HERE))["projections"]
    assert (projections["x"], projections["y"]) == ([5], [0.05])
    assert "projections" not in traces(drawn(TWIN))


def test_hovering_gives_module_path_and_exact_values() -> None:
    named = traces(drawn(HERE, TWIN))
    assert named[NAME]["hovertext"][0] == (
        "<b>conv1</b><br>ResNet-6 · batch norm, He (fan-out) weights<br>‖∂L/∂W‖₂ 0.03100<br>batches 0.02790 … 0.03410"
    )
    assert named["projections"]["hovertext"][0].startswith("<b>layer2.0.downsample.0</b>")
    assert (
        named[PLAIN_NAME]["hovertext"][0]
        .splitlines()[0]
        .startswith(f"<b>conv1</b><br>{PLAIN_NAME}<br>‖∂L/∂W‖₂ 8.660e-6")
    )


@pytest.mark.parametrize(
    ("quantity", "x", "y"),
    [
        (Quantity.RELATIVE, [1, 2, 3, 4, 5, 6], [norm / 2 for norm in NORMS]),
        (Quantity.OUTPUTS, [3, 5], [0.01, 0.02]),
        (Quantity.STD, [3, 5], [1.0, 1.5]),
    ],
)
def test_other_quantities_are_drawn_on_demand(quantity: Quantity, x: list[int], y: list[float]) -> None:
    figure = json.loads(gradient_figure(HERE, TWIN, quantity).to_json())
    here = traces(figure)[NAME]
    assert (here["x"], here["y"]) == (x, y)
    assert figure["layout"]["yaxis"]["title"]["text"] == quantity.words.axis
    assert figure["layout"]["yaxis"]["uirevision"] == quantity.value, "a zoom ends where the quantity changes"


def test_a_point_names_its_layer_and_each_trace_keeps_its_name_across_updates() -> None:
    here = traces(drawn(HERE, TWIN))
    assert here[NAME]["customdata"] == PATHS
    assert here["projections"]["customdata"] == ["layer2.0.downsample.0"]
    uids = {trace.uid for trace in gradient_figure(HERE, TWIN, Quantity.WEIGHTS).data}
    assert uids == {"here-band", "here-path", "here-projections", "twin-band", "twin-path"}
    assert {trace.uid for trace in gradient_figure(HERE).data} < uids


def test_over_several_seeds_the_words_say_so() -> None:
    seeds = replace(HERE, setting=replace(HERE.setting, seeds=5))
    assert "<br>seeds 0.02790 … 0.03410" in traces(drawn(seeds))[NAME]["hovertext"][0]
    assert measured_sentence(seeds.setting) == "Mean of 5 initialisations, each of 3 × 8 images, 16×16 px."


def test_the_legend_tells_normalisation_and_weights_and_equal_networks_apart() -> None:
    other = replace(TWIN, spec=SPEC.with_(norm="none", init="default"))
    assert {NAME, "ResNet-6 · no normalisation, PyTorch default weights"} < traces(drawn(HERE, other)).keys()
    same = replace(TWIN, spec=SPEC.with_(activation="gelu"))
    assert {NAME, f"{NAME} (beside)"} < traces(drawn(HERE, same)).keys()


def test_the_gradient_of_the_block_outputs_is_drawn_by_default() -> None:
    figure = json.loads(gradient_figure(HERE, TWIN).to_json())
    assert figure["layout"]["yaxis"]["title"]["text"] == "gradient of a block's output, ‖∂L/∂y‖₂"
    assert traces(figure)[NAME]["y"] == [0.01, 0.02]
    assert next(iter(Quantity)) is Quantity.OUTPUTS


def test_the_band_spans_the_batches() -> None:
    (band,) = [trace for trace in drawn(TWIN)["data"] if trace.get("fill")]
    assert band["x"] == [1, 2, 3, 4, 5, 6, 6, 5, 4, 3, 2, 1, None]
    norms = [layer.norm for layer in TWIN.layers]
    expected = [1.1 * n for n in norms] + [0.9 * n for n in reversed(norms)]
    assert band["y"][:-1] == pytest.approx(expected)
    assert not any(trace.get("fill") for trace in drawn(made(SPEC, NORMS, batches=1))["data"])


def test_what_a_logarithmic_axis_cannot_hold_is_left_out_and_counted() -> None:
    probe = made(SPEC, [0.1, 0.0, 0.0, nan, inf, 0.5])
    figure = drawn(probe)
    here = traces(figure)[f"{NAME} (2 of 6 exactly 0, 2 of 6 not finite)"]
    assert here["y"] == [0.1, None, None, None, None, 0.5]
    band = next(trace for trace in figure["data"] if trace.get("fill"))
    assert band["x"] == [1, 1, None, 6, 6, None]


def test_a_network_without_any_gradient_says_so_in_the_plot() -> None:
    texts = [note["text"] for note in drawn(made(SPEC, [0.0] * 6))["layout"]["annotations"]]
    assert "No value above 0 to draw" in texts


def test_stages_are_marked_and_named() -> None:
    layout = drawn(HERE)["layout"]
    assert [shape["x0"] for shape in layout["shapes"]] == [1.5, 3.5, 5.5]
    names = [(note["text"], note["x"]) for note in layout["annotations"]]
    assert names == [("stem", 1), ("layer1", 2.5), ("layer2", 4.5), ("fc", 6)]


def test_a_deep_network_keeps_to_few_markers_and_to_labels_that_have_room() -> None:
    spec = PRESETS["cifar_resnet110"]
    layers = tuple(LayerGradient(f"l{i}", i, False, 10.0**-i, 10.0**-i, 10.0**-i, 1.0) for i in range(1, 111))
    probe = GradientProbe(spec, HERE.setting, layers, (), 2.3, "cpu", "float32", ())
    figure = drawn(probe)
    assert traces(figure)[f"CIFAR ResNet-110 · {SETTINGS}"]["marker"]["maxdisplayed"] == 24
    assert traces(drawn(HERE))[NAME]["marker"]["maxdisplayed"] == 0
    assert [note["text"] for note in figure["layout"]["annotations"]] == ["layer1", "layer2", "layer3"]
    assert figure["layout"]["yaxis"]["dtick"] == 14, "at most eight powers of ten beside 109 decades"


def test_only_colours_that_every_plotly_understands() -> None:
    text = gradient_figure(HERE, TWIN).to_json()
    colours = re.findall(r'"[^"]*color"\s*:\s*"([^"]+)"', text)
    assert len(colours) > 10
    for colour in colours:
        assert re.fullmatch(r"#[0-9A-F]{6}|rgba\(\d+, \d+, \d+, [\d.]+\)", colour), colour


# — The table of colours —


def luminance(colour: str) -> float:
    """Relative luminance, 0 … 1 (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("name", ROLES)
def test_signs_and_text_of_every_role_are_legible_in_both_modes(name: str) -> None:
    role = ROLES[name]
    assert min(contrast(role.on_light, back) for back in (LIGHT.page, LIGHT.surface)) >= 4.5
    assert min(contrast(role.on_dark, back) for back in (DARK.page, DARK.surface)) >= 4.5


@pytest.mark.parametrize("mode", [LIGHT, DARK])
def test_neutrals_are_legible(mode) -> None:
    for back in (mode.page, mode.surface):
        assert contrast(mode.text, back) >= 4.5
        assert contrast(mode.muted, back) >= 4.5
        assert contrast(mode.line, back) >= 3


def test_one_grey_serves_both_modes_as_well_as_any_can() -> None:
    best = (contrast(LIGHT.page, DARK.page)) ** 0.5
    assert min(contrast(NEUTRAL, page) for page in (LIGHT.page, DARK.page)) > best - 0.1


def test_roles_keep_the_published_palette() -> None:
    published = {"#0072B2", "#E69F00", "#CC79A7", "#009E73", "#D55E00"}
    assert {role.colour for name, role in ROLES.items() if name != "main"} == published


def test_translucent_spells_what_old_plotly_reads() -> None:
    assert translucent("#0072B2", 0.2) == "rgba(0, 114, 178, 0.2)"


def test_a_layout_entry_is_merged_not_replaced() -> None:
    layout = plotly_layout(DARK.text, xaxis={"title": {"text": "depth"}}, height=300)
    assert layout["xaxis"]["title"] == {"standoff": 8, "font": {"size": 12}, "text": "depth"}
    assert layout["xaxis"]["showline"]
    assert (layout["height"], layout["font"]["color"]) == (300, DARK.text)
    assert plotly_layout()["xaxis"]["title"].keys() == {"standoff", "font"}, "the table itself stays as it was"
