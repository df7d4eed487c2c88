"""The shape contract: quantities, what a file may say, and where a report is not so."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.cli.contract_file import MAX_BYTES, read_contract
from explorer.errors import ExplorerError
from explorer.inspection import Report, inspect
from explorer.inspection.contract import Bounds, evaluate, parse_bounds, parse_contract, parse_shape
from explorer.spec import PRESETS

RESNET50 = {
    "input": "1x3x224x224",
    "params": 25_557_032,
    "macs": "4.09 G ± 1 %",
    "shortcuts": 16,
    "shapes": {"layer2.0": "512x28x28", "layer4": [2048, 7, 7], "fc": 1000},
}


def unmet(report: Report, **values: Any) -> list[tuple[str, str]]:
    expected = parse_contract({"net": values})["net"]
    return [(one.key, one.sentence) for one in evaluate(report, expected)]


def refusal(data: object) -> str:
    with pytest.raises(ExplorerError) as error:
        parse_contract(data)
    return str(error.value)


# Quantities


@pytest.mark.parametrize(
    ("words", "low", "high"),
    [
        (7, 7, 7),
        ("25,557_032", 25_557_032, 25_557_032),
        ("25.6 M", 25_550_000, 25_650_000),
        ("4 G", 3_500_000_000, 4_500_000_000),
        ("4.09 GMACs", 4_085_000_000, 4_095_000_000),
        ("4.00G+-1%", 3_960_000_000, 4_040_000_000),
        ("200 ± 0.5 %", 199, 201),
        ("between 1 k and 1.5 k", 1000, 1500),
    ],
)
def test_a_quantity_holds_from_its_lower_to_its_upper_bound(words: object, low: int, high: int) -> None:
    amount = parse_bounds(words)
    assert [amount.holds(value) for value in (low - 1, low, high, high + 1)] == [False, True, True, False]


def test_bounds_on_one_side() -> None:
    assert [parse_bounds("at most 5 k").holds(value) for value in (0, 5000, 5001)] == [True, True, False]
    assert [parse_bounds("at least 5 k").holds(value) for value in (4999, 5000, 10**30)] == [False, True, True]


@given(st.integers(0, 10**18 - 1))
def test_a_whole_number_is_itself_however_it_is_written(value: int) -> None:
    for words in (value, str(value), f"{value:,}", f"{value:_}"):
        amount = parse_bounds(words)
        assert (amount.low, amount.high) == (Fraction(value), Fraction(value))


@pytest.mark.parametrize(
    "words", ["", "many", "1.5", "-3", -3, True, None, 2.0, "1e6", "5 %", "2 M to 3 M", "between 2 M and 1 M", "1" * 61]
)
def test_what_is_no_quantity_names_those_allowed(words: object) -> None:
    with pytest.raises(
        ValueError, match=r"^got .*; allowed: a whole number, 25\.6 M \(the count rounds to it\), 4\.09 G"
    ):
        parse_bounds(words)


def test_shapes() -> None:
    assert parse_shape("1x3x224×224") == parse_shape([1, 3, 224, 224]) == (1, 3, 224, 224)
    assert parse_shape(1000) == parse_shape("1000") == (1000,)
    for wrong in ("", "3x", "0x3", "-1x3", "3 x 3", "12345678", [], [3.0], [True], None, "x".join("1" * 9)):
        with pytest.raises(ValueError, match="are expected, as 1x3x224x224"):
            parse_shape(wrong)


# Evaluation


def test_resnet50_is_as_published(report_of: Callable[[str], Report]) -> None:
    assert unmet(report_of("resnet50"), **RESNET50) == []
    assert unmet(report_of("resnet50"), params="25.6 M", macs="4.09 GMACs", shortcuts="match") == []


def test_everything_that_is_not_so_is_one_sentence(report_of: Callable[[str], Report]) -> None:
    shapes = {"layer2.0": "256x56x56", "layer4.9": "2048x7x7", "layer4": "2048x7x7"}
    assert unmet(report_of("resnet50"), params=25_557_031, macs="at most 4 G", shortcuts=15, shapes=shapes) == [
        ("params", "params: got 25,557,032; expected 25,557,031."),
        ("macs", "macs: got 4,089,184,256; expected at most 4 G."),
        ("shortcuts", "shortcuts: got 16; expected 15."),
        ("shapes.layer2.0", "layer2.0: gives 512×28×28; expected 256×56×56."),
        ("shapes.layer4.9", "layer4.9: no such module is run; close to it: layer4.2, layer4.1, layer4.0."),
    ]


def test_a_network_that_cannot_run_is_compared_all_the_same() -> None:
    report = inspect(PRESETS["resnet50"].with_(shortcut="identity"))
    assert unmet(report, shortcuts=16, shapes=RESNET50["shapes"], params=25_557_032 - 2_776_576) == []


# What a file may say


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ([], "a network's name and what is expected of it are wanted, as resnet18: {params: 11.7 M}"),
        ({}, "a network's name and what is expected of it are wanted, as resnet18: {params: 11.7 M}"),
        ({18: {}}, "got 18 as a network's name; put it in quotes"),
        ({"a\x1b[31m": {}}, r"got 'a\x1b[31m' as a network's name; put it in quotes"),
        ({"net": None}, "net: got None; allowed: input, params, macs, shortcuts, shapes"),
        ({"net": {"param": 3}}, "net: param: no such expectation; allowed: input, params, macs, shortcuts, shapes"),
        ({"net": {"params": None}}, "net: params: got None; allowed: a whole number, "),
        ({"net": {"shortcuts": "fit"}}, "net: shortcuts: got 'fit'; allowed: match, any, or how many there are"),
        ({"net": {"shortcuts": True}}, "net: shortcuts: got True; allowed: match, any, or how many there are"),
        ({"net": {"shapes": "3x3"}}, "net: shapes: got '3x3'; blocks and their shapes are expected"),
        ({"net": {"shapes": {1.1: 3}}}, "net: shapes: got 1.1 as a name; put it in quotes"),
        ({"net": {"shapes": {"fc": "3x"}}}, "net: shapes: fc: got '3x'; up to eight sides"),
        ({"net": {"input": "3y3"}}, "net: input: got '3y3'; up to eight sides"),
    ],
)
def test_what_is_not_understood_says_where_and_what_is_allowed(data: object, reason: str) -> None:
    assert refusal(data).startswith(reason)


def test_several_inputs() -> None:
    assert parse_contract({"net": {"input": ["1x3x8x8", [1, 10]]}})["net"].input == ((1, 3, 8, 8), (1, 10))
    assert parse_contract({"net": {"input": [1, 3, 8, 8]}})["net"].input == ((1, 3, 8, 8),)


# The file


YAML = """\
# what we promise
resnet50:
  params: 25_557_032
  macs: 4.09 G ± 1 %
  shapes: {layer2.0: 512x28x28, layer4: 2048x7x7}
my.nets:make: {shortcuts: any}
"""
JSON = """{"resnet50": {"params": 25557032, "macs": "4.09 G ± 1 %",
\t"shapes": {"layer2.0": "512x28x28", "layer4": [2048, 7, 7]}}, "my.nets:make": {"shortcuts": "any"}}"""


def test_yaml_and_json_say_the_same(tmp_path: Path) -> None:
    yaml, json = tmp_path / "nets.yaml", tmp_path / "nets.json"
    yaml.write_text(YAML, encoding="utf-8")
    json.write_text(JSON, encoding="utf-8-sig")
    first, second = read_contract(yaml), read_contract(json)
    assert list(first) == list(second) == ["resnet50", "my.nets:make"]
    assert first["resnet50"].params == Bounds(Fraction(25_557_032), Fraction(25_557_032), "25,557,032")
    assert first["resnet50"].shapes == second["resnet50"].shapes == {"layer2.0": (512, 28, 28), "layer4": (2048, 7, 7)}
    assert first["my.nets:make"] == second["my.nets:make"]


BOMB = "a: &a [x, x, x]\n" + "".join(f"{b}: &{b} [*{a}, *{a}, *{a}]\n" for a, b in zip("abcdef", "bcdefg", strict=True))


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("a.yaml", "", "a network's name and what is expected of it are wanted"),
        ("a.yaml", "resnet18: {params: 1}\nresnet18: {params: 2}", "resnet18: defined twice; define it once"),
        ("a.yaml", "resnet18: {params: 1, params: 2}", "params: defined twice; define it once"),
        ("a.json", '{"resnet18": {"params": 1, "params": 2}}', "params: defined twice; define it once"),
        ("a.yaml", BOMB, "line 2: aliases are not allowed"),
        ("a.yaml", "a: &a {<<: *a}", "line 1: aliases are not allowed"),
        ("a.yaml", "a: " + "[" * 9000, "line 1: nested deeper than 6 levels"),
        ("a.json", "[" * 200_000, "nested too deeply"),
        ("a.yaml", "a: !!python/object/apply:os.getcwd []", "line 1: could not determine a constructor for the tag"),
        ("a.yaml", "a: [1", "line 1: expected ',' or ']'"),
        ("a.yaml", "a: 1\n\tb: 2", "line 2: found character '\\t' that cannot start any token"),
        ("a.yaml", "? [a]\n: 1", "got ['a'] as a name, expected text"),
        ("a.yaml", "a: {params: 1" + "0" * 5000 + "}", "not understood: "),
        ("a.yaml", "a: \x07", "not understood as YAML: "),
        ("a.json", "{", "not understood: "),
        ("a.yaml", "a" * (MAX_BYTES + 1), "a file of expectations can have at most 256 KiB"),
    ],
    ids=lambda value: ascii(value)[:30],
)
def test_files_that_are_refused(tmp_path: Path, name: str, text: str, reason: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ExplorerError) as error:
        read_contract(path)
    assert str(error.value).startswith(f"{path}: {reason}")


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "a.yaml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ExplorerError, match="expected YAML or JSON in UTF-8"):
        read_contract(path)
