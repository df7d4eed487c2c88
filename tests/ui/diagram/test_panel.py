"""What the panel answers a browser: the builder's fields say what a query says, and nothing is traced twice."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from explorer.inspection import Report, inspect
from explorer.spec import PRESETS, ResNetSpec, to_query
from explorer.ui import builder
from explorer.ui.diagram.panel import draw, search
from tests.support.answers import ask


@pytest.mark.parametrize("name", ["resnet18", "cifar_resnet20", "preact_resnet164"])
def test_the_builders_fields_are_drawn_as_their_query_is(name: str) -> None:
    spec = PRESETS[name]
    by_query = ask(draw, {"query": to_query(spec), "open": None})
    by_fields = ask(draw, {"fields": builder.show(spec)[2:], "open": None})
    assert by_fields == by_query
    assert by_fields["query"] == to_query(spec)
    assert by_fields["svg"].startswith("<svg")


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ([], "A network is expected."),
        (["basic"] * 40, "A network is expected."),
        ("basic", "A network is expected."),
        (["basic", "nonsense", *builder.show(ResNetSpec())[4:]], "shortcut: got 'nonsense'"),
    ],
)
def test_fields_that_are_no_network_are_told_so(fields: Any, error: str) -> None:
    answer = ask(draw, {"fields": fields, "open": None})
    assert list(answer) == ["error"]
    assert answer["error"].startswith(error)


class Convolutions(TorchDispatchMode):
    """Counts them."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.count += func is torch.ops.aten.convolution.default
        return func(*args, **(kwargs or {}))


def test_who_asks_while_another_traces_gets_that_report(eager_threads: None) -> None:
    for classes in range(70, 80):
        spec = ResNetSpec(depths=(1, 1), widths=(24, 40), num_classes=classes)
        together = Barrier(4)

        def inspected(spec: ResNetSpec = spec, together: Barrier = together) -> tuple[Report, int]:
            together.wait()
            with Convolutions() as convolutions:
                return inspect(spec), convolutions.count

        with ThreadPoolExecutor(4) as threads:
            answers = [future.result() for future in [threads.submit(inspected) for _ in range(4)]]
        assert len({id(report) for report, _ in answers}) == 1
        assert sorted(count > 0 for _, count in answers) == [False, False, False, True]


@pytest.mark.parametrize(("typed", "meant"), [("256x14x14", "256×14×14"), ("256*14", "256×14"), ("512X", "512×")])
def test_shapes_are_found_as_a_keyboard_writes_them(typed: str, meant: str) -> None:
    query = to_query(PRESETS["resnet50"])
    found = ask(search, {"query": query, "text": typed})["ids"]
    assert found == ask(search, {"query": query, "text": meant})["ids"]
    assert len(found) > 5
    assert "maxpool" in ask(search, {"query": query, "text": "max"})["ids"], "an x in a word is a letter"
