"""ONNX files: as exporters, quantisers and other tools write them, and as accidents leave them."""

from __future__ import annotations

import functools
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_dynamic, quantize_static
from torch import nn

from .nets import Attention, Mlp, Plain, gru, lstm, resnet
from .specimens import broken, right

IMAGE, STEPS, TOKENS, FEATURES = (1, 3, 16, 16), (5, 1, 6), (1, 7, 8), (3, 12)
_INPUTS = {lstm: STEPS, gru: STEPS, Attention: TOKENS, Mlp: FEATURES}


@functools.cache
def exported(net: Callable[[], nn.Module], half: bool = False) -> bytes:
    """A network as torch's older exporter writes it, batch norms kept."""
    torch.manual_seed(0)
    made, x = net().eval(), torch.randn(_INPUTS.get(net, IMAGE))
    for parameter in made.parameters():  # equal tensors would be stored once
        nn.init.normal_(parameter)
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "net.onnx"
        warnings.simplefilter("ignore")
        torch.onnx.export(
            made.half() if half else made,
            (x.half() if half else x,),
            str(out),
            dynamo=False,
            training=torch.onnx.TrainingMode.PRESERVE,
            do_constant_folding=False,
        )
        return out.read_bytes()


def saved(folder: Path, content: Any, name: str = "net.onnx") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.SerializeToString())
    return path


def model(nodes: Sequence[Any], shape: Sequence[int | str] = (1, 4, 8, 8), **stored: tuple[int, ...]) -> Any:
    """Reads ``x``, gives ``y``."""
    weights = [numpy_helper.from_array(np.ones(shape, np.float32), name) for name, shape in stored.items()]
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(shape))],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        weights,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def conv(source: str, weight: str, target: str, stride: int = 1) -> Any:
    return helper.make_node("Conv", [source, weight], [target], kernel_shape=[3, 3], strides=[stride] * 2, pads=[1] * 4)


def node(kind: str, source: Sequence[str], target: str, **attributes: Any) -> Any:
    return helper.make_node(kind, list(source), [target], **attributes)


class Images(CalibrationDataReader):  # type: ignore[misc]
    """Two images to calibrate with."""

    def __init__(self, name: str, shape: tuple[int, ...]) -> None:
        self.left = [{name: np.random.default_rng(i).normal(size=shape).astype(np.float32)} for i in range(2)]

    def get_next(self) -> dict[str, np.ndarray] | None:
        return self.left.pop() if self.left else None


def quantised(folder: Path, net: Callable[[], nn.Module], form: QuantFormat | None, **options: Any) -> Path:
    source, target = saved(folder, exported(net), "float.onnx"), folder / "net.onnx"
    if form is None:
        quantize_dynamic(source, target, **options)
    else:
        name = onnx.load(source).graph.input[0].name
        quantize_static(source, target, Images(name, _INPUTS.get(net, IMAGE)), quant_format=form, **options)
    return target


# ---- right ------------------------------------------------------------------------------------------------


@right(resnet)
def exported_resnet(folder: Path) -> Path:
    return saved(folder, exported(resnet))


@right(Plain)
def quantised_qdq(folder: Path) -> Path:
    return quantised(folder, Plain, QuantFormat.QDQ)


@right(Plain)
def quantised_qdq_per_channel(folder: Path) -> Path:
    return quantised(folder, Plain, QuantFormat.QDQ, per_channel=True)


@right(Plain)
def quantised_operators(folder: Path) -> Path:
    return quantised(folder, Plain, QuantFormat.QOperator)


@right(Mlp, FEATURES)
def quantised_dynamically(folder: Path) -> Path:
    return quantised(folder, Mlp, None)


@right(lstm, STEPS)
def quantised_recurrent(folder: Path) -> Path:
    return quantised(folder, lstm, None)


@right(Plain)
def half_precision(folder: Path) -> Path:
    return saved(folder, exported(Plain, half=True))


@right(lstm, STEPS)
def long_short_term_memory(folder: Path) -> Path:
    return saved(folder, exported(lstm))


@right(gru, STEPS)
def gated_recurrent_unit(folder: Path) -> Path:
    return saved(folder, exported(gru))


@right(Attention, TOKENS)
def attention(folder: Path) -> Path:
    return saved(folder, exported(Attention))


@right(Plain, says="The values of 6 tensors are kept in another file")
def external_data(folder: Path) -> Path:
    made = onnx.load_model_from_string(exported(Plain))
    onnx.save(made, folder / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0)
    return folder / "net.onnx"


@right(Plain)
def initialisers_as_inputs(folder: Path) -> Path:
    """As format 3 had it."""
    made = onnx.load_model_from_string(exported(Plain))
    for tensor in made.graph.initializer:
        made.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    return saved(folder, made)


@right(Plain)
def unsorted_nodes(folder: Path) -> Path:
    """As tools that rewrite graphs leave them. onnxruntime sorts them too."""
    made = onnx.load_model_from_string(exported(Plain))
    backwards = [onnx.NodeProto.FromString(n.SerializeToString()) for n in reversed(made.graph.node)]
    del made.graph.node[:]
    made.graph.node.extend(backwards)
    return saved(folder, made)


@right(Plain)
def weights_as_inputs(folder: Path) -> Path:
    """As ``export_params=False`` leaves it."""
    made = onnx.load_model_from_string(exported(Plain))
    for tensor in made.graph.initializer:
        made.graph.input.append(helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims))
    del made.graph.initializer[:]
    return saved(folder, made)


@right(says="The shapes of 2 of 4 operations are unknown")
def a_shape_that_values_decide(folder: Path) -> Path:
    nodes = [node("NonZero", ["x"], "n"), node("Cast", ["n"], "f", to=1), node("Relu", ["f"], "r")]
    return saved(folder, model([*nodes, conv("x", "w", "y")], w=(4, 4, 3, 3)))


@right(says="Not counted in the MACs: 'If' (1×)")
def a_branch(folder: Path) -> Path:
    """With a convolution in each branch."""
    branches = [
        helper.make_graph(
            [conv("x", weight, f"{weight}y")],
            weight,
            [],
            [helper.make_tensor_value_info(f"{weight}y", TensorProto.FLOAT, [1, 4, 8, 8])],
        )
        for weight in ("w", "v")
    ]
    nodes = [
        node("ReduceMax", ["x"], "m", keepdims=0),
        node("Cast", ["m"], "c", to=TensorProto.BOOL),
        node("If", ["c"], "y", then_branch=branches[0], else_branch=branches[1]),
    ]
    return saved(folder, model(nodes, w=(4, 4, 3, 3), v=(4, 4, 3, 3)))


@right()
def open_batch(folder: Path) -> Path:
    return saved(folder, model([conv("x", "w", "a"), node("Add", ["a", "x"], "y")], ("n", 4, 8, 8), w=(4, 4, 3, 3)))


@right(says="The file leaves the size of its input open: 3×224×224 is taken.")
def open_image(folder: Path) -> Path:
    nodes = [conv("x", "w", "a"), node("Add", ["a", "x"], "y")]
    return saved(folder, model(nodes, ("n", 3, "h", "w_"), w=(3, 3, 3, 3)))


# ---- broken -----------------------------------------------------------------------------------------------


@broken("reads 'x2', which nothing in it gives")
def reads_what_nothing_gives(folder: Path) -> Path:
    return saved(folder, model([conv("x2", "w", "y")], w=(4, 4, 3, 3)))


@broken("two of its nodes give 'y'")
def two_give_one_name(folder: Path) -> Path:
    return saved(folder, model([conv("x", "w", "y"), node("Relu", ["x"], "y")], w=(4, 4, 3, 3)))


@broken("wait for one another in a circle")
def a_circle(folder: Path) -> Path:
    return saved(folder, model([node("Add", ["x", "y"], "a"), node("Relu", ["a"], "y")]))


@broken("it imports no opset")
def no_opset(folder: Path) -> Path:
    made = model([conv("x", "w", "y")], w=(4, 4, 3, 3))
    del made.opset_import[:]
    return saved(folder, made)


@broken("takes 8 channels, but")
def too_few_channels(folder: Path) -> Path:
    return saved(folder, model([conv("x", "w", "y")], w=(4, 8, 3, 3)))


@broken("takes 6 features, but")
def too_few_features(folder: Path) -> Path:
    return saved(folder, model([node("MatMul", ["x", "w"], "a"), node("Relu", ["a"], "y")], (1, 5), w=(6, 3)))


@broken("takes 6 features, but")
def gemm_of_another_width(folder: Path) -> Path:
    return saved(folder, model([node("Gemm", ["x", "w"], "y")], (1, 5), w=(6, 3)))


@broken("8×4×4")
def a_shortcut_without_projection(folder: Path) -> Path:
    return saved(folder, model([conv("x", "w", "a", 2), node("Add", ["a", "x"], "y")], w=(8, 4, 3, 3)))


@broken("4×4×4")
def paths_of_two_sizes_joined(folder: Path) -> Path:
    nodes = [conv("x", "w", "a", 2), node("Concat", ["a", "x"], "c", axis=1), node("Relu", ["c"], "y")]
    return saved(folder, model(nodes, w=(4, 4, 3, 3)))


@broken("b is made for 5 elements, 4 come")
def a_bias_of_another_length(folder: Path) -> Path:
    return saved(folder, model([node("Add", ["x", "b"], "y")], b=(1, 5, 1, 1)))


@broken("4×4×4")
def a_gate_of_another_size(folder: Path) -> Path:
    nodes = [conv("x", "w", "a", 2), node("Mul", ["a", "x"], "y")]
    return saved(folder, model(nodes, w=(4, 4, 3, 3)))


@broken("Git LFS pointer")
def lfs_pointer(folder: Path) -> Path:
    return saved(folder, b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2\nsize 46830571\n")


@broken("web page")
def web_page(folder: Path) -> Path:
    return saved(folder, b"\n<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>")


@broken("cut off: at least")
def cut_off(folder: Path) -> Path:
    return saved(folder, exported(Plain)[:-700])


@broken("cut off: at least")
def cut_in_half(folder: Path) -> Path:
    data = exported(resnet)
    return saved(folder, data[: len(data) // 2])


@broken("no ONNX file, or its graph is empty")
def empty(folder: Path) -> Path:
    return saved(folder, b"")


@broken("damaged, or no ONNX file")
def noise(folder: Path) -> Path:
    return saved(folder, np.random.default_rng(0).bytes(4000))


@broken("8×4×4")
def a_difference_of_two_sizes(folder: Path) -> Path:
    return saved(folder, model([conv("x", "w", "a", 2), node("Sub", ["x", "a"], "y")], w=(8, 4, 3, 3)))


@broken("takes 6 channels, but")
def groups_of_another_width(folder: Path) -> Path:
    grouped = helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3, 3], group=2)
    return saved(folder, model([grouped], w=(4, 3, 3, 3)))


@broken("takes 7 channels, but")
def transposed_of_another_width(folder: Path) -> Path:
    return saved(folder, model([node("ConvTranspose", ["x", "w"], "y")], w=(7, 4, 2, 2)))


@broken("s is made for 3 elements, 8 come")
def a_scale_of_another_length(folder: Path) -> Path:
    return saved(folder, model([node("Mul", ["x", "s"], "a"), node("Relu", ["a"], "y")], s=(3,)))


@broken("takes 6 features, but")
def a_second_layer_of_another_width(folder: Path) -> Path:
    nodes = [node("MatMul", ["x", "w"], "a"), node("Relu", ["a"], "r"), node("MatMul", ["r", "v"], "y")]
    return saved(folder, model(nodes, (2, 5), w=(5, 8), v=(6, 3)))


@broken("a projection is missing. The branch gives 8×4×4")
def the_second_of_two_shortcuts(folder: Path) -> Path:
    nodes = [conv("x", "w", "a"), node("Add", ["a", "x"], "b"), conv("b", "v", "c", 2), node("Add", ["c", "b"], "y")]
    return saved(folder, model(nodes, w=(4, 4, 3, 3), v=(8, 4, 3, 3)))


@broken("a name in it is not text")
def a_name_that_is_no_text(folder: Path) -> Path:
    data = model([conv("x", "w", "y")], w=(4, 4, 3, 3)).SerializeToString()
    return saved(folder, data.replace(b"Conv", b"C\xff\xfev"))


def _cut(share: int) -> None:
    def write(folder: Path) -> Path:
        data = exported(Plain)
        return saved(folder, data[: len(data) * share // 100])

    write.__name__ = f"cut_at_{share}_percent"
    broken("the file was refused")(write)


for share in (5, 20, 40, 60, 80, 99):
    _cut(share)
