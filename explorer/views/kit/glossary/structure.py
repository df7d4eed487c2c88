"""Terms for what a residual network is made of: blocks, shortcuts, stages."""

from __future__ import annotations

from .term import Term, field, in_diagram, on_page

BLOCKS = (
    Term(
        "Residual block",
        "A few layers F whose input x is added to their output. The block only has to learn the difference, the "
        "residual, between what comes in and what should come out.",
        "He et al. 2015, section 3.1",
        in_diagram("layer2.0"),
        ("residual unit", "residual learning", "building block"),
    ),
    Term(
        "Residual addition",
        "The plus sign of a block: branch and shortcut are added number by number. Both must have the same shape, "
        "otherwise the network cannot run.",
        "He et al. 2015, equation 1",
        in_diagram("layer2.0:add"),
        ("skip addition", "element-wise sum"),
    ),
    Term(
        "Branch",
        "The layers F(x) that a block computes beside its shortcut. If they output 0 and the shortcut is the "
        "identity, the block passes its input on and does no harm.",
        "He et al. 2015, figure 2",
        in_diagram("layer2.1"),
        ("F(x)", "branch F(x)", "main path", "residual function", "residual branch"),
    ),
    Term(
        "Skip connection",
        "A path that carries x past the layers of a block. Signals travel along it forward, and gradients back, "
        "without passing through these layers.",
        "He et al. 2016, section 2",
        in_diagram("layer1.0:add"),
        ("shortcut", "shortcut connection", "residual connection"),
    ),
    Term(
        "Identity shortcut",
        "A shortcut that hands x on unchanged. It costs nothing, but the branch must then keep the number of channels "
        "and the size of the map.",
        "He et al. 2015, section 3.2",
        in_diagram("layer1.1:add", "shortcut=projection"),
        ("identity mapping", "identity"),
    ),
    Term(
        "Projection shortcut",
        "A shortcut with a 1×1 convolution, and a stride if the map shrinks. It gives x the shape of F(x) so that both "
        "can be added.",
        "He et al. 2015, equation 2",
        in_diagram("layer2.0.downsample.0", "shortcut=projection"),
        ("projection", "downsample", "linear projection"),
    ),
    Term(
        "Zero padding of channels",
        "A shortcut that appends channels full of zeros until x has as many as F(x). It needs no weights, but the "
        "added channels receive nothing from the shortcut.",
        "He et al. 2015, section 3.3, option A",
        in_diagram("layer2.0.downsample~3", "shortcut=zero_pad"),
        ("zero-pad", "zero-padding shortcut", "option A"),
    ),
    Term(
        "Shortcut options A, B, C",
        "Three ways to match shapes: A pads with zeros, B projects only where the shape changes, C projects in every "
        "block. The paper found small differences and used B for deep networks.",
        "He et al. 2015, section 3.3 and table 3",
        on_page("#cost-table"),
        ("option B", "option C", "shortcut mode"),
    ),
    Term(
        "Shortcut override",
        "A single block that uses another shortcut than the rest of the network. The builder lists such blocks under "
        "“Shortcuts of single blocks”.",
        "This page's inspector",
        field("shortcut_overrides"),
        ("shortcuts of single blocks",),
    ),
    Term(
        "Shape mismatch",
        "Branch and shortcut have different channels or map sizes, so they cannot be added. PyTorch stops with “The "
        "size of tensor a must match the size of tensor b”.",
        "PyTorch documentation, Broadcasting semantics",
        in_diagram("layer2.0:add", "shortcut=identity"),
        ("dimension mismatch", "size mismatch", "does not match"),
    ),
    Term(
        "Broadcasting",
        "PyTorch repeats a side of length 1 to match a longer one, without an error. An addition of wrong shapes can "
        "therefore run and still compute something nobody meant.",
        "PyTorch documentation, Broadcasting semantics",
        on_page("#checks"),
        ("broadcast",),
    ),
    Term(
        "Basic block",
        "Two 3×3 convolutions of equal width and a shortcut. ResNet-18 and ResNet-34 are built from it.",
        "He et al. 2015, figure 5, left",
        in_diagram("layer1.0", "block=basic"),
    ),
    Term(
        "Bottleneck block",
        "A 1×1 convolution reduces the channels, a 3×3 processes them, a 1×1 restores them. The expensive 3×3 works on "
        "a quarter of the channels, which makes wide blocks affordable.",
        "He et al. 2015, figure 5, right",
        in_diagram("layer2.1", "block=bottleneck"),
        ("bottleneck",),
    ),
    Term(
        "Pre-activation",
        "Normalisation and activation come before each convolution instead of after it. Nothing then changes x on its "
        "way along the shortcuts, which helps very deep networks.",
        "He et al. 2016, section 4 and figure 4e",
        in_diagram("layer2.1", "block=preact_basic"),
        ("pre-act", "preactivation", "ResNet v2"),
    ),
    Term(
        "v1 and v1.5",
        "Two places for the stride of a bottleneck: v1 uses the first 1×1 convolution, v1.5 the 3×3. Most libraries "
        "use v1.5, which is slightly more accurate and costs slightly more.",
        "torchvision documentation, resnet50",
        field("stride_on"),
        ("ResNet v1.5", "strides in", "strides in the 3×3"),
    ),
)

NETWORK = (
    Term(
        "Stem",
        "The layers before the first stage. They turn an image into the first feature map and often shrink it a lot.",
        "He et al. 2015, table 1, conv1",
        in_diagram("stem"),
        ("conv1 and pooling",),
    ),
    Term(
        "Stage",
        "Blocks in a row that work on maps of one size. Each stage after the first halves the map and doubles the "
        "channels.",
        "He et al. 2015, table 1, conv2_x to conv5_x",
        in_diagram("layer3"),
        ("layer group",),
    ),
    Term(
        "Head",
        "The layers after the last stage: pooling, then a linear layer with one output for each class. Another task "
        "needs another head on the same stages.",
        "He et al. 2015, table 1, last row",
        in_diagram("head"),
        ("classifier", "classification head", "fully connected layer"),
    ),
    Term(
        "Backbone",
        "Stem and stages without the head. Detection and segmentation networks use a ResNet this way, as a maker of "
        "features.",
        "torchvision documentation, Feature extraction for model inspection",
        in_diagram("layer4"),
        ("encoder", "trunk"),
    ),
    Term(
        "Plain counterpart",
        "The same network without shortcuts, also called its plain twin. Comparing both shows what the shortcuts alone "
        "do.",
        "He et al. 2015, section 3.3",
        field("shortcut"),
        ("plain network", "plain twin"),
    ),
    Term(
        "Weighted layer",
        "A convolution or linear layer on the main path. The number in a name such as ResNet-18 counts these and "
        "nothing else.",
        "He et al. 2015, section 3.3",
        on_page("#summary [data-term=weighted-layer]"),
        ("layers in the name",),
    ),
    Term(
        "Module",
        "A part of a PyTorch network with a name, such as layer2.0.conv1. A module may contain other modules, so a "
        "network has more modules than weighted layers.",
        "PyTorch documentation, torch.nn.Module",
        in_diagram("layer2.0.conv1"),
        ("nn.Module",),
    ),
    Term(
        "Depth",
        "The number of weighted layers from input to output. More depth can express more, but without shortcuts it "
        "soon becomes hard to train.",
        "He et al. 2015, section 1",
        field("depth"),
        ("number of layers",),
    ),
    Term(
        "Width",
        "The number of channels that a stage works with. Twice the width means about four times the parameters and "
        "work.",
        "Zagoruyko and Komodakis 2016, section 2",
        field("widths"),
        ("wide ResNet", "widths"),
    ),
    Term(
        "Path",
        "One way from input to output that takes either branch or shortcut in each block. A network of n blocks has 2ⁿ "
        "of them, and most pass about half of the branches.",
        "Veit et al. 2016, section 3",
        on_page("#paths-plot"),
        ("path length", "unravelled view", "ensemble of paths"),
    ),
)
