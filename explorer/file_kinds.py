"""What a file is, from its first bytes, where it is not what its name says."""

from __future__ import annotations

START = 512  # bytes that ``foreign_kind`` looks at

_ARCHIVE = "it is {}. Unpack it first"
_KINDS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"version https://git-lfs", "it is a Git LFS pointer, not the file itself. Fetch the file with “git lfs pull”"),
    (0, b"\x1f\x8b", _ARCHIVE.format("compressed with gzip")),
    (0, b"\xfd7zXZ\0", _ARCHIVE.format("compressed with xz")),
    (0, b"\x28\xb5\x2f\xfd", _ARCHIVE.format("compressed with zstd")),
    (0, b"BZh", _ARCHIVE.format("compressed with bzip2")),
    (0, b"7z\xbc\xaf\x27\x1c", _ARCHIVE.format("a 7z archive")),
    (0, b"Rar!", _ARCHIVE.format("a RAR archive")),
    (257, b"ustar", _ARCHIVE.format("a tar archive")),
    (0, b"\x89HDF", "it is an HDF5 file, as Keras writes them. Save the weights with torch.save, or as safetensors"),
    (0, b"GGUF", "it is a GGUF file, which contains a language model"),
    (4, b"TFL3", "it is a TensorFlow Lite file. Export the network as ONNX"),
    (0, b"\x93NUMPY", "it is a NumPy array. Save the weights with torch.save, or as safetensors"),
    (0, b"%PDF", "it is a PDF document"),
    (0, b"\x89PNG", "it is a PNG image"),
    (0, b"\xff\xd8\xff", "it is a JPEG image"),
)
_PAGES = (b"<!doctype", b"<html", b"<head", b"<?xml", b"<!--")
_PAGE = "it is a web page, not the file itself. The download gave a page instead: download the file again"
_JSON = "it is JSON text, not the file itself"


def foreign_kind(start: bytes) -> str:
    """What a file with this beginning is instead of a model, and what to do; empty if that is not known."""
    found = next((words for at, magic, words in _KINDS if start[at:].startswith(magic)), "")
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return found or (_PAGE if text.startswith(_PAGES) else _JSON if text.startswith((b'{"', b"[{")) else "")
