"""Photos on their way in: one route, one decoder at a time or two, and the few that come with Gradio to try it with.

A photo's bytes never touch the disk; what was decoded is a session's photo from then on (``photos.PHOTOS``).
"""

from __future__ import annotations

import time
from functools import lru_cache
from importlib.resources import files
from typing import Any

from anyio import CapacityLimiter, fail_after, to_thread
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from starlette.requests import ClientDisconnect

from ...errors import ExplorerError, ImageError
from ...inference import Photo, decode
from ...inference.images.decode import MAX_BYTES
from ...views.kit.pictures import photo_picture
from ..kit.bridge import error_message
from ..kit.photos import PHOTOS

ROUTE = "/photo"
THUMB = 96  # longer side, px
_ENOUGH = 1024  # shorter side, px: more than any network sees of a photo
MAX_SESSION, MAX_NAME = 64, 200  # characters
# A 40-megapixel photo takes up to a gigabyte while it is decoded.
_DECODERS = 2
_BODIES = 12  # photos kept whole in memory at a time; others wait
_SILENCE, _WHOLE = 20.0, 120.0  # seconds without a byte, and for all of them
_EXAMPLES = ("cheetah1.jpg", "lion.jpg", "cheetah.jpg", "tower.jpg", "bus.png")


def add_route(app: FastAPI) -> None:
    """``POST /photo?session=SESSION&name=NAME`` with a file as its body -> what ``keep`` gives; ``{"error"}`` where it
    is refused. 408: it came too slowly.

    ``session``: of the page, which forgets its photos when it is closed.
    """
    bodies, decoders = CapacityLimiter(_BODIES), CapacityLimiter(_DECODERS)

    @app.post(ROUTE)
    async def receive(request: Request, session: str = "", name: str = "") -> Response:
        try:
            async with bodies:
                with fail_after(_WHOLE):
                    data = await _read_body(request)
                answer = await to_thread.run_sync(_decode, data, session, name, limiter=decoders)
            return JSONResponse(answer)
        except (ClientDisconnect, TimeoutError):
            return PlainTextResponse("The photo did not arrive whole. Drop it once more.", 408)
        except Exception as error:
            return JSONResponse({"error": error_message(error)})


async def _read_body(request: Request) -> bytes:
    """The body; the server's guard ends it where it is larger than a photo may be."""
    data, chunks = bytearray(), request.stream().__aiter__()
    while True:
        try:
            with fail_after(_SILENCE):
                data += await anext(chunks)
        except StopAsyncIteration:
            return bytes(data)


def _decode(data: bytes, session: str, name: str) -> dict[str, Any]:
    started = time.perf_counter()
    photo = decode(data, _ENOUGH)
    return keep(photo, session, name, (time.perf_counter() - started) * 1000)


def keep(photo: Photo, session: str, name: str, decoding: float) -> dict[str, Any]:
    """Add a photo to the session's: ``{"token", "name", "decoding", "photo", "thumb"}``, the pictures as data URIs.

    Args:
        decoding: how long that took, ms.
    """
    token = PHOTOS.put(photo, session[:MAX_SESSION])
    return {
        "token": token,
        "name": name[-MAX_NAME:],
        "decoding": round(decoding, 2),
        "photo": photo_picture(photo.image),
        "thumb": photo_picture(photo.image, THUMB),
    }


def open_example(number: Any, session: str) -> dict[str, Any]:
    """As ``keep``, of one of ``examples``.

    Raises:
        ImageError: there is no such example.
    """
    names = [name for name, _ in examples()]
    if not isinstance(number, int) or not 0 <= number < len(names):
        raise ImageError("There is no such example photo.")
    return _decode(_bytes(names[number]), session, names[number])


@lru_cache(maxsize=1)
def examples() -> tuple[tuple[str, str], ...]:
    """Names and thumbnails (data URIs) of photos to try; those of Gradio that this version of it has."""
    found = []
    for name in _EXAMPLES:
        try:
            found.append((name, photo_picture(decode(_bytes(name)).image, THUMB)))
        except (OSError, ExplorerError):
            continue
    return tuple(found)


def _bytes(name: str) -> bytes:
    return (files("gradio") / "media_assets" / "images" / name).read_bytes()[: MAX_BYTES + 1]
