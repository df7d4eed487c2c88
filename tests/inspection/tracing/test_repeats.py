"""The pass over the different blocks, replayed for their repeats, against the pass over the whole network."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given, settings

from explorer.errors import TraceError
from explorer.inspection import Report, Trace
from explorer.inspection.tracing.trace import record, trace_spec
from explorer.network import build
from explorer.spec import PRESETS, ResNetSpec
from tests.support.strategies import described, specs

pytestmark = pytest.mark.usefixtures("one_thread")


def whole(spec: ResNetSpec, size: tuple[int, ...]) -> Trace:
    """Every block built and run."""
    return Trace(record(build(spec, device="meta"), size))


def parts(traced: Trace) -> dict[str, object]:
    """All that is said of a pass; mappings with their order."""
    return {
        "name": traced.name,
        "ops": traced.ops,
        "layers": traced.layers,
        "params": list(traced.params.items()),
        "kinds": list(traced.kinds.items()),
        "containers": traced.containers,
    }


def outcome(tracer, spec: ResNetSpec, size: tuple[int, ...]) -> object:
    try:
        return parts(tracer(spec, size))
    except TraceError as error:
        return str(error)


def size_of(spec: ResNetSpec, batch: int = 1) -> tuple[int, ...]:
    return (batch, spec.in_channels, spec.image_size, spec.image_size)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_replayed_as_the_whole_network_runs(name):
    spec = PRESETS[name]
    replayed, ran = parts(trace_spec(spec, size_of(spec))), parts(whole(spec, size_of(spec)))
    for part, value in ran.items():
        assert replayed[part] == value, part


@settings(max_examples=80)
@given(spec=specs(stages=4, blocks=24))
@example(spec=described(depths=(4, 5), widths=(8, 16), shortcut="identity"))  # sums that do not fit
@example(spec=described(depths=(4, 5), widths=(8, 16), shortcut="none", block="preact_basic"))
@example(spec=described(depths=(6,), widths=(8,), shortcut="zero_pad", shortcut_overrides={"layer1.3": "none"}))
@example(spec=described(depths=(2, 4), widths=(4, 4), shortcut="identity", stem="deep", image_size=5))  # broadcasts
@example(spec=described(depths=(1, 4), widths=(4, 1), shortcut="identity", image_size=5))  # and then derails
@example(spec=described(depths=(3, 3), widths=(8, 8), norm="group", image_size=4))  # a norm that refuses its map
def test_random_networks_too(spec):
    """Failures included: they name the same layer in the same words."""
    assert outcome(trace_spec, spec, size_of(spec)) == outcome(whole, spec, size_of(spec))


@pytest.mark.parametrize("size", [(4, 3, 32, 32), (3, 65, 40), (1, 5, 32, 32), (1, 3, 1, 1), (3, 3)])
def test_other_inputs_too(size):
    spec = PRESETS["cifar_resnet32"].with_(shortcut="projection_all")
    assert outcome(trace_spec, spec, size) == outcome(whole, spec, size)


def test_a_run_ends_where_a_block_is_built_differently():
    spec = described(
        depths=(3, 6), widths=(8, 16), shortcut_overrides={"layer2.2": "zero_pad", "layer2.3": "projection_all"}
    )
    # Zero-padding adds nothing where the shape stays: layer2.2 is built as its neighbour.
    paths = [[plan.path for plan in run] for run in spec.runs]
    assert paths == [
        ["layer1.0", "layer1.1", "layer1.2"],
        ["layer2.0"],
        ["layer2.1", "layer2.2"],
        ["layer2.3"],
        ["layer2.4", "layer2.5"],
    ]


def test_only_different_blocks_are_built(report_of: Callable[[str], Report]):
    recording = report_of("cifar_resnet1202").trace.recording
    blocks = [path for path in recording.kinds if re.fullmatch(r"layer\d\.\d+", path)]
    assert blocks == ["layer1.0", "layer2.0", "layer2.1", "layer3.0", "layer3.1"]
