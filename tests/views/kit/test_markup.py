"""The table every feature uses: what is escaped, what names a row or column, what rows are sorted by."""

import re

from explorer.views.kit.markup import Cell, row_link, table


def test_a_table_scrolls_and_says_what_it_is() -> None:
    html = table("A < B", [Cell("Layer"), Cell("Sum", css="num")], [({"data_node": "fc"}, [Cell("fc"), Cell("1")])])
    assert html == (
        '<div class="rx-scroll" tabindex="0" role="region" aria-label="A &lt; B"><table class="rx-table">'
        "<caption>A &lt; B</caption>"
        '<thead><tr><th scope="col">Layer</th><th class="num" scope="col">Sum</th></tr></thead>'
        '<tbody><tr data-node="fc"><td>fc</td><td>1</td></tr></tbody></table></div>'
    )


def test_a_table_without_a_caption_is_still_named() -> None:
    html = table("", [Cell("Name")], [], label="Runs")
    assert 'aria-label="Runs"' in html
    assert "caption" not in html


def test_a_cell_names_its_row_or_is_an_empty_corner() -> None:
    html = table("", [Cell("Label"), Cell(names=False)], [({}, [Cell("cat", names=True), Cell("3")])])
    assert '<th scope="col">Label</th><td></td>' in html
    assert '<th scope="row">cat</th><td>3</td>' in html


def test_text_is_escaped_and_markup_is_not() -> None:
    html = table("", [], [({}, [Cell("<b>", exact='"'), Cell(html="<b>x</b>"), Cell(html=row_link("<i>"))])])
    assert '<td title="&quot;">&lt;b&gt;</td><td><b>x</b></td>' in html
    assert '<button type="button" class="rx-link">&lt;i&gt;</button>' in html


def test_a_key_is_written_even_if_it_is_zero() -> None:
    html = table("", [], [({}, [Cell("–", key=0), Cell("a", key=-1.5, style="--share:0.5"), Cell("b")])])
    assert '<td data-key="0">–</td><td data-key="-1.5" style="--share:0.5">a</td><td>b</td>' in html


def test_the_head_of_a_column_names_its_term_of_the_glossary() -> None:
    html = table("", [Cell("Layer"), Cell("MACs", "for <one> image", css="num")], [({}, [Cell("MACs"), Cell("1")])])
    assert re.findall(r"<th [^>]*>", html) == [
        '<th scope="col">',
        '<th class="num" scope="col" data-term="mac" data-exact="for &lt;one&gt; image" tabindex="0">',
    ]
