"""Grad-CAM: the places whose features speak for a class (Selvaraju et al. 2017, §3)."""

from __future__ import annotations

import torch
from torch import Tensor

from ...errors import ExplorerError
from ..classifier import Classifier
from ..transform import PreprocessedInput
from .features import check_layer
from .hooks import borrow_network, retry_on_cpu


@retry_on_cpu
def class_activation(classifier: Classifier, model_input: PreprocessedInput, layer: str, class_index: int) -> Tensor:
    """ReLU(Σₖ αₖ Aₖ), float32 (h, w) on the CPU, in units of the logit times those of the features.

    Aₖ are the feature maps that ``layer`` gives, and αₖ is the mean over places of ∂logit/∂Aₖ.

    Args:
        layer: a block, or one of ``features.layers``.
        class_index: whose logit is asked about, from 0.

    Raises:
        ExplorerError: there is no such layer or class.
    """
    from captum.attr import LayerGradCam  # brings a plotting library with it; only where it is needed

    check_layer(classifier, layer)
    check_class(classifier, class_index)
    with borrow_network(classifier, model_input) as network, torch.enable_grad():
        batch = network.batch.detach().clone().requires_grad_()  # gradients, even if the weights want none
        cam = LayerGradCam(network.model, network.model.get_submodule(layer))
        found = cam.attribute(batch, target=class_index, relu_attributions=True)
    assert isinstance(found, Tensor)
    return found[0, 0].detach().float().cpu()


def grad_cam(classifier: Classifier, model_input: PreprocessedInput, layer: str, class_index: int) -> Tensor:
    """``class_activation``, laid over the crop the network saw: float32 (crop, crop), as ``spread`` has it.

    Raises:
        ExplorerError: as ``class_activation``.
    """
    return spread(class_activation(classifier, model_input, layer, class_index), model_input)


def spread(cells: Tensor, model_input: PreprocessedInput) -> Tensor:
    """(h, w) from 0 up -> (crop, crop), bilinearly enlarged, from 0 to 1, its maximum; only 0 where all are 0."""
    from captum.attr import LayerAttribution

    height, width = model_input.tensor.shape[-2:]
    heat: Tensor = LayerAttribution.interpolate(cells[None, None], (height, width), interpolate_mode="bilinear")[0, 0]
    most = float(heat.max())
    return heat / most if most > 0 else torch.zeros_like(heat)


def check_class(classifier: Classifier, class_index: int) -> None:
    """Raise ``ExplorerError`` if the network does not have this class."""
    count = len(classifier.variant.classes)
    if not 0 <= class_index < count:
        raise ExplorerError(f"class: got {class_index}; this network's classes are numbered 0 to {count - 1}")
