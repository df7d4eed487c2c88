"""What was read from a model file, as HTML beside the builder. Names in files are outside text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from ...inference.checkpoint import Checkpoint
from ...inspection import Graph
from ...model_files import report_of
from ...spec import title
from ..kit import numbers
from ..kit.markup import tag, text
from ..kit.summary import verdict
from ..kit.words import printable
from .tree import module_rows

MAX_ROWS = 300  # modules in the table
# Fields that affect predictions are shown at once, the others after a click.
_FIRST = ("shortcut", "zero_pad", "stride_on", "block")


def weights(name: str, checkpoint: Checkpoint, labels: Mapping[str, str]) -> str:
    """The panel of a weight file.

    Args:
        labels: field of a spec -> label of its control in the builder.
    """
    recognition = checkpoint.recognition
    if recognition.spec is None:
        return _panel(
            name, _explain_no_network(checkpoint), ["show"] if recognition.nearest else [], _nearest(checkpoint)
        )
    head, *_ = recognition.sentences()
    params = report_of(checkpoint).params
    count = f"{numbers.exact(params)} parameters. All names and shapes match (strict loading)."
    unknown = {field: _choice(words, field, labels.get(field)) for field, words in recognition.unknown.items()}
    important = [item for field, item in unknown.items() if field in _FIRST]
    others = [item for field, item in unknown.items() if field not in _FIRST]
    refused = _explain_refusal(checkpoint)
    body = (
        _paragraphs([head, count])
        + _list("In the file", map(_item, checkpoint.notes))
        + _list("Mapped", map(_item, recognition.notes))
        + _list("Not in the weights", important)
        + (tag("details", tag("summary", "Other assumptions") + tag("ul", "".join(others))) if others else "")
        + (tag("p", text(refused), css="rx-file-note") if refused else "")
    )
    return _panel(name, body, ["show"] if refused else ["classify", "show"], "Show it again")


def graph(name: str, opened: Graph) -> str:
    """The panel of an ONNX file."""
    report = opened.report
    facts = f"{report.name}: {numbers.exact(report.params)} parameters, {numbers.macs(report.macs)}."
    body = tag("p", verdict(report)) + _paragraphs([facts]) + _list("Read as", map(_item, opened.notes))
    return _panel(name, body, ["show", "builder"], "Show it again")


def _panel(name: str, body: str, buttons: Iterable[str], show: str) -> str:
    words = {"classify": "Use it in Classify", "show": show, "builder": "Back to the builder's network"}
    row = "".join(tag("button", text(words[do]), type="button", css="rx-button", data_do=do) for do in buttons)
    close = tag("button", "✕", type="button", data_do="close", aria_label="Close the file", title="Close the file")
    shown = tag("bdi", text(printable(name)))
    return (
        tag("header", tag("h3", f"Read from {shown}") + close)
        + body
        + (tag("div", row, css="rx-buttons") if row else "")
    )


def _explain_no_network(checkpoint: Checkpoint) -> str:
    recognition = checkpoint.recognition
    head, *rest = recognition.sentences()
    differences = rest[: len(rest) - len(recognition.notes)]
    return (
        _paragraphs([head])
        + (tag("ul", "".join(map(_item, differences)), css="mono") if differences else "")
        + _list("In the file", map(_item, checkpoint.notes))
        + _list("Mapped", map(_item, recognition.notes))
        + _modules(checkpoint)
        + tag("p", "The current network is unchanged.", css="rx-note")
    )


def _modules(checkpoint: Checkpoint) -> str:
    """A table that opens, of the modules in the file."""
    rows = module_rows(checkpoint)
    head = "".join(tag("th", words, scope="col") for words in ("module", "type", "tensors"))
    body = "".join(
        tag("tr", "".join(tag("td", text(printable(word, 200))) for word in (row.path, row.kind, row.tensors)))
        for row in rows[:MAX_ROWS]
    )
    more = tag("p", f"… and {numbers.exact(len(rows) - MAX_ROWS)} more", css="rx-note") if len(rows) > MAX_ROWS else ""
    table = tag("table", tag("thead", tag("tr", head)) + tag("tbody", body), css="mono")
    return tag("details", tag("summary", f"Modules in the file: {numbers.exact(len(rows))}") + table + more)


def _nearest(checkpoint: Checkpoint) -> str:
    nearest = checkpoint.recognition.nearest
    return f"Show the nearest: {title(nearest)}" if nearest else ""


def _explain_refusal(checkpoint: Checkpoint) -> str:
    """Why the weights cannot classify photos; empty if they can."""
    if checkpoint.broken:
        return checkpoint.sentences()[-1]
    if not checkpoint.recognition.has_head:
        return "It has no classifier, so Classify cannot use it."
    channels = numbers.exact(checkpoint.spec.in_channels)
    return "" if channels == "3" else f"It reads {channels} channels, but photos have 3, so Classify cannot use it."


def _choice(words: str, field: str, label: str | None) -> str:
    link = tag("button", f"Choose “{text(label)}”", type="button", css="rx-link", data_field=field) if label else ""
    return tag("li", f"{text(words)} {link}")


def _list(heading: str, items: Iterable[str]) -> str:
    content = "".join(items)
    return tag("h4", text(heading)) + tag("ul", content) if content else ""


def _item(words: str) -> str:
    return tag("li", text(words))


def _paragraphs(lines: Iterable[str]) -> str:
    return "".join(tag("p", text(line)) for line in lines)
