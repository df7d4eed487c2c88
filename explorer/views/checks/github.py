"""Findings as workflow commands of GitHub Actions, which shows them beside the lines of a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...inspection import Finding
from ...inspection.contract import Outcome


def workflow_commands(outcomes: Sequence[Outcome], contract: str = "") -> Iterator[str]:
    """One line for each finding, hint, unmet expectation and target that cannot be checked."""
    for outcome in outcomes:
        if outcome.report is None:
            yield _command("error", outcome.target, outcome.problem)
        for finding in outcome.findings:
            yield _command("error" if outcome.fails(finding) else "notice", finding.rule, *_words(outcome, finding))
        for hint in outcome.hints:
            yield _command("warning", hint.rule, *_words(outcome, hint))
        for unmet in outcome.unmet:
            yield _command("error", "expectation", f"{outcome.target}: {unmet.sentence}", contract)


def _words(outcome: Outcome, finding: Finding) -> tuple[str, str]:
    lines = outcome.lines_of(finding)
    return finding.sentence, lines[0] if lines else ""


def _command(level: str, title: str, sentence: str, place: str = "") -> str:
    path, colon, line = place.rpartition(":")
    where = {"file": path, "line": line} if colon and line.isdigit() else {"file": place} if place else {}
    values = ",".join(f"{name}={_escaped(value)}" for name, value in {**where, "title": title}.items())
    return f"::{level} {values}::{_escaped(sentence, value=False)}"


def _escaped(text: str, *, value: bool = True) -> str:
    """As the runner reads it back: https://github.com/actions/toolkit, ``command.ts``."""
    for char, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), *([(":", "%3A"), (",", "%2C")] if value else [])):
        text = text.replace(char, code)
    return text
