"""Check from a few kilobytes that a file is a weight file with a valid container, before a library opens it.

Three containers are accepted: safetensors, the zip that ``torch.save`` writes, and the plain pickles that it wrote
before 2020, of which only the beginning is checked here. safetensors 0.8
itself rejects wrong headers, gaps, overlaps, sizes that overflow, bad UTF-8 and deep nesting. torch 2.13 rejects
storages whose size differs from their record. This module rejects what those two accept.
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections import Counter
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO

from ...errors import WeightsError
from ...file_kinds import START, foreign_kind

MAX_HEADER = 2**20  # bytes of a safetensors header
MAX_ENTRIES = 10_000  # of a zip, or tensors of a safetensors file
_MAX_DIRECTORY = 4 * 2**20  # bytes of a zip's directory: 400 for each entry
_MAX_PICKLE = 16 * 2**20  # bytes of a zip's data.pkl, which has names and shapes only
LEGACY_MAGIC = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # torch.serialization.MAGIC_NUMBER, pickled
_HINT = "Save model.state_dict() with torch.save, or as safetensors"
_DAMAGED = "its zip directory is damaged. Copy or download it again"

# Ends of a zip file (PKWARE's APPNOTE 4.3.14 to 4.3.16).
_END = struct.Struct("<4s4H2LH")
_LOCATOR64 = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")


class Container(Enum):
    SAFETENSORS = "safetensors"
    ZIP = "zip"
    LEGACY = "legacy"


def refusal(reason: str) -> WeightsError:
    """The error for a file that will not be read; ``reason`` speaks of the file as "it"."""
    return WeightsError(f"the weight file was refused: {reason}.")


def container_of(path: Path) -> Container:
    """The container of a weight file, by content, its structure checked.

    Raises:
        WeightsError: what the file is instead, or what is wrong with it.
    """
    if not path.is_file():
        raise refusal("it is not there, or no ordinary file")
    with path.open("rb") as file:
        start = file.read(START)
    if start.startswith(b"PK\x03\x04"):
        _check_zip(path)
        return Container.ZIP
    if start.startswith(LEGACY_MAGIC):
        return Container.LEGACY
    # A header of 128, 384, … bytes begins like a pickle; no pickle continues like a header.
    if start[:1] == b"\x80" and start[4:9] != b"\0\0\0\0{":
        raise refusal(f"it is a bare pickle, which can run code; it was not opened. {_HINT}")
    if start[8:9] == b"{":
        _check_safetensors(path)
        return Container.SAFETENSORS
    if not start:
        raise refusal(f"it is empty. {_HINT}")
    if words := foreign_kind(start):
        raise refusal(words)
    raise refusal(
        f"it starts with {ascii(start[:8])[1:]}, as neither safetensors files nor those of torch.save do. {_HINT}"
    )


def read_metadata(file: BinaryIO) -> Mapping[str, str]:
    """The texts that a safetensors file keeps beside its tensors; empty if it has none or is another kind of file.

    The format begins with the length of a JSON header, 8 bytes, least significant first. The header's ``__metadata__``
    maps names to texts.
    """
    length = int.from_bytes(file.read(8), "little")
    if length > MAX_HEADER:
        return {}
    try:
        header = json.loads(file.read(length))
    except (ValueError, RecursionError):
        return {}
    metadata = header.get("__metadata__") if isinstance(header, dict) else None
    texts = metadata if isinstance(metadata, dict) else {}
    return {name: text for name, text in texts.items() if isinstance(text, str)}


def _check_safetensors(path: Path) -> None:
    """Bound the header and refuse names given twice, of which the library would silently keep the last."""
    with path.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        if length > MAX_HEADER:
            raise refusal(f"its header claims {length:,} bytes; at most {MAX_HEADER:,} are allowed")
        header = file.read(length)
    if len(header) < length:
        raise refusal(f"its header claims {length:,} bytes, but the file ends after {len(header):,} of them")
    try:
        tensors = json.loads(header.decode("utf-8"), object_pairs_hook=_unique)
    except (ValueError, RecursionError) as error:
        raise refusal("its header is not valid JSON") from error
    if not isinstance(tensors, dict) or len(tensors) > MAX_ENTRIES:
        raise refusal(f"its header does not list tensors, or more than {MAX_ENTRIES:,}")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    name, count = Counter(name for name, _ in pairs).most_common(1)[0] if pairs else ("", 0)
    if count > 1:
        raise refusal(f"its header names {name[:80]!a} twice")
    return dict(pairs)


def _check_zip(path: Path) -> None:
    """Refuse what ``torch.save`` never writes: readers of zip files disagree on it, or it grows when read."""
    size = path.stat().st_size
    _check_directory(path, size)
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    # zipfile raises the last for versions and methods it doesn't know.
    except (zipfile.BadZipFile, ValueError, struct.error, NotImplementedError) as error:
        raise refusal(_DAMAGED) from error
    names = [entry.filename for entry in entries]
    if len(set(names)) != len(names):
        raise refusal("its zip names an entry twice")
    inner = {name.partition("/")[2]: entry for name, entry in zip(names, entries, strict=True)}
    if "constants.pkl" in inner or any(name.startswith("code/") for name in inner):
        raise refusal(f"it is a TorchScript program, which is not opened. {_HINT}")
    for entry in entries:
        _check_entry(entry)
    if sum(entry.file_size for entry in entries) > size:
        raise refusal("its zip entries overlap: together they are larger than the file")
    if "data.pkl" not in inner or len({name.partition("/")[0] for name in names}) != 1:
        raise refusal(f"it is a zip, but not one of torch.save. {_HINT}")
    if inner["data.pkl"].file_size > _MAX_PICKLE:
        raise refusal(f"its list of tensors is longer than {_MAX_PICKLE:,} bytes")


def _check_directory(path: Path, size: int) -> None:
    """Bound the number of entries before any is read, and let no second directory hide behind the first."""
    with path.open("rb") as file:
        file.seek(max(0, size - _LOCATOR64.size - _END.size))
        tail = file.read()
        last, before = tail[-_END.size :], tail[: -_END.size]
        if len(last) < _END.size or not last.startswith(b"PK\x05\x06"):
            raise refusal("its zip has no directory at its end: it is cut off, or something was added")
        *_, count, length, offset, _ = _END.unpack(last)
        end = size - _END.size
        if len(before) == _LOCATOR64.size and before.startswith(b"PK\x06\x07"):
            _, _, end, _ = _LOCATOR64.unpack(before)
            file.seek(min(end, size))
            record = file.read(_END64.size)
            if not record.startswith(b"PK\x06\x06") or end + _END64.size != size - len(tail):
                raise refusal(_DAMAGED)
            *_, count, length, offset = _END64.unpack(record)
    if count > MAX_ENTRIES or length > _MAX_DIRECTORY:
        raise refusal(f"its zip has {count:,} entries; at most {MAX_ENTRIES:,} are allowed")
    if offset + length != end:
        raise refusal(_DAMAGED)


def _check_entry(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    if name.startswith("/") or "\\" in name or ".." in name.split("/"):
        raise refusal(f"its zip has an entry that points outside, {name[:80]!a}")
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise refusal(f"its zip has a compressed entry, {name[:80]!a}; torch.save never compresses")
    if entry.flag_bits & 0x1:
        raise refusal(f"its zip has an encrypted entry, {name[:80]!a}")
