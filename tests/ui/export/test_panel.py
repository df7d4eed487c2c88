"""``GET /export/…`` and ``python -m explorer export``: the same files, and the same sentences where there are none."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from typer.testing import CliRunner

from explorer.cli import app as command_line
from explorer.errors import DiagramError
from explorer.inspection import inspect
from explorer.network import onnx_export
from explorer.network.codegen import source
from explorer.spec import PRESETS, ResNetSpec, to_json
from explorer.ui.export import panel as export
from explorer.views.diagram.model import default_open, everything
from explorer.views.diagram.svg import render, standalone
from explorer.views.export.kinds import KINDS
from explorer.views.export.tables import stages

TINY = "depths=1,1&widths=4,8&stem=cifar&image_size=8&num_classes=3"


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    export.add_route(app)
    return TestClient(app)


def refused(answer: Response, status: int = 400) -> str:
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/plain")
    return answer.text


def ran(*words: str | Path) -> tuple[int, str, str]:
    done = CliRunner().invoke(command_line, ["export", *map(str, words)])
    return done.exit_code, done.stdout, done.stderr


# ---- the page's route --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "onnx"])
def test_every_kind_is_a_download_with_a_name(kind, client):
    answer = client.get(f"/export/{kind}?preset=cifar_resnet20")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="cifar_resnet20{KINDS[kind].ending}"'
    assert answer.headers["content-type"].startswith(KINDS[kind].media)
    assert answer.content


def test_the_network_and_what_is_open_are_those_of_the_address(client):
    report = inspect(PRESETS["resnet50"])
    drawn = {
        "": default_open(report),
        "&open=": frozenset(),
        "&open=layer1+layer1.0": {"layer1", "layer1.0"},
        "&open=nowhere&at=x&__theme=dark": {"nowhere"},
    }
    for words, opened in drawn.items():
        got = client.get(f"/export/svg?preset=resnet50{words}").text
        assert got == standalone(render(report, frozenset(opened)))
    assert client.get("/export/py?preset=resnet50").text == source(PRESETS["resnet50"])
    assert client.get("/export/json").text == to_json(ResNetSpec()) + "\n"


def test_onnx_comes_from_a_process_of_its_own(client):
    answer = client.get(f"/export/onnx?{TINY}")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == 'attachment; filename="resnet-6.onnx"'
    assert b"Random initial weights (seed 0), not trained." in answer.content


def test_busy_says_when_to_come_again(client):
    with onnx_export._ONE:
        answer = client.get(f"/export/onnx?{TINY}")
    assert refused(answer, 503) == "Another ONNX file is being written; try again in a moment."
    assert answer.headers["retry-after"] == "2"


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("exe", 404, "There is no such file. Available: svg, png, "),
        ("svg?depths=0", 400, "depths[0]: got 0;"),
        ("svg?preset=../../etc", 400, "preset: got '../../etc'; allowed: resnet18"),
        ("onnx?shortcut=identity", 400, "A network that cannot run has no ONNX file. layer2.0: the branch gives"),
        ("onnx?depths=1&widths=8192&stem=cifar&image_size=1", 400, "An ONNX file ends at 2 GiB, and this network has"),
    ],
)
def test_refusals_are_sentences(address, status, words, client):
    assert refused(client.get(f"/export/{address}"), status).startswith(words)


def test_an_endless_address_is_refused():
    with pytest.raises(DiagramError, match="The address is too long; at most 65,536 characters are read"):
        export._parse(f"open={'x' * 65_536}")
    assert export._parse("open=" + "+".join(["x" * 301, *map(str, range(3000))]))[1] == {
        "x" * 300,
        *map(str, range(2499)),
    }


def test_too_many_boxes_are_refused_as_on_the_page(client):
    opened = "+".join(everything(inspect(PRESETS["preact_resnet164"])) | {f"layer1.{i}" for i in range(18)})
    found = client.get(f"/export/png?preset=preact_resnet164&open={opened}")
    assert "Fold some blocks" in refused(found)


def test_other_sites_may_not_make_a_browser_ask(client):
    answer = client.get("/export/svg", headers={"sec-fetch-site": "cross-site"})
    assert refused(answer, 403) == "Only this page may ask."
    assert client.get("/export/json", headers={"sec-fetch-site": "same-origin"}).status_code == 200


def test_nothing_stays_behind(client, tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert client.get("/export/svg").status_code == 200
    assert client.get("/export/onnx?shortcut=identity").status_code == 400
    assert client.get("/export/png?preset=preact_resnet164").status_code == 200
    assert not list(tmp_path.iterdir())


def test_the_bar_names_the_file_and_the_menu_every_kind():
    assert 'data-name="resnet50"' in export.buttons(PRESETS["resnet50"])
    for kind in KINDS:
        assert f'data-kind="{kind}"' in export.overlays()


# ---- the command -------------------------------------------------------------------------------------------


def test_the_name_s_ending_says_what_is_written(tmp_path):
    report = inspect(PRESETS["cifar_resnet20"])
    for kind in ("svg", "html", "json", "py"):
        path = tmp_path / f"net.{kind}"
        assert ran("cifar_resnet20", "-o", path) == (0, f"CIFAR ResNet-20: wrote {path}\n", "")
        KINDS[kind].write(report, default_open(report), tmp_path / "expected")
        assert path.read_bytes() == (tmp_path / "expected").read_bytes()
    for ending, start in (("PNG", b"\x89PNG"), ("pdf", b"%PDF-"), ("csv", b"layer,type,")):
        assert ran("cifar_resnet20", "-o", tmp_path / f"net.{ending}")[0] == 0
        assert (tmp_path / f"net.{ending}").read_bytes().startswith(start)


def test_a_table_is_chosen_and_fields_are_set(tmp_path):
    path = tmp_path / "net.csv"
    assert ran("resnet50", "--set", "norm=group", "--table", "stages", "-o", path)[0] == 0
    assert path.read_bytes() == stages(inspect(PRESETS["resnet50"].with_(norm="group"))).encode()


def test_what_is_open_is_chosen(tmp_path):
    report = inspect(PRESETS["resnet18"])
    for words, opened in (("all", everything(report)), ("layer2 layer2.0", {"layer2", "layer2.0"}), ("", set())):
        assert ran("resnet18", "--open", words, "-o", tmp_path / "net.svg")[0] == 0
        assert (tmp_path / "net.svg").read_text(encoding="utf-8") == standalone(render(report, frozenset(opened)))


@pytest.mark.parametrize("name", ["net", "net.txt", "net.layers", "onnx", "net.csv.gz"])
def test_other_endings_are_refused(name, tmp_path):
    code, out, error = ran("resnet18", "-o", tmp_path / name)
    assert (code, out) == (2, "")
    suffixes = ", ".join(dict.fromkeys(kind.suffix for kind in KINDS.values()))
    assert suffixes.startswith(".svg, .png, .pdf, .html, .csv, ")
    assert f"expected a name that ends in {suffixes}" in " ".join(error.split())
    assert not list(tmp_path.iterdir())


def test_what_cannot_be_written_is_one_line(tmp_path):
    code, out, error = ran("resnet18", "--set", "shortcut=identity", "-o", tmp_path / "net.onnx")
    assert (code, out) == (2, "")
    assert error.startswith("Error: A network that cannot run has no ONNX file. layer2.0: ")
    assert len(error.splitlines()) == 1
    assert ran("resnet18", "-o", tmp_path / "no" / "net.svg")[2].endswith("net.svg: No such file or directory\n")
    assert not list(tmp_path.iterdir())
