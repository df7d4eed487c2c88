"""The style sheets: each is on the page, readable, and takes its colours from the theme."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from explorer import ui
from explorer.ui.kit import style
from explorer.views.kit.theme import DARK, LIGHT, ROLES

SHEETS = sorted(Path(ui.__file__).parent.rglob("*.css"))


def test_every_sheet_is_on_the_page_once() -> None:
    css = style.css()
    assert SHEETS
    for sheet in SHEETS:
        assert css.count(sheet.read_text()) == 1, sheet


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)
def test_a_sheet_starts_with_its_purpose_and_has_lines_of_at_most_120_columns(sheet: Path) -> None:
    lines = sheet.read_text().splitlines()
    assert lines[0].startswith("/* ")
    assert max(map(len, lines)) <= 120


@pytest.mark.parametrize("sheet", SHEETS, ids=lambda sheet: sheet.stem)
def test_a_sheet_spells_no_colour_of_its_own(sheet: Path) -> None:
    """Black and white, over photos and as shades, are not colours of the theme."""
    spelled = re.findall(
        r"#[0-9a-fA-F]{3,8}\b(?=[;,\s)])", re.sub(r"/\*.*?\*/", "", sheet.read_text(), flags=re.DOTALL)
    )
    assert set(spelled) <= {"#fff", "#000"}


def test_both_modes_have_every_variable_that_a_sheet_uses() -> None:
    css = style.css()
    modes = re.findall(r"^(?::root|\.dark) \{ (.*?) \}$", css, flags=re.MULTILINE)[:2]
    fonts = {"--rx-sans", "--rx-mono"}
    defined = [set(re.findall(r"(--rx-[\w-]+):", mode)) | fonts for mode in modes]
    assert defined[0] == defined[1]
    assert set(re.findall(r"var\((--rx-[\w-]+)", css)) <= defined[0]
    assert f"--rx-identity: {ROLES['identity'].on_dark};" in modes[1]
    assert f"--rx-page: {LIGHT.page};" in modes[0]
    assert f"--rx-page: {DARK.page};" in modes[1]
