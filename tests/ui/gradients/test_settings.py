"""What the Gradients tab asks for: switches, images and seeds, and jobs of which each page has one of a kind."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from explorer.datasets import sample
from explorer.datasets.cifar10 import CLASSES
from explorer.errors import ExplorerError, Stopped
from explorer.gradients import ProbeOptions
from explorer.inference import Photo
from explorer.spec import PRESETS, ResNetSpec
from explorer.ui.gradients import images as gradient_inputs
from explorer.ui.gradients import measurements as gradient_runs
from explorer.ui.gradients.settings import Wish, read
from explorer.ui.gradients.sweep import of_family
from explorer.ui.gradients.tab import list_switches
from explorer.ui.kit.jobs import Waiting
from explorer.ui.kit.photos import PHOTOS
from explorer.views.gradients.switches import switches
from tests.support.answers import ask
from tests.support.cifar10_files import encoded, made_folder, pixels

TWENTY = PRESETS["cifar_resnet20"]


def options(spec: ResNetSpec) -> dict[str, dict[str, Any]]:
    """Of every switch: words -> value."""
    return {
        field: {
            unescape(words): json.loads(unescape(value))
            for value, words in re.findall(r'<option value="([^"]*)"[^>]*>([^<]*)', body)
        }
        for field, body in re.findall(r'<select data-field="(\w+)".*?>(.*?)</select>', switches(spec))
    }


def test_every_option_is_a_value_of_its_field() -> None:
    found = options(TWENTY)
    assert list(found) == ["norm", "init", "zero_init_residual", "activation", "shortcut", "block"]
    assert found["norm"] == {"Batch": "batch", "Group": "group", "None": "none"}
    assert found["zero_init_residual"] == {"as the others": False, "starts at 0": True}
    assert found["block"] == {"after the addition": "basic", "pre-activation": "preact_basic"}
    deep = options(TWENTY.with_(block="preact_bottleneck"))
    assert deep["block"] == {"after the addition": "bottleneck", "pre-activation": "preact_bottleneck"}
    assert (len(found["init"]), len(found["activation"]), len(found["shortcut"])) == (4, 4, 5)
    for field, values in found.items():
        assert [TWENTY.with_(**{field: value}) for value in values.values()]


def test_the_network_s_own_choice_is_the_selected_one() -> None:
    chosen = re.findall(r" selected=[^>]*>([^<]*)", switches(TWENTY.with_(activation="gelu", shortcut="none")))
    assert chosen == ["Batch", "He (fan-out)", "as the others", "GELU", "None (plain)", "after the addition"]


def test_a_switch_that_names_no_network_is_said() -> None:
    assert ask(list_switches, {"query": "preset=cifar_resnet20"}) == {"html": switches(TWENTY)}
    assert "groups: got 0" in ask(list_switches, {"query": "groups=0"})["error"]
    assert ask(list_switches, ["query"]) == {"error": "A network is expected."}


def test_a_browser_s_settings_are_checked() -> None:
    wish = read("preset=cifar_resnet20", "digits", 3, 7, "s")
    assert wish == Wish(TWENTY, ("digits",), 3, 7, "another page, the same measurement")
    assert read("", "noise", 1, None, "s").seed == 0
    assert read("", "noise", 1, 10**9, "s").seed == 10_000
    for images, seeds in (("../etc", 1), ("noise", 1000), ([], 1)):
        with pytest.raises(ExplorerError, match="does not offer"):
            read("", images, seeds, 0, "s")
    with pytest.raises(ExplorerError, match="groups"):
        read("groups=0", "noise", 1, 0, "s")


def tensors(given: ProbeOptions) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = given.get("inputs"), given.get("labels")
    assert images is not None
    assert labels is not None
    return images, labels


def test_digits_come_with_their_labels_where_the_network_has_ten_classes() -> None:
    given, words = gradient_inputs.images("digits", TWENTY, 0, "s")
    images, labels = tensors(given)
    assert images.shape == (24, 3, 32, 32)
    assert len(set(labels.tolist())) > 5
    assert words == "On 24 digits (scikit-learn's), with their labels."
    few, words = gradient_inputs.images("digits", TWENTY.with_(num_classes=4), 0, "s")
    assert few.keys() == {"inputs"}
    assert "random labels: they have more classes than the network" in words


def test_photos_are_those_of_the_page() -> None:
    with pytest.raises(ExplorerError, match="no photos yet"):
        gradient_inputs.images("photos", TWENTY, 0, "nobody")
    photo = Photo(Image.new("RGB", (60, 40), "#804020"), "JPEG", (60, 40), ())
    token = PHOTOS.put(photo, "somebody")
    given, words = gradient_inputs.images("photos", TWENTY, 0, "somebody")
    assert given["inputs"] is not None
    assert given["inputs"].shape == (1, 3, 32, 32)
    assert words == "On 1 photo of yours, random labels."
    assert gradient_inputs.identity("photos", "somebody") == ("photos", token)
    assert gradient_inputs.identity("noise", "somebody") == ("noise",)
    PHOTOS.close("somebody")


def test_cifar10_is_offered_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("RESNET_EXPLORER_DATA", str(tmp_path))
    assert "cifar10" not in {name for _, name in gradient_inputs.choices()}
    with pytest.raises(ExplorerError, match=r"^CIFAR-10 is not on this machine any more\. Choose other images\.$"):
        gradient_inputs.images("cifar10", TWENTY, 0, "s")
    made_folder(tmp_path, {f"test/{name}/{i}.png": encoded(pixels(i)) for name in CLASSES for i in range(4)})
    assert ("CIFAR-10", "cifar10") in gradient_inputs.choices()
    given, words = gradient_inputs.images("cifar10", TWENTY, 0, "s")
    images, labels = tensors(given)
    assert images.shape == (24, 3, 32, 32)
    assert labels.tolist() == sample("cifar10", 24, 0).labels.tolist()
    assert words == "On 24 photos of CIFAR-10's test split, with their labels."
    assert not torch.equal(tensors(gradient_inputs.images("cifar10", TWENTY, 1, "s")[0])[0], images)


def test_a_sweep_of_the_other_family_keeps_what_concerns_gradients() -> None:
    mine = TWENTY.with_(activation="silu", norm="group", init="xavier")
    assert of_family(mine, "cifar") is mine
    assert of_family(mine, "imagenet") == ResNetSpec().with_(activation="silu", norm="group", init="xavier")


def test_a_job_in_the_queue_says_what_it_waits_for() -> None:
    assert "In the queue, position 2" in gradient_runs.waiting(Waiting(1))


def test_what_was_cancelled_is_no_failure() -> None:
    assert "rx-banner note" in gradient_runs.failed(Stopped("x"), "Cancelled.")
    assert "rx-banner finding" in gradient_runs.failed(ExplorerError("No <b>."), "Cancelled.")
    assert "No &lt;b&gt;." in gradient_runs.failed(ExplorerError("No <b>."), "Cancelled.")
