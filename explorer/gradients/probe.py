"""Gradient and activation strength along depth, measured by real backward passes at initialisation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

import torch

from ..network import ResNet, build
from ..spec import ResNetSpec
from .budget import Setting
from .options import Options, PassCounter, ProbeCancelled, ProbeOptions, Progress
from .passes import Pass, mean, measure, weight_layers
from .results import BlockGradient, GradientProbe, LayerGradient
from .stats import l2_norm

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["ProbeCancelled", "ProbeOptions", "probe_beside", "probe_gradients", "probe_with_twin"]


def probe_gradients(
    spec: ResNetSpec, *, on_progress: Progress | None = None, **options: Unpack[ProbeOptions]
) -> GradientProbe:
    """Backward passes of cross-entropy at the initial weights; by default on noise, with random labels.

    Equal arguments give equal numbers on one machine with one number of threads; another one sums in another order,
    which deep networks amplify (a float32 ResNet-50: 0.04 % in its first layer).

    Args:
        on_progress: called with the number of batches done and their total, before the first and after each.
        options: see ``Options``.

    Raises:
        ExplorerError: a shortcut does not match, an option is out of bounds, or the network is over budget.
        ProbeCancelled: ``cancelled()`` was true.
    """
    return probe_beside(spec, (), on_progress=on_progress, **options)[0]


def probe_with_twin(
    spec: ResNetSpec,
    *,
    twin: ResNetSpec | None = None,
    on_progress: Progress | None = None,
    **options: Unpack[ProbeOptions],
) -> tuple[GradientProbe, GradientProbe | None]:
    """This network beside ``twin``, by default its plain twin, ``spec.plain()``; see ``probe_beside``.

    None if no twin is given and ``spec`` is plain already.
    """
    twins = (twin,) if twin is not None else () if spec.is_plain else (spec.plain(),)
    here, others = probe_beside(spec, twins, on_progress=on_progress, **options)
    return here, others[0] if others else None


def probe_beside(
    spec: ResNetSpec,
    twins: Sequence[ResNetSpec],
    *,
    on_progress: Progress | None = None,
    **options: Unpack[ProbeOptions],
) -> tuple[GradientProbe, tuple[GradientProbe, ...]]:
    """This network and others: same images, labels and, in every layer they share, the same weights.

    All have one setting, reduced until it fits the largest of them. A twin gets this network's channels of the
    image and its classes; its ``image_size`` is ignored.

    Args:
        on_progress: called with the number of batches done and their total, for all networks, before the first
            and after each.
        options: see ``Options``.

    Raises:
        ExplorerError, ProbeCancelled: as ``probe_gradients``.
    """
    asked = Options(**options)
    specs = [spec, *(twin.with_(in_channels=spec.in_channels, num_classes=spec.num_classes) for twin in twins)]
    setting = asked.settle(specs)
    steps = PassCounter(len(specs) * setting.seeds * setting.batches, on_progress, asked.cancelled)
    said = [setting.notes, *(tuple(_changes(*pair)) for pair in zip(twins, specs[1:], strict=True))]
    here, *others = (probe_at(s, asked, replace(setting, notes=n), steps) for s, n in zip(specs, said, strict=True))
    return here, tuple(others)


def _changes(asked: ResNetSpec, measured: ResNetSpec) -> Iterator[str]:
    """What a twin was given to be comparable, as sentences."""
    for name, words in (("num_classes", "classes"), ("in_channels", "image channels")):
        before, after = getattr(asked, name), getattr(measured, name)
        if before != after:
            yield f"{before} → {after} {words}, as many as the network beside it has."


def probe_at(spec: ResNetSpec, asked: Options, setting: Setting, steps: PassCounter) -> GradientProbe:
    passes: list[list[Pass]] = []
    weight_norms: list[list[float]] = []
    # The caller may be inside torch.no_grad or torch.inference_mode.
    with torch.inference_mode(False), torch.enable_grad():
        for seed in range(setting.seed, setting.seed + setting.seeds):
            model = build(spec, seed=seed).to(asked.device, asked.dtype)
            passes.append([])
            steps.begin()
            for images, labels in asked.draw(spec, setting):
                steps.check()
                passes[-1].append(measure(model, images, labels))
                steps.advance()
            weight_norms.append([l2_norm(layer.weight) for _, layer in weight_layers(model)])
    runs = passes[0] if setting.seeds == 1 else [Pass.mean(of_seed) for of_seed in passes]
    return _result(model, asked, setting, runs, [mean(norms) for norms in zip(*weight_norms, strict=True)])


def _result(
    model: ResNet, asked: Options, setting: Setting, runs: Sequence[Pass], weight_norms: Sequence[float]
) -> GradientProbe:
    layers = tuple(_layers(model, runs, weight_norms))
    blocks = tuple(_blocks(model.spec, runs))
    loss = mean([p.loss for p in runs])
    return GradientProbe(
        spec=model.spec,
        setting=setting,
        layers=layers,
        blocks=blocks,
        loss=loss,
        device=str(model.fc.weight.device),
        dtype=str(model.fc.weight.dtype).removeprefix("torch."),
        notes=(*setting.notes, *_remarks(model.spec, layers, blocks, loss)),
        images="noise" if asked.inputs is None else "given",
        labels="random" if asked.labels is None else "true",
    )


def _layers(model: ResNet, runs: Sequence[Pass], weight_norms: Sequence[float]) -> Iterator[LayerGradient]:
    depth = 0
    of_each = zip(
        (path for path, _ in weight_layers(model)),
        weight_norms,
        zip(*(p.weights for p in runs), strict=True),
        zip(*(p.layer_stds for p in runs), strict=True),
        strict=True,
    )
    for path, weight_norm, norms, stds in of_each:
        is_projection = ".downsample." in path
        depth += not is_projection
        band = mean(norms), min(norms), max(norms)
        yield LayerGradient(path, depth, is_projection, *band, weight_norm, mean(stds), norms, stds)


def _blocks(spec: ResNetSpec, runs: Sequence[Pass]) -> Iterator[BlockGradient]:
    depth = spec.stem.convolutions
    of_each = zip(zip(*(p.outputs for p in runs), strict=True), zip(*(p.stds for p in runs), strict=True), strict=True)
    for plan, (norms, stds) in zip(spec.blocks, of_each, strict=True):
        depth += spec.block.convolutions
        yield BlockGradient(plan.path, plan.stage, depth, mean(norms), mean(stds), norms, stds)


def _remarks(
    spec: ResNetSpec, layers: Sequence[LayerGradient], blocks: Sequence[BlockGradient], loss: float
) -> Iterator[str]:
    """What the numbers need said, as far as they show it."""
    if spec.num_classes == 1:
        yield "With one class the loss is always 0, and so is every gradient."
    overflown = next((b.path for b in blocks if not isfinite(b.activation_std)), "fc")
    lost = sum(not isfinite(layer.norm) for layer in layers)
    if not isfinite(loss):
        yield f"The activations overflow from {overflown} on, so that there is no gradient to measure."
    elif lost:
        yield f"The gradient overflows in {lost} of {len(layers)} layers, which therefore have no value."
    zeros = sum(layer.norm == 0 for layer in layers)
    if zeros:
        yield f"{zeros} of {len(layers)} layers have a gradient of exactly 0."
    if zeros and spec.zero_init_residual:
        yield (
            "zero_init_residual multiplies every branch by 0 at first: no gradient passes that factor, "
            "and without a shortcut no signal does either."
        )
