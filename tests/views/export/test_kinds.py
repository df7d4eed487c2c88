"""What a network is taken away as: tables, pictures, one-page report, and how the files are called."""

from __future__ import annotations

import csv
import json
import re
from html import unescape
from html.parser import HTMLParser
from io import BytesIO, StringIO

import pytest
from PIL import Image
from torch import Tensor, nn

from explorer.errors import DiagramError, ExplorerError
from explorer.inspection import Report, inspect
from explorer.inspection.stages import stages
from explorer.network import onnx_export
from explorer.spec import PRESETS, from_json
from explorer.views.diagram import raster
from explorer.views.diagram.model import default_open, everything
from explorer.views.diagram.svg import render, standalone
from explorer.views.export import tables
from explorer.views.export.kinds import KINDS, Section, file_name, suffixes_in_words
from explorer.views.export.report_html import report_html
from explorer.views.kit.theme import LIGHT, ROLES
from tests.support.strategies import described

BROKEN = PRESETS["resnet18"].with_(shortcut="identity")


class Foreign(nn.Module):
    """Names that a spreadsheet or a browser would run."""

    def __init__(self) -> None:
        super().__init__()
        self.add_module("=1+1", nn.Conv2d(3, 4, 3))
        self.add_module("<img src=x onerror=alert(1)>", nn.Conv2d(4, 4, 1))

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.children():
            x = layer(x)
        return x + layer(x)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


@pytest.fixture(scope="module")
def foreign() -> Report:
    return inspect(Foreign(), (1, 3, 8, 8))


# ---- tables ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["resnet50", "cifar_resnet20", "preact_resnet164", "resnext50_32x4d"])
def test_stages_add_up(name, report_of):
    report = report_of(name)
    parts = stages(report)
    assert sum(part.params for part in parts) == report.params
    assert sum(part.macs for part in parts) == report.macs
    assert [part.blocks for part in parts if part.blocks] == list(PRESETS[name].depths)


def test_parameters_that_no_operation_owns_are_counted_elsewhere():
    class Idle(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.used, self.idle = nn.Conv2d(3, 4, 1), nn.Linear(5, 6)

        def forward(self, x: Tensor) -> Tensor:
            return self.used(x)

    parts = stages(inspect(Idle(), (1, 3, 2, 2)))
    assert [(part.name, part.params) for part in parts] == [("stem", 16), ("elsewhere", 36)]


def test_parameters_used_in_two_parts_are_counted_once():
    class Shared(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv, self.body = nn.Conv2d(3, 3, 1), nn.Sequential(nn.Conv2d(3, 3, 1, bias=False))

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(self.body(self.conv(x)))

    parts = stages(inspect(Shared(), (1, 3, 2, 2)))
    assert [(part.name, part.params, part.macs) for part in parts] == [
        ("stem", 12, 36),
        ("body", 9, 36),
        ("head", 0, 36),
    ]


def test_layers_hold_exact_numbers(report_of):
    table = rows(tables.layers(report_of("resnet50")))
    assert list(table[0].items()) == [
        ("layer", "conv1"),
        ("type", "Conv2d"),
        ("depth", "1"),
        ("input", "3x224x224"),
        ("output", "64x112x112"),
        ("kernel", "7x7"),
        ("parameters", "9408"),
        ("macs", "118013952"),
        ("repeated", "no"),
    ]
    containers = {row["layer"].rpartition(".")[0] for row in table}
    leaves = [row for row in table if row["layer"] not in containers]
    assert sum(int(row["parameters"] or 0) for row in leaves) == 25_557_032
    assert sum(int(row["macs"] or 0) for row in leaves) == 4_089_184_256


def test_a_repeated_call_counts_nothing_twice():
    table = rows(tables.layers(inspect(Foreign(), (1, 3, 8, 8))))
    assert [row["repeated"] for row in table] == ["no", "no", "yes"]
    assert table[2]["parameters"] == table[2]["macs"] == ""


def test_checks_hold_every_sum_and_its_sentence():
    table = rows(tables.checks(inspect(BROKEN)))
    assert [row["verdict"] for row in table] == ["match", "match", "mismatch", "match"] + ["mismatch", "match"] * 2
    assert table[2]["branch_shape"] == "128x28x28"
    assert table[2]["shortcut_shape"] == "64x56x56"
    assert table[2]["explanation"].endswith("A 1x1 projection with stride 2 would match (+8,448 parameters).")


def test_no_cell_is_a_formula(foreign):
    table = rows(tables.layers(foreign))
    assert [row["layer"] for row in table][:2] == ["'=1+1", "<img src=x onerror=alert(1)>"]
    for make in (tables.layers, tables.checks, tables.stages):
        for row in csv.reader(StringIO(make(foreign))):
            assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)


# ---- pictures ----------------------------------------------------------------------------------------------


def colours(png: bytes) -> set[str]:
    pixels = Image.open(BytesIO(png)).convert("RGB").tobytes()
    return {f"#{pixels[i : i + 3].hex().upper()}" for i in range(0, len(pixels), 3)}


def test_png_has_the_page_s_layout_and_colours(report_of):
    report = report_of("resnet50")
    png = raster.png(report, default_open(report))
    image = Image.open(BytesIO(png))
    found = re.search(r'viewBox="\S+ \S+ (\S+) (\S+)"', render(report, default_open(report)))
    assert found
    assert image.size == pytest.approx([2 * float(side) for side in found.groups()], abs=3)
    assert {LIGHT.page, LIGHT.surface, LIGHT.line} <= colours(png)
    assert {ROLES[name].colour for name in ("identity", "projection", "fits")} <= colours(png)
    assert ROLES["broken"].colour not in colours(png)


def test_png_shows_a_mismatch_inside_a_collapsed_block():
    report = inspect(BROKEN)
    for opened in (frozenset[str](), default_open(report)):
        assert ROLES["broken"].colour in colours(raster.png(report, opened))


def test_png_too_long_to_read_is_refused(report_of):
    report = report_of("preact_resnet164")
    with pytest.raises(DiagramError, match=r"would be \d\d,\d{3} pixels long; at most 16,384 .* choose SVG or PDF\."):
        raster.png(report, everything(report))
    assert raster.pdf(report, everything(report)).startswith(b"%PDF-")


def test_a_long_picture_has_fewer_pixels_a_point(report_of):
    report = report_of("resnet50")
    image = Image.open(BytesIO(raster.png(report, everything(report))))
    assert max(image.size) == pytest.approx(raster.MAX_PX, abs=2)


@pytest.mark.parametrize("kind", ["svg", "png", "pdf"])
def test_what_is_too_large_to_draw_is_refused(kind, report_of, tmp_path):
    report = report_of("cifar_resnet1202")
    with pytest.raises(DiagramError, match="boxes are too many to read; at most 700 are drawn"):
        KINDS[kind].write(report, everything(report), tmp_path / "file")


def test_svg_marks_a_folded_stage_that_hides_a_mismatch():
    svg = standalone(render(inspect(BROKEN), frozenset()))
    assert unescape(svg.partition("</style>")[2]).count("hides-broken") == 3
    assert f".hides-broken path {{ stroke: {ROLES['broken'].colour};" in svg


# ---- report ------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Every element and attribute, and whether what opens closes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((name, dict(attributes)))
        if name != "meta":
            self.open.append(name)

    def handle_startendtag(self, name: str, attributes: list[tuple[str, str | None]]) -> None:
        self.seen.append((name, dict(attributes)))

    def handle_endtag(self, name: str) -> None:
        assert self.open.pop() == name


@pytest.fixture(scope="module", params=["resnet50", "broken", "foreign"])
def report(request, report_of, foreign):
    made = {"resnet50": lambda: report_of("resnet50"), "broken": lambda: inspect(BROKEN), "foreign": lambda: foreign}
    return made[request.param]()


def test_report_asks_for_nothing_and_runs_nothing(report):
    page = Page(report_html(report, default_open(report)))
    assert page.open == []
    names = {name for name, _ in page.seen}
    assert not names & {"script", "link", "img", "iframe", "object", "button", "input", "form", "base", "use", "image"}
    for name, attributes in page.seen:
        assert not any(key.startswith("on") or key in ("src", "style", "xlink:href") for key in attributes), name
        assert str(attributes.get("href", "#")).startswith("#")
    text = report_html(report, default_open(report))
    assert "default-src 'none'" in text
    assert not re.search(r"url\(|@import", text)


def test_report_has_every_check_layer_and_stage(report):
    text = report_html(report, default_open(report))
    assert text.count('class="fits" data-node') + text.count('class="broken" data-node') == len(report.merges)
    for merge in report.broken:
        assert merge.explanation.partition(": ")[2] in text
    assert text.count(' class="depth-') == sum(layer.depth > 0 for layer in report.layers)
    assert f"{report.params:,}" in text


def test_report_links_rows_to_what_the_drawing_shows(report_of):
    report = report_of("resnet50")
    page = Page(report_html(report, default_open(report)))
    ids = {attributes.get("id") for name, attributes in page.seen if name == "g"}
    links = {str(attributes["href"]) for name, attributes in page.seen if name == "a"}
    assert links
    assert {link[1:] for link in links} <= ids


def test_report_contains_spec_and_code(report_of, foreign):
    text = report_html(report_of("resnet50"), frozenset())
    found = re.search(r"<pre><code>(\{.*?\n\})</code></pre>", text, re.S)
    assert found
    assert from_json(found[1].replace("&quot;", '"')) == PRESETS["resnet50"]
    assert "class Bottleneck(nn.Module):" in text
    assert "<details>" not in report_html(foreign, frozenset())


def test_report_says_where_a_drawing_would_be_too_large(report_of):
    report = report_of("cifar_resnet1202")
    text = report_html(report, everything(report))
    assert "boxes are too many to read" in text
    assert "<svg" not in text


def test_names_are_escaped_in_the_report(foreign):
    text = report_html(foreign, default_open(foreign))
    assert "<img" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in text


# ---- files -------------------------------------------------------------------------------------------------


def test_names_of_files(report_of, foreign):
    assert file_name(report_of("resnet50"), "svg") == "resnet50.svg"
    assert file_name(report_of("resnext50_32x4d"), "checks") == "resnext50_32x4d-checks.csv"
    assert file_name(inspect(PRESETS["resnet18"].plain()), "onnx") == "plain-18.onnx"
    assert file_name(foreign, "html") == "foreign.html"
    odd = inspect(type("Ünï/../×", (nn.Identity,), {})(), (1, 3, 2, 2))
    assert file_name(odd, "png") == "uni-x.png"


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_file_is_what_its_name_says(kind, tmp_path):
    report = inspect(described(depths=(1, 1), widths=(4, 8), stem="cifar", num_classes=3, image_size=8))
    path = tmp_path / file_name(report, kind)
    KINDS[kind].write(report, default_open(report), path)
    starts = {
        "svg": b"<?xml",
        "png": b"\x89PNG",
        "pdf": b"%PDF-",
        "html": b"<!doctype html>",
        "json": b"{",
        "py": b'"""',
    }
    heads = {"layers": b"layer,type,", "checks": b"block,verdict,", "stages": b"stage,blocks,", "onnx": b"\x08\x0a"}
    assert path.read_bytes().startswith((starts | heads).get(kind, b""))
    assert path.stat().st_size
    assert path.suffix == KINDS[kind].suffix
    assert list(tmp_path.iterdir()) == [path]


def test_the_help_names_every_suffix_once_with_its_contents():
    words = suffixes_in_words()
    assert words.startswith(".svg, .png, .pdf (the diagram), .html (a report), .csv (a table), ")
    assert words.endswith(" or .onnx (random initial weights)")
    assert re.findall(r"\.[a-z]+", words) == list(dict.fromkeys(kind.suffix for kind in KINDS.values()))


def test_every_section_of_the_menu_has_a_kind():
    assert list(dict.fromkeys(kind.section for kind in KINDS.values())) == list(Section)


def test_json_is_the_spec(tmp_path):
    KINDS["json"].write(inspect(BROKEN), frozenset(), tmp_path / "net.json")
    assert from_json((tmp_path / "net.json").read_text(encoding="utf-8")) == BROKEN
    assert json.loads((tmp_path / "net.json").read_bytes())["schema"] == 1


def test_what_cannot_run_has_no_onnx(tmp_path):
    first = r"A network that cannot run has no ONNX file\. layer2\.0: the branch gives 128×28×28, the shortcut 64×56×56"
    with pytest.raises(ExplorerError, match=first):
        KINDS["onnx"].write(inspect(BROKEN), frozenset(), tmp_path / "net.onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("kind", ["json", "py", "onnx"])
def test_what_was_not_described_has_no_description(kind, tmp_path, foreign):
    with pytest.raises(ExplorerError, match="Foreign was not built from a description"):
        KINDS[kind].write(foreign, frozenset(), tmp_path / "net")


def test_the_menu_says_that_weights_are_random():
    assert KINDS["onnx"].contents == "random initial weights"
    assert onnx_export.WEIGHTS.startswith("Random initial weights")
