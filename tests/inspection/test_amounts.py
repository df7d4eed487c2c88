"""Amounts of parts: they add up, and a module that runs twice is counted once."""

from torch import Tensor, nn

from explorer.inspection import inspect
from explorer.inspection.amounts import amounts
from explorer.inspection.stages import stages
from explorer.spec import PRESETS


def test_parts_add_up_to_the_network() -> None:
    report = inspect(PRESETS["resnet50"])
    middle, end = 60, len(report.trace.ops)
    whole, first, rest = (amounts(report, ops) for ops in (range(end), range(middle), range(middle, end)))
    assert (whole.params, whole.macs, whole.bytes) == (25_557_032, report.macs, report.activation_bytes)
    assert whole.params == first.params + rest.params
    assert whole.macs == first.macs + rest.macs
    assert whole.bytes == first.bytes + rest.bytes


class Twice(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 3, 3, padding=1, bias=False)
        self.unused = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(self.conv(x))


def test_a_module_counts_where_it_ran_first() -> None:
    report = inspect(Twice(), (1, 3, 8, 8))
    runs = [op.index for op in report.trace.ops if op.path == "conv"]
    assert [amounts(report, [i]).params for i in runs] == [81, 0]
    assert len({amounts(report, [i]).macs for i in runs}) == 1
    assert [(stage.name, stage.params) for stage in stages(report)] == [("stem", 81), ("elsewhere", 6)]
