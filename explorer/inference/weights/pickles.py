"""Read what ``torch.save`` wrote without running anything of it, whatever is beside the weights.

A pickle names classes and functions and says with what to call them. Here every name is answered with a placeholder
that calls nothing and keeps what it was given. Tensors become a ``TensorRef`` (shape, number format, where the values
are), and a few harmless containers themselves. What is left of a whole module is its tree, and what is in it.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

from ...errors import WeightsError
from .containers import refusal

# What no checkpoint needs, and exploits call. The first parts of modules, and functions of Python.
_DANGEROUS = frozenset(
    {
        *("os", "posix", "nt", "sys", "subprocess", "shutil", "socket", "runpy", "importlib", "ctypes", "pty", "code"),
        *("webbrowser", "marshal", "pickle", "urllib", "http", "requests", "asyncio", "timeit", "bdb", "pip", "pdb"),
        *("multiprocessing", "profile", "pkgutil", "zipimport", "cProfile"),
    }
)
_DANGEROUS_BUILTINS = frozenset(
    {
        *("eval", "exec", "compile", "open", "__import__", "input", "breakpoint", "apply", "execfile"),
    }
)
_FORMATS = {
    **{"Float": "float32", "Double": "float64", "Half": "float16", "BFloat16": "bfloat16", "Long": "int64"},
    **{"Int": "int32", "Short": "int16", "Char": "int8", "Byte": "uint8", "Bool": "bool", "Untyped": "uint8"},
    **{"ComplexFloat": "complex64", "ComplexDouble": "complex128"},
}


class Storage(NamedTuple):
    """Values in the file: their key, number format, how many there are, and from which of them on a view begins."""

    key: str
    dtype: str
    length: int
    start: int = 0


@dataclass(frozen=True)
class TensorRef:
    """A tensor that was not read yet.

    Attributes:
        odd: what it is, if not plain and dense: "is sparse".
    """

    storage: Storage | None
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: str
    odd: str = ""


class Placeholder:
    """Stands for an object of a class that is not looked up.

    Attributes:
        origin: name of the class or function, with its module.
        args: what it would have been called with.
        state: what its attributes would have been set to.
        mapping, listing: what would have been put into it.
    """

    origin = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> Placeholder:
        made = object.__new__(cls)
        made.args, made.state, made.mapping, made.listing = args, None, {}, []
        return made

    args: tuple[Any, ...]
    state: Any
    mapping: dict[Any, Any]
    listing: list[Any]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pass

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, key: Any, value: Any) -> None:
        self.mapping[key] = value

    def append(self, item: Any) -> None:
        self.listing.append(item)

    def extend(self, items: Any) -> None:
        self.listing.extend(items)

    def __call__(self, *args: Any, **kwargs: Any) -> Placeholder:
        return type(self)(*args)

    add = append


class Pickled(NamedTuple):
    """What a pickle contains, and the classes and functions that it names, which were not looked up."""

    root: Any
    names: tuple[str, ...]


class Inert(pickle._Unpickler):
    """Answers every name with a placeholder; see the module. The unpickler in C would take the memory that a number in
    the file asks for."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="latin1")  # texts of Python 2 may hold any bytes
        self.names: dict[str, type[Placeholder]] = {}
        self.storages: dict[str, Storage] = {}
        self._dict = type("Dict", (_Dict,), {})  # a pickle can set its attributes, so that each has its own

    def find_class(self, module: str, name: str) -> Any:
        """A placeholder for ``module.name``.

        Raises:
            WeightsError: only exploits need it.
        """
        origin = f"{module}.{name}"
        if module.partition(".")[0] in _DANGEROUS or (
            module in ("builtins", "__builtin__") and name in _DANGEROUS_BUILTINS
        ):
            raise refusal(
                f"it would call {origin[:80]!a} when opened; nothing was run. Do not open it with other programs"
            )
        if origin in _DICTS:
            return self._dict
        if origin in _KNOWN:
            return _KNOWN[origin]
        if module in ("torch", "torch.cuda", "torch.storage") and name.endswith("Storage"):
            return _StorageKind(_FORMATS.get(name.removesuffix("Storage"), name.removesuffix("Storage").lower()))
        if module == "torch" and name.islower():
            return _Format(name)
        if origin not in self.names:
            self.names[origin] = type("Placeholder", (Placeholder,), {"origin": origin[:160]})
        return self.names[origin]

    def persistent_load(self, pid: Any) -> Any:
        """A storage, or of files of before 2020 the class of a module, which they keep with its source."""
        kind, *rest = pid
        if kind in ("module", b"module"):
            return rest[0]
        storage_kind, key, _, count, *view = rest
        dtype = storage_kind.name if isinstance(storage_kind, _Named) else "unknown"
        start = int(view[0][1]) if view and view[0] else 0
        self.storages[str(key)] = found = Storage(str(key), dtype, int(count), start)
        return found


def read_pickle(file: BinaryIO) -> tuple[Pickled, dict[str, Storage]]:
    """The next pickle of a file, and the storages that it names.

    Raises:
        WeightsError: it is damaged, or an exploit.
    """
    reader = Inert(file)
    try:
        root = reader.load()
    except (WeightsError, OSError):
        raise
    except Exception as error:  # whatever a damaged pickle makes of its values
        raise refusal("it is damaged. Copy or download it again") from error
    return Pickled(root, tuple(reader.names)), reader.storages


class _Named:
    """A name of torch's that stands for a number format. It has no attributes that a pickle could set."""

    __slots__ = ("name",)
    name: str

    def __init__(self, name: str) -> None:
        object.__setattr__(self, "name", name)

    def __setattr__(self, name: str, value: Any) -> None:
        raise pickle.UnpicklingError

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError


class _StorageKind(_Named):
    __slots__ = ()


class _Format(_Named):
    __slots__ = ()


class _Function:
    """A function of this module in a pickle's place of another, which it can call but not change."""

    __slots__ = ("_call",)
    _call: Callable[..., Any]

    def __init__(self, call: Callable[..., Any]) -> None:
        object.__setattr__(self, "_call", call)

    def __call__(self, *args: Any) -> Any:
        return self._call(*args)

    def __setattr__(self, name: str, value: Any) -> None:
        raise pickle.UnpicklingError

    def __setstate__(self, state: Any) -> None:
        raise pickle.UnpicklingError


class _Dict(dict[Any, Any]):
    """An ordered dict or the like; attributes that a pickle sets are left out."""

    def __init__(self, *args: Any) -> None:
        super().__init__(*(arg for arg in args[:1] if isinstance(arg, (dict, list, tuple))))

    def __setstate__(self, state: Any) -> None:
        pass


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *rest: Any) -> TensorRef:
    dtype = next((word.name for word in rest if isinstance(word, _Format)), getattr(storage, "dtype", "unknown"))
    found = storage if isinstance(storage, Storage) else None
    numbers = tuple(map(int, shape)), tuple(map(int, stride))
    return TensorRef(found, int(offset), *numbers, dtype, "" if found else "has no values")


def _odd(words: str) -> Callable[..., TensorRef]:
    return lambda *args: TensorRef(None, 0, (), (), "", words)


def _first(value: Any, *rest: Any) -> Any:
    return value


def _typed(call: Any, kind: Any, args: Any, *rest: Any) -> Any:
    """A tensor of a subclass, as a plain one."""
    return call(*args) if isinstance(call, _Function) else Placeholder(args)


def _rebuilt(kind: Any, *rest: Any) -> Any:
    """An object as the oldest pickles make it."""
    return kind() if isinstance(kind, type) and issubclass(kind, (Placeholder, _Dict)) else Placeholder(rest)


def _collection(make: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *args: make(*args[:1]) if not args or isinstance(args[0], (list, tuple, dict)) else make()


_DICTS = frozenset({"collections.OrderedDict", "collections.defaultdict", "builtins.dict"})
_KNOWN: dict[str, Any] = {
    "torch._utils._rebuild_tensor": _Function(_tensor),
    "torch._utils._rebuild_tensor_v2": _Function(_tensor),
    "torch._utils._rebuild_tensor_v3": _Function(_tensor),
    "torch._utils._rebuild_parameter": _Function(_first),
    "torch._utils._rebuild_parameter_with_state": _Function(_first),
    "torch._tensor._rebuild_from_type_v2": _Function(_typed),
    "torch._utils._rebuild_sparse_tensor": _Function(_odd("is sparse")),
    "torch._utils._rebuild_sparse_csr_tensor": _Function(_odd("is sparse")),
    "torch._utils._rebuild_qtensor": _Function(_odd("is quantised")),
    "torch._utils._rebuild_meta_tensor_no_storage": _Function(_odd("has no values")),
    "torch._utils._rebuild_nested_tensor": _Function(_odd("is nested")),
    "torch._utils._rebuild_wrapper_subclass": _Function(_odd("is of a class of its own")),
    "torch.Size": _Function(_collection(tuple)),
    "builtins.tuple": _Function(_collection(tuple)),
    "builtins.list": _Function(_collection(list)),
    "builtins.set": _Function(lambda *args: Placeholder(args)),
    "builtins.frozenset": _Function(lambda *args: Placeholder(args)),
    "copyreg._reconstructor": _Function(_rebuilt),
}
