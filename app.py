"""The web app: ``python app.py [--host 127.0.0.1] [--port 7860] [--model-files | --no-model-files]``."""

from __future__ import annotations

import argparse

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="ResNet Explorer, in your browser.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument(
        "--model-files",
        action=argparse.BooleanOptionalAction,
        help="allow opening weight and ONNX files; by default only if no other machine can reach the page",
    )
    arguments = parser.parse_args()
    from explorer.ui import serve  # takes seconds, which --help need not wait for

    serve(arguments.host, arguments.port, arguments.model_files)
