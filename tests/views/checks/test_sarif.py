"""SARIF: what the standard requires, where a result points, and marks that stay while numbers change."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from explorer.inspection import Report, inspect
from explorer.inspection.contract import Outcome, Unmet
from explorer.inspection.joins.findings import Finding
from explorer.spec import PRESETS
from explorer.views.checks.sarif import EXPECTATION, HELP, sarif

BROKEN = PRESETS["resnet50"].with_(shortcut="identity")
UNMET = (Unmet("params", "params: got 3; expected 4."), Unmet("shapes.fc", "fc: gives 10; expected 11."))


def results(*outcomes: Outcome, contract: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sarif(outcomes, contract)["runs"][0]["results"]
    return found


def marks(*outcomes: Outcome) -> list[str]:
    return [result["partialFingerprints"]["finding/v1"] for result in results(*outcomes)]


def test_all_that_the_standard_requires_is_there() -> None:
    """SARIF 2.1.0, sections 3.13, 3.14, 3.18, 3.19, 3.20, 3.27, 3.49."""
    log = sarif(
        [Outcome("resnet50", inspect(BROKEN), UNMET), Outcome("x", None, problem="TARGET: got 'x'")], "nets.yaml"
    )
    assert (log["version"], log["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    (run,) = log["runs"]
    assert set(run) == {"tool", "invocations", "results"}
    driver = run["tool"]["driver"]
    assert driver["name"] == "ResNet Explorer"
    assert re.fullmatch(r"\d+\.\d+\.\d+", driver["semanticVersion"])
    assert [rule["id"] for rule in driver["rules"]] == ["missing-projection", "expectation"]
    for rule in driver["rules"]:
        for part in ("shortDescription", "fullDescription", "help"):
            assert rule[part]["text"].endswith(".")
        assert rule["defaultConfiguration"] == {"level": "error"}
    (invocation,) = run["invocations"]
    assert (invocation["executionSuccessful"], invocation["exitCode"]) == (False, 2)
    assert [note["message"]["text"] for note in invocation["toolExecutionNotifications"]] == ["TARGET: got 'x'"]
    assert len(run["results"]) == 4 + 2
    for result in run["results"]:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["message"]["text"]
        assert result["level"] == "error"
    names = [result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] for result in run["results"]]
    assert names == [*(f"resnet50.layer{stage}.0" for stage in (1, 2, 3, 4)), "resnet50", "resnet50.fc"]
    assert len({result["partialFingerprints"]["finding/v1"] for result in run["results"]}) == 6


def test_every_rule_has_a_help() -> None:
    documented = set(re.findall(r'"([a-z-]+)"', str(Finding.__doc__)))
    assert {"missing-projection", "broadcast"} < documented
    assert documented | {EXPECTATION} == set(HELP)


def test_nothing_found(report_of: Callable[[str], Report]) -> None:
    run = sarif([Outcome("resnet18", report_of("resnet18"))])["runs"][0]
    assert (run["results"], run["tool"]["driver"]["rules"]) == ([], [])
    assert run["invocations"] == [{"executionSuccessful": True, "exitCode": 0, "toolExecutionNotifications": []}]


def test_an_unmet_expectation_is_shown_in_the_file_of_expectations(report_of: Callable[[str], Report]) -> None:
    first, second = results(Outcome("a:b", report_of("resnet18"), UNMET), contract="ci/my nets.yaml")
    assert first["message"]["text"] == "a:b: params: got 3; expected 4."
    assert first["locations"][0]["physicalLocation"] == {
        "artifactLocation": {"uri": "ci/my%20nets.yaml", "uriBaseId": "%SRCROOT%"}
    }
    assert second["locations"][0]["logicalLocations"][0]["fullyQualifiedName"] == "a:b.fc"


def test_marks_stay_while_numbers_change() -> None:
    first = Outcome("net", inspect(BROKEN))
    other = Outcome("net", inspect(BROKEN.with_(image_size=160)))
    assert [one["message"] for one in results(first)] != [one["message"] for one in results(other)]
    assert marks(first) == marks(other)
    assert not set(marks(first)) & set(marks(Outcome("other", inspect(BROKEN))))


def test_misfits_that_are_allowed_are_notes() -> None:
    assert {one["level"] for one in results(Outcome("net", inspect(BROKEN), allowed=True))} == {"note"}
