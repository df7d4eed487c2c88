"""The photos that a page gave: how many and how large, and for how long."""

from __future__ import annotations

from dataclasses import replace

import pytest
from PIL import Image

from explorer.errors import ImageError
from explorer.inference import Photo
from explorer.ui.kit import photos
from explorer.ui.kit.photos import PHOTOS
from explorer.ui.kit.sessions import Limits, SessionStore


def test_photos_belong_to_their_page_and_are_bounded() -> None:
    photo = Photo(Image.new("RGB", (30, 20)), "PNG", (30, 20), ())
    limits = replace(photos.LIMITS, per_session=3)
    store = SessionStore[Photo](photos.GONE, limits, error=ImageError, size=photos.pixels)
    tokens = [store.put(photo, "one") for _ in range(5)]
    other = store.put(photo, "two")
    assert [token for token, _ in store.of("one")] == tokens[:1:-1]
    assert store.find(tokens[2]) is photo
    assert [token for token, _ in store.of("one")] == [tokens[2], tokens[4], tokens[3]]
    with pytest.raises(ImageError, match="session expired"):
        store.find(tokens[0])
    store.close("one")
    assert store.of("one") == []
    assert store.find(other) is photo
    store.limits = replace(limits, size=30 * 20 * 2)
    last = [store.put(photo, f"page {i}") for i in range(4)]
    with pytest.raises(ImageError):
        store.find(other)
    assert store.find(last[3]) is photo
    store.limits = replace(limits, seconds=-1.0)
    assert store.of("page 3") == []


def test_the_pages_photos_are_within_their_limits() -> None:
    assert PHOTOS.limits == photos.LIMITS == Limits(per_session=64, size=300_000_000, seconds=3600)
    photo = Photo(Image.new("RGB", (30, 20)), "PNG", (60, 40), ())
    assert photos.pixels(photo) == 600, "of what was decoded"
    token = PHOTOS.put(photo, "page of photos")
    assert PHOTOS.find(token) is photo
    PHOTOS.drop(token)
    with pytest.raises(ImageError, match=r"^Your session expired\. Add the photo again\.$"):
        PHOTOS.find(token)
