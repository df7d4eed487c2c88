"""Modules of torch that check their input themselves, before any tensor operation: noted, and given what they could
take, so that the pass continues."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.batchnorm import _NormBase

from .operations import Refusal
from .recorder import Recorder


@contextmanager
def guarded(modules: Mapping[str, nn.Module], recorder: Recorder) -> Iterator[None]:
    """Within it, such modules pass. They are the caller's own: their ``forward`` is put back afterwards."""
    changed = []
    for module in modules.values():
        guard = next((g for kind, g in _GUARDS if isinstance(module, kind)), None)
        if guard and "forward" not in vars(module):
            module.forward = _guarding(module.forward, module, guard, recorder)
            changed.append(module)
    try:
        yield
    finally:
        for module in changed:
            del module.forward


Guard = Callable[[Any, Callable[..., Any], tuple[Any, ...], dict[str, Any], Recorder], Any]


def _guarding(forward: Callable[..., Any], module: nn.Module, guard: Guard, recorder: Recorder) -> Callable[..., Any]:
    def run(*args: Any, **kwargs: Any) -> Any:
        before = len(recorder.ops)
        try:
            return forward(*args, **kwargs)
        except Exception:
            del recorder.ops[before:]
            result = guard(module, forward, args, kwargs, recorder)
            if result is None:
                raise
            return result

    return run


def _norm(
    module: _NormBase, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], recorder: Recorder
) -> Tensor | None:
    """A normalisation of another rank changes no shape."""
    x = args[0] if args else kwargs["input"]
    takes = {"1d": (2, 3), "2d": (4,), "3d": (5,)}.get(type(module).__name__[-2:].lower(), ())
    if x.dim() in takes or not takes:
        return None
    out = x.new_zeros(x.shape)
    facts = {"came": tuple(x.shape), "takes": takes, "layer": type(module).__name__}
    recorder.refuse("batch_norm", (x,), Refusal("wrong-rank", facts), out)
    return out


def _recurrent(
    module: Any, forward: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], recorder: Recorder
) -> Any:
    """A recurrent layer that gets the features it is built for."""
    x, rest = (args[0], args[1:]) if args else (kwargs.pop("input"), ())
    if not isinstance(x, Tensor) or x.dim() not in (1, 2, 3):
        return None
    if x.shape[-1] == module.input_size:
        return _without_state(module, x, rest[0] if rest else kwargs.get("hx"), forward, recorder)
    return _fitted(x, module.input_size, lambda fitting: forward(fitting, *rest, **kwargs), recorder)


def _without_state(module: Any, x: Tensor, state: Any, forward: Callable[..., Any], recorder: Recorder) -> Any:
    """A recurrent layer that is given a first state of another shape starts from zeros."""
    first = state[0] if isinstance(state, tuple) else state
    if not isinstance(first, Tensor) or not isinstance(module, nn.RNNBase) or x.dim() != 3:
        return None
    batch = x.shape[0] if module.batch_first else x.shape[1]
    wanted = (module.num_layers * (2 if module.bidirectional else 1), batch, module.hidden_size)
    facts = {"came": tuple(first.shape), "wanted": wanted}
    recorder.refuse("state", (first,), Refusal("wrong-state", facts), first.new_zeros(wanted))
    return forward(x)


def _attention(
    module: nn.MultiheadAttention,
    forward: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    recorder: Recorder,
) -> Any:
    """Attention whose queries, keys and values have the features it is built for."""
    wanted = {"query": module.embed_dim, "key": module.kdim, "value": module.vdim}
    given = dict(zip(wanted, args, strict=False)) | kwargs
    wrong = {name: given[name] for name, width in wanted.items() if given[name].shape[-1] != width}
    if not wrong:
        return _without_mask(module, given, kwargs, forward, recorder)
    name, x = next(iter(wrong.items()))
    rest, more = args[3:], {name: value for name, value in kwargs.items() if name not in wanted}

    def run(fitting: Tensor) -> Any:
        others = {n: fitting if t is x else t.new_zeros((*t.shape[:-1], wanted[n])) for n, t in wrong.items()}
        return forward(*[others.get(n, given[n]) for n in wanted], *rest, **more)

    return _fitted(x, wanted[name], run, recorder)


def _without_mask(
    module: nn.MultiheadAttention,
    given: dict[str, Any],
    kwargs: dict[str, Any],
    forward: Callable[..., Any],
    recorder: Recorder,
) -> Any:
    """Attention whose mask has another shape goes without."""
    query, key = given["query"], given["key"]
    axis = 1 if module.batch_first else 0
    batch, length = (query.shape[1 - axis], key.shape[axis]) if query.dim() == 3 else (1, key.shape[0])
    padding, scores = kwargs.get("key_padding_mask"), kwargs.get("attn_mask")
    wanted: tuple[int, ...] = (batch, length)
    mask = padding if isinstance(padding, Tensor) and tuple(padding.shape) != wanted else None
    if mask is None:
        mask, wanted = scores, (query.shape[axis if query.dim() == 3 else 0], length)
    if not isinstance(mask, Tensor) or tuple(mask.shape) == wanted:
        return None
    facts = {"came": tuple(mask.shape), "wanted": wanted}
    recorder.refuse("mask", (mask,), Refusal("wrong-mask", facts), mask.new_zeros(wanted))
    rest = {name: value for name, value in kwargs.items() if name not in ("key_padding_mask", "attn_mask", "is_causal")}
    return forward(query, key, given["value"], **{n: v for n, v in rest.items() if n not in ("query", "key", "value")})


def _fitted(x: Tensor, wants: int, run: Callable[[Tensor], Any], recorder: Recorder) -> Any:
    fitting = x.new_zeros((*x.shape[:-1], wants))
    recorder.refuse("linear", (x,), Refusal("", {}), fitting)
    recorder.amend(len(recorder.ops) - 1, attrs={"wants": wants, "inner": wants})
    return run(fitting)


_GUARDS: tuple[tuple[Any, Guard], ...] = (
    (_NormBase, _norm),
    ((nn.RNNBase, nn.RNNCellBase), _recurrent),
    (nn.MultiheadAttention, _attention),
)
