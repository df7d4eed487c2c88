"""Terms for single layers, their shapes and their initial weights."""

from __future__ import annotations

from .term import Term, field, in_diagram, on_page

LAYERS = (
    Term(
        "Convolution",
        "A layer that slides a small window of weights over the map and computes a weighted sum at each place. The "
        "same weights are used everywhere.",
        "PyTorch documentation, torch.nn.Conv2d",
        in_diagram("layer1.0.conv2"),
        ("conv", "Conv2d", "convolutional layer"),
    ),
    Term(
        "Kernel",
        "The window of weights of a convolution, for example 3×3. A larger kernel sees more neighbours and has more "
        "weights.",
        "PyTorch documentation, torch.nn.Conv2d, kernel_size",
        in_diagram("conv1", "stem=imagenet"),
        ("filter", "kernel size", "3×3"),
    ),
    Term(
        "1×1 convolution",
        "A convolution that looks at one place only and mixes its channels. Blocks use it to change the number of "
        "channels cheaply.",
        "Lin et al. 2013, section 3",
        in_diagram("layer2.0.downsample.0", "shortcut=projection"),
        ("pointwise convolution", "1x1"),
    ),
    Term(
        "Stride",
        "The step with which a window moves. Stride 2 computes only every second place in each direction, which halves "
        "both sides of the map.",
        "PyTorch documentation, torch.nn.Conv2d, stride",
        in_diagram("layer2.0.downsample.0", "shortcut=projection"),
        ("strided convolution",),
    ),
    Term(
        "Stride in the input",
        "The distance, in pixels of the image, between two neighbouring places of a map. It is the product of all "
        "strides so far, 32 for the last map of ResNet-50.",
        "Araujo et al. 2019, section 2.2",
        on_page(".rx-inspector"),
        ("jump", "effective stride", "cumulative stride"),
    ),
    Term(
        "Padding",
        "A border of zeros that is added around a map before a convolution. It lets a 3×3 window keep the size of the "
        "map.",
        "PyTorch documentation, torch.nn.Conv2d, padding",
        in_diagram("layer1.0.conv2"),
        ("same padding", "zero border"),
    ),
    Term(
        "Dilation",
        "Gaps between the weights of a kernel. The window sees a larger area with the same number of weights, and the "
        "map can stay large.",
        "Yu and Koltun 2016, section 2",
        on_page(".rx-inspector"),
        ("atrous convolution", "dilated convolution"),
    ),
    Term(
        "Downsampling",
        "Making a map smaller, by a stride or by pooling. Later layers then work on fewer places and see more of the "
        "image.",
        "He et al. 2015, section 3.3",
        in_diagram("layer2.0", "shortcut=projection"),
        ("subsampling", "reduce the resolution"),
    ),
    Term(
        "Max pooling",
        "A window that keeps only the largest number it sees, for each channel. ResNet stems use a 3×3 window with "
        "stride 2 to halve the map.",
        "PyTorch documentation, torch.nn.MaxPool2d",
        in_diagram("maxpool", "stem=imagenet"),
        ("max-pool", "pooling"),
    ),
    Term(
        "Global average pooling",
        "Each channel becomes one number, its mean over the whole map. The head then works for images of any size and "
        "needs few weights.",
        "Lin et al. 2013, section 3.2",
        in_diagram("avgpool"),
        ("average pool", "GAP", "avgpool"),
    ),
    Term(
        "Grouped convolution",
        "The channels are split into groups, and each group is convolved by itself. With g groups it needs a g-th of "
        "the weights and of the work.",
        "Xie et al. 2017, section 3",
        field("groups"),
        ("cardinality", "groups", "ResNeXt"),
    ),
    Term(
        "Width per group",
        "The channels of one group of the 3×3 convolution, in the first stage. ResNeXt-50 32×4d has 32 groups with a "
        "width of 4.",
        "Xie et al. 2017, table 1",
        field("width_per_group"),
        ("group width", "base width"),
    ),
    Term(
        "Batch norm",
        "A layer that rescales each channel to mean 0 and variance 1 over the batch, then learns a scale and a shift. "
        "Signals keep their size, so deep networks train.",
        "Ioffe and Szegedy 2015, section 3",
        in_diagram("layer1.0.bn1", "norm=batch"),
        ("batch normalisation", "batch normalization", "BatchNorm2d", "BN"),
    ),
    Term(
        "Group norm",
        "Like batch norm, but over groups of channels of a single image. It does not depend on the other images of the "
        "batch.",
        "Wu and He 2018, section 3",
        in_diagram("layer1.0.bn1", "norm=group"),
        ("group normalisation", "group normalization", "GroupNorm"),
    ),
    Term(
        "Normalisation",
        "A layer that keeps the size of signals the same from layer to layer. Without one, the initial weights alone "
        "decide whether signals grow or shrink.",
        "Ioffe and Szegedy 2015, section 2",
        field("norm"),
        ("normalization", "norm"),
    ),
    Term(
        "Activation function",
        "A curve that bends every number, such as ReLU. Without it, any number of layers would together be one linear "
        "layer.",
        "PyTorch documentation, torch.nn, Non-linear Activations",
        field("activation"),
        ("nonlinearity", "activation", "leaky ReLU", "GELU", "SiLU"),
    ),
    Term(
        "ReLU",
        "An activation function that replaces negative numbers by 0 and keeps the others. The original ResNet uses "
        "it after the residual addition too.",
        "Nair and Hinton 2010, section 2",
        in_diagram("layer1.0.relu", "activation=relu"),
        ("rectified linear unit",),
    ),
    Term(
        "Channel",
        "One layer of a feature map: one number for each place. An image has three, red, green and blue.",
        "PyTorch documentation, torch.nn.Conv2d",
        field("in_channels"),
        ("plane",),
    ),
    Term(
        "Feature map",
        "What a layer outputs: channels × height × width numbers. Early maps show edges and colours, late ones parts "
        "of objects.",
        "Zeiler and Fergus 2014, section 4",
        on_page("#why"),
        ("activation map", "map", "features"),
    ),
    Term(
        "Receptive field",
        "The part of the image that can influence one number of a map. It grows with every kernel and every stride.",
        "Araujo et al. 2019, section 2",
        on_page("#summary [data-term=receptive-field]"),
        ("RF", "field of view"),
    ),
)

WEIGHTS = (
    Term(
        "Initial weights",
        "The random numbers that a network starts with. Too small and signals die out, too large and they explode "
        "before training begins.",
        "He et al. 2015b, Delving Deep into Rectifiers, section 2.2",
        field("init"),
        ("initialisation", "initialization", "init"),
    ),
    Term(
        "He initialisation",
        "Random weights whose spread keeps the size of signals the same through ReLU layers. Fan-in keeps it in the "
        "forward pass, fan-out in the backward pass.",
        "He et al. 2015b, Delving Deep into Rectifiers, section 2.2",
        field("init"),
        ("Kaiming initialisation", "fan-in", "fan-out", "He init"),
    ),
    Term(
        "Xavier initialisation",
        "Random weights whose spread is a compromise between forward and backward pass. It was made for symmetric "
        "activations such as tanh; ReLU halves the variance each time.",
        "Glorot and Bengio 2010, section 4.2.1",
        field("init"),
        ("Glorot initialisation",),
    ),
    Term(
        "Orthogonal initialisation",
        "Random weights that rotate signals without stretching them. Linear networks keep the size of every signal "
        "this way, however deep they are.",
        "Saxe et al. 2014, section 3",
        field("init"),
        ("orthogonal weights",),
    ),
    Term(
        "PyTorch default initialisation",
        "What torch.nn uses if nobody chooses: uniform random weights that are smaller than He's. In a deep plain "
        "network without normalisation, signals die out.",
        "PyTorch documentation, torch.nn.Conv2d, Variables",
        field("init"),
        ("default init", "kaiming_uniform_"),
    ),
    Term(
        "Zero-init residual",
        "The last layer of every branch starts at 0, so every block begins by passing x on. This makes the start "
        "of training easier, above all with large batches.",
        "Goyal et al. 2017, section 5.1",
        field("zero_init_residual"),
        ("zero initialisation of the last BN", "zero gamma"),
    ),
)
