"""The field's words find what they mean."""

from __future__ import annotations

from collections import Counter

import pytest

from explorer.inspection import inspect
from explorer.spec import PRESETS
from explorer.views.diagram.locate import locate
from explorer.views.diagram.model import build_diagram, default_open
from explorer.views.diagram.terms import TERMS, normalise, search
from tests.support.drawings import Inspect

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.mark.parametrize(
    ("preset", "text", "words", "first"),
    [
        ("resnet18", "skip connection", "8 shortcuts", "layer1.0:add"),
        ("resnet18", "Skip-Connections", "8 shortcuts", "layer1.0:add"),
        ("resnet18", "shortcut", "8 shortcuts", "layer1.0:add"),
        ("resnet18", "residual", "8 shortcuts", "layer1.0:add"),
        ("resnet18", "identity", "5 identity shortcuts", "layer1.0:add"),
        ("resnet18", "projection", "3 projections", "layer2.0.downsample.0"),
        ("resnet50", "bottleneck", "16 bottleneck blocks", "layer1.0"),
        ("resnet50", "residual block", "16 blocks", "layer1.0"),
        ("resnet18", "downsampling", "8 layers that downsample", "conv1"),
        ("resnet18", "stride", "8 layers that downsample", "conv1"),
        ("cifar_resnet20", "downsampling", "4 layers that downsample", "layer2.0.conv1"),
        ("cifar_resnet20", "zero padding", "2 zero-padded shortcuts", "layer2.0.downsample"),
        ("resnet18", "head", "1 head", "head"),
        ("resnet18", "classifier", "1 classifier", "fc"),
        ("resnet18", "fully connected layer", "1 classifier", "fc"),
        ("resnet18", "stem", "1 stem", "stem"),
        ("resnet18", "pooling", "2 pooling layers", "maxpool"),
        ("resnet18", "max pooling", "1 max-pooling layer", "maxpool"),
        ("resnet18", "global average pooling", "1 average-pooling layer", "avgpool"),
        ("resnet18", "batch norm", "20 batch norms", "bn1"),
        ("resnet18", "normalisation", "20 normalisation layers", "bn1"),
        ("resnet18", "normalization", "20 normalisation layers", "bn1"),
        ("resnet18", "activation", "17 activations", "relu"),
        ("resnet50", "1x1", "36 1×1 convolutions", "layer1.0.conv1"),
        ("resnet50", "1×1 conv", "36 1×1 convolutions", "layer1.0.conv1"),
        ("resnext50_32x4d", "cardinality", "16 grouped convolutions", "layer1.0.conv2"),
        ("resnet18", "stage", "4 stages", "layer1"),
        ("resnet18", "skip con", "8 shortcuts", "layer1.0:add"),
        ("resnet18", "layer3.1.conv2", "1 found", "layer3.1.conv2"),
        ("resnet18", "downsample", "6 found", "layer2.0.downsample.0"),
        ("resnet18", "layer2.0", "10 found", "layer2.0"),
        ("resnet18", "Layer2", "17 found", "layer2"),
    ],
)
def test_a_word_finds_what_it_means(preset: str, text: str, words: str, first: str, report_of: Inspect) -> None:
    found = search(report_of(preset), text)
    assert (found.words, found.ids[0]) == (words, first)
    assert found.words in (f"{len(found.ids)} {found.noun}", f"{len(found.ids)} found")


def test_a_mismatch_is_found_where_it_is() -> None:
    broken = inspect(PRESETS["resnet18"].with_(shortcut="identity"))
    assert search(broken, "mismatch").words == "3 shape mismatches"
    assert search(broken, "mismatches").ids == ("layer2.0:add", "layer3.0:add", "layer4.0:add")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bottleneck", "no bottleneck blocks in this network; try shortcut, projection, stem"),
        ("bottelneck", "nothing found; did you mean bottleneck?"),
        ("transformer", "nothing found; try shortcut, projection, stem"),
        ("  ", ""),
    ],
)
def test_where_nothing_is_found_words_are_suggested(text: str, words: str, report_of: Inspect) -> None:
    found = search(report_of("resnet18"), text)
    assert (found.ids, found.words) == ((), words)


def test_no_word_means_two_things() -> None:
    words = Counter(word for term in TERMS for word in term.words)
    assert {word for word, count in words.items() if count > 1} == set()
    assert all(word == normalise(word) for word in words)


@pytest.mark.parametrize("preset", ["resnet50", "cifar_resnet20", "preact_resnet164"])
def test_whatever_is_found_can_be_shown(preset: str, report_of: Inspect) -> None:
    report = report_of(preset)
    for term in TERMS:
        for name in search(report, term.one).ids[:3]:
            opened, seen = locate(report, default_open(report), name)
            diagram = build_diagram(report, opened)
            assert seen == name
            assert diagram.node(name) or name in [group.id for group in diagram.groups]
