"""Gradient and activation strength along depth, measured by real backward passes at initialisation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import isfinite
from typing import TYPE_CHECKING, TypedDict

import torch
from torch import Tensor
from torch.nn import functional as F

from ..errors import ExplorerError
from ..network import ResNet, build
from ..spec import ResNetSpec
from ..spec.fields import integer
from .budget import Budget, Setting, fit
from .passes import Pass, l2_norm, measure, weight_layers
from .results import BlockGradient, GradientProbe, LayerGradient
from .sums import check_sums

if TYPE_CHECKING:
    from typing_extensions import Unpack

Progress = Callable[[int, int], None]


class ProbeCancelled(ExplorerError):
    """The measurement was stopped between two batches; there is no result."""


class ProbeOptions(TypedDict, total=False):
    """Keyword arguments that ``probe_with_twin`` hands to ``probe_gradients``."""

    batch_size: int
    batches: int
    image_size: int | None
    seed: int
    device: torch.device | str
    dtype: torch.dtype
    inputs: Tensor | None
    budget: Budget
    cancelled: Callable[[], bool] | None


def probe_gradients(
    spec: ResNetSpec,
    *,
    batch_size: int = 8,
    batches: int = 3,
    image_size: int | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    inputs: Tensor | None = None,
    budget: Budget = Budget(),  # noqa: B008  (frozen)
    on_progress: Progress | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> GradientProbe:
    """Backward passes of cross-entropy with random labels, on standard normal noise, at the initial weights.

    Weights, noise and labels depend on ``seed`` alone, and two networks see the same images and labels. Equal
    arguments give equal numbers on one machine with one number of threads; another one sums in another order,
    which deep networks amplify (a float32 ResNet-50: 0.04 % in its first layer).

    Args:
        image_size: side of the noise images, px; ``spec.image_size`` if None.
        inputs: (N, in_channels, H, W) of any range, shown in every batch instead of noise, with new labels
            each time; N, H and W replace ``batch_size`` and ``image_size``.
        budget: what the measurement may take. Beyond it, images shrink (``inputs`` by area), then batches.
        on_progress: called with batches done and batches in all, after each.
        cancelled: asked before each batch; True stops.

    Raises:
        ExplorerError: a shortcut doesn't fit, an argument is out of bounds, or the network is over budget.
        ProbeCancelled: ``cancelled()`` was true.
    """
    side = spec.image_size if image_size is None else image_size
    size = (batch_size, side, side) if inputs is None else _image_size(inputs, spec)
    wanted = _setting(size, batches, seed)
    check_sums(spec, wanted.height, wanted.width)
    setting = fit(spec, wanted, dtype.itemsize, budget)
    passes: list[Pass] = []
    # The caller may be inside torch.no_grad or torch.inference_mode.
    with torch.inference_mode(False), torch.enable_grad():
        model = build(spec, seed=seed).to(device, dtype)
        for images, labels in _batches(spec, setting, inputs):
            if cancelled is not None and cancelled():
                raise ProbeCancelled(f"Stopped after {len(passes)} of {batches} batches.")
            passes.append(measure(model, images.to(device, dtype), labels.to(device)))
            if on_progress is not None:
                on_progress(len(passes), batches)
    return _result(model, setting, passes)


def probe_with_twin(
    spec: ResNetSpec, *, on_progress: Progress | None = None, **options: Unpack[ProbeOptions]
) -> tuple[GradientProbe, GradientProbe | None]:
    """This network and its plain twin, ``spec.plain()``: same images, labels and shared weights.

    This network's setting, reduced if need be, holds for both. Options and errors are those of
    ``probe_gradients``; ``on_progress`` counts the batches of both. None where ``spec`` is plain already.
    """
    networks = 1 if spec.is_plain else 2
    here = probe_gradients(spec, on_progress=_counted(on_progress, 0, networks), **options)
    if spec.is_plain:
        return here, None
    options["batch_size"], options["image_size"] = here.setting.batch_size, here.setting.side
    inputs = options.get("inputs")
    if inputs is not None:
        options["inputs"] = _shrunk(inputs, here.setting)
    return here, probe_gradients(spec.plain(), on_progress=_counted(on_progress, 1, networks), **options)


def _counted(report: Progress | None, earlier: int, networks: int) -> Progress | None:
    """Progress of one network as part of several of equal length."""
    return report and (lambda done, total: report(earlier * total + done, networks * total))


def _setting(size: tuple[int, int, int], batches: int, seed: int) -> Setting:
    """A setting within bounds, of N, H, W and the rest."""
    return Setting(
        batch_size=integer(1, 1024)("batch_size", size[0]),
        batches=integer(1, 64)("batches", batches),
        height=integer(1, 2048)("image_size", size[1]),
        width=integer(1, 2048)("image_size", size[2]),
        seed=integer(0, 2**31 - 1)("seed", seed),
    )


def _image_size(inputs: Tensor, spec: ResNetSpec) -> tuple[int, int, int]:
    """N, H, W of given images."""
    shape = tuple(inputs.shape)
    if len(shape) != 4 or shape[1] != spec.in_channels or 0 in shape:
        raise ExplorerError(
            f"inputs: got shape {'×'.join(map(str, shape)) or 'of a single number'}; "
            f"N×{spec.in_channels}×H×W is expected"
        )
    if not torch.isfinite(inputs).all():
        raise ExplorerError("inputs: some values are infinite or not a number; finite ones are expected")
    return shape[0], shape[2], shape[3]


def _batches(spec: ResNetSpec, setting: Setting, inputs: Tensor | None) -> Iterator[tuple[Tensor, Tensor]]:
    """Images (N, in_channels, H, W), float32 if noise, and labels (N,), from one stream of dice.

    Drawn on the CPU and in single precision, so that every device and dtype sees the same.
    """
    generator = torch.Generator().manual_seed(setting.seed)
    given = None if inputs is None else _shrunk(inputs, setting)
    shape = (setting.batch_size, spec.in_channels, setting.height, setting.width)
    for _ in range(setting.batches):
        images = torch.randn(shape, generator=generator) if given is None else given
        yield images, torch.randint(spec.num_classes, shape[:1], generator=generator)


def _shrunk(inputs: Tensor, setting: Setting) -> Tensor:
    """The first images of a batch, averaged down to the setting's size.

    A copy, since what comes from ``torch.inference_mode`` cannot enter autograd's graph.
    """
    images = inputs.detach()[: setting.batch_size].clone()
    size = (setting.height, setting.width)
    return images if tuple(images.shape[2:]) == size else F.interpolate(images, size, mode="area")


def _result(model: ResNet, setting: Setting, passes: Sequence[Pass]) -> GradientProbe:
    layers = tuple(_layers(model, passes))
    blocks = tuple(_blocks(model.spec, passes))
    loss = _mean([p.loss for p in passes])
    return GradientProbe(
        spec=model.spec,
        setting=setting,
        layers=layers,
        blocks=blocks,
        loss=loss,
        device=str(model.fc.weight.device),
        dtype=str(model.fc.weight.dtype).removeprefix("torch."),
        notes=(*setting.notes, *_remarks(model.spec, layers, blocks, loss)),
    )


def _layers(model: ResNet, passes: Sequence[Pass]) -> Iterator[LayerGradient]:
    depth = 0
    batches = zip(*(p.weights for p in passes), strict=True)
    for (path, weight), norms in zip(weight_layers(model), batches, strict=True):
        is_projection = ".downsample." in path
        depth += not is_projection
        yield LayerGradient(path, depth, is_projection, _mean(norms), min(norms), max(norms), l2_norm(weight))


def _blocks(spec: ResNetSpec, passes: Sequence[Pass]) -> Iterator[BlockGradient]:
    depth = spec.weighted_layers - 1 - len(spec.blocks) * spec.block.convolutions
    norms = zip(*(p.outputs for p in passes), strict=True)
    stds = zip(*(p.stds for p in passes), strict=True)
    for plan, norm, std in zip(spec.blocks, norms, stds, strict=True):
        depth += spec.block.convolutions
        yield BlockGradient(plan.path, plan.stage, depth, _mean(norm), _mean(std))


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


def _mean(values: Sequence[float]) -> float:
    # Not statistics.fmean, which refuses infinities of a network that overflows.
    return sum(values) / len(values)
