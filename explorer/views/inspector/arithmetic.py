"""The sums behind the numbers: output side, parameters, multiply-adds and receptive field, with this layer's values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from math import prod

from ...inspection import Merge, Op, ReceptiveField, Report
from ..kit import numbers

Fields = Sequence[ReceptiveField | None]


def op_sums(report: Report, op: Op) -> Iterator[tuple[str, str]]:
    """(what, sum) of one operation: "Output side", "Parameters", "MACs", "Receptive field", "Stride"."""
    if "kernel" in op.attrs and not op.attrs.get("transposed"):
        yield "Output side", side_sum(op)
    params = report.trace.params.get(op.path, 0)
    if op.name in _PARAMS and params:
        yield "Parameters", f"{_PARAMS[op.name](op)} = {numbers.exact(params)}"
    if op.macs and op.name in _MACS:
        yield "MACs", f"{_MACS[op.name](op)} = {numbers.exact(op.macs)}"
    yield from field_sums(report, op)


def side_sum(op: Op) -> str:
    """⌊(H + 2p − d(k − 1) − 1) ÷ s⌋ + 1, with numbers; of unequal sides the height's."""
    a, height = op.attrs, op.in_shapes[0][2]
    k, s, p, d = (a[name][0] for name in ("kernel", "stride", "padding", "dilation"))
    return f"⌊({height} + 2·{p} − {d}·({k} − 1) − 1) ÷ {s}⌋ + 1 = {op.shape[2]}"


def field_sums(report: Report, op: Op) -> Iterator[tuple[str, str]]:
    """Receptive field and stride, in input pixels; what follows a global pooling sees the whole map."""
    fields = report.receptive_fields
    here, before = fields[op.index], [fields[i] for i in op.inputs]
    merge = next((m for m in report.merges if m.op == op.index), None)
    if here is None or op.name == "input":
        return
    known = [field for field in before if field is not None]
    size, jump = max(f.size for f in known), max(f.jump for f in known)
    if merge:
        yield "Receptive field", _widest(merge, fields, op, here)
    elif "kernel" in op.attrs and not op.attrs.get("transposed"):
        k, d = max(op.attrs["kernel"]), max(op.attrs["dilation"])
        reach = f"({k} − 1)" if d == 1 else f"({k} − 1) × {d}"
        yield "Receptive field", f"{size} + {reach} × {jump} = {numbers.pixels(here.size)}"
    else:
        yield "Receptive field", f"{numbers.pixels(here.size)}, as its input"
    if here.jump != jump:
        yield "Stride", f"{jump} × {here.jump // jump} = {numbers.pixels(here.jump)}"
    elif not merge:
        yield "Stride", f"{numbers.pixels(here.jump)}, as its input"


def params_sum(report: Report, ops: Sequence[int]) -> str:
    """Parameters of two to eight layers, "64 × 128 + 2 × 128 = 8,448"; empty for more or fewer."""
    params = report.trace.params
    layers = {op.path: op for op in (report.trace.ops[i] for i in ops) if op.name in _PARAMS and params.get(op.path)}
    if not 2 <= len(layers) <= 8:
        return ""
    terms = " + ".join(_PARAMS[op.name](op) for op in layers.values())
    return f"{terms} = {numbers.exact(sum(params[path] for path in layers))}"


def path_sums(report: Report, ops: Sequence[int]) -> Iterator[tuple[str, str]]:
    """Several operations: each that widens the receptive field or the stride, then the sum of the two paths."""
    fields = report.receptive_fields
    for op in (report.trace.ops[i] for i in ops):
        before = [fields[i] for i in op.inputs]
        merges = any(m.op == op.index for m in report.merges)
        if fields[op.index] is not None and (merges or any(f != fields[op.index] for f in before)):
            sums = dict(field_sums(report, op))
            steps = [sums["Receptive field"]] if "=" in sums["Receptive field"] else []
            steps += [f"stride {sums['Stride']}"] if "=" in sums.get("Stride", "") else []
            yield "addition" if merges else _short(op.path), "; ".join(steps)


def _short(path: str) -> str:
    """layer2.0.conv1 -> conv1; layer2.0.downsample.0 -> downsample.0."""
    *rest, name = path.split(".")
    return f"{rest[-1]}.{name}" if rest and name.isdigit() else name


def _widest(merge: Merge, fields: Fields, op: Op, here: ReceptiveField) -> str:
    ends = [(i, fields[i]) for i in op.inputs]
    named = sorted(("branch" if i in merge.branch else "shortcut", f.size) for i, f in ends if f is not None)
    return f"max({', '.join(f'{name} {size}' for name, size in named)}) = {numbers.pixels(here.size)}"


def _conv_params(op: Op) -> str:
    outputs, inputs, *kernel = op.attrs["weight"]
    return _product(*kernel, inputs, outputs) + (f" + {outputs}" if op.attrs["bias"] else "")


def _linear_params(op: Op) -> str:
    return f"{op.attrs['inner']} × {op.shape[-1]} + {op.shape[-1]}"


def _conv_macs(op: Op) -> str:
    outputs, inputs, *kernel = op.attrs["weight"]
    return f"{_product(*kernel, inputs, outputs)} × {_product(*op.shape[2:])}{_batch(op)}"


def _linear_macs(op: Op) -> str:
    return f"{op.attrs['inner']} × {op.shape[-1]}{_batch(op)}"


def _batch(op: Op) -> str:
    return f" × {op.shape[0]}" if op.shape[0] > 1 else ""


def _product(*factors: int) -> str:
    return " × ".join(map(str, factors)) if prod(factors) else "0"


_PARAMS: dict[str, Callable[[Op], str]] = {
    "conv": _conv_params,
    "linear": _linear_params,
    "batch_norm": lambda op: f"2 × {op.shape[1]}",
    "group_norm": lambda op: f"2 × {op.shape[1]}",
}
_MACS: dict[str, Callable[[Op], str]] = {"conv": _conv_macs, "linear": _linear_macs}
