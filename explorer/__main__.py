"""``resnet-explorer`` and ``python -m explorer``: the command line."""

from __future__ import annotations

import sys

from .errors import MissingExtraError
from .extras import explained_imports


def main() -> None:
    """Run the command in ``sys.argv``; exit code 2 and one line if what it needs is not installed."""
    try:
        with explained_imports():
            from .cli import main as run
    except MissingExtraError as error:
        print(f"Error: {error}", file=sys.stderr)
        raise SystemExit(2) from None
    run()


if __name__ == "__main__":
    main()
