"""What a gradient measurement costs beside the bare forward and backward passes it is made of, and its memory.

Both sides take the same network, images and labels, by turns, pass for pass, so that a busy machine slows both alike; a
ratio is the median of all rounds'. Memory is the peak of a process of its own.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor
from torch.nn import functional as F

from explorer.gradients import Budget, probe_gradients
from explorer.gradients.passes import measure
from explorer.network import ResNet, build
from explorer.spec import PRESETS, ResNetSpec
from tests.support.paths import ROOT

TARGET = 1.15
MEMORY_TARGET = 4 * 10**9  # bytes
ROUNDS = 4  # for each asked for: a pass takes a fraction of a second
UNLIMITED = Budget(macs=10**15, activation_bytes=10**15, weight_bytes=10**15)
DEEPEST = "cifar_resnet1202"


@dataclass(frozen=True)
class Case:
    preset: str
    batch_size: int
    side: int

    @property
    def spec(self) -> ResNetSpec:
        return PRESETS[self.preset].with_(image_size=self.side)


CASES = (
    Case("cifar_resnet20", 8, 32),
    Case("cifar_resnet110", 8, 32),
    Case("resnet18", 8, 64),
    Case("resnet50", 8, 64),
)


def bare(model: ResNet, images: Tensor, labels: Tensor) -> None:
    F.cross_entropy(model(images), labels).backward()
    model.zero_grad()


def seconds(side: Callable[[ResNet, Tensor, Tensor], object], *batch: Any) -> float:
    start = perf_counter()
    side(*batch)
    return perf_counter() - start


def time_passes(case: Case, rounds: int) -> tuple[float, float, float]:
    """Median seconds of the measured pass and of the bare one, and the median of their ratios."""
    model = build(case.spec)
    batch = model, torch.randn(case.batch_size, 3, case.side, case.side), torch.arange(case.batch_size)
    for side in measure, bare:
        side(*batch)
    pairs = [(seconds(measure, *batch), seconds(bare, *batch)) for _ in range(rounds)]
    mine, theirs = zip(*pairs, strict=True)
    return median(mine), median(theirs), median(a / b for a, b in pairs)


def peak_memory(preset: str, limited: bool) -> int:
    """Bytes that a process took at most in which this network was measured, the libraries included."""
    words = [sys.executable, "-m", "tests.benchmarks.gradients", preset, str(int(limited))]
    done = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT)
    return int(done.stdout)


def _probe_and_tell(preset: str, limited: bool) -> None:
    budget = Budget() if limited else UNLIMITED
    probe_gradients(PRESETS[preset], batches=1, budget=budget)
    status = Path("/proc/self/status")
    if status.is_file():  # ru_maxrss remembers the process that started this one
        words = next(line.split() for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        print(int(words[1]) * 1024)
    else:
        unit = 1 if sys.platform == "darwin" else 1024
        print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def run(console: Console, repeat: int) -> None:
    rounds = ROUNDS * repeat
    title = f"one forward and backward pass, medians of {rounds}"
    table = Table("network", "measured", "bare", "ratio", "target", "", title=title)
    for case in CASES:
        mine, theirs, ratio = time_passes(case, rounds)
        name = f"{case.preset}, {case.batch_size} × {case.side} px"
        verdict = "met" if ratio <= TARGET else "[bold]not met[/]"
        table.add_row(name, f"{mine:.3f} s", f"{theirs:.3f} s", f"{ratio:.2f}×", f"≤ {TARGET:g}×", verdict)
    console.print(table)
    table = Table("network", "budget", "peak", "target", "", title="memory of a process")
    for limited in (True, False):
        peak = peak_memory(DEEPEST, limited)
        verdict = "met" if peak <= MEMORY_TARGET else "[bold]not met[/]"
        words = "the default" if limited else "none: 8 × 32 px"
        table.add_row(DEEPEST, words, f"{peak / 1e9:.2f} GB", f"≤ {MEMORY_TARGET / 1e9:g} GB", verdict)
    console.print(table)


if __name__ == "__main__":
    _probe_and_tell(sys.argv[1], sys.argv[2] == "1")
