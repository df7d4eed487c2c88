"""A model file of any kind: what it is, by its content, and what is in it. The page and the command line both use this.

A file is read in a child process with limits. Nothing in it is run, and no other file is opened.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from .inference.checkpoint import Checkpoint, network_of, open_checkpoint, rebuild
from .inference.weights.sandbox import run_in_child
from .inspection import Graph, Report, inspect
from .inspection.onnx.graph import read, read_graph
from .inspection.onnx.graph import report_of as graph_report
from .spec import ResNetSpec, title

ONNX = ".onnx"
Opened = Checkpoint | Graph
Shapes = Sequence[Sequence[int]] | Mapping[str, Sequence[int]]


def open_model_file(path: Path, name: str = "", shapes: Shapes = (), *, trusted: bool = False) -> Opened:
    """What is in a weight file or an ONNX file; recognised weights are loaded once, strictly.

    Args:
        name: the file's own, if ``path`` has another.
        shapes: of the inputs of an ONNX file, with the batch dimension, in order or by name.
        trusted: read it in this process, without limits of memory and time. Nothing in it is run either way.

    Raises:
        ExplorerError: it is refused.
    """
    if is_onnx(path, name):
        if trusted:
            return graph_report(read(path.read_bytes(), shapes))
        given = dict(shapes) if isinstance(shapes, Mapping) else list(shapes)
        with run_in_child("explorer.inspection.onnx.graph:write_graph", path, arguments=[json.dumps(given)]) as result:
            return read_graph(result)
    checkpoint = open_checkpoint(path, trusted=trusted)
    if checkpoint.recognition.spec is not None:
        rebuild(checkpoint)
    return checkpoint


def report_of(opened: Opened, spec: ResNetSpec | None = None, *inputs: Sequence[int]) -> Report:
    """The report of what was opened: a graph's own, or that of the network that the weights are of.

    Args:
        spec: the recognised one, changed; as in ``rebuild``.
        inputs: shape of the input, batch included; default: the network's own.

    Raises:
        WeightsError: the weights were not recognised.
    """
    if isinstance(opened, Graph):
        return opened.report
    chosen = spec or opened.spec
    if opened.recognition.has_head:
        return inspect(chosen, *map(tuple, inputs))
    size = tuple(inputs[0]) if inputs else (1, chosen.in_channels, chosen.image_size, chosen.image_size)
    return replace(inspect(network_of(opened, chosen), size), name=f"{title(chosen)} body")


def is_onnx(path: Path, name: str = "") -> bool:
    """Whether a file is named .onnx, or begins as ONNX files do: with the version of the format, in protobuf.

    A safetensors file may begin with the same bytes; its ninth is "{".
    """
    if (name or path.name).lower().endswith(ONNX):
        return True
    if path.is_symlink() or not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            start = file.read(9)
    except OSError:
        return False
    return len(start) > 2 and start[0] == 0x08 and start[1] < 0x20 and start[8:] != b"{"
