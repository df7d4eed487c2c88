"""Names of foreign networks' modules, which may hold anything: shown and spoken as they are, never markup."""

from __future__ import annotations

import re

import pytest

from explorer.errors import DiagramError
from explorer.inspection import Report
from explorer.views.checks import rows as checks
from explorer.views.diagram.dot import to_dot
from explorer.views.diagram.model import Diagram, Node, Role, build_diagram, default_open
from explorer.views.diagram.svg import render
from explorer.views.inspector import panel as inspector
from explorer.views.kit.summary import summary
from explorer.views.layers.table import layers
from tests import golden
from tests.support.drawings import NOTHING, SVG, expected_labels, focusable, hostile, needs_dot, parse

pytestmark = pytest.mark.usefixtures("one_thread")


def looks_of(report: Report) -> list[frozenset[str]]:
    return [NOTHING, default_open(report), golden.expanded(report)]


# Shown as they are.
NAMES = [
    "\\",
    "a\\",
    '"',
    '\\"',
    '\\\\"',
    "\\N",
    "\\G\\E\\T\\H\\L",
    "\\n\\l\\r",
    "<b>",
    "<b>x</b>",
    "<<table><tr><td>x</td></tr></table>>",
    "</text><script>alert(1)</script>",
    "--><script>alert(1)</script><!--",
    '" onload="alert(1)',
    "' onload='alert(1)",
    '"]; n9 [URL="javascript:alert(1)" image="/etc/passwd',
    "javascript:alert(1)",
    "URL=x",
    "image=/etc/passwd",
    "{a|b}",
    "]]>",
    "&lt;",
    "&amp;&#60;",
    "a & b",
    "%PDF",
    "node",
    "graph",
    "-4",
    "\u202eevil",
    "\u05d0\u05d1",
    "🧱",
]
# Not to be shown as they are, if at all.
WORSE = ["a\0b", "\x01", "a\x1b[31m", "a\nb", "a\rb", "\ud800", "x" * 1000, "x" * 100_000]


def skeleton(dot: str) -> str:
    """DOT text without its quoted strings, names and numbers: statements and attribute names."""
    return re.sub(r'(?<==)(?:"(?:[^"\\]|\\.)*"|[\w.-]+)|(?<=subgraph )(?:"(?:[^"\\]|\\.)*"|\w+)', "…", dot)


@pytest.mark.parametrize("name", NAMES + WORSE, ids=lambda name: ascii(name)[:30])
def test_names_add_nothing_to_the_dot_text(name):
    report, harmless = hostile(name), hostile("body")
    for opened, usual in zip(looks_of(report), looks_of(harmless), strict=True):
        found = skeleton(to_dot(build_diagram(report, opened)))
        assert "=<" not in found
        assert found == skeleton(to_dot(build_diagram(harmless, usual)))


@needs_dot
@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:30])
def test_names_are_shown_as_they_are(name):
    report = hostile(name)
    for opened in looks_of(report)[1:]:
        diagram = build_diagram(report, opened)
        root = parse(render(report, opened))
        assert focusable(root).keys() == expected_labels(diagram).keys()
        words = ["".join(element.itertext()).replace("\u00a0", " ") for element in root.iter(f"{SVG}text")]
        shown = [line for node in diagram.nodes for line in node.lines]
        shown += [line for group in diagram.groups for line in group.lines]
        assert set(shown) <= set(words)
        assert any(name in line for line in shown)


@needs_dot
@pytest.mark.parametrize(
    "name",
    NAMES,
    ids=lambda name: ascii(name)[:30],
)
def test_names_are_spoken_as_they_are(name):
    """All open: no run is left, whose id has a hyphen."""
    report = hostile(name)
    opened = golden.expanded(report)
    assert focusable(parse(render(report, opened))) == expected_labels(build_diagram(report, opened))


@needs_dot
@pytest.mark.parametrize(
    "name",
    WORSE,
    ids=lambda name: ascii(name)[:30],
)
def test_worse_names_are_drawn_somehow(name):
    report = hostile(name)
    opened = golden.expanded(report)
    labels = focusable(parse(render(report, opened)))
    expected = expected_labels(build_diagram(report, opened))
    assert len(labels) == len(expected)
    assert all(len(label) < 2000 for label in labels.values())
    if name.isprintable():
        assert labels.keys() == expected.keys()


@needs_dot
@pytest.mark.parametrize("name", NAMES + WORSE, ids=ascii)
def test_names_never_become_markup(name):
    """Drawn or refused: in both cases nothing of a name is an element, an attribute or another kind of error."""
    report = hostile(name)
    for opened in looks_of(report):
        try:
            parse(render(report, opened))
        except DiagramError:
            if name in NAMES:
                raise


MARKUP = re.compile(r'<(/?[a-z0-9]+)((?: [\w-]+="[^"<>]*")*)>')


def markup(report: Report) -> tuple[set[tuple[str, ...]], int]:
    """Elements and their attributes' names in all tables and the inspector; how often "<" is anything else."""
    nodes = build_diagram(report, golden.expanded(report)).nodes
    pages = [summary(report), checks.checks(report), layers(report)]
    text = "".join(pages + [inspector.inspector(report, node) for node in nodes])
    found = {(m[1], *re.findall(r' ([\w-]+)="', m[2])) for m in MARKUP.finditer(text)}
    return found, text.count("<") - len(MARKUP.findall(text))


@pytest.mark.parametrize("name", NAMES + WORSE, ids=lambda name: ascii(name)[:30])
def test_names_never_become_markup_in_tables_and_inspector(name):
    usual, _ = markup(hostile("body"))
    found, others = markup(hostile(name))
    assert found <= usual
    assert others == 0


def test_labels_of_one_line_are_no_html():
    node = Node("a", Role.OP, ("<b>bold</b>",), (0,))
    assert "label=<" not in to_dot(Diagram((node,), (), (), ()))
