"""The page's scripts are served from one address that changes with their content."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from explorer.ui.kit import scripts


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    yield
    for cached in (scripts.sources, scripts.folder):
        cached.cache_clear()


@pytest.fixture
def client() -> TestClient:
    app = FastAPI()
    scripts.add_route(app)
    return TestClient(app)


def test_a_script_is_kept_for_good_and_compressed(client: TestClient) -> None:
    address = f"/{scripts.folder()}/kit/lib.js"
    plain = client.get(address, headers={"accept-encoding": "identity"})
    assert plain.content == scripts.sources()["kit/lib.js"]
    assert "immutable" in plain.headers["cache-control"]
    assert plain.headers["content-type"].startswith("text/javascript")
    with client.stream("GET", address, headers={"accept-encoding": "gzip"}) as packed:
        assert packed.headers["content-encoding"] == "gzip"
        assert gzip.decompress(b"".join(packed.iter_raw())) == plain.content


@pytest.mark.parametrize("name", ["kit/lib.py", "kit/none.js", "../page.py", "kit/types.d.ts", ""])
def test_nothing_else_is_served(client: TestClient, name: str) -> None:
    assert client.get(f"/{scripts.folder()}/{name}").status_code == 404


def test_another_version_has_another_address(monkeypatch: pytest.MonkeyPatch) -> None:
    before = scripts.folder()
    changed = {**scripts.sources(), "kit/lib.js": b"export {};"}
    monkeypatch.setattr(scripts, "sources", lambda: changed)
    scripts.folder.cache_clear()
    assert scripts.folder() != before


def test_every_import_names_a_script_that_is_there() -> None:
    for name, source in scripts.sources().items():
        for target in re.findall(r"from '(\..*?)'|import '(\..*?)'", source.decode()):
            parts = [*name.split("/")[:-1], *"".join(target).split("/")]
            path: list[str] = []
            for part in parts:
                if part == "..":
                    path.pop()
                elif part != ".":
                    path.append(part)
            assert "/".join(path) in scripts.sources(), f"{name} imports {target}"


def test_settings_cannot_end_the_element_they_are_in() -> None:
    assert "</script><b>" not in scripts.head({"name": "</script><b>"})
