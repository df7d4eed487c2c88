"""The page. No other package imports Gradio."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..model_files import Opened


def serve(
    host: str = "127.0.0.1",
    port: int = 7860,
    model_files: bool | None = None,
    *,
    query: str = "",
    opened: tuple[str, Opened] | None = None,
    browser: bool = False,
) -> None:
    """Run the web app until interrupted; see ``server.serve``."""
    from .server import serve as run  # Gradio and torch take seconds to import

    run(host, port, model_files, query=query, opened=opened, browser=browser)


__all__ = ["serve"]
