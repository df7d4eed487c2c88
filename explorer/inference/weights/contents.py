"""What a file of ``torch.save`` contains: the one set of weights in it, however deep, and what is beside that."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeGuard

from .pickles import Placeholder, TensorRef

# Keys under which checkpoints keep a network, the likeliest first. Those of copies follow, then all others.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net", "network", "module", "weights", "params")
_BESIDE = ("optim", "scheduler", "scaler", "lr_sched", "loss_scal", "rng", "callbacks", "hyper_parameters")
_DEPTH = 24
_SHOWN = 5


@dataclass(frozen=True)
class Contents:
    """The weights of a file.

    Attributes:
        state: name -> tensor.
        kinds: path of a module -> name of its class, of a whole module; else empty.
        notes: where the weights were, and what is beside them, in sentences.
    """

    state: Mapping[str, TensorRef]
    kinds: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_contents(root: Any, names: Sequence[str]) -> Contents:
    """The weights in what a pickle contains; an empty ``state`` if there are none.

    Args:
        names: of the classes and functions that the pickle names.
    """
    search = _Search()
    found = search.weights(root, ())
    if found is None:
        return Contents({})
    path, state, kinds = found
    notes = (
        [f"The weights are at {'.'.join(path)[:80]!a} in the file."] if path and path[0] not in _WRAPPERS[:4] else []
    )
    if kinds:
        count = len(kinds)
        notes.append(
            f"The file is a whole model of the class {kinds.get('', '')[:80]!a}, not a state_dict. None of its code "
            f"was run; {count} module{'s' if count > 1 else ''} and their shapes were read."
        )
    if search.others:
        listed = ", ".join(f"{'.'.join(p)[:80]!a}" for p in search.others[:_SHOWN])
        notes.append(f"The file contains other copies of the weights too, which were not read: {listed}.")
    elif names and not kinds:
        listed = ", ".join(f"{name[:80]!a}" for name in names[:_SHOWN])
        more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        notes.append(f"Beside the weights the file has objects of classes that were not loaded: {listed}{more}.")
    return Contents(state, kinds, tuple(notes))


Found = tuple[tuple[str, ...], dict[str, TensorRef], dict[str, str]]


class _Search:
    """Looks through containers of any depth, each once.

    Attributes:
        others: paths of sets of weights that were passed over.
    """

    def __init__(self) -> None:
        self.others: list[tuple[str, ...]] = []
        self._seen: set[int] = set()

    def weights(self, value: Any, path: tuple[str, ...]) -> Found | None:
        """Path, tensors and classes of the weights in a value; None if there are none."""
        if len(path) > _DEPTH or id(value) in self._seen or not isinstance(value, (Mapping, list, tuple, Placeholder)):
            return None
        self._seen.add(id(value))
        if is_module(value):
            state, kinds = read_module(value)
            return (path, state, kinds) if state else None
        own = {name: item for name, item in _items(value) if isinstance(item, TensorRef) and isinstance(name, str)}
        inner: dict[str, Found] = {}
        for key, item in _items(value):
            if _may_contain_weights(key) and (found := self.weights(item, (*path, str(key)[:80]))):
                inner[str(key)] = found
        if own and isinstance(value, (list, tuple)):
            own = {}
        return self._chosen(path, own, inner)

    def _chosen(self, path: tuple[str, ...], own: dict[str, TensorRef], inner: dict[str, Found]) -> Found | None:
        """The set with a usual name, of several; parts of one network together; else the largest."""
        if not inner:
            return (path, own, {}) if own else None
        ranked = sorted(inner, key=lambda key: (_rank(key), -len(inner[key][1])))
        first = inner[ranked[0]]
        # A few tensors beside a state_dict, as a queue or class weights are, are not a network.
        if not own and (len(inner) == 1 or _rank(ranked[0]) < len(_WRAPPERS)):
            self._pass_over(inner, ranked[1:], first)
            return first
        if own and len(own) <= len(first[1]) and _rank(ranked[0]) < len(_WRAPPERS):
            self._pass_over(inner, ranked[1:], first)
            return first
        parts = [key for key in ranked if not any(inner[key][2])]
        if _are_copies([inner[key][1] for key in parts]):
            largest = max(ranked, key=lambda key: len(inner[key][1]))
            self._pass_over(inner, [key for key in ranked if key != largest], inner[largest])
            return inner[largest]
        joined = dict(own)
        for key in parts:
            joined |= {f"{key}.{name}": tensor for name, tensor in inner[key][1].items()}
        return path, joined, {}

    def _pass_over(self, inner: Mapping[str, Found], keys: Sequence[str], chosen: Found) -> None:
        self.others += [inner[key][0] for key in keys if len(inner[key][1]) * 2 >= len(chosen[1])]


def _may_contain_weights(key: Any) -> bool:
    return isinstance(key, (str, int)) and not str(key).lower().startswith(_BESIDE)


def _rank(key: str) -> int:
    return _WRAPPERS.index(key) if key in _WRAPPERS else len(_WRAPPERS)


def _are_copies(states: Sequence[Mapping[str, TensorRef]]) -> bool:
    """Whether two sets share most of their names."""
    if len(states) < 2:
        return False
    first, second = set(states[0]), set(states[1])
    return 2 * len(first & second) >= min(len(first), len(second))


def _items(value: Any) -> Iterator[tuple[Any, Any]]:
    """What a container contains, by key or position."""
    if isinstance(value, Mapping):
        yield from value.items()
    elif isinstance(value, (list, tuple)):
        yield from enumerate(value)
    elif isinstance(value, Placeholder):
        yield from value.mapping.items()
        yield from enumerate(value.listing)
        if isinstance(value.state, Mapping):
            yield from value.state.items()


def is_module(value: Any) -> TypeGuard[Placeholder]:
    """Whether a value is an ``nn.Module`` that was pickled whole."""
    return isinstance(value, Placeholder) and isinstance(value.state, Mapping) and "_modules" in value.state


def read_module(root: Placeholder) -> tuple[dict[str, TensorRef], dict[str, str]]:
    """Tensors of a pickled module as ``state_dict`` names them, and class names by path."""
    state: dict[str, TensorRef] = {}
    kinds: dict[str, str] = {}
    waiting: list[tuple[str, Placeholder]] = [("", root)]
    while waiting and len(kinds) < 10_000:
        path, module = waiting.pop()
        kinds[path] = module.origin.rpartition(".")[2]
        prefix = f"{path}." if path else ""
        for table in ("_parameters", "_buffers"):
            found = module.state.get(table)
            hidden = module.state.get("_non_persistent_buffers_set") if table == "_buffers" else None
            left_out = _members(hidden)
            for name, tensor in found.items() if isinstance(found, Mapping) else ():
                if isinstance(tensor, TensorRef) and isinstance(name, str) and name not in left_out:
                    state[prefix + name] = tensor
        children = module.state.get("_modules")
        inside = children.items() if isinstance(children, Mapping) else ()
        waiting += [(f"{prefix}{name}", child) for name, child in reversed(list(inside)) if is_module(child)]
    return state, kinds


def _members(value: Any) -> frozenset[str]:
    """Texts in a pickled set."""
    args = value.args[0] if isinstance(value, Placeholder) and value.args else value
    return (
        frozenset(item for item in args if isinstance(item, str))
        if isinstance(args, (list, tuple, set))
        else frozenset()
    )
