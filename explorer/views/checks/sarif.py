"""Findings as SARIF 2.1.0, the form in which code hosts and editors take the results of a check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from ... import __version__
from ...inspection import Finding, Report, propose_fixes
from ...inspection.contract import Outcome

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
EXPECTATION = "expectation"
# What each rule means, and what fixes it.
HELP = {
    "missing-projection": "A block changes channels or size, and its shortcut does not. Give the shortcut a 1×1 "
    "convolution with the block's stride, and a normalisation.",
    "stride-differs": "Branch and shortcut shrink the map by different factors. Give both the same stride.",
    "padding-forgotten": "A convolution without padding makes the map smaller than the other path's. Pad it by half "
    "its kernel.",
    "padding-in-excess": "A convolution pads more than its kernel takes away, so its map is larger than the other "
    "path's. Pad it by half its kernel.",
    "odd-size": "A map of odd size is halved in two ways that round differently. Round both paths the same way.",
    "size-differs": "Branch and shortcut give maps of different size. Bring both to one size before they are added.",
    "wrong-expansion": "Branch and shortcut end in different multiples of the block's width. Give both the same "
    "expansion.",
    "wrong-width": "A layer is built for other channels than those it is given. Make both numbers equal.",
    "groups-do-not-divide": "A grouped convolution's groups do not divide its channels. Choose a number that divides "
    "both its inputs and its outputs.",
    "rank-differs": "Branch and shortcut have different numbers of dimensions. Flatten or pool both, or neither.",
    "broadcast": "Branch and shortcut differ in shape, and PyTorch adds them without an error. The smaller one is "
    "repeated, so the sum is not F(x) + x; give both the same shape.",
    "even-kernel": "An even kernel cannot be padded alike on both sides, so its map is one larger or smaller. Use an "
    'odd kernel, or padding="same".',
    "transposed-size": "A transposed convolution does not undo the stride before it. Choose its padding and "
    "output_padding so that it gives stride times its input.",
    "axes-swapped": "Two tensors hold the same numbers of channels and positions, but on different axes. Permute one "
    "of them back.",
    "constant-differs": "A parameter, buffer or constant has another shape than the tensor that it meets. Make it for "
    "the size that comes, or give it the axes that it lacks.",
    "product-differs": "Two tensors that are multiplied, divided or compared have shapes that do not broadcast. Bring "
    "both to one size, or give the gate the axes that it lacks.",
    "concat-differs": "Maps of different size are concatenated. Pad the input, resize one map to the other's size, or "
    "give the upsampling the missing row.",
    "stack-differs": "Tensors of different shape are stacked. Bring all to one shape.",
    "matmul-differs": "The columns of the first matrix are not the rows of the second. Transpose one, or make both "
    "widths equal.",
    "view-size": "A view asks for another number of elements than there are. Compute the shape from the tensor, or use "
    "flatten.",
    "view-strides": "A view reads a tensor whose axes were permuted. Use reshape, or contiguous() before it.",
    "split-size": "Parts of other sizes are asked for than the axis has. Compute them from the tensor.",
    "wrong-state": "A recurrent layer is given a first state of another shape. It is layers × batch × features.",
    "wrong-mask": "Attention is given a mask of another shape. It has the lengths of queries and keys.",
    "kernel-too-large": "A window is larger than the padded map that it reads. Use a larger input, fewer strides or a "
    "smaller window.",
    "wrong-rank": "A layer is given a tensor with another number of axes than it takes. Use the layer for that number.",
    "wrong-norm-shape": "A layer normalisation is made for one size of map, and another comes. Normalise the channels "
    "alone, or use a group normalisation.",
    "wrong-dtype": "A layer is given numbers of a type that it cannot take. Give it whole numbers.",
    "channels-do-not-divide": "A pixel shuffle takes channels that the square of its factor divides. Change the "
    "channels of the layer before it.",
    "size-does-not-divide": "A pixel unshuffle takes sides that its factor divides. Pad the input.",
    "never-called": "A layer has parameters that no forward pass reads. Call it, or remove it.",
    "layers-in-a-list": "Layers in a plain list or dict are not found by PyTorch. Use nn.ModuleList or nn.ModuleDict.",
    "gives-nothing": "forward returns nothing. End it with a return.",
    "batch-folded": "A view makes the batch larger instead of the features. Use flatten(1).",
    "gate-axes": "A tensor of (N, C) is combined with one of (N, C, H, W), and PyTorch aligns their last axes. Give it "
    "two axes more.",
    "in-place-shortcut": "An activation works in place on the tensor that the shortcut carries. Set inplace=False.",
    "repeated-operand": "A sum repeats one of its operands, which a layer made with a side of 1. Is it meant?",
    "training-fails": "The forward pass fails in training mode only. Check batch sizes and what training adds.",
    EXPECTATION: "The network is not as the file of expectations says. Change the network, or what is expected of it.",
}
Json = dict[str, Any]


@dataclass(frozen=True)
class _Result:
    """One result: ``key`` tells it from the others of its rule and target, whatever numbers its words hold."""

    rule: str
    key: str
    level: str
    text: str
    markdown: str
    locations: tuple[Json, ...]


def sarif(outcomes: Sequence[Outcome], contract: str = "") -> Json:
    """One SARIF log with one run.

    Args:
        contract: path of the file of expectations, where unmet ones are shown.
    """
    results = [(outcome, result) for outcome in outcomes for result in _results(outcome, contract)]
    rules = list(dict.fromkeys(result.rule for _, result in results))
    seen: Counter[tuple[str, ...]] = Counter()
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "ResNet Explorer",
                        "semanticVersion": __version__,
                        "rules": [_rule(rule) for rule in rules],
                    }
                },
                "invocations": [
                    {
                        "executionSuccessful": all(outcome.report for outcome in outcomes),
                        "exitCode": max((outcome.code for outcome in outcomes), default=0),
                        "toolExecutionNotifications": [
                            {"level": "error", "message": {"text": outcome.problem}}
                            for outcome in outcomes
                            if outcome.problem
                        ],
                    }
                ],
                "results": [_result(outcome, result, rules.index(result.rule), seen) for outcome, result in results],
            }
        ],
    }


def _rule(rule: str) -> Json:
    text = HELP[rule]
    short = text.partition(". ")[0].rstrip(".") + "."
    return {
        "id": rule,
        "shortDescription": {"text": short},
        "fullDescription": {"text": text},
        "help": {"text": text},
        "defaultConfiguration": {"level": "error"},
    }


def _results(outcome: Outcome, contract: str) -> Iterator[_Result]:
    if outcome.report is None:
        return
    for finding in outcome.findings:
        level = "error" if outcome.fails(finding) else "note"
        places = tuple(_places(outcome, finding))
        yield _Result(finding.rule, finding.path, level, finding.sentence, _markdown(outcome.report, finding), places)
    for hint in outcome.hints:
        places = tuple(_places(outcome, hint))
        yield _Result(hint.rule, hint.path or hint.sentence[:40], "warning", hint.sentence, "", places)
    for unmet in outcome.unmet:
        text = f"{outcome.target}: {unmet.sentence}"
        place = {"physicalLocation": {"artifactLocation": _artifact(contract)}} if contract else {}
        path = unmet.key.partition("shapes.")[2]
        yield _Result(EXPECTATION, unmet.key, "error", text, "", ({**place, **_module(outcome, path)},))


def _result(outcome: Outcome, result: _Result, index: int, seen: Counter[tuple[str, ...]]) -> Json:
    identity = (outcome.target, result.rule, result.key)
    seen[identity] += 1
    mark = "\n".join([*identity, str(seen[identity])])
    first, *others = result.locations
    return {
        "ruleId": result.rule,
        "ruleIndex": index,
        "level": result.level,
        "message": {"text": result.text} | ({"markdown": result.markdown} if result.markdown else {}),
        "locations": [first],
        **({"relatedLocations": others} if others else {}),
        "partialFingerprints": {"finding/v1": sha256(mark.encode()).hexdigest()[:32]},
    }


def _markdown(report: Report, finding: Finding) -> str:
    proposed = propose_fixes(report, finding)
    fixes = [f"{fix.title}\n\n```python\n{fix.snippet.rstrip()}\n```" for fix in proposed if fix.snippet]
    return "\n\n".join([finding.sentence, *fixes]) if fixes else ""


def _places(outcome: Outcome, finding: Finding) -> Iterator[Json]:
    """Lines of the user's code, the sum's or layer's first; where none is known, the block alone."""
    module = _module(outcome, finding.path)
    lines = outcome.lines_of(finding)
    for source in lines:
        path, _, line = source.rpartition(":")
        yield {
            "physicalLocation": {"artifactLocation": _artifact(path), "region": {"startLine": int(line)}},
            **module,
        }
    if not lines:
        yield module


def _module(outcome: Outcome, path: str) -> Json:
    name = f"{outcome.target}.{path}" if path else outcome.target
    return {"logicalLocations": [{"fullyQualifiedName": name, "kind": "module"}]}


def _artifact(path: str) -> Json:
    """A relative path is one below the root of the repository."""
    place = PurePath(path)
    if place.is_absolute():
        return {"uri": place.as_uri()}
    return {"uri": quote(place.as_posix()), "uriBaseId": "%SRCROOT%"}
