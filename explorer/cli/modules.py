"""``PACKAGE.MODULE:CALLABLE``: a network from the user's own code."""

from __future__ import annotations

import re
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from ..errors import ExplorerError, TraceError

if TYPE_CHECKING:
    from torch import nn

    from ..inspection import Report

_NAME = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_TARGET = re.compile(f"{_NAME}:{_NAME}")
_EXPLORER = Path(__file__).parent.parent


def is_module(target: str) -> bool:
    """Whether ``target`` has the form PACKAGE.MODULE:CALLABLE."""
    return _TARGET.fullmatch(target) is not None


def read_module(target: str, inputs: Sequence[tuple[int, ...]] = ()) -> Report:
    """Import, build and trace a network. The current folder is searched first; output of the code goes to stderr.

    Args:
        target: names a module, a class or a function; the latter two are called without arguments.
        inputs: shape of each input, with the batch dimension; default: 1×3×224×224.

    Raises:
        ExplorerError: there is no such name, it is not a network, or its code fails; the message names the exception
            and the line.
    """
    from ..inspection import inspect

    with redirect_stdout(sys.stderr), _explain_errors(target):
        return inspect(_build(target, _find(target)), inputs=inputs or None)


def _find(target: str) -> Any:
    name, _, attribute = target.partition(":")
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        import_module("explorer.compat")  # most networks import torchvision, which may fail without this import
        module = import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ExplorerError(
            f"{target}: no module named {error.name} in this folder or the installed packages"
        ) from None
    try:
        return attrgetter(attribute)(module)
    except AttributeError:
        raise ExplorerError(f"{target}: the module {name} has no {attribute}") from None


def _build(target: str, found: Any) -> nn.Module:
    from torch import nn

    made = found if isinstance(found, nn.Module) or not callable(found) else _call(found)
    if isinstance(made, nn.Module):
        return made
    raise ExplorerError(f"{target}: expected an nn.Module, or a callable that returns one; got {type(made).__name__}")


def _call(make: Callable[[], Any]) -> Any:
    """Build on the meta device to save memory, or with real tensors if the code needs values."""
    import torch

    try:
        with torch.device("meta"):
            return make()
    except Exception:
        return make()


@contextmanager
def _explain_errors(target: str) -> Iterator[None]:
    """Convert exceptions of the user's code into one sentence."""
    try:
        yield
    except TraceError as error:
        cause = _origin(error)
        place = _place(cause)
        where = f" ({type(cause).__name__}{place})" if place else ""
        raise ExplorerError(f"{target}: {error}{where}") from error
    except ExplorerError:
        raise
    except (Exception, SystemExit) as error:
        reason = (str(error).strip() or "no reason given").splitlines()[0][:200]
        place = _place(error)
        hint = "" if place or not isinstance(error, TypeError) else "; the explorer calls it without arguments"
        raise ExplorerError(f"{target}: {type(error).__name__}{place}: {reason}{hint}") from error


def _origin(error: BaseException) -> BaseException:
    while error.__cause__ is not None:
        error = error.__cause__
    return error


def _place(error: BaseException) -> str:
    """ " in nets.py, line 12": the innermost line outside all libraries; empty if there is none."""
    if isinstance(error, SyntaxError) and error.filename:
        return f" in {_relative(error.filename)}, line {error.lineno}"
    libraries = [str(_EXPLORER), *map(sysconfig.get_path, ("stdlib", "platstdlib", "purelib", "platlib"))]
    own = [
        frame
        for frame in extract_tb(error.__traceback__)
        if not frame.filename.startswith(("<", *libraries)) and "site-packages" not in Path(frame.filename).parts
    ]
    return f" in {_relative(own[-1].filename)}, line {own[-1].lineno}" if own else ""


def _relative(path: str) -> str:
    here = Path.cwd()
    return Path(path).relative_to(here).as_posix() if Path(path).is_relative_to(here) else path
