"""What is said of a head that was fitted to photos."""

from __future__ import annotations

from dataclasses import replace

from explorer.views.classify import transfer as shown
from tests.support.predictions import linear_probe


def test_a_linear_probe_says_what_it_is_worth() -> None:
    wrong = replace(linear_probe(), predicted=(1, *linear_probe().predicted[1:]))
    html = shown.evaluation(wrong, [f"key{number}" for number in range(20)])
    assert "<b>" not in html
    assert f", {wrong.correct} of 20 photos." in html
    assert "The photos were split into 5 parts" in html
    assert "always answering the most frequent class would be right for 50." in html
    assert '<li data-key="key0">&lt;b&gt;a&lt;/b&gt;, predicted b</li>' in html
    assert "copy" not in html
    assert "<pre><code>python -m explorer classify --head head.safetensors photo.jpg</code></pre>" in html
    assert "2 of them are copies of another" in shown.evaluation(replace(linear_probe(), repeated=2))
