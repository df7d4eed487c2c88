"""``check``: do all shortcuts match, and are all expectations of a file met?"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import ExplorerError
from .inputs import Given, Inputs, read_inputs
from .targets import Changes, read_report
from .terminal import BAD, GOOD, QUIET, console, output_path

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from ..inspection import Report
    from ..inspection.contract import Expectations, Outcome
    from ..inspection.sizes import InputSizes

_INDENT = "  "


class Format(str, Enum):
    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    HTML = "html"
    JUNIT = "junit"
    GITHUB = "github"


_SUFFIXES = {
    **{Format.TEXT: ".txt", Format.JSON: ".json", Format.SARIF: ".sarif", Format.HTML: ".html"},
    **{Format.JUNIT: ".xml", Format.GITHUB: ".txt"},
}


def check(
    targets: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TARGET]...",
            help="Presets, JSON files, weights, .onnx files, or PACKAGE.MODULE:CALLABLE or FILE.py:CALLABLE: your "
            "class or function that returns an nn.Module, with arguments if it needs any: nets:make(18). "
            "Default: all networks in the --expect file.",
        ),
    ] = None,
    changes: Changes = None,
    inputs: Inputs = None,
    expect: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Shape contract: what is expected of each network, as YAML or JSON."),
    ] = None,
    fix: Annotated[bool, typer.Option("--fix", help="Print every fix for a shape mismatch as PyTorch code.")] = False,
    train: Annotated[bool, typer.Option("--train", help="Also try a forward pass in training mode.")] = False,
    sizes: Annotated[bool, typer.Option("--sizes", help="Also find out which input sizes work.")] = False,
    form: Annotated[Format, typer.Option("--format", help="Format of the output.")] = Format.TEXT,
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="FILE", help="Write to this file, and print the text too.")
    ] = None,
) -> None:
    """Check every shortcut.

    Exit code 0: all match and all expectations are met; 1: something differs; 2: a target cannot be checked.
    """
    from .contract_file import read_contract

    path = _output(form, output)
    wanted = read_contract(Path(expect)) if expect else {}
    names = list(dict.fromkeys(targets or wanted))
    if not names:
        raise ExplorerError("TARGET: name at least one network, or a file of expectations with --expect")
    if missing := [name for name in names if wanted and name not in wanted]:
        raise ExplorerError(f"{expect}: nothing is expected of {missing[0]}; it names {', '.join(wanted)}")
    given = read_inputs(inputs)
    outcomes = [_outcome(name, changes, given, wanted.get(name), train=train, sizes=sizes) for name in names]
    _write(outcomes, form, path, expect or "", fix)
    for outcome in outcomes:
        if outcome.problem:
            head = f"{outcome.target}: " if len(outcomes) > 1 and outcome.target not in outcome.problem else ""
            typer.echo(f"Error: {head}{outcome.problem}", err=True)
    if code := max(outcome.code for outcome in outcomes):
        raise typer.Exit(code)


def _output(form: Format, output: str | None) -> Path | None:
    if output is None and form is Format.HTML:
        raise ExplorerError("--format html: name the file to write with -o FILE.html")
    if output is None:
        return None
    # A SARIF file is often named .json.
    suffix = ".json" if form is Format.SARIF and output.lower().endswith(".json") else _SUFFIXES[form]
    return output_path(output, suffix)


def _outcome(
    target: str, changes: list[str] | None, given: Given, expected: Expectations | None, *, train: bool, sizes: bool
) -> Outcome:
    """A target that cannot be checked does not stop the others."""
    from ..inspection.contract import Expectations, Outcome, evaluate
    from ..inspection.hints import training_hint
    from ..inspection.sizes import find_input_sizes

    expected = expected or Expectations()
    try:
        report, notes = read_report(target, changes, given or expected.input)
    except ExplorerError as error:
        reason = str(error)
    except OSError as error:
        reason = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    else:
        return Outcome(
            target,
            report,
            evaluate(report, expected),
            expected.shortcuts == "any",
            notes,
            training=tuple(filter(None, [training_hint(report) if train else None])),
            paths=expected.allow,
            sizes=find_input_sizes(report) if sizes else None,
        )
    line = "".join(char if char.isprintable() else "?" for char in " ".join(reason.split()))
    return Outcome(target, None, problem=line)


def _write(outcomes: Sequence[Outcome], form: Format, path: Path | None, contract: str, fix: bool) -> None:
    if form is Format.HTML and path is not None:
        _write_pages(outcomes, path)
    elif form is not Format.TEXT:
        text = _formatted(outcomes, form, contract)
        if path is None:
            typer.echo(text)
            return
        path.write_text(f"{text}\n", encoding="utf-8")
    _print_text(outcomes, fix, console())
    if form is Format.TEXT and path is not None:
        from rich.console import Console

        with path.open("w", encoding="utf-8") as file:
            plain = Console(file=file, markup=False, highlight=False, emoji=False, color_system=None)
            _print_text(outcomes, fix, plain)


def _formatted(outcomes: Sequence[Outcome], form: Format, contract: str) -> str:
    """The outcomes as text for other programs."""
    from ..views.checks.github import workflow_commands
    from ..views.checks.junit import junit
    from ..views.checks.sarif import sarif
    from .check_json import json_values

    if form is Format.JUNIT:
        return junit(outcomes)
    if form is Format.GITHUB:
        return "\n".join(workflow_commands(outcomes, contract))
    value = sarif(outcomes, contract) if form is Format.SARIF else json_values(outcomes)
    return json.dumps(value, indent=2, ensure_ascii=False)


def _write_pages(outcomes: Sequence[Outcome], path: Path) -> None:
    """One page a target; several targets get their names into the files' names."""
    from ..views.diagram.model import default_open
    from ..views.export.report_html import report_html

    taken: set[Path] = set()
    for number, outcome in enumerate(outcomes, 1):
        if outcome.report is None:
            continue
        name = re.sub(r"[^\w.]+", "-", outcome.target).strip("-.")[:60]
        own = path if len(outcomes) == 1 else path.with_stem(f"{path.stem}-{name or number}")
        own = own.with_stem(f"{own.stem}-{number}") if own in taken else own
        taken.add(own)
        unmet = [unmet.sentence for unmet in outcome.unmet]
        own.write_bytes(report_html(outcome.report, default_open(outcome.report), unmet).encode())


def _print_text(outcomes: Sequence[Outcome], fix: bool, out: Console) -> None:
    """Findings of each target, then its verdict; several targets have a heading each and a last line for all."""
    several = len(outcomes) > 1
    for outcome in outcomes:
        if outcome.report is None:
            continue
        if several:
            out.print(outcome.target, style="bold", soft_wrap=True)
        for line in _lines(outcome, outcome.report, fix):
            line.pad_left(len(_INDENT) * several)
            out.print(line, soft_wrap=True)
    if several:
        out.print(_summary(outcomes), soft_wrap=True)


def _lines(outcome: Outcome, report: Report, fix: bool) -> Iterator[Text]:
    from rich.text import Text

    from ..inspection import propose_fixes
    from ..views.kit import numbers

    for finding in outcome.findings:
        yield Text(finding.sentence)
        if lines := outcome.lines_of(finding):
            yield Text(f"{_INDENT}{', '.join(lines)}", QUIET)
        fixes = propose_fixes(report, finding)
        for way in fixes if fix else fixes[:1]:
            yield Text(f"{_INDENT}Fix: {way.title} ({numbers.price(way.params, way.macs) or 'at no cost'})")
            for line in way.snippet.splitlines() if fix else ():
                yield Text(f"{_INDENT * 3}{line}" if line else "")
    for hint in outcome.hints:
        yield Text(f"Hint: {hint.sentence}")
        if lines := outcome.lines_of(hint):
            yield Text(f"{_INDENT}{', '.join(lines)}", QUIET)
    for unmet in outcome.unmet:
        yield Text(unmet.sentence)
    yield verdict(report)
    wrong = [finding for finding in outcome.findings if finding.merge is None]
    if layers := sum("wants" in report.operations[finding.op].attrs for finding in wrong):
        suit = "layer does not match its input" if layers == 1 else "layers do not match their input"
        yield Text(f"✕ {layers} {suit}", BAD)
    if others := len(outcome.findings) - layers - sum(f.merge.is_residual for f in outcome.findings if f.merge):
        match = "operation has operands" if others == 1 else "operations have operands"
        yield Text(f"✕ {others} {match} of the wrong shape or type", BAD)
    yield from _size_lines(outcome.sizes)
    if outcome.unmet:
        yield Text(f"✕ {_count(len(outcome.unmet), 'expectation')} not met", BAD)
    for note in outcome.notes:
        yield Text(note, QUIET)


def _size_lines(sizes: InputSizes | None) -> Iterator[Text]:
    """The sentence, and a table of what was tried."""
    from rich.text import Text

    if sizes is None:
        return
    yield Text(f"Input sizes: {sizes.sentence}")
    for tried in sizes.tried:
        words = "works" if tried.works else f"fails at {tried.path or 'the network'}"
        yield Text(f"{_INDENT}{tried.side:>6}  {words}", QUIET)


def verdict(report: Report) -> Text:
    """ "✓ 16 of 16 shortcuts match", or how many do not, coloured."""
    from rich.text import Text

    total, broken = len(report.merges), len(report.broken)
    if not total:
        return Text("No shortcuts: a plain network", QUIET)
    if not broken:
        return Text(f"✓ {total} of {total} shortcuts match", GOOD)
    return Text(f"✕ {broken} of {total} shortcuts {'does' if broken == 1 else 'do'} not match", BAD)


def _summary(outcomes: Sequence[Outcome]) -> Text:
    from rich.text import Text

    good = sum(outcome.code == 0 for outcome in outcomes)
    words = f"{good} of {_count(len(outcomes), 'network')} as expected"
    return Text(f"✓ {words}", GOOD) if good == len(outcomes) else Text(f"✕ {words}", BAD)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
