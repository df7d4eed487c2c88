"""``make bench``: measurements that compare, printed as tables. They judge nothing: the exit code is always 0.

make bench ARGS="--only structure --repeat 9"
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from rich.console import Console

from . import command, gradients, inference, page, structure, training, zoo

BENCHMARKS: dict[str, Callable[[Console, int], None]] = {
    "structure": structure.run,
    "command": command.run,
    "zoo": zoo.run,
    "page": page.run,
    "gradients": gradients.run,
    "inference": inference.run,
    "training": training.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="Measurements that compare.")
    parser.add_argument("--only", choices=BENCHMARKS, help="one of them; default: all")
    parser.add_argument("--repeat", type=_positive, default=5, metavar="N", help="rounds; medians are shown (5)")
    options = parser.parse_args()
    console = Console()
    for name in [options.only] if options.only else BENCHMARKS:
        console.rule(name)
        BENCHMARKS[name](console, options.repeat)


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


if __name__ == "__main__":
    main()
