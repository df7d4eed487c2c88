"""``check`` in a process of its own, against ``import torch`` and one forward pass on the meta device.

What is compared is processor time, which a busy machine does not change. The rounds take turns.
"""

from __future__ import annotations

import os
import subprocess
import sys
from statistics import median

from rich.console import Console
from rich.table import Table

_PASS = """
import torch
from tests.benchmarks.own_network import Net
with torch.no_grad(), torch.device("meta"):
    Net()(torch.empty(1, 3, 224, 224))
"""
_TARGETS = [f"tests.benchmarks.own_network:Net({depth})" for depth in range(2, 22)]
COMMANDS = {
    "import torch and one pass": ["-c", _PASS],
    "check, one target": ["-m", "explorer", "check", "tests.benchmarks.own_network:Net"],
    "check, twenty targets": ["-m", "explorer", "check", *_TARGETS],
}
_TARGET = {"check, one target": ("import torch and one pass", 1.3), "check, twenty targets": ("check, one target", 2)}


def seconds(arguments: list[str]) -> float:
    """Processor time of a child and its threads."""
    before = os.times()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def run(console: Console, repeat: int) -> None:
    rounds = [{name: seconds(arguments) for name, arguments in COMMANDS.items()} for _ in range(repeat)]
    found = {name: median(taken[name] for taken in rounds) for name in COMMANDS}
    table = Table("process", "processor time", "ratio", "target", "", title=f"check, medians of {repeat}")
    for name, taken in found.items():
        if name not in _TARGET:
            table.add_row(name, f"{taken:.2f} s")
            continue
        base, most = _TARGET[name]
        ratio = taken / found[base]
        verdict = "met" if ratio <= most else "[bold]not met[/]"
        table.add_row(name, f"{taken:.2f} s", f"{ratio:.2f}× {base}", f"≤ {most:g}×", verdict)
    console.print(table)
