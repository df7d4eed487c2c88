"""Which optional part of the package a missing module belongs to (``project.optional-dependencies``)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from .errors import MissingExtraError

_MODULES = {
    "cli": ("typer", "rich", "pydantic", "yaml"),
    "onnx": ("onnx", "onnxscript", "google"),
    "photos": (
        "torchvision",
        "safetensors",
        "PIL",
        "pillow_heif",
        "simplejpeg",
        "filelock",
        "httpx",
        "onnxruntime",
        "captum",
        "threadpoolctl",
        "sklearn",
    ),
    "app": ("gradio", "plotly", "pygments", "fastapi", "uvicorn", "starlette", "anyio"),
}
EXTRAS = {module: extra for extra, modules in _MODULES.items() for module in modules}


@contextmanager
def explained_imports() -> Iterator[None]:
    """Turn a missing module of an extra into a ``MissingExtraError``, which says what to install."""
    try:
        yield
    except ModuleNotFoundError as error:
        module = (error.name or "").partition(".")[0]
        if module not in EXTRAS:
            raise
        raise MissingExtraError(module, EXTRAS[module]) from error
