"""The whole report as one HTML file: no script, no outside request, light and dark, fit to print."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ... import __version__
from ...errors import DiagramError
from ...inspection import Report
from ...inspection.stages import Stage, stages
from ...network.codegen import source
from ...spec import to_json
from ..checks.rows import checks
from ..diagram.svg import STANDALONE_STYLE, anchors, drawable, paint, still
from ..kit import numbers
from ..kit.markup import Cell, facts, table, tag, text
from ..kit.summary import verdict
from ..kit.theme import DARK, LIGHT, MONO, ROLES, SANS, Neutrals
from ..layers.table import layers


def report_html(report: Report, opened: frozenset[str], unmet: Sequence[str] = ()) -> str:
    """An HTML document on ``report``: facts, the diagram with ``opened``, checks, cost by stage, layers.

    Where the report is of a spec, its JSON and its PyTorch code follow. Where the diagram cannot be drawn, its place
    says why. ``unmet``: sentences on what is not as expected, which come first.
    """
    sections = "".join(
        tag("section", tag("h2", text(title)) + content)
        for title, content in _sections(report, opened, unmet)
        if content
    )
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        # Nothing may be fetched, whatever a name in here looks like.
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{text(report.name)}: a report of ResNet Explorer</title><style>{_STYLE}</style>"
    )
    foot = tag(
        "footer",
        text(
            f"Written by ResNet Explorer {__version__}. MACs: one for each multiply-add of convolutions "
            "and linear layers; all else counts 0. Activations: float32, one image."
        ),
    )
    body = tag("header", tag("h1", text(report.name)) + verdict(report) + _totals(report))
    page = tag("head", head) + "\n" + tag("body", body + tag("main", sections) + foot)
    return f"<!doctype html>\n{tag('html', page, lang='en')}\n"


def _sections(report: Report, opened: frozenset[str], unmet: Sequence[str]) -> Iterator[tuple[str, str]]:
    yield "Not as expected", tag("ul", "".join(tag("li", text(line)) for line in unmet)) if unmet else ""
    drawing, shown = _drawing(report, opened)
    yield "Diagram", drawing
    yield "Shortcut checks", checks(report, anchors=shown)
    yield "Cost by stage", _stage_table(report)
    yield "Layers", layers(report, anchors=shown)
    if report.spec:
        yield (
            "Description",
            _details("The network as JSON, for the command line and the library", to_json(report.spec)),
        )
        yield "Code", _details("The network as PyTorch code", source(report.spec))


def _totals(report: Report) -> str:
    field = report.receptive_field
    pairs = [
        ("Image", Cell(numbers.shape(report.input_size[1:]), css="mono")),
        ("Parameters", Cell(numbers.exact(report.params))),
        ("Multiply-adds", Cell(numbers.macs(report.macs), numbers.exact(report.macs))),
        ("Activations", Cell(numbers.size(report.activation_bytes), f"{numbers.exact(report.activation_bytes)} bytes")),
    ]
    if report.spec:
        pairs.insert(0, ("Weighted layers", Cell(str(report.spec.weighted_layers))))
    if field:
        pairs.append(("Receptive field", Cell(numbers.pixels(field.size))))
    return facts(pairs)


def _drawing(report: Report, opened: frozenset[str]) -> tuple[str, frozenset[str]]:
    """The diagram, and the ids in it that links may point to; in place of one that cannot be drawn, the reason."""
    try:
        diagram = drawable(report, opened)
        drawing = still(paint(diagram))
        return tag("figure", drawing, tabindex="0", role="region", aria_label="Diagram"), anchors(diagram)
    except DiagramError as error:
        return tag("p", text(error), css="rx-empty"), frozenset()


def _stage_table(report: Report) -> str:
    head = [
        Cell("Part"),
        Cell("Output"),
        *(Cell(n, css="num") for n in ("Blocks", "Parameters", "MACs", "Activations")),
    ]
    parts = stages(report)
    total = Stage("total", sum(s.blocks for s in parts), (), report.params, report.macs, sum(s.bytes for s in parts))
    rows = [({"css": "total"} if stage is total else {}, _stage(stage, report)) for stage in (*parts, total)]
    return table("Parameters and multiply-adds, with their share of the whole", head, rows)


def _stage(stage: Stage, report: Report) -> list[Cell]:
    return [
        Cell(stage.name, css="mono"),
        Cell(numbers.shape(stage.output), css="mono"),
        Cell(str(stage.blocks) if stage.blocks else "–", css="num"),
        Cell(f"{numbers.exact(stage.params)}{_share(stage.params, report.params)}", css="num"),
        Cell(f"{numbers.macs(stage.macs)}{_share(stage.macs, report.macs)}", numbers.exact(stage.macs), css="num"),
        Cell(numbers.size(stage.bytes), f"{numbers.exact(stage.bytes)} bytes", css="num"),
    ]


def _share(part: int, whole: int) -> str:
    return f" · {numbers.percent(part / whole)}" if whole else ""


def _details(summary: str, content: str) -> str:
    return tag("details", tag("summary", text(summary)) + tag("pre", tag("code", text(content))))


def _variables(grey: Neutrals, on: str) -> str:
    greys = (f"--{name}: {getattr(grey, name)}" for name in ("text", "muted", "line", "rule", "page", "surface"))
    roles = (f"--{name}: {getattr(ROLES[name], on)}" for name in ("identity", "fits", "broken"))
    return "; ".join([*greys, *roles])


_STYLE = f"""
:root {{ color-scheme: light dark; {_variables(LIGHT, "on_light")} }}
@media (prefers-color-scheme: dark) {{ :root {{ {_variables(DARK, "on_dark")} }} }}
body {{ margin: 0 auto; max-width: 1080px; padding: 24px 16px 48px; background: var(--page); color: var(--text);
  font: 15px/1.5 {SANS}; }}
h1 {{ font-size: 1.75rem; margin: 0 0 4px; }}
h2 {{ font-size: 1.125rem; margin: 40px 0 8px; }}
.rx-verdict {{ font-weight: 600; }}
.rx-verdict.fits, tr.fits .verdict {{ color: var(--fits); }}
.rx-verdict.broken, tr.broken .verdict {{ color: var(--broken); font-weight: 600; }}
.rx-verdict.none, .rx-empty, caption, dt, summary, footer {{ color: var(--muted); }}
.rx-facts {{ display: grid; grid-auto-flow: column; grid-template-rows: auto auto; justify-content: start;
  gap: 0 32px; margin: 16px 0 0; }}
.rx-facts dt {{ font-size: .8rem; }}
.rx-facts dd {{ margin: 0; }}
.mono, pre {{ font-family: {MONO}; font-size: .86em; }}
figure, .rx-scroll, pre {{ margin: 0; overflow: auto; border: 1px solid var(--rule); border-radius: 8px; }}
figure {{ max-height: 85vh; text-align: center; }}
figure svg {{ height: auto; max-width: 100%; }}
.rx-scroll {{ max-height: 70vh; }}
:focus-visible {{ outline: 2px solid var(--identity); outline-offset: 1px; }}
table {{ width: 100%; border-collapse: collapse; font-size: .875rem; }}
caption {{ text-align: left; padding: 8px 12px; }}
th {{ position: sticky; top: 0; background: var(--surface); text-align: left; }}
th, td {{ padding: 4px 12px; border-bottom: 1px solid var(--rule); vertical-align: top; }}
td:not(:last-child), td.num {{ white-space: pre; }}
td:last-child:not(.num) {{ min-width: 16rem; }}
.num {{ text-align: right; font-variant-numeric: tabular-nums; }}
.total td {{ font-weight: 600; border-bottom: 0; }}
a {{ color: var(--identity); }}
summary {{ cursor: pointer; padding: 4px 0; }}
pre {{ padding: 12px; background: var(--surface); }}
footer {{ margin-top: 40px; font-size: .8rem; }}
{STANDALONE_STYLE}
.node:target path, .node:target ellipse {{ stroke: var(--identity); stroke-width: 3; }}
@media (max-width: 700px) {{ .rx-facts {{ grid-auto-flow: row; grid-template: none / auto 1fr; gap: 4px 16px; }} }}
@media print {{
  body {{ max-width: none; padding: 0; }}
  figure, .rx-scroll, pre {{ max-height: none; overflow: visible; border: 0; white-space: pre-wrap; }}
  th {{ position: static; }}
  tr, .rx-facts {{ break-inside: avoid; }}
  h2 {{ break-after: avoid; }}
  details::details-content {{ content-visibility: visible; block-size: auto; }}
}}
"""
