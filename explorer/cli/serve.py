"""``serve``: the web page."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 7860,
    model_files: Annotated[
        bool | None,
        typer.Option(
            help="Allow opening weight and ONNX files on the page. Default: only if no other machine can reach it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start the web page."""
    from ..ui import serve

    serve(host, port, model_files)
