"""What the Classify tab asks the program for: an answer to one photo, a row of many, an example, the table of nets.

Every function takes what a browser sent, which may be anything, and gives JSON.
"""

from __future__ import annotations

import json
from typing import Any

from ...errors import ImageError
from ...inference import Photo, Prediction
from ...inference.classifier import DEFAULT, NotHere
from ...views.classify import many_photos as many
from ...views.classify import networks_table as variants_table
from ...views.classify.prediction import answer
from ...views.kit.markup import banner
from ...views.kit.pictures import photo_picture
from ..kit.bridge import error_message
from ..kit.photos import ALBUM
from . import networks, upload

_MOST_ROWS = 64  # networks side by side


def classify(request: Any) -> str:
    """Browser's ``{"token", "variant", "device", "network", "decoding"}`` -> JSON ``{"html"}``; ``gone``: the photo
    is to be sent again.

    ``network``: the page's address, which says of a model file what its weights don't. ``decoding``: ms, as the upload
    was told.
    """
    try:
        photo = _photo(request)
    except ImageError as error:
        return json.dumps({"html": banner(error_message(error)), "gone": True})
    try:
        prediction = _asked(request, photo)
    except NotHere as error:
        return json.dumps({"html": banner(error_message(error), "note")})
    except Exception as error:
        return json.dumps({"html": banner(error_message(error))})
    decoding = request.get("decoding")
    decoding = float(decoding) if isinstance(decoding, (int, float)) and 0 <= decoding < 1e6 else 0.0
    html = answer(prediction, decoding, photo_picture(prediction.seen, lossless=True))
    return json.dumps({"html": html, "answered": True})


def many_row(request: Any) -> str:
    """Browser's ``{"token" or "error", "name", "variant", "device", "network"}`` -> JSON ``{"row", "csv", "ok"}``.

    ``error``: why the photo never got a token.
    """
    name = str(_dict(request).get("name", ""))[: upload.MAX_NAME]
    try:
        refused = _dict(request).get("error")
        if refused is not None:
            raise ImageError(str(refused)[:300])
        prediction = _asked(request, _photo(request))
    except Exception as error:
        words = error_message(error)
        return json.dumps({"row": many.failed(name, words), "csv": many.csv_line(name, words), "ok": False})
    return json.dumps({"row": many.answered(name, prediction), "csv": many.csv_line(name, prediction), "ok": True})


def beside_row(request: Any) -> str:
    """Browser's ``{"token", "variant", "device", "network"}`` -> JSON ``{"row", "told"}``: one network's answer, and
    what ``beside_words`` takes of it (none where it failed)."""
    name = str(_dict(request).get("variant", ""))[: networks.MAX_NAME]
    try:
        prediction = _asked(request, _photo(request))
    except Exception as error:
        return json.dumps({"row": many.beside_failed(name, error_message(error)), "told": None})
    return json.dumps({"row": many.beside_answered(prediction), "told": many.vote(prediction)})


def beside_words(request: Any) -> str:
    """Browser's ``{"votes": [...]}``, as ``beside_row`` told them -> JSON ``{"html"}``: where the networks agree."""
    votes = _dict(request).get("votes")
    sound = [
        (str(vote[0])[:200], str(vote[1])[:200], str(vote[2])[:200])
        for vote in (votes if isinstance(votes, list) else [])[:_MOST_ROWS]
        if isinstance(vote, list) and len(vote) == 3
    ]
    return json.dumps({"html": many.agreement(sound)})


def ready(request: Any) -> str:
    """Browser's ``{"session"}`` -> JSON ``{"networks": [[label, name]]}``: those that answer without a download."""
    return json.dumps({"networks": networks.here(session_of(request))})


def table(request: Any) -> str:
    """Browser's ``{"session"}`` -> JSON ``{"html", "published"}``: all networks; accuracies of the first of them."""
    try:
        rows = networks.rows(session_of(request))
        return json.dumps({"html": variants_table.networks(rows), "published": variants_table.history()})
    except Exception as error:
        return json.dumps({"html": banner(error_message(error)), "published": ""})


def examples(request: Any) -> str:
    """-> JSON ``{"thumbs": [data URI]}``."""
    return json.dumps({"thumbs": [thumb for _, thumb in upload.examples()]})


def example(request: Any) -> str:
    """Browser's ``{"number", "session"}`` -> what ``POST /photo`` answers."""
    try:
        return json.dumps(upload.example(_dict(request).get("number"), session_of(request)))
    except Exception as error:
        return json.dumps({"error": error_message(error)})


def session_of(request: Any) -> str:
    """The page that asks, as it calls itself."""
    return str(_dict(request).get("session", ""))[: upload.MAX_SESSION]


def _asked(request: Any, photo: Photo) -> Prediction:
    name = str(request.get("variant", DEFAULT))[: networks.MAX_NAME]
    device, network = str(request.get("device", "auto"))[:20], str(request.get("network", ""))[:4000]
    return networks.predict(name, network, device, photo)


def _photo(request: Any) -> Photo:
    return ALBUM.find(str(_dict(request).get("token", ""))[: upload.MAX_SESSION])


def _dict(request: Any) -> dict[str, Any]:
    return request if isinstance(request, dict) else {}
