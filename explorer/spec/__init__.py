"""The frozen description of a network, its options, presets, and its JSON and URL forms."""

from .codec import FIELDS, from_dict, from_json, from_query, from_words, to_dict, to_json, to_query
from .model import FIELD_LABELS, BlockPlan, ResNetSpec
from .options import Activation, Block, Init, Norm, Option, Shortcut, Stem, StrideOn, ZeroPlacement
from .presets import DEPTHS, PRESETS, block_of_depth, preset_of, title

__all__ = [
    "DEPTHS",
    "FIELDS",
    "FIELD_LABELS",
    "PRESETS",
    "Activation",
    "Block",
    "BlockPlan",
    "Init",
    "Norm",
    "Option",
    "ResNetSpec",
    "Shortcut",
    "Stem",
    "StrideOn",
    "ZeroPlacement",
    "block_of_depth",
    "from_dict",
    "from_json",
    "from_query",
    "from_words",
    "preset_of",
    "title",
    "to_dict",
    "to_json",
    "to_query",
]
