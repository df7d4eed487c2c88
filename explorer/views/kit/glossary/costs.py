"""Terms for what a network costs."""

from __future__ import annotations

from .term import Term, in_diagram, on_page

COSTS = (
    Term(
        "Parameter",
        "A number that training changes: a weight or a bias. A parameter takes 4 bytes in single precision.",
        "PyTorch documentation, torch.nn.parameter.Parameter",
        on_page("#summary [data-term=parameter]"),
        ("parameters", "weight", "params", "learnable parameter"),
    ),
    Term(
        "MAC",
        "One multiplication and one addition. This page counts those of convolutions and linear layers for one image, "
        "as torchvision does.",
        "torchvision documentation, table of weights, GFLOPS",
        on_page("#summary [data-term=mac]"),
        ("MACs", "multiply-add", "multiply-accumulate", "GMACs", "FLOPs"),
    ),
    Term(
        "Activation memory",
        "The memory that the outputs of all layers take. It grows with the batch and the image, and often exceeds the "
        "memory of the weights.",
        "Chen et al. 2016, section 3",
        in_diagram("layer1.0"),
        ("activations, forward", "memory of activations"),
    ),
    Term(
        "Saved for backward",
        "Outputs that PyTorch keeps during the forward pass because the backward pass reads them again. They are what "
        "makes training need more memory than using a network.",
        "PyTorch documentation, Autograd mechanics, Saved tensors",
        in_diagram("layer1.0.conv1"),
        ("saved tensors",),
    ),
    Term(
        "Throughput",
        "Images that a network answers in a second. It depends on the machine, the batch size and how well each layer "
        "uses the hardware, not on MACs alone.",
        "PyTorch documentation, torch.utils.benchmark",
        on_page("#throughput"),
        ("speed", "images per second", "latency"),
    ),
    Term(
        "ONNX",
        "A file format for networks that many programs can run. It contains the operations and the weights, and "
        "no Python code.",
        "ONNX documentation, Open Neural Network Exchange",
        on_page("#rx-export-button"),
        ("onnx file", "Open Neural Network Exchange"),
    ),
)
