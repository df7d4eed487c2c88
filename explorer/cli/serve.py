"""``serve``, and what a target without a command does: the web page."""

from __future__ import annotations

import socket
from typing import Annotated

import typer

from ..errors import ExplorerError
from .inputs import Inputs, read_inputs
from .targets import read_for_page

PORT = 7860


def serve(
    target: Annotated[
        str | None,
        typer.Argument(
            metavar="TARGET",
            help="Open the page on it: a preset, a .json file, JSON text, weights, an .onnx file, or "
            "PACKAGE.MODULE:CALLABLE or FILE.py:CALLABLE from your own code.",
            show_default=False,
        ),
    ] = None,
    inputs: Inputs = None,
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help=f"Port to listen on. Default: {PORT}, or a free one if it is used.",
            show_default=False,
        ),
    ] = None,
    browser: Annotated[bool, typer.Option(help="Open the page in the browser.")] = True,
    model_files: Annotated[
        bool | None,
        typer.Option(
            help="Allow opening weight and ONNX files on the page. Default: only if no other machine can reach it.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Start the web page and open it in the browser."""
    query, opened = ("", None) if target is None else read_for_page(target, read_inputs(inputs))
    port = free_port(host) if port is None else port
    from ..ui import serve  # after the target, whose error should not wait for it

    serve(host, port, model_files, query=query, opened=opened, browser=browser)


def free_port(host: str) -> int:
    """``PORT``, or another one that is free if that is used.

    Raises:
        ExplorerError: ``host`` is not an address of this machine.
    """
    try:
        return _bind(host, PORT)
    except OSError:  # it is used, or the address is wrong
        pass
    try:
        return _bind(host, 0)
    except OSError as error:
        raise ExplorerError(f"--host: {host} is not an address of this machine") from error


def _bind(host: str, port: int) -> int:
    """The port that the server could listen on; 0 is any. Raises ``OSError`` if it could not."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server does
        probe.bind((host.strip("[]"), port))
        return int(probe.getsockname()[1])
