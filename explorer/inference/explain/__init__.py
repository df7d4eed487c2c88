"""Explain a prediction: where the network looks (Grad-CAM), its feature maps, and what each block contributes."""

from .contributions import Contribution, Contributions, contributions
from .features import FeatureMap, FeatureMaps, feature_maps, layers
from .gradcam import class_activation, grad_cam, spread
from .strengths import BranchStrength, branch_strengths
from .switch_off import Score, predict_without, switchable

__all__ = [
    "BranchStrength",
    "Contribution",
    "Contributions",
    "FeatureMap",
    "FeatureMaps",
    "Score",
    "branch_strengths",
    "class_activation",
    "contributions",
    "feature_maps",
    "grad_cam",
    "layers",
    "predict_without",
    "spread",
    "switchable",
]
