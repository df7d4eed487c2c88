"""Findings as JUnit XML, which most servers of continuous integration read."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from ...inspection.contract import Outcome


def junit(outcomes: Sequence[Outcome]) -> str:
    """One test suite, with a test case for each target."""
    failed = sum(outcome.code == 1 for outcome in outcomes)
    errors = sum(outcome.code == 2 for outcome in outcomes)
    suites = ET.Element("testsuites")
    suite = ET.SubElement(suites, "testsuite", name="ResNet Explorer check", tests=str(len(outcomes)))
    suite.attrib.update(failures=str(failed), errors=str(errors))
    for outcome in outcomes:
        case = ET.SubElement(suite, "testcase", classname="check", name=_plain(outcome.target))
        if outcome.report is None:
            ET.SubElement(case, "error", message=_plain(outcome.problem))
        for finding in outcome.findings:
            if outcome.fails(finding):
                failure = ET.SubElement(case, "failure", type=finding.rule, message=_plain(finding.sentence))
                failure.text = "\n".join(outcome.lines_of(finding))
        for unmet in outcome.unmet:
            ET.SubElement(case, "failure", type="expectation", message=_plain(unmet.sentence))
        if outcome.hints:
            ET.SubElement(case, "system-out").text = "\n".join(_plain(hint.sentence) for hint in outcome.hints)
    ET.indent(suites)
    return ET.tostring(suites, encoding="unicode", xml_declaration=True)


def _plain(text: str) -> str:
    """Without control characters, which XML cannot hold."""
    return "".join(char if char.isprintable() else "?" for char in text)
