"""A result's stamp is what the page's script compares (tests/js/kit/currency.test.js)."""

from __future__ import annotations

import json

from explorer.ui.kit.currency import stamp


def test_a_stamp_names_network_and_settings() -> None:
    assert json.loads(stamp("ResNet-18", "", ["noise", 1, None])) == {
        "name": "ResNet-18",
        "network": "",
        "settings": ["noise", 1, None],
    }
