"""Rows of many photos as the page gets them."""

from __future__ import annotations

from explorer.inference import decode
from explorer.ui.classify.many_photos import classify_row
from explorer.ui.classify.upload import MAX_NAME
from explorer.ui.kit.photos import PHOTOS
from tests.support.answers import ask
from tests.support.predictions import EVIL, png


def test_a_row_of_many_says_why_there_is_no_answer() -> None:
    told = ask(classify_row, {"name": "a.jpg", "error": EVIL})
    assert not told["ok"]
    assert "<img" not in told["row"]
    row = ask(classify_row, {"name": "a.jpg", "token": "nothing", "variant": "cifar10_resnet20"})["row"]
    assert "session expired" in row
    token = PHOTOS.put(decode(png()), "page")
    missing = ask(classify_row, {"name": "a.jpg", "token": token, "variant": "resnet5"})
    assert "no pretrained network is named" in missing["row"]


def test_a_long_name_is_cut() -> None:
    answer = ask(classify_row, {"name": "a" * 500, "error": "It is damaged."})
    assert answer["csv"].startswith("a" * MAX_NAME + ",")
