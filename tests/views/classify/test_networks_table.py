"""The table of all networks, and what the paper published."""

from __future__ import annotations

import re

from explorer.inference import variants
from explorer.views.classify import networks_table


def test_the_table_has_every_network_with_its_published_numbers() -> None:
    html = networks_table.networks()
    rows = re.findall(r'<tr data-name="([^"]+)".*?</tr>', html)
    assert rows == [variant.name for variant in variants()]
    (row,) = re.findall(r'<tr data-name="resnet50.IMAGENET1K_V2".*?</tr>', html)
    assert re.sub("<.*?>", "|", row).replace("||", "|").count("80.86 %") == 1
    for value in ("25.6 M", "4.09 GMACs", "97.8 MiB", "232 → 224 px", "ImageNet-1K"):
        assert value in row
    for licence in {variant.licence for variant in variants()}:
        assert licence in html


def test_the_paper_and_torchvision_stand_beside_each_other() -> None:
    cells = [re.sub("<.*?>", "", row) for row in re.findall(r"<tr>(.*?)</tr>", networks_table.history())]
    # Table 3's 22.85, 21.75 and 21.43 % errors; torchvision's metadata.
    assert "ResNet-5077.15 %75.3 %76.13 %" in cells
    assert "ResNet-10178.25 %76.4 %77.37 %" in cells
    assert "ResNet-15278.57 %77.0 %78.31 %" in cells
