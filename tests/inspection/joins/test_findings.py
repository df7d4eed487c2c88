"""Mistakes planted in healthy networks: every one is found, called by its name, and none more."""

from __future__ import annotations

import pickle

import pytest
import torch
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from explorer.inspection import Producer, Report, Verdict, inspect, propose_fixes
from explorer.spec import PRESETS, ResNetSpec
from tests.support.broken import BUGS, SIDE, Bug, changed, conv, healthy, norm, replaced
from tests.support.strategies import derails, described, fits, merges, normalisable, small_specs

pytestmark = pytest.mark.usefixtures("one_thread")

CASES = [pytest.param(name, bug, id=f"{name}: {words}") for name, bugs in BUGS.items() for words, bug in bugs.items()]


def diagnosed(name: str, *bugs: Bug, side: int = SIDE) -> Report:
    net = healthy(name)
    for bug in bugs:
        bug.plant(net)
    return inspect(net, (3, side, side))


def rules(report: Report) -> list[tuple[str, str]]:
    return [(finding.rule, finding.path) for finding in report.findings]


# ---- planted in ResNet-18 and -50 ------------------------------------------------------------------------


@pytest.mark.parametrize("name", BUGS)
def test_healthy_networks_have_no_findings(name: str):
    assert diagnosed(name).findings == ()


@pytest.mark.parametrize(("name", "bug"), CASES)
def test_a_mistake_alone_is_the_only_finding(name: str, bug: Bug):
    assert rules(diagnosed(name, bug)) == [(bug.rule, bug.path)]


@pytest.mark.parametrize("name", BUGS)
def test_all_mistakes_at_once_are_the_findings(name: str):
    bugs = BUGS[name].values()
    report = diagnosed(name, *bugs)
    assert rules(report) == [(bug.rule, bug.path) for bug in bugs]
    assert report.layers[-1].path == "fc"
    assert report.layers[-1].out_shape[0] == 1  # the pass went on to the end


@settings(max_examples=15)
@given(data=st.data(), name=st.sampled_from(sorted(BUGS)))
def test_any_several_mistakes_are_the_findings(data: st.DataObject, name: str):
    chosen = data.draw(st.sets(st.sampled_from(sorted(BUGS[name])), min_size=2, max_size=5))
    bugs = [bug for words, bug in BUGS[name].items() if words in chosen]
    assert rules(diagnosed(name, *bugs)) == [(bug.rule, bug.path) for bug in bugs]


def test_two_mistakes_at_one_sum():
    """A projection of the wrong width that forgot its stride too."""
    narrow = nn.Sequential(conv(64, 100, 1), norm(100))
    report = diagnosed("resnet18", Bug(replaced(layer2__0__downsample=narrow), "", ""), side=224)
    assert rules(report) == [("wrong-width", "layer2.0"), ("stride-differs", "layer2.0")]
    assert report.findings[0].merge is report.findings[1].merge is report.broken[0]


def test_a_forgotten_padding_beside_a_forgotten_projection():
    projection = Bug(replaced(layer2__0__downsample=None), "missing-projection", "layer2.0")
    padding = Bug(changed("layer2.0.conv1", padding=(0, 0)), "padding-forgotten", "layer2.0")
    assert rules(diagnosed("resnet18", projection, padding, side=224)) == [
        ("missing-projection", "layer2.0"),
        ("padding-forgotten", "layer2.0"),
    ]


# ---- words -----------------------------------------------------------------------------------------------


SENTENCES = {
    ("resnet18", "no projection"): "layer2.0: channels 64 → 128, map 50×50 → 25×25, but its shortcut is the "
    "identity: a projection is missing. The branch gives 128×25×25, the shortcut 64×50×50.",
    ("resnet18", "no padding"): "layer1.0.conv2 (3×3, padding 0) has too little padding: with 1 the sizes would agree. "
    "The branch gives 64×48×48, the shortcut 64×50×50.",
    ("resnet18", "groups"): "layer1.1.conv1 has 3 groups, which do not divide its 64 inputs and its 64 outputs.",
    ("resnet18", "narrow branch"): "layer2.1.conv2 gives 96 channels where the sum takes 128. The branch gives "
    "96×25×25, the shortcut 128×25×25.",
    ("resnet18", "stride of the shortcut"): "layer3.0: the branch takes stride 2 to 13×13, its shortcut stride 1 and "
    "stays at 25×25. The branch gives 256×13×13, the shortcut 256×25×25.",
    ("resnet18", "width of a convolution"): "layer3.1.bn1 takes 256 channels, but layer3.1.conv1 gives 200 "
    "(200×13×13).",
    ("resnet18", "pooling rounds down"): "layer4.0: a side of 13 is odd, and the branch rounds its half up to 7×7, the "
    "shortcut down to 6×6. The branch gives 512×7×7, the shortcut 512×6×6.",
    ("resnet18", "classifier"): "fc takes 2048 features, but the sum of layer4.1 gives 512.",
    ("resnet50", "expansion of the projection"): "layer1.0: the branch ends in 4×64 = 256 channels, the shortcut in "
    "2×64 = 128: the shortcut has an expansion of 2 instead of 4. The branch gives 256×50×50, the shortcut 128×50×50.",
    ("resnet50", "padding of a 1×1"): "layer2.1.conv1 (1×1, padding 1) has too much padding: with 0 the sizes would "
    "agree. The branch gives 512×27×27, the shortcut 512×25×25.",
}


@pytest.mark.parametrize(("name", "words"), SENTENCES)
def test_the_cause_in_words(name: str, words: str):
    (finding,) = diagnosed(name, BUGS[name][words]).findings
    assert finding.sentence == SENTENCES[name, words]


def test_a_growing_block_that_keeps_its_size():
    (finding, *_) = inspect(PRESETS["resnet50"].with_(shortcut="identity")).findings
    assert finding.sentence == (
        "layer1.0: channels 64 → 256, but its shortcut is the identity: a projection is missing. "
        "The branch gives 256×56×56, the shortcut 64×56×56."
    )


def test_zero_padding_never_removes_channels():
    (finding,) = inspect(described(depths=(1, 1), widths=(16, 8), shortcut="zero_pad", image_size=32)).findings
    assert finding.rule == "missing-projection"
    assert finding.sentence == (
        "layer2.0 goes to 8 channels, but its shortcut pads with zeros, which never removes channels: a projection is "
        "missing. The branch gives 8×4×4, the shortcut 16×4×4."
    )


def test_a_broadcast_is_a_finding():
    pooled = nn.Sequential(nn.AdaptiveAvgPool2d(1), conv(256, 512, 1), norm(512))
    report = diagnosed("resnet18", Bug(replaced(layer4__0__downsample=pooled), "", ""))
    (finding,) = report.findings
    assert (finding.rule, finding.path) == ("broadcast", "layer4.0")
    assert finding.merge is not None
    assert finding.merge.verdict is Verdict.BROADCAST
    assert finding.sentence == (
        "layer4.0: the branch gives 512×7×7, the shortcut 512×1×1; PyTorch repeats the smaller one without an error, "
        "and the sum is not F(x) + x."
    )


class Sum(nn.Module):
    """Adds what two layers make of one input."""

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch, self.shortcut = branch, shortcut

    def forward(self, x: Tensor) -> Tensor:
        return self.branch(x) + self.shortcut(x)


def test_different_ranks():
    report = inspect(Sum(nn.Conv2d(3, 4, 1), nn.Flatten()), (3, 5, 5))
    (finding,) = report.findings
    assert (finding.rule, propose_fixes(report, finding)) == ("rank-differs", ())
    assert finding.sentence == (
        "the network: the branch gives 4×5×5, the shortcut 75; 3 and 1 dimensions cannot be added."
    )


def test_producers_are_named_with_their_lines():
    report = diagnosed("resnet18", BUGS["resnet18"]["no projection"])
    (finding,) = report.findings
    branch, shortcut = finding.producers
    assert (branch.path, branch.operation) == ("layer2.0.bn2", "batch_norm")
    assert (shortcut.path, shortcut.operation) == ("layer1.1.relu", "relu")
    assert branch.source.startswith("torchvision/models/resnet.py:")
    line = report.operations[finding.op].source.rpartition(":")[2]
    assert int(line) > int(branch.source.rpartition(":")[2])
    (of_spec,) = inspect(described(depths=(1, 1), widths=(4, 8), shortcut="identity", image_size=32)).findings
    assert of_spec.producers == (
        Producer("layer2.0.bn2", "batch_norm", ""),
        Producer("layer1.0.relu", "relu", ""),
    )


# ---- layers that don't suit their input ------------------------------------------------------------------

LAYERS: dict[str, tuple[nn.Module, int]] = {
    "conv": (nn.Conv2d(6, 9, 3), 6),
    "depthwise": (nn.Conv2d(6, 6, 3, groups=6), 6),
    "transposed": (nn.ConvTranspose2d(6, 9, 2, stride=2), 6),
    "same padding": (nn.Conv2d(6, 9, 3, padding="same"), 6),
    "batch norm": (nn.BatchNorm2d(6), 6),
    "batch norm without scale": (nn.BatchNorm2d(6, affine=False), 6),
    "group norm": (nn.GroupNorm(3, 6), 6),
    "linear": (nn.Linear(6, 9), 6),
    "linear without bias": (nn.Linear(6, 9, bias=False), 6),
    "layer norm": (nn.LayerNorm(6), 6),
}


@pytest.mark.parametrize("kind", LAYERS)
@torch.no_grad()
def test_layers_give_what_they_would_with_the_right_channels(kind: str):
    layer, wants = LAYERS[kind]
    last = isinstance(layer, (nn.Linear, nn.LayerNorm))
    first: nn.Module = nn.Conv2d(3, 4, 1) if not last else nn.Linear(3, 4)
    shape = (2, 5, 3) if last else (2, 3, 5, 5)
    report = inspect(nn.Sequential(first, layer, nn.ReLU()), inputs=[shape])
    (finding,) = report.findings
    assert (finding.rule, finding.path, finding.merge) == ("wrong-width", "1", None)
    fitting = (2, 5, wants) if last else (2, wants, 5, 5)
    assert report.operations[-1].shape == tuple(layer.eval()(torch.zeros(fitting)).shape)
    assert report.operations[finding.op].in_shapes[0] == ((2, 5, 4) if last else (2, 4, 5, 5))
    assert [p.path for p in finding.producers] == ["0"]


def test_every_wrong_layer_is_a_finding_of_its_own():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(9), nn.Conv2d(10, 4, 3), nn.Flatten(), nn.Linear(3, 2))
    report = inspect(net, (3, 8, 8))
    assert [(f.path, f.sentence) for f in report.findings] == [
        ("1", "1 takes 9 channels, but 0 gives 8 (8×6×6)."),
        ("2", "2 takes 10 channels, but 0 gives 9 (9×6×6)."),
        ("4", "4 takes 3 features, but 2 gives 64."),
    ]


def test_a_batch_norm_without_numbers_suits_every_input():
    net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(9, affine=False, track_running_stats=False))
    assert inspect(net, (3, 8, 8)).findings == ()


@pytest.mark.parametrize("groups", [3, 5])
def test_groups_of_a_weight_made_by_hand(groups: int):
    class Grouped(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(8, 9 // groups, 3, 3))

        def forward(self, x: Tensor) -> Tensor:
            return nn.functional.conv2d(x, self.weight, groups=groups)

    report = inspect(Grouped(), (9, 6, 6))
    (finding,) = report.findings
    assert (finding.rule, finding.path, propose_fixes(report, finding)) == ("groups-do-not-divide", "", ())


def test_groups_of_a_group_norm():
    norm = nn.GroupNorm(4, 8)
    norm.num_groups = 3
    report = inspect(nn.Sequential(nn.Conv2d(3, 8, 3), norm), (3, 6, 6))
    (finding,) = report.findings
    assert (finding.rule, finding.path) == ("groups-do-not-divide", "1")
    assert [fix.title for fix in propose_fixes(report, finding)] == ["Groups of 1: 3 → 1", "Groups of 1: 3 → 2"]


# ---- specs -----------------------------------------------------------------------------------------------


@settings(max_examples=25)
@given(spec=small_specs().filter(normalisable))
@example(spec=described(depths=(2, 1), widths=(4, 8), shortcut="identity", image_size=33))
def test_findings_of_random_specs_are_their_broken_sums(spec: ResNetSpec):
    """Exactly one for each sum that the definitions say does not fit, by the rule of what is there."""
    assume(not derails(spec))
    broken = {path: sides for path, sides in merges(spec).items() if sides[0] != sides[1]}
    findings = inspect(spec).findings
    assert [finding.path for finding in findings] == list(broken)
    for finding in findings:
        branch, shortcut = broken[finding.path]
        assert finding.merge is not None
        assert (finding.merge.branch_shape, finding.merge.shortcut_shape) == (branch, shortcut)
        one_size = branch[0] == shortcut[0]
        silent = finding.merge.verdict is Verdict.BROADCAST
        assert finding.rule == ("broadcast" if silent else "stride-differs" if one_size else "missing-projection")


@settings(max_examples=25)
@given(spec=small_specs().filter(fits).filter(normalisable), data=st.data())
def test_a_planted_mismatch_is_always_found(spec: ResNetSpec, data: st.DataObject):
    changing = [plan.path for plan in spec.blocks if plan.changes_shape]
    assume(changing)
    path = data.draw(st.sampled_from(changing))
    planted = spec.with_(shortcut_overrides={**dict(spec.shortcut_overrides), path: "identity"})
    assume(not derails(planted) and path in merges(planted) and not _same(planted, path))
    assert [finding.path for finding in inspect(planted).findings] == [path]


def _same(spec: ResNetSpec, path: str) -> bool:
    """Whether a stride changes nothing, because the map is one pixel."""
    branch, shortcut = merges(spec)[path]
    return branch == shortcut


def test_findings_are_made_once():
    report = inspect(PRESETS["cifar_resnet20"].with_(shortcut="identity"))
    assert report.findings is report.findings


def test_findings_are_plain_values():
    """Equal for equal networks, and free of anything that runs: they can be pickled."""
    first, second = (diagnosed("resnet18", *BUGS["resnet18"].values()) for _ in range(2))
    assert first.findings == second.findings
    assert len(set(first.findings + second.findings)) == len(BUGS["resnet18"])
    assert pickle.loads(pickle.dumps(first.findings)) == first.findings
