"""How the Why panel is worded, and its pictures."""

from __future__ import annotations

import base64
import io
import re

import numpy as np
import torch
from PIL import Image

from explorer.inference.explain import BranchStrength, Contribution, Contributions, FeatureMap, FeatureMaps, Score
from explorer.views.classify import why as words
from explorer.views.kit.pictures import heat_picture, photo_picture


def decoded(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(base64.b64decode(uri.partition(",")[2])))


def test_blocks_stand_in_stages_and_a_plain_one_has_no_switch() -> None:
    html = words.blocks([BranchStrength("layer1.0", 3.0, 4.0), BranchStrength("layer2.0", 5.0, None)])
    first, second = re.findall(r'<tr data-block="layer\d\.0">.*?</tr>', html)
    assert re.findall(r"data-stage=\"(.*?)\"", html) == ["layer1"]
    assert 'aria-label="Branch of layer1.0"' in first
    assert "‖F(x)‖ 3.00, ‖x‖ 4.00" in first
    assert 'style="--share:1.000"' in first
    assert ">0.750<" in first
    assert "checkbox" not in second
    assert "plain" in second


def contributed(*logits: float, probabilities: tuple[float, ...] = (), answers: tuple[str, ...] = ()) -> Contributions:
    blocks = [f"layer1.{number}" for number in range(len(logits))]
    rows = zip(blocks, logits, probabilities or (0.5,) * len(logits), answers or ("cat",) * len(logits), strict=True)
    return Contributions("cat", 0.5, "cat", tuple(Contribution(*row) for row in rows))


def test_what_a_block_adds_has_a_sign_and_a_side() -> None:
    cells = words.contribution_cells(contributed(2.0, -1.0, 0.0))
    first, second, third = (cells[f"layer1.{number}"][0] for number in range(3))
    assert 'both for" style="--share:1.000"' in first
    assert ">+2.00<" in first
    assert 'both against" style="--share:0.500"' in second
    assert ">−1.00<" in second
    assert ">0<" in third
    assert words.contribution_cells(contributed(0.0))["layer1.0"][0].count("--share:0.000") == 1


def test_the_answer_without_a_block_is_beside_what_the_block_adds() -> None:
    """A block that speaks against a class may still be needed for its probability."""
    cells = words.contribution_cells(contributed(-0.69, 0.1, probabilities=(0.107, 0.4), answers=("<dog>", "cat")))
    adds, without = cells["layer1.0"]
    assert ">−0.690<" in adds
    assert ">50.0 → 10.7 %<" in without
    assert "<small>answer: &lt;dog&gt;</small>" in without
    assert "answer" not in cells["layer1.1"][1]


def test_the_finding_names_the_block_that_matters_most_and_whether_the_answer_survives() -> None:
    assert words.findings(contributed(-0.69, 0.1, probabilities=(0.107, 0.49))) == (
        "<b>The probability of “cat” depends most on layer1.0: without that block it falls from 50.0 % to 10.7 %.</b> "
        "layer1.1 adds more to its logit (+0.100), but only differences of logits count, and each block changes those "
        "of all classes. The answer “cat” survives switching off any single block. Veit et al. (2016) found "
        "the same: a residual network contains many shorter paths."
    )
    assert words.findings(contributed(1, 1, 1, probabilities=(0.9, 0.4, 0.3), answers=("cat", "cat", "dog"))) == (
        "<b>The probability of “cat” depends most on layer1.0: without that block it rises from 50.0 % to 90.0 %.</b> "
        "The answer “cat” survives switching off 2 of 3 blocks, one at a time. Without layer1.2 it becomes “dog”."
    )
    assert words.findings(contributed(0, 0)).startswith(
        "<b>No single block matters much: “cat” stays near 50.0 % whichever is switched off.</b> The answer “cat” "
    )
    many = words.findings(contributed(*[1] * 5, probabilities=(0.1,) * 5, answers=("<dog>",) * 5))
    assert many.endswith(
        "survives switching off 0 of 5 blocks, one at a time. Without layer1.0 it becomes “&lt;dog&gt;”, without "
        "layer1.1 “&lt;dog&gt;”, without layer1.2 “&lt;dog&gt;”. 2 more can change it. Veit et al. (2016) saw a "
        "network of 54 blocks survive it; with 5, each counts for more."
    )
    assert words.findings(contributed()) == words.PLAIN


def test_changes_of_the_answer_are_marked_in_words() -> None:
    before = [Score(i, name, 0.0, 0.2) for i, name in enumerate(["cat", "<dog>", "ship"])]
    after = [before[1], Score(9, "truck", 0.0, 0.2), before[0]]
    whole, without = re.findall("<section.*?</section>", words.answers(before, after, 1))
    assert re.findall('class="mark">(.*?)<', whole) == ["", "", "✕ out"]
    assert re.findall('class="mark">(.*?)<', without) == ["▲ 1", "new", "▼ 2"]
    assert "1 block off" in without
    assert "<dog>" not in without
    assert re.findall('class="mark">(.*?)<', words.answers(before, before, 0)) == ["", "", ""]


def test_maps_are_buttons_that_say_what_they_are() -> None:
    found = FeatureMaps("layer1.0", 16, (FeatureMap(7, 1.5, torch.tensor([[-1.0, 2.0]])),))
    html = words.maps(found)
    assert 'aria-label="Channel 7 of layer1.0, strength 1.50"' in html
    assert 'title="channel 7: values −1.00 … 2.00, ' in html
    assert words.heat_words("layer1.0", "cat", (8, 4), 0.0) == (
        "No feature of layer1.0 speaks for “cat”: the map is 0 everywhere."
    )


def test_heat_goes_from_dark_to_bright_at_every_step() -> None:
    picture = decoded(heat_picture(torch.arange(256.0)[None], 0, 255)).convert("RGB")
    lightness = np.asarray(picture)[0] @ (0.2126, 0.7152, 0.0722)
    assert (np.diff(lightness) > -0.5).all()
    assert len(np.unique(np.asarray(picture)[0], axis=0)) > 250
    assert (picture.getpixel((0, 0)), picture.getpixel((255, 0))) == ((0, 0, 4), (252, 255, 164))


def test_heat_without_a_span_is_dark() -> None:
    assert decoded(heat_picture(torch.full((2, 3), 5.0), 5, 5)).convert("RGB").getpixel((2, 1)) == (0, 0, 4)


def test_a_photo_goes_back_small_and_as_a_new_file() -> None:
    image = Image.new("RGB", (3000, 1000), "teal")
    picture = decoded(photo_picture(image))
    assert (picture.size, picture.format, image.size) == ((800, 267), "JPEG", (3000, 1000))
    exact = decoded(photo_picture(image, 96, lossless=True))
    assert (exact.size, exact.format, exact.getpixel((0, 0))) == ((96, 32), "PNG", (0, 128, 128))
