"""Photos to answers on the CPU, against torchvision's eager float32, onnxruntime by hand and transformers' pipeline.

Weights are seeded: they take as long as trained ones. All sides are measured in one process and take turns, so that a
busy machine slows them alike; a ratio is a quotient of medians. A pause before each lets the threads of the side before
come to rest, for onnxruntime's go on waiting busily.

What else was tried for the CPU, on two cores with AVX-512, ResNet-18 and -50 in batches of 8, as images per second of
eager float32: channels-last weights 1.1×, with folded normalisation 1.15×, ``torch.jit.optimize_for_inference`` 1.35×
to 1.45×, onnxruntime 1.35× to 1.5×.
"""

from __future__ import annotations

import io
import time
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib import import_module
from math import sqrt
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import onnxruntime
import torch
from PIL import Image
from rich.console import Console
from rich.table import Table
from torch import Tensor, nn

from explorer.compat import torchvision
from explorer.inference import Classifier, decode, find
from explorer.inference.running.engine import Engine
from explorer.network import build
from explorer.spec import PRESETS
from tests.support.photo_files import PHOTOS

NETWORKS, BATCHES = ("resnet18", "resnet50"), (1, 8)
UPLOADS = 50
AT_REST_S = 0.05
PASSES = 4  # times ``repeat``: 20 by default

Side = Callable[[], object]


def classifier_of(name: str, state: Mapping[str, Tensor]) -> Classifier:
    """Ours, with these weights."""
    model = build(PRESETS[name])
    model.load_state_dict(state)
    return Classifier(replace(find(name), title=name), Engine(model, torch.device("cpu")))


def by_hand(model: nn.Module) -> Callable[[Tensor], Any]:
    """``model`` in onnxruntime as its documentation does it, every option at its default."""
    file = io.BytesIO()
    axes = {"image": {0: "batch"}, "logits": {0: "batch"}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # this exporter is the old one, which takes a tenth of the time
        torch.onnx.export(
            model,
            (torch.zeros(1, 3, 224, 224),),
            file,  # type: ignore[arg-type]  # the old one takes files
            input_names=["image"],
            output_names=["logits"],
            dynamic_axes=axes,
            dynamo=False,
        )
    session = onnxruntime.InferenceSession(file.getvalue(), providers=["CPUExecutionProvider"])
    return lambda batch: session.run(None, {"image": batch.numpy()})


def pipeline_of(name: str) -> Callable[[list[Image.Image]], object] | None:
    """transformers' network of that name, with what it does to photos; None where transformers is not installed."""
    try:
        theirs = import_module("transformers")
    except ImportError:
        return None
    shallow = {"depths": [2, 2, 2, 2], "hidden_sizes": [64, 128, 256, 512], "layer_type": "basic"}
    config = theirs.ResNetConfig(**(shallow if name == "resnet18" else {}))
    model = theirs.ResNetForImageClassification(config).eval()
    processor = theirs.ConvNextImageProcessor(size={"shortest_edge": 224}, crop_pct=0.875)
    classify = theirs.pipeline("image-classification", model=model, image_processor=processor, device=-1)
    return lambda photos: classify(photos, batch_size=len(photos))


def medians(sides: Mapping[str, Side], rounds: int) -> dict[str, float]:
    """Median seconds of each side, measured in turns."""
    for side in sides.values():
        side()
        side()
    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, side in sides.items():
            time.sleep(AT_REST_S)
            start = time.perf_counter()
            side()
            times[name].append(time.perf_counter() - start)
    return {name: median(seconds) for name, seconds in times.items()}


def scene(width: int, height: int) -> Image.Image:
    """Soft shapes with a camera's noise."""
    dice = np.random.default_rng(0)
    soft = Image.fromarray(dice.integers(0, 256, (9, 12, 3), dtype=np.uint8)).resize((width, height), 3)
    noise = dice.normal(0, 4, (height, width, 1))
    return Image.fromarray(np.clip(np.asarray(soft) + noise, 0, 255).astype(np.uint8))


def jpeg(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=92)
    return file.getvalue()


def forward_passes(console: Console, rounds: int) -> None:
    table = Table("network", "batch", "ours", "eager", "onnxruntime", "pipeline", title=f"CPU, medians of {rounds}")
    for name in NETWORKS:
        torch.manual_seed(0)
        model = torchvision.models.get_model(name).eval()
        ours, runtime, pipeline = classifier_of(name, model.state_dict()), by_hand(model), pipeline_of(name)
        for size in BATCHES:
            batch, photos = torch.randn(size, 3, 224, 224), [scene(500, 375)] * size

            def eager(model: nn.Module = model, batch: Tensor = batch) -> None:
                with torch.inference_mode():
                    model(batch)

            sides: dict[str, Side] = {
                "ours": lambda batch=batch, ours=ours: ours.engine.forward(batch),  # type: ignore[misc]
                "eager": eager,
                "onnxruntime": lambda batch=batch, runtime=runtime: runtime(batch),  # type: ignore[misc]
            }
            if pipeline:
                sides["photos"] = lambda photos=photos, ours=ours: together(ours, photos)  # type: ignore[misc]
                sides["pipeline"] = lambda photos=photos, pipeline=pipeline: pipeline(photos)  # type: ignore[misc]
            took = medians(sides, rounds)
            mine = took["ours"]
            table.add_row(
                name,
                str(size),
                f"{mine * 1000:.1f} ms",
                ratio(took["eager"] / mine, 1.3 if size == 8 else None),
                ratio(took["onnxruntime"] / mine, 0.95),
                ratio(took["pipeline"] / took["photos"]) if pipeline else "not installed",
            )
    console.print(table)
    console.print("Times theirs takes for each of ours; of the pipeline, from decoded photos on.")


def together(classifier: Classifier, photos: list[Image.Image]) -> object:
    return classifier.engine.forward(torch.stack([classifier.variant.transform(photo).tensor for photo in photos]))


def ratio(value: float, least: float | None = None) -> str:
    verdict = "" if least is None else f" (≥ {least:g}: {'met' if value >= least else '[bold]not met[/]'})"
    return f"{value:.2f}×{verdict}"


def uploads(console: Console, rounds: int) -> None:
    """Fifty files at once, each decoded, resized and asked about, against as many tensors in batches of 8."""
    table = Table("network", "50 uploads", "in batches of 8", "share", title=f"images per second, medians of {rounds}")
    file, batches = jpeg(scene(500, 375)), torch.randn(UPLOADS, 3, 224, 224).split(8)
    for name in NETWORKS:
        classifier = classifier_of(name, build(PRESETS[name]).state_dict())
        with ThreadPoolExecutor(UPLOADS) as pool:

            def at_once(pool: ThreadPoolExecutor = pool, classifier: Classifier = classifier) -> None:
                list(pool.map(classifier.classify_bytes, [file] * UPLOADS))

            def raw(classifier: Classifier = classifier) -> None:
                for batch in batches:
                    classifier.engine.forward(batch)

            took = medians({"uploads": at_once, "raw": raw}, rounds)
        rates = UPLOADS / took["uploads"], UPLOADS / took["raw"]
        table.add_row(name, f"{rates[0]:.1f}", f"{rates[1]:.1f}", ratio(rates[0] / rates[1], 0.9))
    console.print(table)


def enlarged(file: Path) -> bytes:
    """A photo of twelve megapixels."""
    with Image.open(file) as image:
        factor = sqrt(12e6 / (image.width * image.height))
        size = round(image.width * factor), round(image.height * factor)
        return jpeg(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))


def large_photos(console: Console, rounds: int) -> None:
    """JPEGs of twelve megapixels until they are tensors, against Pillow's full decoding and torchvision's transform."""
    transform, theirs = find("resnet50").transform, torchvision.models.ResNet50_Weights.IMAGENET1K_V2.transforms()
    files = sorted(PHOTOS.iterdir())[::16] if PHOTOS.is_dir() else []
    photos = {"noise": jpeg(scene(4000, 3000)), **{file.stem: enlarged(file) for file in files}}

    def full(photo: bytes) -> None:
        with Image.open(io.BytesIO(photo)) as image:
            theirs(image.convert("RGB"))

    title = f"JPEGs of 12 megapixels to a tensor, medians of {rounds}"
    table = Table("", "MiB", "no larger than needed", "Pillow, torchvision", "theirs takes", title=title)
    gains = []
    for name, photo in photos.items():
        sides = {
            "ours": lambda photo=photo: transform(decode(photo, transform.at_least)),
            "theirs": lambda photo=photo: full(photo),
        }
        took = medians(sides, rounds)
        gains.append(took["theirs"] / took["ours"])
        shown = (f"{took[side] * 1000:.0f} ms" for side in sides)
        table.add_row(name, f"{len(photo) / 2**20:.1f}", *shown, ratio(gains[-1]))
    table.add_row("median", "", "", "", ratio(median(gains), 3))
    console.print(table)


def run(console: Console, repeat: int) -> None:
    console.print(f"{torch.get_num_threads()} threads; weights are seeded, not trained.")
    forward_passes(console, PASSES * repeat)
    uploads(console, 2 * repeat)
    large_photos(console, 2 * repeat)
