"""The PyTorch lines that make a thing and that use it, as the generator of ``source(spec)`` knows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ...inspection import Op, Report
from ...network.codegen.lines import ModuleLines
from ...spec import ResNetSpec


@dataclass(frozen=True)
class Lines:
    """Python text, empty where there is none: what constructs a thing, and what uses it in ``forward``."""

    makes: str = ""
    calls: str = ""


@lru_cache(maxsize=24)
def lines_of(spec: ResNetSpec) -> ModuleLines:
    return ModuleLines(spec)


def op_lines(report: Report, op: Op) -> Lines:
    """Lines of one operation; none for a foreign module, whose code is not known."""
    if report.spec is None or op.name == "input":
        return Lines()
    code = lines_of(report.spec)
    own = code.operations(op.path, op.name)
    statements = own or code.calls(op.path)
    # The network and its blocks add, flatten: there is no layer that does it.
    makes = "" if own and not op.path.endswith("downsample") else _assignment(code, op.path, op)
    before = sum(o.path == op.path and o.name == op.name for o in report.trace.ops[: op.index])
    return Lines(makes, statements[min(before, len(statements) - 1)] if statements else "")


def block_lines(report: Report, path: str) -> Lines:
    """Lines of a block: its call, its layers with their numbers, and the methods that use them."""
    if report.spec is None or not (made := lines_of(report.spec).constructor(path)):
        return Lines()
    code = lines_of(report.spec)
    inside = [f"self.{name} = {layer}" for name, layer in code.layers(path).items() if "." not in name]
    methods = [method.definition for method in code.methods(path).values()]
    return Lines("\n".join([made, "", *inside]), "\n".join(methods))


def merge_lines(report: Report, path: str) -> Lines:
    """Lines of a block's sum: the block's call and its ``forward``."""
    if report.spec is None or not (made := lines_of(report.spec).constructor(path)):
        return Lines()
    return Lines(made, lines_of(report.spec).methods(path)["forward"].definition)


def stage_lines(report: Report, path: str) -> Lines:
    """Lines of a stage."""
    made = lines_of(report.spec).stage(path) if report.spec else ""
    return Lines(made, "".join(lines_of(report.spec).calls(path))) if report.spec and made else Lines()


def loose_lines(report: Report, ops: Sequence[Op]) -> Lines:
    """Lines of several operations, each line once."""
    found = [op_lines(report, op) for op in ops]
    return Lines(_once(f.makes for f in found), _once(f.calls for f in found))


def _once(texts: Iterable[str]) -> str:
    return "\n".join(filter(None, dict.fromkeys(texts)))


def _assignment(code: ModuleLines, path: str, op: Op) -> str:
    made = code.constructor(path)
    if not made:  # without a norm, the file has the last activation alone where the network has two modules
        path = path.rpartition(".")[0]
        made = code.constructor(path)
    if not made:
        return ""
    # The file's ``norm`` chooses the number of groups; here it is known.
    text = f"nn.GroupNorm({op.attrs['groups']}, {op.shape[1]})" if op.name == "group_norm" else made
    name = path.rpartition(".")[2]
    return text if name.isdigit() else f"self.{name} = {text}"
