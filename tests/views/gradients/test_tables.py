"""Tables and charts of a measurement, a depth sweep and path lengths show the measured numbers."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from math import comb, inf

import pytest

from explorer.gradients import GradientProbe, PathLengths, Span, SweepPoint, depth_sweep, path_lengths, probe_with_twin
from explorer.gradients.path_lengths import PathLength
from explorer.spec import ResNetSpec
from explorer.views.gradients.paths_chart import paths_figure, sampled_sentence
from explorer.views.gradients.quantity import Quantity, points
from explorer.views.gradients.sweep_chart import SweepQuantity, sweep_figure
from explorer.views.gradients.tables import end_rows, gradient_csv, gradient_rows, path_rows, sweep_rows

SPEC = ResNetSpec().with_(
    depths=(1, 1), widths=(8, 16), stem="cifar", shortcut="projection", num_classes=5, image_size=8
)


@pytest.fixture(scope="module")
def pair() -> tuple[GradientProbe, GradientProbe]:
    probe, twin = probe_with_twin(SPEC, batches=2, batch_size=2)
    assert twin is not None
    return probe, twin


@pytest.fixture(scope="module")
def sweep() -> list[SweepPoint]:
    return list(depth_sweep(SPEC, (6, 10), batches=2, batch_size=2))


@pytest.fixture(scope="module")
def paths() -> PathLengths:
    return path_lengths(SPEC, batches=1, batch_size=2)


def keys(table: str) -> list[list[str]]:
    """What the rows are sorted by, cell for cell."""
    return [re.findall(r'data-key="([^"]*)"', row) for row in re.findall(r"<tr[^>]*data-row.*?</tr>", table)]


def test_every_quantity_gives_each_layer_or_block_once(pair) -> None:
    probe, _ = pair
    paths = [layer.path for layer in probe.layers]
    assert [p.path for p in points(probe, Quantity.WEIGHTS)] == paths
    relative = points(probe, Quantity.RELATIVE)
    assert [p.mean for p in relative] == [layer.norm / layer.weight_norm for layer in probe.layers]
    assert [p.path for p in points(probe, Quantity.STD)] == ["layer1.0", "layer2.0"]
    for quantity in Quantity:
        assert all(p.low <= p.mean * (1 + 1e-9) and p.mean <= p.high * (1 + 1e-9) for p in points(probe, quantity))


def test_the_table_of_layers_sorts_by_exact_numbers_and_selects_the_layer(pair) -> None:
    probe, twin = pair
    table = gradient_rows(probe, twin, Quantity.WEIGHTS)
    rows = keys(table)
    assert [row[0] for row in rows] == [layer.path for layer in probe.layers]
    assert [float(row[2]) for row in rows] == [layer.norm for layer in probe.layers]
    assert re.findall(r'data-node="([^"]*)"', table) == [layer.path for layer in probe.layers]
    others = {layer.path: layer.norm for layer in twin.layers}
    ratio = {row[0]: float(row[5]) for row in rows}
    assert ratio["conv1"] == probe.layers[0].norm / others["conv1"]
    assert ratio["layer2.0.downsample.0"] == -1, "the plain twin has no projection"


def test_the_csv_has_all_digits(pair) -> None:
    probe, twin = pair
    rows = list(csv.DictReader(gradient_csv(probe, twin, Quantity.OUTPUTS).splitlines()))
    assert [row["block"] for row in rows] == ["layer1.0", "layer2.0"]
    assert [float(row["outputs"]) for row in rows] == [block.norm for block in probe.blocks]
    assert [float(row["twin"]) for row in rows] == [block.norm for block in twin.blocks]


def test_the_small_table_has_both_ends_and_the_extremes_of_each_network(pair) -> None:
    probe, twin = pair
    here, there = keys(end_rows([probe, twin], Quantity.OUTPUTS))
    norms = [block.norm for block in probe.blocks]
    assert here[:2] == ["ResNet-6", "batch norm, He (fan-out) weights"]
    assert [float(key) for key in here[2:]] == [norms[0], norms[-1], norms[0] / norms[-1], max(norms)]
    assert there[0] == "Plain-6"


@pytest.mark.parametrize("quantity", SweepQuantity)
def test_a_sweep_is_four_curves_over_depth(sweep, quantity: SweepQuantity) -> None:
    figure = sweep_figure(sweep, quantity)
    assert {trace.name for trace in figure.data} == {
        f"{kind} · {norm}, He (fan-out) weights"
        for kind in ("residual", "plain")
        for norm in ("batch norm", "no normalisation")
    }
    looks = {(trace.line.color, trace.line.dash, trace.marker.symbol) for trace in figure.data}
    assert len(looks) == 4
    assert len({trace.marker.symbol for trace in figure.data}) == 4, "told apart without colour"
    for trace in figure.data:
        spans = [quantity.words.span(point) for point in sweep if point.name == trace.uid]
        assert list(trace.x) == [6, 10]
        assert list(trace.y) == [span.mean for span in spans]
        assert list(trace.error_y.array) == [span.high - span.mean for span in spans]
        assert all(span.low <= span.mean * (1 + 1e-9) and span.mean <= span.high * (1 + 1e-9) for span in spans)
    assert figure.layout.yaxis.type == "log"
    assert figure.layout.yaxis.title.text == quantity.words.axis


def test_a_sweep_shows_first_the_quantity_in_which_vanishing_is_visible(sweep) -> None:
    assert sweep_figure(sweep) == sweep_figure(sweep, SweepQuantity.EVENNESS)
    rows = keys(sweep_rows(sweep))
    assert [float(row[3]) for row in rows] == [point.evenness for point in sweep]
    assert [float(row[5]) for row in rows] == [point.first_block for point in sweep]
    assert [float(row[7]) for row in rows] == [point.ratio for point in sweep]


def test_a_sweep_counts_what_no_axis_can_hold(sweep) -> None:
    point = sweep[0]
    lost = replace(point, blocks=Span(inf, inf, inf))
    (trace,) = sweep_figure([point, lost]).data
    assert trace.name == "residual · batch norm, He (fan-out) weights (1 of 2 not finite, or 0)"
    assert list(trace.y) == [point.evenness, None]


def test_paths_are_counted_and_their_gradient_is_shared_out(paths) -> None:
    counted, carried, band, one = paths_figure(paths).data
    assert list(counted.x) == [0, 1, 2]
    assert list(counted.y) == [comb(2, k) / 4 for k in range(3)]
    assert sum(carried.y) == pytest.approx(1)
    assert list(one.y) == [length.gradient for length in paths.lengths]
    assert (one.yaxis, band.yaxis) == ("y2", "y2")
    assert [int(float(row[1])) for row in keys(path_rows(paths))] == [1, 2, 1]


def test_how_paths_were_sampled_is_said(paths) -> None:
    assert sampled_sentence(paths) == (
        "2 residual blocks make 2² paths. Up to 2 paths of each length were sampled, on 1 × 2 images, 8×8 px."
    )


def test_paths_without_a_gradient_get_no_share(paths) -> None:
    lengths = tuple(PathLength(k, comb(2, k), comb(2, k) / 4, (0.0,), float("nan")) for k in range(3))
    dead = PathLengths(SPEC, paths.setting, 2, lengths, "cpu", "float32", ())
    _, carried, band, one = paths_figure(dead).data
    assert list(carried.y) == list(one.y) == [None] * 3
    assert list(band.x) == []
    assert [row[5] for row in keys(path_rows(dead))] == ["-1"] * 3
