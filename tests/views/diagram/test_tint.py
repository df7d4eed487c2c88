"""The tint's numbers: what a box carries is what its operations carry, however the diagram is folded."""

from __future__ import annotations

from math import sqrt

import pytest

from explorer.gradients import probe_gradients
from explorer.inspection import inspect
from explorer.spec import PRESETS, ResNetSpec, Stem
from explorer.ui.diagram.tint import gradients
from explorer.views.diagram.model import build_diagram, default_open, everything, stages
from explorer.views.diagram.tint import Measure, tint

SMALL = ResNetSpec(depths=(1, 2), widths=(8, 16), image_size=16, stem=Stem.CIFAR, num_classes=5)


@pytest.mark.parametrize("opened", [default_open, everything, lambda _: frozenset()])
def test_every_operation_is_counted_once(opened) -> None:
    report = inspect(PRESETS["resnet50"])
    diagram = build_diagram(report, opened(report))
    assert len(diagram.owners) == len(report.operations)
    assert set(diagram.owners) <= {node.id for node in diagram.nodes}
    # Shares are amounts over the greatest: with the greatest known, they add up to the network's total.
    whole = {
        Measure.PARAMS: report.params,
        Measure.MACS: report.macs,
        Measure.MEMORY: report.activation_bytes,
    }
    for measure, total in whole.items():
        shares = tint(report, diagram, measure).shares
        heaviest = max(shares, key=shares.__getitem__)
        ops = [op for op, owner in zip(report.operations, diagram.owners, strict=True) if owner == heaviest]
        amount = {
            Measure.PARAMS: sum(report.trace.params.get(path, 0) for path in {op.path for op in ops}),
            Measure.MACS: sum(op.macs for op in ops),
            Measure.MEMORY: sum(op.bytes for op in ops),
        }[measure]
        assert sum(shares.values()) * amount == pytest.approx(total)


def test_a_folded_run_carries_the_parameters_of_all_its_blocks() -> None:
    """layer4.1-2: twice 4,462,592 parameters (torchvision's resnet50)."""
    report = inspect(PRESETS["resnet50"])
    found = tint(report, build_diagram(report, stages(report)), Measure.PARAMS)
    assert found.shares["layer4.1-2"] == 1
    assert found.words["layer4.1-2"] == "8.93 M parameters"
    assert found.scale == "0 … 8.93 M parameters"


def test_a_folded_box_has_the_norm_of_all_its_weights_together() -> None:
    report = inspect(SMALL)
    probe = probe_gradients(SMALL, batches=1, batch_size=2)
    folded = tint(report, build_diagram(report, frozenset()), Measure.GRADIENT, probe)
    inside = [layer.norm for layer in probe.layers if layer.path.startswith("layer2.")]
    assert folded.words["layer2"] == f"‖∂L/∂W‖ {sqrt(sum(n * n for n in inside)):.3g}"
    assert "input" not in folded.shares
    assert min(folded.shares.values()) >= 0
    assert max(folded.shares.values()) == 1


def test_a_measurement_is_shared_and_finishes() -> None:
    first = gradients(SMALL)
    assert gradients(SMALL) is first
    first.thread.join(60)
    assert first.result == probe_gradients(SMALL, seed=0)
    assert first.progress == (3, 3)


def test_an_error_is_told_once_and_the_next_question_tries_again() -> None:
    broken = SMALL.with_(shortcut="identity")
    first = gradients(broken)
    first.thread.join(60)
    assert "layer2.0" in str(first.result)
    gradients(broken)  # tells it, if the first answer came too early to
    assert gradients(broken) is not first
