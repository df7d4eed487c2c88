"""A small HTTP server whose answers go wrong in every way a download can, and variants that point at it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

from safetensors.torch import save_file
from torch import Tensor

from explorer.inference.transform import Transform
from explorer.inference.weights.cache import WeightFile
from explorer.inference.weights.catalogue import Variant
from explorer.network import build
from explorer.spec import PRESETS, to_dict

CIFAR = Transform(32, 32, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))


def file_of(data: bytes, source: str | Path, **changes: Any) -> WeightFile:
    """A file whose published digest and size are those of ``data``."""
    facts = {"source": source, "sha256": hashlib.sha256(data).hexdigest()[:8], "size_bytes": len(data)}
    return WeightFile(**(facts | changes))


def variant_of(data: bytes, source: str | Path, **changes: Any) -> Variant:
    """A variant of the file ``file_of`` gives."""
    facts: dict[str, Any] = {
        "name": "small",
        "title": "Small Net",
        "spec": PRESETS["cifar_resnet20"],
        "file": file_of(data, source),
        "top1": None,
        "top5": None,
        "dataset": "none",
        "params": 0,
        "gmacs": 0.0,
        "transform": CIFAR,
        "classes": tuple("abcdefghij"),
        "licence": "none",
        "recipe": "none",
    }
    return Variant(**(facts | changes))


def built_in(folder: Path, name: str = "cifar10_resnet20", seed: int = 3, **changes: Any) -> dict[str, Tensor]:
    """Write a seeded CIFAR ResNet-20 and its side file, as the training room does; returns its weights."""
    folder.mkdir(parents=True, exist_ok=True)
    spec = PRESETS["cifar_resnet20"]
    state = build(spec, seed=seed).state_dict()
    path = folder / f"{name}.safetensors"
    save_file(state, path)
    side: dict[str, Any] = {
        "title": "CIFAR-10 ResNet-20",
        "spec": to_dict(spec),
        "classes": ["plane", "car", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"],
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "accuracy": {"top1": 83.1, "split": "CIFAR-10 test (JPEG archive)", "images": 10_000},
        "transform": {
            "resize": 32,
            "crop": 32,
            "mean": [0.4914, 0.4822, 0.4465],
            "std": [0.2470, 0.2435, 0.2616],
            "interpolation": "bilinear",
            "antialias": True,
        },
        "recipe": {"epochs": 0},
        "licence": "MIT",
    }
    (folder / f"{name}.json").write_text(json.dumps(side | changes), encoding="utf-8")
    return state


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        self.server.note(self.headers.get("Range", ""))
        self.server.answer(self)

    def start(self, status: int, **headers: object) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


Answer = Callable[[Handler], None]


class Server(ThreadingHTTPServer):
    """Attributes: ``answer``, what every request gets; ``ranges``, the Range header of each so far."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer: Answer = absent
        self.ranges: list[str] = []
        self.asked = Event()
        self._lock = Lock()

    def note(self, range_header: str) -> None:
        with self._lock:
            self.ranges.append(range_header)
        self.asked.set()

    def url(self, name: str = "small-net.pth") -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


@contextmanager
def serving() -> Iterator[Server]:
    with Server() as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def absent(request: Handler) -> None:
    request.start(404, Content_Length=0)


def whole(data: bytes, ranges: bool = True) -> Answer:
    """The file, from where it was asked for, as a good server does."""

    def answer(request: Handler) -> None:
        asked = request.headers.get("Range", "") if ranges else ""
        first = int(asked.removeprefix("bytes=").rstrip("-") or 0)
        if asked and first >= len(data):
            request.start(416, Content_Range=f"bytes */{len(data)}", Content_Length=0)
            return
        span = {"Content_Range": f"bytes {first}-{len(data) - 1}/{len(data)}"} if asked else {}
        request.start(206 if asked else 200, Content_Length=len(data) - first, **span)
        request.wfile.write(data[first:])

    return answer


def broken(data: bytes, after: int) -> Answer:
    """Promises the whole file, and hangs up on the way."""

    def answer(request: Handler) -> None:
        request.start(200, Content_Length=len(data))
        request.wfile.write(data[:after])

    return answer


def short(data: bytes, after: int) -> Answer:
    """Ends early without having promised a length."""

    def answer(request: Handler) -> None:
        request.start(200)
        request.wfile.write(data[:after])

    return answer


def stalled(data: bytes, after: int, go_on: Event) -> Answer:
    """Sends the beginning, and the rest only when ``go_on`` is set."""

    def answer(request: Handler) -> None:
        request.start(200, Content_Length=len(data))
        request.wfile.write(data[:after])
        request.wfile.flush()
        go_on.wait(60)
        request.wfile.write(data[after:])

    return answer


def page(content_type: str) -> Answer:
    """A sign-in page in place of the file."""

    def answer(request: Handler) -> None:
        text = b"\n<!doctype html><title>Sign in</title>"
        request.start(200, Content_Type=content_type, Content_Length=len(text))
        request.wfile.write(text)

    return answer


def moved(to: str, then: Answer) -> Answer:
    def answer(request: Handler) -> None:
        if request.path == to:
            then(request)
        else:
            request.start(302, Location=to, Content_Length=0)

    return answer
