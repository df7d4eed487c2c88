"""Explanations equal the formulas they are named after, and leave the network as it was."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from explorer.errors import ExplorerError, WeightsError
from explorer.inference import Classifier, Engine, PreprocessedInput, Transform, load_classifier
from explorer.inference.explain import (
    branch_strengths,
    class_activation,
    contributions,
    feature_maps,
    grad_cam,
    layers,
    predict_without,
    spread,
    switchable,
)
from explorer.inference.explain.strengths import summands
from explorer.network import ResNet, build
from explorer.network.blocks import PreActBlock
from explorer.spec import ResNetSpec
from tests.support.weight_server import variant_of

SMALL: dict[str, Any] = {
    "depths": (2, 2, 1),
    "widths": (8, 16, 32),
    "stem": "cifar",
    "num_classes": 10,
    "image_size": 32,
}
SPECS = {
    "basic": {"block": "basic", "shortcut": "zero_pad"},
    "bottleneck": {"block": "bottleneck", "shortcut": "projection"},
    "preact_basic": {"block": "preact_basic", "shortcut": "zero_pad"},
    "preact_bottleneck": {"block": "preact_bottleneck", "shortcut": "projection_all"},
    "no norm": {"block": "bottleneck", "norm": "none"},
    "imagenet stem": {"block": "basic", "stem": "imagenet"},
    "deep stem": {"block": "preact_basic", "stem": "deep"},
}
PLAIN = {"block": "basic", "shortcut": "none"}


def classifier(changes: dict[str, Any]) -> tuple[Classifier, ResNet]:
    """A seeded network whose normalisation has model_input something, with its classifier."""
    spec = ResNetSpec(**SMALL | changes)
    model = build(spec, seed=3)
    dice = torch.Generator().manual_seed(0)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            assert module.running_mean is not None
            assert module.running_var is not None
            nn.init.normal_(module.running_mean, std=0.1, generator=dice)
            nn.init.uniform_(module.running_var, 0.5, 1.5, generator=dice)
    return Classifier(variant_of(b"", "", spec=spec), Engine(model, torch.device("cpu"))), model


@pytest.fixture(scope="module", params=SPECS.values(), ids=list(SPECS))
def net(request: pytest.FixtureRequest) -> tuple[Classifier, ResNet]:
    return classifier(request.param)


@pytest.fixture(scope="module")
def model_input() -> PreprocessedInput:
    torch.manual_seed(1)
    image = Image.effect_noise((48, 40), 90).convert("RGB").resize((40, 40))
    return PreprocessedInput(image, torch.randn(3, 32, 32))


def with_output(model: nn.Module, path: str, x: Tensor) -> tuple[Tensor, Tensor]:
    """Logits, and what the module of that path gave."""
    found: list[Tensor] = []
    handle = model.get_submodule(path).register_forward_hook(lambda module, inputs, output: found.append(output))
    try:
        return model(x), found[-1]
    finally:
        handle.remove()


# Grad-CAM


@pytest.mark.parametrize("block", ["layer1.0", "layer2.1", "layer3.0"])
def test_grad_cam_is_its_formula(net: tuple[Classifier, ResNet], model_input: PreprocessedInput, block: str) -> None:
    logits, maps = with_output(net[1], block, model_input.tensor[None])
    most = []
    for index in range(5):
        (gradient,) = torch.autograd.grad(logits[0, index], maps, retain_graph=True)
        expected = F.relu((gradient.mean((2, 3), keepdim=True) * maps).sum(1))[0].detach()
        assert torch.allclose(class_activation(net[0], model_input, block, index), expected, rtol=1e-5, atol=1e-5)
        most.append(float(expected.max()))
    assert max(most) > 0


def test_grad_cam_covers_the_crop_from_0_to_1(net: tuple[Classifier, ResNet], model_input: PreprocessedInput) -> None:
    index = next(i for i in range(10) if class_activation(net[0], model_input, "layer2.1", i).any())
    heat, cells = (
        grad_cam(net[0], model_input, "layer2.1", index),
        class_activation(net[0], model_input, "layer2.1", index),
    )
    expected = F.interpolate(cells[None, None], (32, 32), mode="bilinear")[0, 0]
    assert torch.allclose(heat, expected / expected.max(), atol=1e-6)
    assert heat.shape == (32, 32)
    assert (float(heat.min()) >= 0, float(heat.max())) == (True, 1.0)
    assert torch.equal(spread(cells, model_input), heat)


def test_where_nothing_speaks_for_a_class_grad_cam_is_0(model_input: PreprocessedInput) -> None:
    one, model = classifier(SPECS["basic"])
    with torch.no_grad():
        model.fc.weight[7] = 0  # its logit no longer depends on the photo
    assert torch.equal(grad_cam(one, model_input, "layer3.0", 7), torch.zeros(32, 32))


# Feature maps


@pytest.mark.parametrize("layer", ["conv1", "layer1.0.conv1", "layer2.0", "layer3.0.conv2"])
def test_feature_maps_are_the_layers_output(
    net: tuple[Classifier, ResNet], model_input: PreprocessedInput, layer: str
) -> None:
    if layer == "conv1" and not isinstance(net[1].conv1, nn.Conv2d):
        layer = "conv1.0"
    with torch.no_grad():
        _, output = with_output(net[1], layer, model_input.tensor[None])
    found = feature_maps(net[0], model_input, layer, most=None)
    assert found.channels == output.shape[1] == len(found.maps)
    assert sorted(each.channel for each in found.maps) == list(range(found.channels))
    for each in found.maps:
        assert torch.equal(each.values, output[0, each.channel])
        assert each.strength == pytest.approx(float(each.values.square().mean().sqrt()), rel=1e-5)
    strengths = [each.strength for each in found.maps]
    assert strengths == sorted(strengths, reverse=True)
    assert [each.channel for each in feature_maps(net[0], model_input, layer, 4).maps] == [
        m.channel for m in found.maps[:4]
    ]


@pytest.mark.parametrize(("at", "row", "column"), [((0, 0), 0, 0), ((1, 0.5), 8, 15), ((0.26, 0.99), 15, 4)])
def test_feature_maps_are_ordered_by_a_place(
    model_input: PreprocessedInput, at: tuple[float, float], row: int, column: int
) -> None:
    one, _ = classifier(SPECS["basic"])
    found = feature_maps(one, model_input, "layer2.0.conv1", 3, at)
    assert found.maps[0].values.shape == (16, 16)
    every = feature_maps(one, model_input, "layer2.0.conv1", None).maps
    most = sorted((abs(float(each.values[row, column])) for each in every), reverse=True)[:3]
    assert [each.strength for each in found.maps] == pytest.approx(most)


def test_every_layer_on_offer_gives_maps(net: tuple[Classifier, ResNet], model_input: PreprocessedInput) -> None:
    offered = layers(net[0])
    assert list(offered) == ["stem", *(plan.path for plan in net[0].variant.spec.blocks)]
    assert offered["stem"]
    assert offered["layer2.0"][0] == "layer2.0"
    assert {"layer2.0.conv1", "layer2.0.conv2"} < set(offered["layer2.0"])
    for path in (path for paths in offered.values() for path in paths):
        assert feature_maps(net[0], model_input, path, 1).maps[0].values.dim() == 2


# Branch and shortcut


def test_branch_and_shortcut_add_up_to_every_blocks_output(
    net: tuple[Classifier, ResNet], model_input: PreprocessedInput
) -> None:
    parts = summands(net[0], model_input)
    strengths = {each.block: each for each in branch_strengths(net[0], model_input)}
    for plan in net[0].variant.spec.blocks:
        branch, shortcut = parts[plan.path]
        assert shortcut is not None
        with torch.no_grad():
            _, output = with_output(net[1], plan.path, model_input.tensor[None])
        block = net[1].get_submodule(plan.path)
        total = branch + shortcut
        assert torch.equal(total if isinstance(block, PreActBlock) else torch.relu(total), output)
        strength = strengths[plan.path]
        assert strength.branch == pytest.approx(float(branch.norm()), rel=1e-5)
        assert strength.shortcut == pytest.approx(float(shortcut.norm()), rel=1e-5)
        assert strength.ratio == pytest.approx(float(branch.norm() / shortcut.norm()), rel=1e-5)


# Switching off


def by_hand(model: ResNet, stage: str, x: Tensor) -> Tensor:
    """Logits of the network in which ``stage`` has shortcuts only."""
    x = model.maxpool(model.relu(model.bn1(model.conv1(x))))
    for name in model.stages:
        for block in getattr(model, name):
            if name != stage:
                x = block(x)
            elif isinstance(block, PreActBlock):
                x = block.shortcut(torch.relu(block.bn1(x)) if block.shared else x)
            else:
                x = torch.relu(block.shortcut(x))
    return model.fc(model.post(x).mean((2, 3)))


@pytest.mark.parametrize("stage", ["layer1", "layer2", "layer3"])
def test_a_stage_switched_off_is_a_network_built_without_it(
    net: tuple[Classifier, ResNet], model_input: PreprocessedInput, stage: str
) -> None:
    off = [path for path in switchable(net[0].variant.spec) if path.startswith(stage)]
    found = predict_without(net[0], model_input, off, top=10)
    with torch.no_grad():
        expected = by_hand(net[1], stage, model_input.tensor[None])[0]
        whole = net[1](model_input.tensor[None])[0]
    logits = torch.tensor([each.logit for each in sorted(found, key=lambda each: each.index)])
    assert torch.allclose(logits, expected, rtol=1e-5, atol=1e-5)
    assert not torch.allclose(logits, whole, atol=1e-3)
    assert [each.probability for each in found] == pytest.approx(
        torch.softmax(expected, 0).sort(descending=True)[0].tolist()
    )


def test_nothing_switched_off_is_the_answer_of_the_classifier() -> None:
    one = load_classifier(device="cpu")
    image = Image.effect_noise((60, 50), 90).convert("RGB")
    found = predict_without(one, one.variant.transform(image), ())
    answer = one.classify(image).top
    assert [each.name for each in found] == [name for name, _ in answer]
    assert [each.probability for each in found] == pytest.approx([score for _, score in answer], abs=1e-4)
    assert [one.variant.classes[each.index] for each in found] == [each.name for each in found]


def test_nan_in_the_logits_is_an_error(model_input: PreprocessedInput) -> None:
    one, model = classifier(SPECS["basic"])
    with torch.no_grad():
        model.fc.bias[0] = float("nan")
    with pytest.raises(
        WeightsError, match="without these blocks the network returns NaN or infinity instead of a prediction"
    ):
        predict_without(one, model_input, ["layer1.0"])


# Contributions


def test_a_contribution_is_the_logit_that_goes_with_the_block(
    net: tuple[Classifier, ResNet], model_input: PreprocessedInput
) -> None:
    def logit(*off: str) -> float:
        return next(each.logit for each in predict_without(net[0], model_input, off, top=10) if each.index == 3)

    steps: list[tuple[int, int]] = []
    whole = contributions(net[0], model_input, 3, lambda done, of: steps.append((done, of)))
    found = whole.blocks
    assert [each.block for each in found] == list(switchable(net[0].variant.spec))
    assert [each.logit for each in found] == pytest.approx([logit() - logit(each.block) for each in found], abs=1e-4)
    assert max(abs(each.logit) for each in found) > 1e-2
    assert steps == [(done, 5) for done in range(1, 6)]
    measured = [((), whole.answer, whole.probability), *(((one.block,), one.answer, one.probability) for one in found)]
    for off, answer, probability in measured:
        scores = predict_without(net[0], model_input, off, top=10)
        assert answer == scores[0].name
        assert probability == pytest.approx(next(one.probability for one in scores if one.index == 3), abs=1e-4)
    assert whole.name == net[0].variant.classes[3]


@pytest.mark.parametrize("block", ["basic", "bottleneck", "preact_basic", "preact_bottleneck"])
def test_branches_that_start_at_0_contribute_nothing(model_input: PreprocessedInput, block: str) -> None:
    one, _ = classifier({"block": block, "norm": "none", "zero_init_residual": True})
    assert [each.logit for each in contributions(one, model_input, 0).blocks] == [0.0] * 5
    assert [each.ratio for each in branch_strengths(one, model_input)] == [0.0] * 5


# A plain network, and what is not there


def test_a_plain_network_has_nothing_to_switch_off(model_input: PreprocessedInput) -> None:
    one, _ = classifier(PLAIN)
    assert switchable(one.variant.spec) == ()
    assert contributions(one, model_input, 0).blocks == ()
    assert all(
        each.shortcut is None and each.ratio is None and each.branch > 0 for each in branch_strengths(one, model_input)
    )
    with pytest.raises(ExplorerError, match=r"^layer1\.1 cannot be switched off: it has no shortcut"):
        predict_without(one, model_input, ["layer1.1"])
    assert max(float(grad_cam(one, model_input, "layer2.0", index).max()) for index in range(10)) == 1


def test_a_plain_block_among_others_is_left_out(model_input: PreprocessedInput) -> None:
    one, _ = classifier({"block": "basic", "shortcut_overrides": {"layer2.1": "none"}})
    assert [each.block for each in contributions(one, model_input, 0).blocks] == [
        "layer1.0",
        "layer1.1",
        "layer2.0",
        "layer3.0",
    ]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda one, model_input: predict_without(one, model_input, ["layer9.0"]),
            "no block is named 'layer9.0'; blocks run from",
        ),
        (
            lambda one, model_input: grad_cam(one, model_input, "layer1.0", 10),
            "class: got 10; this network's classes are numbered 0 to 9",
        ),
        (lambda one, model_input: contributions(one, model_input, -1), "class: got -1"),
        (
            lambda one, model_input: grad_cam(one, model_input, "fc", 0),
            "no layer named 'fc' gives feature maps in Small Net",
        ),
        (
            lambda one, model_input: feature_maps(one, model_input, "layer1"),
            "no layer named 'layer1' gives feature maps",
        ),
    ],
)
def test_what_is_not_there_is_said(
    ask: Callable[[Classifier, PreprocessedInput], Any], message: str, model_input: PreprocessedInput
) -> None:
    with pytest.raises(ExplorerError, match=message):
        ask(classifier(SPECS["basic"])[0], model_input)


# Nothing is left behind


def hooks(model: nn.Module) -> int:
    return sum(len(module._forward_hooks) + len(module._forward_pre_hooks) for module in model.modules())


def test_the_network_is_as_before(net: tuple[Classifier, ResNet], model_input: PreprocessedInput) -> None:
    one, model = net
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with torch.no_grad():
        logits = model(model_input.tensor[None])
    predict_without(one, model_input, switchable(one.variant.spec))
    contributions(one, model_input, 0)
    grad_cam(one, model_input, "layer2.0", 0)
    feature_maps(one, model_input, "layer2.0")
    branch_strengths(one, model_input)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert (hooks(model), model.training) == (0, False)
    assert all(weight.grad is None for weight in model.parameters())
    with torch.no_grad():
        assert torch.equal(model(model_input.tensor[None]), logits)


def test_the_network_is_as_before_when_it_was_stopped(model_input: PreprocessedInput) -> None:
    one, model = classifier(SPECS["basic"])

    def stop(done: int, of: int) -> None:
        if done == 2:
            raise ExplorerError("Stopped.")

    with pytest.raises(ExplorerError, match=r"^Stopped\.$"):
        contributions(one, model_input, 0, stop)
    assert hooks(model) == 0


# Where the crop lies


def test_the_crops_place_on_the_photo() -> None:
    transform = Transform(256, 224, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2))
    assert transform.place((640, 480)) == (58 / 341, 16 / 256, 282 / 341, 240 / 256)
    assert transform.place((480, 640)) == (16 / 256, 58 / 341, 240 / 256, 282 / 341)
    assert Transform(32, 32, (0.5, 0.5, 0.5), (0.2, 0.2, 0.2)).place((50, 50)) == (0, 0, 1, 1)
