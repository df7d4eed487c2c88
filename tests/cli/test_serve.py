"""The page from the command line: on which port, on which network, and that the browser is led there."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from explorer.cli.serve import PORT, free_port
from explorer.errors import ExplorerError
from tests.support.paths import ROOT


@contextmanager
def served(*words: str, browser: str = "") -> Iterator[str]:
    """The line that the command prints when the page answers."""
    command = [sys.executable, "-m", "explorer", *words]
    environment = os.environ | {"BROWSER": browser}
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait(40)


def test_another_port_is_found_if_the_usual_one_is_used() -> None:
    with socket.socket() as first:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            first.bind(("127.0.0.1", PORT))
        except OSError:
            pass  # somebody else uses it, which is as good
        else:
            first.listen()
        assert free_port("127.0.0.1") not in (0, PORT)


def test_a_foreign_address_is_refused() -> None:
    with pytest.raises(ExplorerError, match=r"^--host: 192\.0\.2\.1 is not an address of this machine$"):
        free_port("192.0.2.1")


@pytest.mark.slow
def test_a_target_without_a_command_opens_the_page_on_it(tmp_path: Path) -> None:
    opened, script = tmp_path / "opened", tmp_path / "browser"
    os.mkfifo(opened)
    script.write_text(f'#!/bin/sh\necho "$1" > "{opened}"\n')
    script.chmod(0o700)
    with served("resnet50", browser=f"{script} %s") as line:
        address = line.removeprefix("ResNet Explorer is on ")
        assert address.startswith("http://127.0.0.1:")
        assert address.endswith("/?preset=resnet50")
        assert opened.read_text().strip() == address  # waits for the browser
        with urllib.request.urlopen(address, timeout=60) as answer:
            assert b"ResNet Explorer" in answer.read()


@pytest.mark.slow
def test_the_page_opens_with_a_network_from_own_code(tmp_path: Path) -> None:
    (tmp_path / "mynets.py").write_text(
        "from torch import nn\n\ndef make(width=4):\n    return nn.Conv2d(3, width, 3)\n"
    )
    target = f"{tmp_path / 'mynets.py'}:make(width=5)"
    with served(target, "--input", "1x3x8x8", "--no-browser") as line:
        address = line.removeprefix("ResNet Explorer is on ")
        with urllib.request.urlopen(f"{address}/model/started", data=b"", timeout=60) as answer:
            opened = json.load(answer)
    assert "Conv2d: 140 parameters" in opened["html"]
    assert opened["token"]


def test_own_code_is_not_shown_to_other_machines_unasked() -> None:
    command = [sys.executable, "-m", "explorer", "torch.nn:ReLU", "--host", "0.0.0.0"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "Other machines can reach this address. Add --model-files" in done.stderr


def test_a_target_that_is_none_is_one_line() -> None:
    command = [sys.executable, "-m", "explorer", "resnet51"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert done.stderr.startswith("Error: TARGET: got 'resnet51', expected a .json file")
    assert len(done.stderr.splitlines()) == 1


def test_a_file_named_like_a_command_is_a_target() -> None:
    command = [sys.executable, "-m", "explorer", "gradients.json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (2, "Error: gradients.json: No such file or directory\n")


def test_a_misspelt_command_is_no_target() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "explorer", "chekc"], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 2
    assert "No such command 'chekc'. Did you mean 'check'?" in done.stderr
