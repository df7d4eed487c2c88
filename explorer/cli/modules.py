"""``PACKAGE.MODULE:CALLABLE`` or ``FILE.py:CALLABLE``: a network from the user's own code."""

from __future__ import annotations

import ast
import re
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from functools import cache, partial
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from operator import attrgetter
from pathlib import Path
from traceback import extract_tb
from typing import TYPE_CHECKING, Any

from ..compat import guard_imports
from ..errors import ExplorerError, TraceError

if TYPE_CHECKING:
    from torch import nn

    from ..inspection import Report

_NAME = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_TARGET = re.compile(rf"({_NAME}|[^:]+\.py):({_NAME})(\(.*\))?", re.DOTALL)
_EXPLORER = Path(__file__).parent.parent


def is_module(target: str) -> bool:
    """Whether ``target`` is spelled PACKAGE.MODULE:CALLABLE or FILE.py:CALLABLE, with or without arguments."""
    return _TARGET.fullmatch(target) is not None


def read_module(target: str, inputs: Sequence[Any] | Mapping[str, Any] = ()) -> Report:
    """Import, build and trace a network; the current folder is searched first, and what the code prints goes to
    standard error.

    Args:
        target: names a module, a class or a function; the latter two are called, with the arguments in parentheses if
            there are any, as ``nets:make(18, width=4)``.
        inputs: as ``inspect``'s; default: 1×3×224×224.

    Raises:
        ExplorerError: there is no such name, it is not a network, or its code fails; the message names the exception
            and the line.
    """
    from ..inspection import inspect
    from ..inspection.tracing.source_lines import layer_lines, lines_by_path

    with redirect_stdout(sys.stderr), _explain_errors(target), layer_lines() as lines:
        found = _find(target)
        net = _build(target, found)
        report = inspect(net, inputs=inputs or None, original=_original(found))
    return replace(report, made=lines_by_path(net, lines))


def _find(target: str) -> Any:
    """The module, or the callable that returns it."""
    match = _TARGET.fullmatch(target)
    if match is None:
        raise ExplorerError(f"{target}: expected PACKAGE.MODULE:CALLABLE")
    name, attribute, call = match.groups()
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    guard_imports()  # the user's code may import torchvision, which may fail without this
    module = _import_file(Path(name)) if name.endswith(".py") else _import(target, name)
    try:
        found = attrgetter(attribute)(module)
    except AttributeError:
        raise ExplorerError(f"{target}: the module {name} has no {attribute}") from None
    if call is None:
        return found
    args, kwargs = _arguments(target, call)
    return partial(found, *args, **kwargs)


def _import(target: str, name: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if not f"{name}.".startswith(f"{error.name}."):
            raise
        raise ExplorerError(
            f"{target}: no module named {error.name} in this folder or the installed packages"
        ) from None


def _import_file(path: Path) -> Any:
    """A file as a module of its stem; its folder is searched for what it imports."""
    if not path.is_file():
        raise ExplorerError(f"{path}: no such file")
    folder = str(path.absolute().parent)
    if folder not in sys.path:
        sys.path.insert(0, folder)
    spec = spec_from_file_location(path.stem, path.absolute())
    if spec is None or spec.loader is None:
        raise ExplorerError(f"{path}: not a Python file")
    module = module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module


def _arguments(target: str, call: str) -> tuple[list[Any], dict[str, Any]]:
    """Parse arguments such as ``(18, width=4)``: literals only, no code is run."""
    try:
        tree = ast.parse(f"f{call}", mode="eval").body
        if not isinstance(tree, ast.Call):
            raise ValueError
        args = [ast.literal_eval(arg) for arg in tree.args]
        return args, {str(word.arg): ast.literal_eval(word.value) for word in tree.keywords}
    except (SyntaxError, ValueError):
        raise ExplorerError(
            f"{target}: expected numbers, texts or lists as arguments, for example make(18, width=4)"
        ) from None


def _build(target: str, found: Any) -> nn.Module:
    from torch import nn

    made = found if isinstance(found, nn.Module) or not callable(found) else _call(found)
    if isinstance(made, nn.Module):
        return made
    raise ExplorerError(f"{target}: expected an nn.Module, or a callable that returns one; got {type(made).__name__}")


def _original(found: Any) -> Callable[[], nn.Module] | None:
    """The callable that builds the network with its values; None for an existing network."""
    from torch import nn

    return None if isinstance(found, nn.Module) else cache(found)


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
        reason = _cause(error) or (str(error).strip() or "no reason given").splitlines()[0][:200]
        place = _place(error)
        hint = "" if place or not isinstance(error, TypeError) else "; the explorer calls it without arguments"
        raise ExplorerError(f"{target}: {type(error).__name__}{place}: {reason}{hint}") from error


# What a constructor of torch refuses: class -> what does not divide what, by the names of its arguments.
_DIVIDES = {
    "MultiheadAttention": ("num_heads", "heads", "embed_dim", "features"),
    "GroupNorm": ("num_groups", "groups", "num_channels", "channels"),
    "_ConvNd": ("groups", "groups", "in_channels", "input channels"),
}


def _cause(error: BaseException) -> str:
    """Why torch cannot build a layer, with the numbers; empty for anything else."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    values = trace.tb_frame.f_locals if trace else {}
    kinds = [kind.__name__ for kind in type(values.get("self")).__mro__]
    for parts, part_name, whole, whole_name in (_DIVIDES[kind] for kind in kinds if kind in _DIVIDES):
        if isinstance(values.get(parts), int) and isinstance(values.get(whole), int):
            names = {whole: whole_name} | ({"out_channels": "output channels"} if "out_channels" in values else {})
            left = [f"{values[k]} {name}" for k, name in names.items() if values[parts] and values[k] % values[parts]]
            if left:
                layer = type(values["self"]).__name__
                return f"{layer}: {values[parts]} {part_name} do not divide {' and '.join(left)}"
    return ""


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
