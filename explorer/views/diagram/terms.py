"""The field's words for parts of a network, and what each of them finds in a diagram."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ...inspection import Merge, Op, Report
from ...inspection.outline import Unit, outline
from .model import Role, build_diagram, everything
from .svg import sentence

MAX_FOUND = 500
_NORMS = frozenset({"batch_norm", "group_norm", "layer_norm", "instance_norm"})
_ACTIVATIONS = frozenset({"relu", "leaky_relu", "gelu", "silu"})
_POOLS = frozenset({"max_pool", "avg_pool", "mean", "adaptive_avg_pool"})


@dataclass(frozen=True)
class Term:
    """A word of the field.

    Attributes:
        one, many: what was found, counted: "1 shortcut", "8 shortcuts".
        synonyms: other words for it, in lower case and in the singular; × is written x.
        find: ids of what it means in a network, in execution order, as ``model.locate`` shows them.
    """

    one: str
    many: str
    synonyms: tuple[str, ...]
    find: Callable[[Report], Iterator[str]]

    @property
    def words(self) -> frozenset[str]:
        """All of its names, as ``normalise`` writes them."""
        return frozenset(map(normalise, (self.one, self.many, *self.synonyms)))


@dataclass(frozen=True)
class Found:
    """What a search found.

    Attributes:
        ids: at most ``MAX_FOUND``, in execution order.
        noun: what they are, if a term was searched: "shortcuts".
        words: the result as a sentence: "8 shortcuts", or what to search for if there is none.
    """

    ids: tuple[str, ...]
    noun: str
    words: str


def search(report: Report, text: str) -> Found:
    """What ``text`` means in a network: a term of the field, or part of a layer's name, type or shape."""
    wanted = normalise(text)
    if not wanted:
        return Found((), "", "")
    exact = [term for term in TERMS if wanted in term.words]
    if exact:
        return _counted(report, exact[0])
    if ids := tuple(_with_text(report, text)):
        return Found(ids[:MAX_FOUND], "", f"{len(ids)} found")
    begun = [term for term in TERMS if len(wanted) > 3 and any(word.startswith(wanted) for word in term.words)]
    return _counted(report, begun[0]) if begun else Found((), "", _suggestion(report, wanted))


def normalise(text: str) -> str:
    """A term as the table writes it: lower case, the singular, × as x, spaces for hyphens."""
    words = re.sub(r"[\s_-]+", " ", text.casefold().replace("×", "x").replace("*", "x")).strip()
    return words[:-1] if words.endswith("s") and not words.endswith("ss") else words


def _counted(report: Report, term: Term) -> Found:
    ids = tuple(term.find(report))
    if not ids:
        return Found((), "", f"no {term.many} in this network; try {_examples(report)}")
    noun = term.one if len(ids) == 1 else term.many
    return Found(ids[:MAX_FOUND], noun, f"{len(ids)} {noun}")


def _with_text(report: Report, text: str) -> Iterator[str]:
    # No keyboard has the × of 256×14×14.
    wanted = re.sub(r"(?<=\d)[x*](?=\d|$)", "×", text.casefold().strip())
    units = outline(report).units
    wholes = [*(unit.id for unit in units), *(block.id for unit in units for block in unit.blocks)]
    yield from (name for name in wholes if name.casefold() == wanted)  # a stage or block before its parts
    for node in build_diagram(report, everything(report)).nodes:
        if wanted in f"{node.id} {sentence(node)}".casefold() and node.id not in wholes:
            yield node.id


def _suggestion(report: Report, wanted: str) -> str:
    known = {word: term for term in TERMS for word in term.words}
    if close := get_close_matches(wanted, known, n=1, cutoff=0.75):
        return f"nothing found; did you mean {close[0]}?"
    return f"nothing found; try {_examples(report)}"


def _examples(report: Report) -> str:
    """Three terms that find something here."""
    here = (term.one for term in TERMS if term.one in _EXAMPLES and next(term.find(report), None))
    return ", ".join(list(here)[:3])


def _ops(*names: str) -> Callable[[Report], Iterator[str]]:
    return _where(lambda op: op.name in names)


def _where(wanted: Callable[[Op], bool]) -> Callable[[Report], Iterator[str]]:
    """Ids of the operations that are ``wanted``."""

    def find(report: Report) -> Iterator[str]:
        ids = outline(report).op_ids
        return (ids[op.index] for op in report.trace.ops if wanted(op))

    return find


def _additions(wanted: Callable[[Merge], bool]) -> Callable[[Report], Iterator[str]]:
    """Ids of the residual additions that are ``wanted``."""

    def find(report: Report) -> Iterator[str]:
        ids = outline(report).op_ids
        return (ids[merge.op] for merge in report.merges if wanted(merge))

    return find


def _adapting(role: Role) -> Callable[[Report], Iterator[str]]:
    """Ids of the first operations of the shortcuts of a kind."""

    def find(report: Report) -> Iterator[str]:
        ids = outline(report).op_ids
        return (ids[merge.shortcut[0]] for merge in report.merges if merge.kind == role.value and merge.shortcut)

    return find


def _blocks(*kinds: str) -> Callable[[Report], Iterator[str]]:
    """Ids of the blocks of these classes, or of any."""

    def find(report: Report) -> Iterator[str]:
        blocks = (block for unit in outline(report).units for block in unit.blocks)
        return (block.id for block in blocks if not kinds or report.trace.kinds.get(block.path) in kinds)

    return find


def _units(wanted: Callable[[Unit], bool]) -> Callable[[Report], Iterator[str]]:
    return lambda report: (unit.id for unit in outline(report).units if wanted(unit))


def _is_conv(op: Op, side: int | None = None) -> bool:
    return op.name == "conv" and (side is None or set(op.attrs["kernel"]) == {side})


def _shrinks(op: Op) -> bool:
    """Whether an operation keeps only every second row, or fewer."""
    if op.name == "slice":
        return bool(op.attrs["step"] > 1 and op.attrs["dim"] == 2)  # its columns are another operation
    return max(op.attrs.get("stride") or (1,)) > 1


def _is_grouped(op: Op) -> bool:
    return op.name == "conv" and op.attrs["groups"] > 1


TERMS: Sequence[Term] = (
    Term(
        "shortcut",
        "shortcuts",
        (
            "skip connection",
            "skip",
            "shortcut connection",
            "residual connection",
            "residual addition",
            "residual",
            "addition",
            "residual learning",
            "bypass",
            "f(x) + x",
            "f(x)+x",
            "merge",
            "sum",
        ),
        _additions(lambda merge: True),
    ),
    Term(
        "identity shortcut",
        "identity shortcuts",
        ("identity", "identity mapping", "identity connection"),
        _additions(lambda merge: merge.kind == Role.IDENTITY.value),
    ),
    Term(
        "projection",
        "projections",
        ("projection shortcut", "linear projection", "option b", "option c", "1x1 shortcut", "downsample module"),
        _adapting(Role.PROJECTION),
    ),
    Term(
        "zero-padded shortcut",
        "zero-padded shortcuts",
        ("zero padding", "zero pad", "padding shortcut", "option a", "parameter free shortcut"),
        _adapting(Role.ZERO_PAD),
    ),
    Term(
        "shape mismatch",
        "shape mismatches",
        ("mismatch", "mismatches", "broken", "error", "does not match", "dimension mismatch"),
        _additions(lambda merge: not merge.fits),
    ),
    Term(
        "bottleneck block",
        "bottleneck blocks",
        ("bottleneck", "bottleneck design", "bottle neck", "preact bottleneck"),
        _blocks("Bottleneck", "PreActBottleneck"),
    ),
    Term(
        "basic block",
        "basic blocks",
        ("basicblock", "basic", "preact basic"),
        _blocks("BasicBlock", "PreActBasicBlock"),
    ),
    Term("block", "blocks", ("residual block", "building block", "residual unit", "res block"), _blocks()),
    Term(
        "stage",
        "stages",
        ("group of block", "conv2 x", "conv3 x", "conv4 x", "conv5 x"),
        _units(lambda unit: bool(unit.blocks)),
    ),
    Term("stem", "stems", ("first layer", "conv1 and pooling", "input layer"), _units(lambda unit: unit.id == "stem")),
    Term(
        "head",
        "heads",
        ("classification head", "output layer", "last layer"),
        _units(lambda unit: unit.id == "head"),
    ),
    Term(
        "classifier",
        "classifiers",
        ("fully connected", "fully connected layer", "dense", "dense layer", "linear layer", "fc layer", "logit"),
        _ops("linear"),
    ),
    Term(
        "layer that downsamples",
        "layers that downsample",
        ("downsampling", "stride", "strided", "strided convolution", "stride 2", "subsampling", "halve"),
        _where(_shrinks),
    ),
    Term("max-pooling layer", "max-pooling layers", ("max pooling", "maxpooling", "max pool"), _ops("max_pool")),
    Term(
        "average-pooling layer",
        "average-pooling layers",
        ("average pooling", "global average pooling", "gap", "average pool", "avg pool", "avgpooling"),
        _ops("avg_pool", "mean", "adaptive_avg_pool"),
    ),
    Term("pooling layer", "pooling layers", ("pooling", "pool"), _ops(*_POOLS)),
    Term(
        "batch norm",
        "batch norms",
        ("batch normalisation", "batch normalization", "batchnorm", "bn"),
        _ops("batch_norm"),
    ),
    Term(
        "group norm",
        "group norms",
        ("group normalisation", "group normalization", "groupnorm", "gn"),
        _ops("group_norm"),
    ),
    Term(
        "normalisation layer",
        "normalisation layers",
        ("normalisation", "normalization", "normalization layer", "norm", "norm layer"),
        _ops(*_NORMS),
    ),
    Term(
        "activation",
        "activations",
        ("activation function", "nonlinearity", "non linearity", "rectifier", "rectified linear unit"),
        _ops(*_ACTIVATIONS),
    ),
    Term(
        "1×1 convolution",
        "1×1 convolutions",
        ("1x1", "1x1 conv", "pointwise", "pointwise convolution", "point wise convolution"),
        _where(lambda op: _is_conv(op, 1)),
    ),
    Term("3×3 convolution", "3×3 convolutions", ("3x3", "3x3 conv"), _where(lambda op: _is_conv(op, 3))),
    Term("7×7 convolution", "7×7 convolutions", ("7x7", "7x7 conv"), _where(lambda op: _is_conv(op, 7))),
    Term(
        "grouped convolution",
        "grouped convolutions",
        ("cardinality", "group convolution", "grouped conv", "resnext"),
        _where(_is_grouped),
    ),
    Term(
        "convolution",
        "convolutions",
        ("convolutional layer", "convolution layer", "conv layer"),
        _where(_is_conv),
    ),
    Term("flatten", "flatten operations", ("flattening",), _ops("view")),
)
"""One table for the field's words; its first entry that has a word decides what the word finds."""

_EXAMPLES = frozenset({"shortcut", "projection", "stem", "classifier", "batch norm"})
