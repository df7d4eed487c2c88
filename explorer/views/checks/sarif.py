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
# What each rule means, and what mends it.
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
