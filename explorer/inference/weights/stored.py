"""The tensors of a file of ``torch.save``, read after its pickle. Values are copied once they are known to be there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from .containers import LEGACY_MAGIC, refusal
from .contents import Contents, find_contents
from .pickles import Pickled, Storage, TensorRef, read_pickle

_SIZES = {"float64": 8, "int64": 8, "float32": 4, "int32": 4, "float16": 2, "bfloat16": 2, "uint8": 1, "bool": 1}
_DAMAGED = "it is damaged. Copy or download it again"
Read = Callable[[Storage], bytes]


def read_zip(path: Path) -> tuple[dict[str, Tensor], Contents]:
    """The weights of a zip that ``torch.save`` wrote.

    Raises:
        WeightsError: it is damaged, an exploit, or has no weights or other tensors than plain ones.
    """
    try:
        archive = torch._C.PyTorchFileReader(str(path))
        pickled, _ = read_pickle(BytesIO(archive.get_record("data.pkl")))
        if "byteorder" in archive.get_all_records() and archive.get_record("byteorder") != b"little":
            raise refusal("its numbers are stored with the most significant byte first")
    except RuntimeError as error:
        raise _damaged(error) from error
    return _read(path, pickled, lambda storage: archive.get_record(f"data/{storage.key}"))


def read_legacy(path: Path) -> tuple[dict[str, Tensor], Contents]:
    """The weights of a file in the format of before 2020: pickles, then each storage with its length before it.

    Raises:
        WeightsError: as ``read_zip``.
    """
    with path.open("rb") as file:
        file.seek(len(LEGACY_MAGIC))
        for _ in range(2):  # version of the format, and facts on the machine
            read_pickle(file)
        pickled, storages = read_pickle(file)
        keys, _ = read_pickle(file)
        places = _places(file, path.stat().st_size, keys.root, storages)

        def read(storage: Storage) -> bytes:
            start, length = places[storage.key]
            file.seek(start)
            return file.read(length)

        return _read(path, pickled, read)


def _places(file: BinaryIO, length: int, keys: Any, storages: Mapping[str, Storage]) -> dict[str, tuple[int, int]]:
    """First byte and length of each storage, in the order of a file of so many bytes."""
    places = {}
    if not isinstance(keys, list):
        raise refusal(_DAMAGED)
    at = file.tell()
    for key in keys:
        storage = storages.get(str(key))
        if storage is None:
            raise refusal(_DAMAGED)
        file.seek(at)
        count = int.from_bytes(file.read(8), "little")
        size = _SIZES.get(storage.dtype) or getattr(torch, storage.dtype, torch.uint8).itemsize
        places[storage.key] = at + 8, count * size
        at += 8 + count * size
        if at > length:
            raise refusal(_DAMAGED)
    return places


def _read(path: Path, pickled: Pickled, read: Read) -> tuple[dict[str, Tensor], Contents]:
    contents, cached = find_contents(pickled.root, pickled.names), lru_cache(maxsize=1)(read)
    if not contents.state:
        if pickled.names:
            words = f"it contains {pickled.names[0][:80]!a}, which was not loaded, and no named tensors"
            raise refusal(f"{words}; nothing was run. Save model.state_dict(), not the model")
        raise refusal("it has no state_dict, which maps names to tensors")
    for name, ref in contents.state.items():
        _check(name, ref)
    claimed, size = [_count(ref) * _SIZES[ref.dtype] for ref in contents.state.values()], path.stat().st_size
    if max(claimed) > size:
        raise refusal(_DAMAGED)
    if sum(claimed) > size:
        raise refusal("its tensors share memory: together they are larger than the file. Save each one whole")
    try:
        return {name: _tensor(ref, cached) for name, ref in contents.state.items()}, contents
    except (RuntimeError, KeyError, ValueError) as error:
        raise _damaged(error) from error


def _damaged(error: Exception) -> Exception:
    return error if "allocate memory" in str(error) else refusal(_DAMAGED)


def _tensor(ref: TensorRef, read: Read) -> Tensor:
    """Copy the values of a dense tensor."""
    storage, size, count = ref.storage, _SIZES[ref.dtype], _count(ref)
    dtype: torch.dtype = getattr(torch, ref.dtype)
    if not count or storage is None:
        return torch.empty(ref.shape, dtype=dtype)
    start = (storage.start + ref.offset) * size
    data = read(storage)
    if start < 0 or len(data) < start + count * size:
        raise refusal(_DAMAGED)
    flat = torch.frombuffer(bytearray(data[start : start + count * size]), dtype=dtype)
    return flat.as_strided(ref.shape, ref.stride)


def _count(ref: TensorRef) -> int:
    count = 1
    for side in ref.shape:
        count *= side
    return count


def _check(name: str, ref: TensorRef) -> None:
    """Refuse all but plain dense tensors of real numbers."""
    if ref.odd:
        kind = ref.odd
    elif ref.dtype not in _SIZES:
        kind = f"has the number format {ref.dtype[:40]}"
    elif len(ref.shape) != len(ref.stride) or min((*ref.shape, *ref.stride), default=0) < 0:
        raise refusal(_DAMAGED)
    elif not is_dense(ref.shape, ref.stride):
        kind = "is a view that repeats or skips values"
    else:
        return
    raise refusal(f"its tensor {name[:80]!a} {kind}; save plain tensors, such as tensor.float().contiguous()")


def is_dense(shape: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    """Whether the elements fill a stretch of memory, each once, in any order of the axes."""
    step = 1
    for each, size in sorted(zip(stride, shape, strict=True)):
        if size != 1 and each != step:
            return 0 in shape
        step *= size
    return True
