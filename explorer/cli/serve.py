"""``serve``: the web page."""

from __future__ import annotations

from typing import Annotated

import typer


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 is every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on.")] = 7860,
    model_files: Annotated[
        bool | None,
        typer.Option(
            help="Let people open weight and ONNX files on the page; by default where no other machine reaches it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start the web page."""
    from ..ui import serve

    serve(host, port, model_files)
