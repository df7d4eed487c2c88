"""What each control of the builder means, and each of its choices: a sentence or two, and the term behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ....spec import (
    DEPTHS,
    FIELD_LABELS,
    PRESETS,
    Activation,
    Block,
    Init,
    Norm,
    Option,
    ResNetSpec,
    Shortcut,
    Stem,
    StrideOn,
    ZeroPlacement,
    block_of_depth,
    title,
)
from ....spec.budget import estimate
from .. import numbers

Words = tuple[str, str]  # what it means, and the name of a term


@dataclass(frozen=True)
class OptionHint:
    """
    Attributes:
        name: as the builder writes it.
        words: what choosing it means.
        term: name of the glossary's term that says more.
    """

    name: str
    words: str
    term: str


# By the field of the spec, and "preset" and "depth", which fill several fields in.
FIELDS: dict[str, Words] = {
    "preset": ("A network with a name, from the papers or from torchvision. It fills in every field below.", "stage"),
    "depth": (
        "Which ResNet the numbers of blocks come from. The block type follows: basic up to 34, bottleneck from 50.",
        "depth",
    ),
    "block": ("What each block's branch consists of. All blocks of a network are of one type.", "residual block"),
    "shortcut": (
        "How x reaches the residual addition. A, B and C differ only in blocks that change the shape, except that C "
        "projects in every block.",
        "shortcut options A, B, C",
    ),
    "depths": (
        "How many blocks each stage has, from input to output, for example 2, 2, 2, 2 in ResNet-18. Each number adds "
        "or removes layers.",
        "stage",
    ),
    "widths": (
        "Channels of each stage, from input to output. A bottleneck's output has four times as many.",
        "width",
    ),
    "stem": ("What comes before the first stage. It decides how large the first feature map is.", "stem"),
    "stride_on": (
        "Which convolution of a bottleneck makes the map smaller. It changes nothing in basic blocks.",
        "v1 and v1.5",
    ),
    "zero_pad": (
        "Where option A puts the new channels of zeros. It changes nothing with other shortcuts.",
        "zero padding of channels",
    ),
    "groups": (
        "Into how many groups a bottleneck's 3×3 convolution is split; 1 is an ordinary convolution. ResNeXt-50 has "
        "32.",
        "grouped convolution",
    ),
    "width_per_group": (
        "Channels of each group of the 3×3 in the first stage; 64 is an ordinary bottleneck. Wide ResNet-50 has 128.",
        "width per group",
    ),
    "norm": ("What keeps signals at the same size, after or before each convolution.", "normalisation"),
    "activation": ("The curve that bends every number between two convolutions.", "activation function"),
    "init": ("The random weights that training starts from. The Gradients tab shows what they do.", "initial weights"),
    "zero_init_residual": (
        "Every branch then outputs 0 at the start, so each block begins as its shortcut.",
        "zero-init residual",
    ),
    "num_classes": (
        "How many classes the network tells apart: the outputs of the head. ImageNet has 1000, CIFAR-10 has 10.",
        "head",
    ),
    "in_channels": ("Channels of the image: 3 for colour, 1 for grey.", "channel"),
    "image_size": (
        "Height and width of the image. Parameters stay the same, while maps, MACs and memory grow with the square.",
        "feature map",
    ),
    "shortcut_overrides": (
        "Blocks with another shortcut than the rest, for example layer2.0:identity. The inspector writes them too.",
        "shortcut override",
    ),
}

# By field, since options of two fields may be spelled alike and are then equal.
CHOICES: dict[str, dict[Option, Words]] = {
    "block": {
        Block.BASIC: ("Two 3×3 convolutions, as in ResNet-18 and ResNet-34.", "basic block"),
        Block.BOTTLENECK: (
            "1×1, 3×3, 1×1: fewer channels, the work, four times as many channels again. ResNet-50 and deeper use it.",
            "bottleneck block",
        ),
        Block.PREACT_BASIC: (
            "A basic block with normalisation and activation before each convolution; nothing follows the addition.",
            "pre-activation",
        ),
        Block.PREACT_BOTTLENECK: (
            "A bottleneck with normalisation and activation before each convolution; nothing follows the addition.",
            "pre-activation",
        ),
    },
    "shortcut": {
        Shortcut.ZERO_PAD: (
            "Option A: missing channels are filled with zeros. No parameters; the new channels get nothing from x.",
            "zero padding of channels",
        ),
        Shortcut.PROJECTION: (
            "Option B: a 1×1 convolution where the shape changes, x itself elsewhere. torchvision's ResNets use it.",
            "projection shortcut",
        ),
        Shortcut.PROJECTION_ALL: (
            "Option C: a 1×1 convolution in every block, even where x already has the right shape. It costs the most.",
            "shortcut options A, B, C",
        ),
        Shortcut.IDENTITY: (
            "x is added as it is, everywhere. Where the shape changes it does not match, and the network cannot run.",
            "shape mismatch",
        ),
        Shortcut.NONE: ("No shortcuts: the plain counterpart, for comparison.", "plain counterpart"),
    },
    "stem": {
        Stem.IMAGENET: (
            "One 7×7 convolution and a max pooling, each with stride 2. Images of 224 px become maps of 56 px.",
            "stem",
        ),
        Stem.CIFAR: (
            "One 3×3 convolution; the map stays as large as the image. For small images.",
            "stem",
        ),
        Stem.DEEP: (
            "Three 3×3 convolutions instead of the 7×7, then max pooling (ResNet-C). A little more accurate.",
            "stem",
        ),
    },
    "stride_on": {
        StrideOn.V1: (
            "The first 1×1 skips every second place, as in the paper. Three of four places are never read.",
            "v1 and v1.5",
        ),
        StrideOn.V1_5: ("The 3×3 has the stride and still reads every place. torchvision uses it.", "v1 and v1.5"),
    },
    "zero_pad": {
        ZeroPlacement.APPEND: (
            "All zeros come after the channels of x, as in the paper's code.",
            "zero padding of channels",
        ),
        ZeroPlacement.SPLIT: (
            "Half of the zeros come before the channels of x and half after, as in a well-known CIFAR implementation.",
            "zero padding of channels",
        ),
    },
    "norm": {
        Norm.BATCH: ("Mean and variance of each channel over the batch. The usual choice.", "batch norm"),
        Norm.GROUP: ("Mean and variance over groups of channels of one image. Works with small batches.", "group norm"),
        Norm.NONE: (
            "Nothing keeps signals at the same size: initial weights and shortcuts alone decide.",
            "vanishing gradient",
        ),
    },
    "activation": {
        Activation.RELU: ("Negative numbers become 0. The papers use it.", "ReLU"),
        Activation.LEAKY_RELU: ("Negative numbers are multiplied by 0.01 instead of removed.", "activation function"),
        Activation.GELU: (
            "A smooth curve close to ReLU; small negative numbers remain. Transformers use it.",
            "GELU",
        ),
        Activation.SILU: ("A smooth curve, x times its sigmoid, also called swish. EfficientNet uses it.", "SiLU"),
    },
    "init": {
        Init.HE: (
            "Normal weights that keep gradients at the same size through ReLU layers. torchvision's ResNets use it.",
            "He initialisation",
        ),
        Init.XAVIER: ("Normal weights made for tanh; with ReLU, signals shrink with depth.", "Xavier initialisation"),
        Init.ORTHOGONAL: ("Weights that rotate signals without stretching them.", "orthogonal initialisation"),
        Init.DEFAULT: (
            "What torch.nn does itself: smaller weights. Deep plain networks without normalisation lose the signal.",
            "PyTorch default initialisation",
        ),
    },
}

# Labels outside the builder, as they are read on the page, and the term that each of them names.
LABELS: dict[str, str] = {
    "Epochs": "epoch",
    "Learning rate": "learning rate",
    "Batch size": "batch size",
    "Weight decay": "weight decay",
    "Schedule": "learning rate schedule",
    "Augmentation": "data augmentation",
    "Momentum": "momentum",
    "Nesterov's momentum": "momentum",
    "Label smoothing": "label smoothing",
    "Seed of training": "seed",
    "Seeds": "seed",
    "First seed": "seed",
}


def option_hints() -> dict[str, dict[str, OptionHint]]:
    """By field, then by the value of the choice; "" is the control itself. Presets are named by their titles."""
    hints = {name: {"": OptionHint(_label(name), *words)} for name, words in FIELDS.items()}
    for name, choices in CHOICES.items():
        hints[name] |= {option.value: OptionHint(option.label, *words) for option, words in choices.items()}
    hints["preset"] |= {title(spec): _preset(spec) for spec in PRESETS.values()}
    hints["preset"]["Custom"] = OptionHint("Custom", "None of the named networks: at least one field differs.", "stage")
    hints["depth"] |= {str(depth): _depth(depth) for depth in DEPTHS}
    return hints


def _label(name: str) -> str:
    return FIELD_LABELS[name].name if name in FIELD_LABELS else name.capitalize()


def _preset(spec: ResNetSpec) -> OptionHint:
    params, macs = estimate(spec)
    words = (
        f"{_blocks(spec.depths, spec.block)}, {spec.weighted_layers:,} weighted layers. {numbers.count(params)} "
        f"parameters and {numbers.macs(macs)} for an image of {spec.image_size} px."
    )
    return OptionHint(title(spec), words, CHOICES["block"][spec.block][1])


def _depth(depth: int) -> OptionHint:
    block = block_of_depth(depth)
    words = f"The stages of ResNet-{depth}: {_blocks(DEPTHS[depth], block)}."
    return OptionHint(f"Depth {depth}", words, CHOICES["block"][block][1])


def _blocks(depths: Sequence[int], block: Block) -> str:
    return f"{', '.join(map(str, depths))} {block.label.lower()} blocks"
