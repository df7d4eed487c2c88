"""The texts beside a safetensors file's tensors. What is refused of a container is in ``test_read.py``."""

from __future__ import annotations

import json
import struct
from io import BytesIO
from typing import Any

import pytest
import torch
from safetensors.torch import save

from explorer.inference.weights.containers import MAX_HEADER, read_metadata


def header(content: Any) -> bytes:
    text = json.dumps(content).encode()
    return struct.pack("<Q", len(text)) + text


def test_metadata_is_what_the_library_wrote() -> None:
    written = {"about": '{"title": "größe"}', "empty": ""}
    assert read_metadata(BytesIO(save({"w": torch.zeros(2)}, metadata=written))) == written
    assert read_metadata(BytesIO(save({"w": torch.zeros(2)}))) == {}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04pickle, longer than eight bytes",
        struct.pack("<Q", 100) + b'{"__metadata__": {}}',
        struct.pack("<Q", 40_000) + b"[" * 40_000,
        header(["__metadata__"]),
        header({"__metadata__": "text"}),
        header({"__metadata__": {"number": 3}}),
        struct.pack("<Q", MAX_HEADER + 1) + b" " * (MAX_HEADER - 30) + b'{"__metadata__": {"key": "text"}}',
    ],
    ids=["empty", "pickle", "cut off", "deep", "list", "no mapping", "no text", "too long"],
)
def test_files_without_metadata_have_none(data: bytes) -> None:
    assert read_metadata(BytesIO(data)) == {}
