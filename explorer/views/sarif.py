"""Findings as SARIF 2.1.0, the form in which code hosts and editors take the results of a check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from .. import __version__
from ..inspection.contract import Outcome
from ..inspection.found import RULES, Finding

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
EXPECTATION = "expectation"
_HELP = {
    **RULES,
    EXPECTATION: "The network is not as the file of expectations says. Change the network, or what is expected of it.",
}
Json = dict[str, Any]


@dataclass(frozen=True)
class _Result:
    """One result: ``key`` tells it from the others of its rule and target, whatever numbers its words hold."""

    rule: str
    key: str
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
    text = _HELP[rule]
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
        yield _Result(
            finding.rule, finding.path, finding.sentence, _markdown(finding), tuple(_places(outcome, finding))
        )
    for unmet in outcome.unmet:
        text = f"{outcome.target}: {unmet.sentence}"
        place = {"physicalLocation": {"artifactLocation": _artifact(contract)}} if contract else {}
        yield _Result(EXPECTATION, unmet.key, text, "", ({**place, **_module(outcome, unmet.key)},))


def _result(outcome: Outcome, result: _Result, index: int, seen: Counter[tuple[str, ...]]) -> Json:
    identity = (outcome.target, result.rule, result.key)
    seen[identity] += 1
    mark = "\n".join([*identity, str(seen[identity])])
    first, *others = result.locations
    return {
        "ruleId": result.rule,
        "ruleIndex": index,
        "level": "note" if outcome.allowed and result.rule != EXPECTATION else "error",
        "message": {"text": result.text} | ({"markdown": result.markdown} if result.markdown else {}),
        "locations": [first],
        **({"relatedLocations": others} if others else {}),
        "partialFingerprints": {"finding/v1": sha256(mark.encode()).hexdigest()[:32]},
    }


def _markdown(finding: Finding) -> str:
    fixes = [f"{fix.title}\n\n```python\n{fix.snippet.rstrip()}\n```" for fix in finding.fixes if fix.snippet]
    return "\n\n".join([finding.sentence, *fixes]) if fixes else ""


def _places(outcome: Outcome, finding: Finding) -> Iterator[Json]:
    """Lines of the user's code first; where none is known, the block alone."""
    module = _module(outcome, finding.path)
    lines = dict.fromkeys(producer.source for producer in finding.producers if producer.source)
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
