"""Python environments that contain a wheel and what its metadata asks for, and nothing else that is installed here."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[2]


def build_wheel(folder: Path) -> Path:
    """The wheel of this checkout, built into ``folder``."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--wheel-dir", str(folder), str(REPOSITORY)], check=True, capture_output=True, text=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def create_environment(folder: Path, wheel: Path, extras: Iterable[str] = ()) -> Path:
    """A new virtual environment with the wheel. Returns its Python.

    What the wheel requires is linked from the environment of the tests instead of being downloaded again.
    """
    venv.create(folder, with_pip=False, symlinks=True)
    python = folder / "bin" / "python"
    (site,) = folder.glob("lib/python*/site-packages")
    install = ["-m", "pip", "--python", str(python), "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run([sys.executable, *install], check=True, capture_output=True, text=True)
    (own,) = (Distribution.at(path) for path in site.glob("resnet_explorer-*.dist-info"))
    for found in {dist.name: dist for dist in _required(own, frozenset(extras), set())}.values():
        _link(found, site)
    return python


def _required(
    dist: Distribution, extras: frozenset[str], seen: set[tuple[str, frozenset[str]]]
) -> Iterator[Distribution]:
    """The distributions that one requires, and theirs, without itself."""
    for line in dist.requires or ():
        need = Requirement(line)
        wanted = need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in (*extras, ""))
        key = (need.name.lower(), frozenset(need.extras))
        if not wanted or key in seen:
            continue
        seen.add(key)
        if need.name == dist.name:  # an extra that consists of others
            yield from _required(dist, frozenset(need.extras), seen)
            continue
        found = distribution(need.name)
        yield found
        yield from _required(found, frozenset(need.extras), seen)


def _link(dist: Distribution, site: Path) -> None:
    """Make a distribution importable from another environment."""
    tops = {Path(str(file)).parts[0] for file in dist.files or () if not str(file).startswith("..")}
    for top in tops - {"__pycache__"}:
        target, link = Path(str(dist.locate_file(top))), site / top
        if target.exists() and not link.exists():
            link.symlink_to(target)
