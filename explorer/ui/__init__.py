"""The page. No other package imports Gradio, which takes seconds: ``serve`` is imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import lazy_names

if TYPE_CHECKING:
    from .server import serve

__all__ = ["serve"]

__getattr__, __dir__ = lazy_names(__name__, {"serve": "server"})
