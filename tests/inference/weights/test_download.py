"""Downloads: whole, resumable, checked, once for all who want them; and where files are kept."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from explorer.errors import WeightsError
from explorer.inference import Progress, fetch
from explorer.inference.weights.cache import WeightFile, cached_path
from tests.support.paths import ROOT
from tests.support.weight_server import Server, broken, file_of, moved, page, serving, short, stalled, whole

DATA = random.Random(0).randbytes(700_000)
HALF = len(DATA) // 2


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as running:
        yield running


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, with no torch hub and no mirror; not created yet."""
    monkeypatch.setenv("RESNET_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("RESNET_EXPLORER_MIRROR", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    return tmp_path / "cache"


def bring(file: WeightFile, **options: Any) -> Path:
    return fetch(file, "Small Net", **options)


def left(cache: Path) -> set[str]:
    """Names in the cache, without the empty lock files."""
    return {path.name for path in cache.iterdir() if path.suffix != ".lock"} if cache.exists() else set()


def test_a_download_is_whole_reported_and_made_once(server: Server, cache: Path) -> None:
    server.answer = whole(DATA)
    published = file_of(DATA, server.url())
    seen: list[Progress] = []
    assert cached_path(published) is None
    path = bring(published, on_progress=seen.append)
    assert path.read_bytes() == DATA
    assert left(cache) == {"small-net.pth"}
    assert seen[-1] == Progress(len(DATA), len(DATA))
    assert [p.received for p in seen] == sorted(p.received for p in seen)
    assert bring(published) == cached_path(published) == path
    assert server.ranges == [""]


def test_an_interrupted_download_resumes(server: Server, cache: Path) -> None:
    published = file_of(DATA, server.url())
    server.answer = broken(DATA, HALF)
    with pytest.raises(WeightsError, match=r"connection to 127\.0\.0\.1 broke after 0\.3 MiB of 0\.7 MiB") as error:
        bring(published)
    assert str(error.value).startswith("Small Net could not be downloaded: ")
    assert str(error.value).endswith("The built-in networks work offline.")
    assert left(cache) == {"small-net.pth.part"}
    server.answer = whole(DATA)
    assert bring(published).read_bytes() == DATA
    assert server.ranges == ["", f"bytes={HALF}-"]
    assert left(cache) == {"small-net.pth"}


def test_a_file_that_quietly_ends_early_is_not_taken_for_whole(server: Server, cache: Path) -> None:
    server.answer = short(DATA, HALF)
    with pytest.raises(WeightsError, match=r"ended the file after 0\.3 MiB of 0\.7 MiB"):
        bring(file_of(DATA, server.url()))
    assert left(cache) == {"small-net.pth.part"}


def test_a_server_without_ranges_starts_over(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / "small-net.pth.part").write_bytes(DATA[:HALF])
    server.answer = whole(DATA, ranges=False)
    assert bring(file_of(DATA, server.url())).read_bytes() == DATA


def test_a_beginning_of_another_file_is_thrown_away(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / "small-net.pth.part").write_bytes(b"x" * HALF)
    server.answer = whole(DATA)
    assert bring(file_of(DATA, server.url())).read_bytes() == DATA
    assert server.ranges == [f"bytes={HALF}-", ""]


def test_a_complete_part_only_needs_its_name(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / "small-net.pth.part").write_bytes(DATA)
    server.answer = whole(DATA)
    assert bring(file_of(DATA, server.url())).read_bytes() == DATA
    assert server.ranges == [f"bytes={len(DATA)}-"]


def test_another_file_than_published_is_deleted(server: Server, cache: Path) -> None:
    server.answer = whole(DATA[::-1])
    got, wanted = hashlib.sha256(DATA[::-1]).hexdigest()[:8], hashlib.sha256(DATA).hexdigest()[:8]
    with pytest.raises(WeightsError, match=f"SHA-256 starts with {got}, {wanted} was published"):
        bring(file_of(DATA, server.url()))
    assert left(cache) == set()


def test_a_longer_file_is_not_received_to_the_end(server: Server, cache: Path) -> None:
    for answer in (whole(DATA * 2), short(DATA * 2, 2 * len(DATA))):
        server.answer = answer
        with pytest.raises(WeightsError, match=r"sends another file: .* instead of 0\.7 MiB"):
            bring(file_of(DATA, server.url()))
        assert left(cache) == set()


@pytest.mark.parametrize("content_type", ["text/html; charset=utf-8", "application/octet-stream"])
def test_a_sign_in_page_is_recognised(server: Server, cache: Path, content_type: str) -> None:
    server.answer = moved("/login", page(content_type))
    with pytest.raises(WeightsError, match="a web page came instead of the file, perhaps the sign-in page"):
        bring(file_of(DATA, server.url()))
    assert left(cache) == set()


def test_a_sign_in_page_spares_what_was_there(server: Server, cache: Path) -> None:
    cache.mkdir()
    (cache / "small-net.pth.part").write_bytes(DATA[:HALF])
    server.answer = page("text/html")
    with pytest.raises(WeightsError, match="web page"):
        bring(file_of(DATA, server.url()))
    assert (cache / "small-net.pth.part").read_bytes() == DATA[:HALF]


def test_redirects_are_followed(server: Server) -> None:
    server.answer = moved("/elsewhere", whole(DATA))
    assert bring(file_of(DATA, server.url())).read_bytes() == DATA


def test_an_absent_file_is_said(server: Server, cache: Path) -> None:
    with pytest.raises(WeightsError, match=r"127\.0\.0\.1 answered 404 Not Found\."):
        bring(file_of(DATA, server.url()))
    assert left(cache) == set()


def test_a_silent_server_does_not_hold_up_cancelling(server: Server, cache: Path) -> None:
    published = file_of(DATA, server.url())
    server.answer = stalled(DATA, HALF, go_on := Event())
    received: list[int] = []
    with pytest.raises(WeightsError, match=r"cancelled after 0\.3 MiB of 0\.7 MiB; trying again resumes from there"):
        bring(
            published,
            on_progress=lambda progress: received.append(progress.received),
            cancelled=lambda: received[-1] >= HALF,
        )
    assert not go_on.is_set()
    assert (cache / "small-net.pth.part").read_bytes() == DATA[:HALF]
    go_on.set()


def test_an_error_in_the_callback_ends_the_download(server: Server) -> None:
    class Gone(Exception):
        pass

    def gone(_: Progress) -> None:
        raise Gone

    server.answer = stalled(DATA, HALF, go_on := Event())
    with pytest.raises(Gone):
        bring(file_of(DATA, server.url()), on_progress=gone)
    go_on.set()


def test_offline(server: Server) -> None:
    url = server.url()
    server.server_close()  # nothing listens on its port any more
    with pytest.raises(WeightsError) as error:
        bring(file_of(DATA, url))
    assert str(error.value) == (
        "Small Net could not be downloaded: no connection to 127.0.0.1. The built-in networks work offline."
    )


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/small.pth", "nonsense", "file:///etc/hostname"])
def test_an_unusable_address_is_said(url: str) -> None:
    with pytest.raises(WeightsError, match="gave no usable answer"):
        bring(file_of(DATA, url))


def test_a_full_disk_is_seen_before_anything_is_sent(server: Server) -> None:
    with pytest.raises(WeightsError, match=r"the disk is too full: .* MiB are needed .*, .* MiB are free"):
        bring(file_of(DATA, server.url(), size_bytes=10**18))
    assert server.ranges == []


def test_a_disk_that_fills_up_on_the_way(server: Server) -> None:
    resource = pytest.importorskip("resource", reason="Windows has no limit on the size of files")
    server.answer = whole(DATA)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (HALF, hard))
    try:
        with pytest.raises(WeightsError, match=r"could not be downloaded: the disk is full\."):
            bring(file_of(DATA, server.url()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


FETCH = """
import sys
from tests.support.weight_server import file_of
from explorer.inference import fetch
from explorer.errors import WeightsError
data = open(sys.argv[1], "rb").read()
try:
    print(fetch(file_of(data, sys.argv[2]), "Small Net", on_progress=lambda p: print(p.received, flush=True)))
except WeightsError as error:
    print(error)
"""


def fetching(tmp_path: Path, server: Server) -> subprocess.Popen[str]:
    """Another process that fetches; prints its progress, then the path or the error."""
    source = tmp_path / "data"
    source.write_bytes(DATA)
    command = [sys.executable, "-c", FETCH, str(source), server.url()]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)


def test_two_processes_fetch_one_file_once(tmp_path: Path, server: Server, cache: Path) -> None:
    server.answer = stalled(DATA, HALF, go_on := Event())
    with fetching(tmp_path, server) as first, fetching(tmp_path, server) as second:
        for process in (first, second):  # each has said that it waits or receives
            assert process.stdout is not None
            assert process.stdout.readline()
        assert server.asked.wait(60)
        go_on.set()
        outputs = [process.communicate(timeout=120)[0] for process in (first, second)]
    target = str(cache / "small-net.pth")
    assert [output.splitlines()[-1] for output in outputs] == [target, target]
    assert server.ranges == [""]
    assert Path(target).read_bytes() == DATA
    assert left(cache) == {"small-net.pth"}


def test_a_killed_process_leaves_a_beginning_for_the_next(tmp_path: Path, server: Server, cache: Path) -> None:
    server.answer = stalled(DATA, HALF, go_on := Event())
    with fetching(tmp_path, server) as first:
        assert first.stdout is not None
        assert any(int(line) == HALF for line in first.stdout)
        first.kill()
    assert left(cache) == {"small-net.pth.part"}
    server.answer = whole(DATA)
    assert bring(file_of(DATA, server.url())).read_bytes() == DATA
    first_missing = int(server.ranges[1].removeprefix("bytes=").removesuffix("-"))
    assert 0 < first_missing <= HALF
    go_on.set()


def test_threads_share_one_download(server: Server) -> None:
    server.answer = whole(DATA)
    published = file_of(DATA, server.url())
    with ThreadPoolExecutor(8) as pool:
        paths = set(pool.map(lambda _: bring(published), range(16)))
    assert len(paths) == 1
    assert server.ranges == [""]


def test_a_waiting_thread_can_cancel(server: Server) -> None:
    server.answer = stalled(DATA, HALF, go_on := Event())
    published = file_of(DATA, server.url())
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(bring, published)
        assert server.asked.wait(60)
        with pytest.raises(WeightsError, match="Small Net was not downloaded: cancelled"):
            bring(published, cancelled=lambda: True)
        go_on.set()
        assert first.result(60).read_bytes() == DATA


def test_a_cache_that_cannot_be_written(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "occupied").write_text("a file, where a folder is wanted")
    monkeypatch.setenv("RESNET_EXPLORER_CACHE", str(tmp_path / "occupied" / "cache"))
    with pytest.raises(
        WeightsError, match=r"the cache folder can't be written \(.+\); set RESNET_EXPLORER_CACHE"
    ) as error:
        bring(file_of(DATA, server.url()))
    assert str(tmp_path) not in str(error.value)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_cache(server: Server, cache: Path) -> None:
    cache.mkdir(mode=0o500)
    with pytest.raises(WeightsError, match=r"can't be written \(Permission denied\)"):
        bring(file_of(DATA, server.url()))


def test_the_cache_is_where_the_environment_says(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from explorer.folders import cache_folder

    assert cache_folder() == tmp_path / "cache"
    monkeypatch.delenv("RESNET_EXPLORER_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "resnet-explorer"
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert cache_folder() == Path.home() / ".cache" / "resnet-explorer"


def test_a_mirror_is_a_url_or_a_folder(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    published = file_of(DATA, "https://weights.invalid/models/small-net.pth")
    server.answer = moved("/mirror/small-net.pth", whole(DATA))
    monkeypatch.setenv("RESNET_EXPLORER_MIRROR", server.url("mirror/"))
    bring(published).unlink()
    monkeypatch.setenv("RESNET_EXPLORER_MIRROR", str(tmp_path / "share"))
    with pytest.raises(WeightsError, match="the folder that RESNET_EXPLORER_MIRROR names has no intact copy"):
        bring(published)
    (tmp_path / "share").mkdir()
    (tmp_path / "share" / "small-net.pth").write_bytes(DATA)
    assert bring(published) == tmp_path / "share" / "small-net.pth"


def test_torch_hubs_cache_is_read_and_never_written(server: Server, tmp_path: Path, cache: Path) -> None:
    hub = tmp_path / "torch" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    (hub / "small-net.pth").write_bytes(DATA)
    published = file_of(DATA, server.url())
    assert bring(published) == hub / "small-net.pth"
    (hub / "small-net.pth").write_bytes(DATA[:HALF])
    server.answer = whole(DATA)
    assert bring(published) == cache / "small-net.pth"
    assert (hub / "small-net.pth").read_bytes() == DATA[:HALF]


def test_a_damaged_file_in_the_cache_is_downloaded_again(server: Server) -> None:
    server.answer = whole(DATA)
    published = file_of(DATA, server.url())
    path = bring(published)
    path.write_bytes(DATA[:-1] + b"?")
    assert bring(published).read_bytes() == DATA
    assert server.ranges == ["", ""]


def test_a_built_in_file_is_verified_and_never_deleted(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    path.write_bytes(DATA)
    published = file_of(DATA, path)
    assert bring(published) == path
    with pytest.raises(WeightsError, match="Small Net belongs to this program, but its weights are missing or damaged"):
        bring(replace(published, sha256="0" * 64))
    assert path.exists()
