"""What runs and is probably not what was meant: hints, which are never a failure by themselves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from weakref import WeakKeyDictionary

from torch import nn

from ..errors import TraceError
from ..spec.shapes import text
from .joins.additions import doubtful_broadcasts
from .joins.findings import Finding
from .report import Report
from .tracing.copies import copied
from .tracing.operations import Op
from .tracing.trace import Subject

_FOUND: WeakKeyDictionary[Report, tuple[Finding, ...]] = WeakKeyDictionary()


def find_hints(report: Report) -> tuple[Finding, ...]:
    """Hints about a module that was traced; a spec and a file have none. The first call may take two passes more."""
    if report.subject is None:
        return ()
    if report not in _FOUND:
        _FOUND[report] = tuple(_hints(report, report.subject))
    return _FOUND[report]


def training_hint(report: Report) -> Finding | None:
    """That a forward pass in training mode fails, though one in evaluation mode does not."""
    if report.subject is None or report.findings:
        return None
    try:
        report.subject.trace_training()
    except TraceError as error:
        return _hint("training-fails", "", 0, f"In training mode, {error}.")
    return None


def _hints(report: Report, subject: Subject) -> Iterator[Finding]:
    ops = report.trace.ops
    if report.trace.recording.gives_nothing:
        yield _hint("gives-nothing", "", 0, "forward gives None: its last line lacks a return.")
    yield from _in_lists(subject.shadow)
    if not report.findings:
        yield from _never_called(report, subject)
        yield from _in_place(report, subject)
        yield from (hint for op in ops for hint in _of_op(ops, op))
    for merge in doubtful_broadcasts(report.trace):
        sides = f"one side gives {text(merge.branch_shape)}, the other {text(merge.shortcut_shape)}"
        words = f"{merge.path or 'the network'}: {sides}; PyTorch repeats the smaller one. Is it meant?"
        yield _hint("repeated-operand", merge.path, merge.op, words)


def _hint(rule: str, path: str, op: int, sentence: str) -> Finding:
    return Finding(rule, path, op, sentence, None, (), "warning")


# ---- layers ----------------------------------------------------------------------------------------------


def _in_lists(net: nn.Module) -> Iterator[Finding]:
    """Layers in a plain list or dict, whose parameters nobody trains."""
    registered = {id(module) for module in net.modules()}
    for path, module in net.named_modules():
        for name, value in vars(module).items():
            if name.startswith("_") or not isinstance(value, (list, tuple, dict)):
                continue
            items = value.values() if isinstance(value, dict) else value
            lost = [item for item in items if isinstance(item, nn.Module) and id(item) not in registered]
            if any(next(item.parameters(), None) is not None for item in lost):
                holder, kind = ("dict", "ModuleDict") if isinstance(value, dict) else ("list", "ModuleList")
                full = f"{path}.{name}" if path else name
                words = (
                    f"{full} is a plain {holder} with {len(lost)} layers: their parameters are neither trained nor "
                    f"saved nor moved to a device. Use nn.{kind}."
                )
                yield _hint("layers-in-a-list", full, 0, words)


def _never_called(report: Report, subject: Subject) -> Iterator[Finding]:
    """Layers whose parameters no forward pass reads, in training neither."""
    lost = _unread(subject.shadow, report.trace.recording.read)
    if not lost or report.trace.note:
        return
    try:
        lost = [path for path in _unread(subject.shadow, subject.trace_training().recording.read) if path in lost]
    except TraceError:
        return
    for path in lost:
        module = subject.shadow.get_submodule(path) if path else subject.shadow
        count = sum(parameter.numel() for parameter in module.parameters())
        words = f"{path} is never used: forward does not call it, and its {count:,} parameters change nothing."
        yield _hint("never-called", path, 0, words)


def _unread(net: nn.Module, read: frozenset[str]) -> list[str]:
    """Outermost modules with parameters of which none is read."""
    found: list[str] = []
    for path, module in net.named_modules(remove_duplicate=True):
        if not path or any(path.startswith(f"{outer}.") for outer in found):
            continue
        names = [f"{path}.{name}" for name, _ in module.named_parameters()]
        if names and not read.intersection(names):
            found.append(path)
    return found


def _in_place(report: Report, subject: Subject) -> Iterator[Finding]:
    """Shortcuts that read x after an activation has changed it in place."""
    ops = report.trace.ops
    suspects = [
        merge
        for merge in report.merges
        if merge.fork is not None and ops[merge.fork].attrs.get("in_place") and _is_beside(ops[merge.fork], merge.path)
    ]
    if not suspects:
        return
    net = copied(subject.shadow)
    for module in net.modules():
        if getattr(module, "inplace", False) is True:
            module.inplace = False  # type: ignore[assignment]
    try:
        trace = Subject(net, subject.inputs).trace(quick=True)
    except TraceError:
        return
    apart = {merge.op: merge for merge in Report("", None, (), trace).merges}
    for merge in suspects:
        other = apart.get(merge.op)
        if other is not None and other.fork != merge.fork:
            relu = ops[merge.fork or 0]
            words = (
                f"{relu.path or relu.name} works in place on what the shortcut of {merge.path or 'the network'} "
                f"carries: it is {relu.name}(x), not x. Use inplace=False there."
            )
            yield _hint("in-place-shortcut", merge.path, relu.index, words)


def _is_beside(op: Op, path: str) -> bool:
    """Whether an operation is of the module that adds, or of one right below it."""
    return op.path == path or op.path.rpartition(".")[0] == path


# ---- shapes ----------------------------------------------------------------------------------------------


def _of_op(ops: Sequence[Op], op: Op) -> Iterator[Finding]:
    where = op.path or "the network"
    if op.name == "view" and len(op.in_shapes[0]) == 4 and len(op.shape) == 2:
        (n, _, h, w), (m, k) = op.in_shapes[0], op.shape
        came_apart = ops[op.inputs[0]].name in ("permute", "transpose", "clone")
        if m != n and m % n == 0 and k not in (w, h * w) and not came_apart and ops[-1].shape[:1] == (m,):
            words = (
                f"{where} views {text(op.in_shapes[0])} as {text(op.shape)}: a batch of {n} becomes {m}. flatten(1) "
                "keeps the batch."
            )
            yield _hint("batch-folded", op.path, op.index, words)
    if op.name in ("mul", "add", "sub") and len(op.inputs) == 2:
        small, large = sorted(op.in_shapes, key=len)
        if len(small) == 2 < len(large) and small == large[:2]:
            axes = ", ".join([":", ":", *["None"] * (len(large) - 2)])
            words = (
                f"{where}: {text(small)} meets {text(large)}, and PyTorch aligns shapes from the right, so it acts on "
                f"the last axes. gate[{axes}] would act on channels."
            )
            yield _hint("gate-axes", op.path, op.index, words)
