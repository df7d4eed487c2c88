"""Every sentence of the project, for reading aloud: ``make words``.

What the running program says comes first: the builder's labels, the help of every command. The sentences of the code
follow (Python and JavaScript, ``{…}`` where a value is filled in), then with ``--all`` docstrings, comments and papers.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import typer

from explorer.cli import app
from explorer.spec import FIELD_LABELS, PRESETS, options, title
from explorer.spec.options import Option
from tests.support.paths import ROOT

_VALUE = "{…}"
_WORDS = re.compile(r"[^\W\d_]{2,}\S* +\S*[^\W\d_]{2,}")  # two words beside one another
# Texts for machines: style, markup, queries of elements, DOT, addresses, generated code.
_NO_SENTENCE = re.compile(
    r"^[\s]*[.#\[@<>(]|[{};]\s*$|=\"|^\w+=|^(import|from|return|def|class|self)\b|^--?\w+$|\w\(\)|=>"
)
_JS_STRING = re.compile(r"(['\"`])((?:\\.|(?!\1)[^\\])*)\1", re.DOTALL)
_JS_COMMENT = re.compile(r"/\*.*?\*/|(?<![:'\"`])//[^\n]*", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")


@dataclass(frozen=True)
class Sentence:
    """A text that somebody reads.

    Attributes:
        place: the file, or what of the program says it.
        line: in that file, from 1; 0 for what the program says.
        text: on one line, ``{…}`` for each value that is filled in.
    """

    place: str
    line: int
    text: str


def spoken() -> list[Sentence]:
    """What the page and the command line say."""
    return [*_of_the_program(), *(each for path in _sources("py") for each in _literals(path)), *_of_scripts()]


def written() -> list[Sentence]:
    """What is written for those who read the project: docstrings, comments, and the papers."""
    python = (each for path in _sources("py") for each in (*_docstrings(path), *_comments(path)))
    return [*python, *_comments_of_scripts(), *_papers()]


def _sources(ending: str) -> list[Path]:
    return sorted((ROOT / "explorer").rglob(f"*.{ending}"))


def _place(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _of_the_program() -> Iterator[Sentence]:
    for label in FIELD_LABELS.values():
        yield Sentence("builder: fields", 0, label.name)
    for kind in vars(options).values():
        if isinstance(kind, type) and issubclass(kind, Option) and kind is not Option:
            yield from (Sentence(f"builder: {kind.__name__}", 0, option.label) for option in kind)
    yield from (Sentence("builder: presets", 0, title(spec)) for spec in PRESETS.values())
    commands = typer.main.get_command(app)
    for name, command in sorted(getattr(commands, "commands", {}).items()):
        texts = [command.help or "", *(getattr(parameter, "help", None) or "" for parameter in command.params)]
        yield from (Sentence(f"{name} --help", 0, _one_line(text)) for text in texts if text)


def _literals(path: Path) -> Iterator[Sentence]:
    tree = ast.parse(path.read_text())
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in ast.walk(node)}
    inner -= {id(node) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)}
    documented = {id(node) for node in _docstring_nodes(tree)}
    for node in ast.walk(tree):
        if id(node) in inner | documented:
            continue
        if isinstance(node, ast.JoinedStr):
            parts = (str(part.value) if isinstance(part, ast.Constant) else _VALUE for part in node.values)
            yield from _sentence(path, node.lineno, "".join(parts))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from _sentence(path, node.lineno, node.value)


def _sentence(path: Path, line: int, raw: str) -> Iterator[Sentence]:
    text = _one_line(_TAG.sub(" ", raw))
    if _WORDS.search(text) and not _NO_SENTENCE.search(text):
        yield Sentence(_place(path), line, text)


def _docstring_nodes(tree: ast.AST) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        for statement in body if isinstance(body, list) else []:
            value = statement.value if isinstance(statement, ast.Expr) else None
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                yield value


def _docstrings(path: Path) -> Iterator[Sentence]:
    for node in _docstring_nodes(ast.parse(path.read_text())):
        yield Sentence(_place(path), node.lineno, _one_line(str(node.value)))


def _comments(path: Path) -> Iterator[Sentence]:
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text()).readline)
    comments = [(token.start[0], token.string.lstrip("# ")) for token in tokens if token.type == tokenize.COMMENT]
    for _, lines in groupby(enumerate(comments), lambda item: item[1][0] - item[0]):
        block = [comment for _, comment in lines]
        yield Sentence(_place(path), block[0][0], " ".join(text for _, text in block))


def _of_scripts() -> Iterator[Sentence]:
    for path in _sources("js"):
        source = _JS_COMMENT.sub(lambda match: "\n" * match.group().count("\n"), path.read_text())
        for match in _JS_STRING.finditer(source):
            text = re.sub(r"\$\{[^}]*\}", _VALUE, match.group(2))
            yield from _sentence(path, source.count("\n", 0, match.start()) + 1, text)


def _comments_of_scripts() -> Iterator[Sentence]:
    for path in _sources("js"):
        source = path.read_text()
        for match in _JS_COMMENT.finditer(source):
            text = re.sub(r"^\s*(//|/?\*+/?)", "", match.group(), flags=re.MULTILINE)
            yield Sentence(_place(path), source.count("\n", 0, match.start()) + 1, _one_line(text))


def _papers() -> Iterator[Sentence]:
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        text = re.sub(r"```.*?```", lambda match: "\n" * match.group().count("\n"), path.read_text(), flags=re.DOTALL)
        for match in re.finditer(r"(?:^.+\n?)+", text, flags=re.MULTILINE):
            yield Sentence(_place(path), text.count("\n", 0, match.start()) + 1, _one_line(match.group()))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def main(arguments: list[str]) -> None:
    sentences = [*spoken(), *(written() if "--all" in arguments else [])]
    for place, group in groupby(sentences, lambda sentence: sentence.place):
        print(f"\n{place}")
        for sentence in group:
            print(f"{sentence.line or '':>5}  {sentence.text}")


if __name__ == "__main__":
    main(sys.argv[1:])
