"""A spec as an ONNX file, with the seeded initial weights of ``build(spec, seed=0)``.

    python -m explorer.network.onnx_export net.onnx < spec.json

Tracing replaces methods of ``torch.nn.Module`` for the whole process while it runs, so a server with other threads
has it done in a process of its own (``write_apart``), whose memory is given back at the end too.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import warnings
from pathlib import Path
from threading import Lock

from ..errors import ExplorerError
from ..spec import ResNetSpec, from_json, title, to_json
from ..spec.budget import estimate
from .resnet import build

OPSET = 20
INPUT, OUTPUT = "image", "logits"
# An ONNX file is one protobuf message, which ends at 2 GiB; a parameter takes four bytes, and names take some.
MAX_PARAMS = 500_000_000
TIMEOUT_S = 300
WEIGHTS = "Random initial weights (seed 0), not trained."
_BATCH = 2  # of the example that is traced; 1 would be taken for a constant
_ONE = Lock()
_LOG = logging.getLogger("explorer")


class Busy(ExplorerError):
    """Another file is being written; try again in a moment."""


def check_size(spec: ResNetSpec) -> None:
    """Raises ``ExplorerError`` where the weights are too many for one file."""
    params, _ = estimate(spec)
    if params > MAX_PARAMS:
        raise ExplorerError(
            f"An ONNX file ends at 2 GiB, and this network has {params:,} parameters of four bytes; at most "
            f"{MAX_PARAMS:,} fit. Lower widths or depths, or take the PyTorch code."
        )


def write(spec: ResNetSpec, path: Path) -> None:
    """Write the network in evaluation mode as ONNX, opset 20.

    Input ``image``, float32 (batch, in_channels, image_size, image_size) with any batch; output ``logits``, float32
    (batch, num_classes). Batch normalisation is folded into the convolutions, as for every deployed network. The other
    weights keep the names of ``state_dict``. Takes seconds; not for a process with other threads that use torch.

    Raises:
        ExplorerError: more than 500 million parameters.
    """
    check_size(spec)
    import torch

    example = torch.zeros(_BATCH, spec.in_channels, spec.image_size, spec.image_size)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch to its own developers
        program = torch.onnx.export(
            build(spec, seed=0).eval(),
            (example,),
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({0: torch.export.Dim("batch")},),
            opset_version=OPSET,
            dynamo=True,
            external_data=False,
            verbose=False,
        )
    assert program is not None
    model = program.model
    _forget_sources(model)
    model.producer_name, model.producer_version = "ResNet Explorer", f"PyTorch {torch.__version__}"
    model.graph.name, model.doc_string = title(spec), f"{title(spec)}. {WEIGHTS}"
    model.metadata_props.update({"spec": to_json(spec), "weights": WEIGHTS})
    program.save(path, external_data=False)


def write_apart(spec: ResNetSpec, path: Path) -> None:
    """``write`` in a process of its own, one at a time.

    Raises:
        Busy: another one is at work.
        ExplorerError: too many parameters, or it took longer than five minutes, or failed.
    """
    check_size(spec)
    if not _ONE.acquire(blocking=False):
        raise Busy("Another ONNX file is being written; try again in a moment.")
    try:
        subprocess.run(
            [sys.executable, "-m", __name__, str(path.absolute())],
            input=to_json(spec).encode(),
            cwd=Path(__file__).parents[2],
            capture_output=True,
            timeout=TIMEOUT_S,
            check=True,
        )
    except subprocess.TimeoutExpired:
        raise ExplorerError(
            f"Writing ONNX took longer than {TIMEOUT_S} s and was stopped. Lower depths or image_size."
        ) from None
    except subprocess.CalledProcessError as error:
        _LOG.error("writing ONNX failed: %s", error.stderr.decode(errors="replace"))
        raise ExplorerError("This network could not be written as ONNX. Export its PyTorch code instead.") from None
    finally:
        _ONE.release()


def _forget_sources(model: object) -> None:
    """Remove source lines and paths of this machine, which the exporter stores in every node."""
    graph = model.graph  # type: ignore[attr-defined]
    for thing in (model, graph, *graph.all_nodes(), *graph.inputs, *graph.outputs):
        thing.metadata_props.clear()
    for node in graph.all_nodes():
        for value in node.outputs:
            value.metadata_props.clear()


if __name__ == "__main__":
    write(from_json(sys.stdin.read()), Path(sys.argv[1]))
