"""The PyTorch lines that make a thing: read off the file that ``source(spec)`` writes, with this layer's numbers.

The file makes many layers with one line, as ``nn.Conv2d(in_channels, channels, 3, stride=stride …)``; here the names
are replaced by what the block's call passes for them.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from textwrap import dedent

from ...inspection import Op, Report
from ...network.codegen import source
from ...spec import ResNetSpec

# Operations that a ``forward`` of the file spells out itself, by what they look like there.
_SPELLED: dict[str, type[ast.expr] | str] = {
    "add": ast.BinOp,
    "slice": ast.Subscript,
    "pad": "F.pad",
    "view": "torch.flatten",
}


@dataclass(frozen=True)
class Lines:
    """Python text, empty where there is none: what constructs a thing, and what uses it in ``forward``."""

    makes: str = ""
    calls: str = ""


class Source:
    """The file of one spec, taken apart."""

    def __init__(self, text: str) -> None:
        self.text = text
        body = ast.parse(text).body
        self._classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
        self._functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}

    @cached_property
    def layers(self) -> dict[str, ast.expr]:
        """What makes each top-level module."""
        return self._attributes("ResNet", {})

    def constructor(self, path: str) -> ast.expr | None:
        """The call that makes the module at ``path``, with values for names; None where the file has none."""
        first, *rest = path.split(".")
        made = self.layers.get(first)
        for name in rest:
            made = self.children(made).get(name) if made else None
        return made

    def children(self, made: ast.expr) -> dict[str, ast.expr]:
        """What makes the modules inside, by name."""
        name = _called(made)
        if isinstance(made, ast.Call) and name == "nn.Sequential":
            return {str(i): element for i, element in enumerate(_elements(made.args))}
        if isinstance(made, ast.Call) and name in self._functions:
            function = self._functions[name]
            returned = next(s.value for s in function.body if isinstance(s, ast.Return))
            return self.children(_replaced(returned, _bound(function, made, 0))) if returned else {}
        if isinstance(made, ast.Call) and name in self._classes:
            return self._attributes(name, _bound(self.method(name, "__init__"), made, 1))
        return {}

    def class_of(self, path: str) -> str:
        """The file's own class of the module at ``path``; empty for one of torch's."""
        name = _called(self.constructor(path)) if path else "ResNet"
        return name if name in self._classes else ""

    def method(self, cls: str, name: str) -> ast.FunctionDef | None:
        """A method of a class of the file, or of the class it extends."""
        node = self._classes[cls]
        own = next((m for m in node.body if isinstance(m, ast.FunctionDef) and m.name == name), None)
        bases = (self.method(base.id, name) for base in node.bases if isinstance(base, ast.Name))
        return own or next(bases, None)

    def steps(self, cls: str, method: str = "forward") -> Iterator[tuple[ast.expr, str]]:
        """(expression, text of its statement) as they are evaluated; the class's own methods are walked into."""
        found = self.method(cls, method)
        for statement in found.body if found else ():
            for part in _evaluated(statement):
                name = _called(part).removeprefix("self.")
                if _called(part).startswith("self.") and self.method(cls, name):
                    yield from self.steps(cls, name)
                elif isinstance(part, ast.expr):
                    yield part, ast.unparse(statement)

    def segment(self, made: ast.expr) -> str:
        """The file's own text of a top-level module, its line breaks and comments included."""
        return dedent(" " * 8 + (ast.get_source_segment(self.text, made) or ast.unparse(made)))

    def definition(self, cls: str, method: str) -> str:
        """A method without its docstring; empty where there is none."""
        found = copy.deepcopy(self.method(cls, method))
        if not found:
            return ""
        found.body = [s for s in found.body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
        return ast.unparse(found)

    def _attributes(self, cls: str, values: Mapping[str, ast.expr]) -> dict[str, ast.expr]:
        """What ``__init__`` assigns to ``self``."""
        method = self.method(cls, "__init__")
        pairs = ((s.targets[0], s.value) for s in (method.body if method else ()) if isinstance(s, ast.Assign))
        return {t.attr: _replaced(value, values) for t, value in pairs if isinstance(t, ast.Attribute)}


@lru_cache(maxsize=24)
def source_of(spec: ResNetSpec) -> Source:
    return Source(source(spec))


def op_lines(report: Report, op: Op) -> Lines:
    """Lines of one operation; none for a foreign module, whose code is not known."""
    if report.spec is None or op.name == "input":
        return Lines()
    file = source_of(report.spec)
    owner, looks = op.path, _SPELLED.get(op.name)
    if looks is None:
        while owner and not (owner != op.path and file.class_of(owner)):
            owner = owner.rpartition(".")[0]
        looks = f"self.{op.path[len(owner) :].lstrip('.').partition('.')[0]}"
    cls = file.class_of(owner)
    if not cls:
        return Lines()
    matches = [text for part, text in file.steps(cls) if looks == _called(part) or _is(part, looks)]
    before = sum(o.path == op.path and o.name == op.name for o in report.trace.ops[: op.index])
    makes = "" if owner == op.path and not op.path.endswith("downsample") else _assignment(file, op.path, op)
    return Lines(makes, matches[min(before, len(matches) - 1)] if matches else "")


def block_lines(report: Report, path: str) -> Lines:
    """Lines of a block: its call, its layers with their numbers, and the methods that use them."""
    if report.spec is None:
        return Lines()
    file = source_of(report.spec)
    made, cls = file.constructor(path), file.class_of(path)
    if made is None or not cls:
        return Lines()
    layers = {name: value for name, value in file.children(made).items() if isinstance(value, ast.Call)}
    inside = "\n".join(f"self.{name} = {ast.unparse(value)}" for name, value in layers.items())
    methods = "\n".join(filter(None, (file.definition(cls, name) for name in ("branch", "forward"))))
    return Lines(f"{ast.unparse(made)}\n\n{inside}", methods)


def merge_lines(report: Report, path: str) -> Lines:
    """Lines of a block's sum: the block's call and its ``forward``."""
    if report.spec is None:
        return Lines()
    file = source_of(report.spec)
    made, cls = file.constructor(path), file.class_of(path)
    return Lines(ast.unparse(made), file.definition(cls, "forward")) if made and cls else Lines()


def stage_lines(report: Report, path: str) -> Lines:
    """Lines of a stage."""
    if report.spec is None or not path:
        return Lines()
    file = source_of(report.spec)
    made = file.layers.get(path)
    return Lines(f"self.{path} = {file.segment(made)}" if made else "", f"x = self.{path}(x)" if made else "")


def loose_lines(report: Report, ops: Sequence[Op]) -> Lines:
    """Lines of several operations, each line once."""
    found = [op_lines(report, op) for op in ops]
    return Lines(_once(f.makes for f in found), _once(f.calls for f in found))


def _once(texts: Iterable[str]) -> str:
    return "\n".join(filter(None, dict.fromkeys(texts)))


def _assignment(file: Source, path: str, op: Op) -> str:
    made = file.constructor(path)
    if made is None:  # without a norm, the file has the last activation alone where the network has two modules
        path = path.rpartition(".")[0]
        made = file.constructor(path)
    if made is None:
        return ""
    # The file's ``norm`` chooses the number of groups; here it is known.
    known = op.name == "group_norm"
    text = f"nn.GroupNorm({op.attrs['groups']}, {op.shape[1]})" if known else ast.unparse(made)
    parent, _, name = path.rpartition(".")
    return f"self.{path} = {text}" if not parent else f"self.{name} = {text}" if not name.isdigit() else text


def _called(node: ast.AST | None) -> str:
    """Dotted name of what is called; empty for anything else."""
    return ast.unparse(node.func) if isinstance(node, ast.Call) else ""


def _is(part: ast.expr, looks: type[ast.expr] | str) -> bool:
    return not isinstance(looks, str) and isinstance(part, looks)


def _evaluated(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes below, operands before what is done with them."""
    for child in ast.iter_child_nodes(node):
        yield from _evaluated(child)
        yield child


def _elements(arguments: Sequence[ast.expr]) -> Iterator[ast.expr]:
    """Arguments with ``*(x for _ in range(n))`` written out."""
    for argument in arguments:
        value = argument.value if isinstance(argument, ast.Starred) else argument
        if isinstance(value, ast.GeneratorExp):
            call = value.generators[0].iter
            assert isinstance(call, ast.Call)
            yield from [value.elt] * int(ast.literal_eval(call.args[0]))
        else:
            yield value


def _bound(function: ast.FunctionDef | None, call: ast.Call, skip: int) -> dict[str, ast.expr]:
    """Parameter's name -> the argument of ``call``, or the default; ``skip``: leading parameters, as ``self``."""
    if function is None:
        return {}
    arguments = function.args
    names = [a.arg for a in arguments.args[skip:]]
    defaults = {a.arg: d for a, d in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True) if d}
    given = {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
    return {**defaults, **dict(zip(names, call.args, strict=False)), **given}


def _replaced(value: ast.expr, values: Mapping[str, ast.expr]) -> ast.expr:
    """``value`` with names replaced; ``stride=1`` goes, as nobody would write it."""
    return _Replace(values).visit(copy.deepcopy(value)) if values else value


class _Replace(ast.NodeTransformer):
    def __init__(self, values: Mapping[str, ast.expr]) -> None:
        self.values = values

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return self.values.get(node.id, node)

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        node.keywords = [k for k in node.keywords if ast.unparse(k) != "stride=1"]
        return node
