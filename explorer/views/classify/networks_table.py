"""All networks as a table to choose from, and published accuracies of the first ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...inference import Variant, find, is_cached, variants
from ..kit import markup, numbers
from ..kit.markup import Cell, row_link, table, tag, text

# He et al. 2015, "Deep Residual Learning for Image Recognition", Table 3: 10-crop top-1 error on ImageNet's validation
# photos, %. The 1-crop errors are of the models the authors released (github.com/KaimingHe/deep-residual-networks,
# README). The third column is read from torchvision's own metadata.
_PAPER: tuple[tuple[str, float, float | None, str], ...] = (
    ("Plain-34", 28.54, None, ""),
    ("ResNet-34 (B)", 24.52, None, "resnet34.IMAGENET1K_V1"),
    ("ResNet-50", 22.85, 24.7, "resnet50.IMAGENET1K_V1"),
    ("ResNet-101", 21.75, 23.6, "resnet101.IMAGENET1K_V1"),
    ("ResNet-152", 21.43, 23.0, "resnet152.IMAGENET1K_V1"),
)
_SOURCES = (
    "Accuracy is 100 % less the published error. Paper: He, Zhang, Ren and Sun, Deep Residual Learning for Image "
    "Recognition (2015), Table 3, averaged over ten crops of each photo. Released models: the authors' own, "
    "deep-residual-networks on GitHub, one central crop. torchvision: its IMAGENET1K_V1 weights, one central crop, "
    "from the metadata that comes with them. The data are ImageNet's 50,000 validation photos in all three."
)

_HEAD = (
    Cell("Network", "and the data set that its accuracy was measured on"),
    Cell("Top-1", "accuracy on the data set that is named, one central crop", css="num"),
    Cell("Parameters", css="num"),
    Cell("MACs", "multiply-adds for one photo", css="num"),
    Cell("Size", css="num"),
    Cell("Input", "side of the square that the network receives", css="num"),
    Cell("Weights", "where they are; the number is that of their terms below the table"),
)


@dataclass(frozen=True)
class NetworkRow:
    """A network of the table; ``name`` identifies it when it is chosen, ``place`` says where its weights are.

    ``resize``, ``crop``: px; ``preprocessing``: what is done to a photo, in words.
    """

    name: str
    title: str
    top1: float | None
    dataset: str
    params: int
    gmacs: float
    size_bytes: int
    resize: int
    crop: int
    preprocessing: str
    place: str
    licence: str

    @classmethod
    def of(cls, variant: Variant, name: str = "", place: str = "") -> NetworkRow:
        """A row for a variant; by default under its own name, wherever it is now."""
        found = "built in" if variant.file.builtin else "on this machine" if is_cached(variant) else "to download"
        facts = (variant.top1, variant.dataset, variant.params, variant.gmacs, variant.file.size_bytes)
        transform = variant.transform
        model_input = (transform.resize, transform.crop, transform.sentence)
        return cls(name or variant.name, variant.title, *facts, *model_input, place or found, variant.licence)


def networks(own: Sequence[NetworkRow] = ()) -> str:
    """A row for each network, whose name is a button; below, the terms of their weights.

    Args:
        own: the page's networks, which precede the catalogue's.
    """
    rows = [*own, *map(NetworkRow.of, variants())]
    terms = list(dict.fromkeys(row.licence for row in rows))
    body = (_row(row, number, terms) for number, row in enumerate(rows))
    notes = "".join(tag("li", text(words)) for words in terms)
    return table(f"{len(rows)} networks", _HEAD, body) + tag(
        "ol", notes, css="rx-note rx-terms", aria_label="Terms of the weights"
    )


def history() -> str:
    """Published accuracies of the networks of the paper, with their sources."""
    head = [
        Cell("ImageNet, top-1"),
        *(Cell(word, css="num") for word in ("paper, 10 crops", "released", "torchvision")),
    ]
    rows: list[markup.Row] = []
    for name, ten, one, ours in _PAPER:
        accuracy = find(ours).top1 if ours else None
        cells = [
            Cell(_accuracy(100 - ten, 2), css="num"),
            Cell(_accuracy(None if one is None else 100 - one, 1), css="num"),
            Cell(_accuracy(accuracy, 2), css="num"),
        ]
        rows.append(({}, [Cell(name), *cells]))
    shown = table("The networks of the paper, as published", head, rows)
    return tag("div", shown + tag("p", text(_SOURCES), css="rx-note"), css="rx-history")


def _row(row: NetworkRow, number: int, terms: Sequence[str]) -> markup.Row:
    term = terms.index(row.licence) + 1
    data = row.dataset.partition(",")[0].partition(" from ")[0]
    cells = (
        Cell(html=row_link(row.title) + tag("small", text(data), title=row.dataset), key=number),
        Cell(_accuracy(row.top1, 2), css="num", key=row.top1 or 0),
        Cell(numbers.count(row.params), css="num", key=row.params),
        Cell(numbers.macs(row.gmacs * 1e9), css="num", key=row.gmacs),
        Cell(numbers.size(row.size_bytes), css="num", key=row.size_bytes),
        Cell(f"{row.crop} px", f"{row.resize} → {row.crop} px: {row.preprocessing}", css="num", key=row.crop),
        Cell(html=text(row.place) + tag("sup", str(term)), key=row.place),
    )
    return {"data_name": row.name, "data_row": str(number)}, cells


def _accuracy(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f} %"
