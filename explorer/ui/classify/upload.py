"""Uploaded photos: one route, up to two decoders at a time, and a few sample photos that come with Gradio.

A photo's bytes never touch the disk; the decoded image belongs to the session (``photos.PHOTOS``).
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
# In front are those that the built-in network classifies correctly: it knows lions, but neither cheetahs nor buses of
# this kind, and takes the tower for an obelisk.
_EXAMPLES = ("lion.jpg", "tower.jpg", "cheetah1.jpg", "cheetah.jpg", "bus.png")


def add_route(app: FastAPI) -> None:
    """``POST /photo?session=SESSION&name=NAME`` with a file as its body -> what ``store_photo`` gives; ``{"error"}`` if
    it is refused. 408: it came too slowly.

    ``session``: of the page, whose photos are dropped when it is closed.
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
            return PlainTextResponse("The photo did not arrive completely. Add it again.", 408)
        except Exception as error:
            return JSONResponse({"error": error_message(error)})


async def _read_body(request: Request) -> bytes:
    """The body; the server's guard ends it if it is larger than a photo may be."""
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
    return store_photo(photo, session, name, (time.perf_counter() - started) * 1000)


def store_photo(photo: Photo, session: str, name: str, decoding: float) -> dict[str, Any]:
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
    """As ``store_photo``, for one of ``examples``.

    Raises:
        ImageError: there is no such example.
    """
    names = [name for name, _ in examples()]
    if not isinstance(number, int) or not 0 <= number < len(names):
        raise ImageError("There is no such sample photo.")
    return _decode(_bytes(names[number]), session, names[number])


@lru_cache(maxsize=1)
def examples() -> tuple[tuple[str, str], ...]:
    """Names and thumbnails (data URIs) of sample photos: those that the installed version of Gradio has."""
    found = []
    for name in _EXAMPLES:
        try:
            found.append((name, photo_picture(decode(_bytes(name)).image, THUMB)))
        except (OSError, ExplorerError):
            continue
    return tuple(found)


def _bytes(name: str) -> bytes:
    return (files("gradio") / "media_assets" / "images" / name).read_bytes()[: MAX_BYTES + 1]
