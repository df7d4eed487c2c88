"""The Compare tab: this network and a second one side by side, as one Gradio component with two server functions."""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ...errors import ExplorerError, SpecError
from ...inspection import inspect
from ...spec import FIELDS, PRESETS, ResNetSpec, from_json, from_query, preset_of, title, to_query
from ...spec.codec import MAX_TEXT
from ...spec.fields import quote
from ...views.compare import panel as beside
from ...views.compare.alignment import Side, align, draw
from ...views.compare.difference import compare
from ...views.kit.markup import tag, text
from ..kit import bridge, scripts
from ..kit.panel import create_panel
from ..kit.requests import Name, NetworkRequest, Open
from ..kit.shell import Shell

PLAIN = "plain"
_OPTIONS = "".join(tag("option", text(title(spec)), value=name) for name, spec in PRESETS.items())
_HALF = """
    <section class="rx-half" aria-label="{label}">
      <h3><span></span><small>{words}</small></h3>
      <div class="rx-view"><div class="rx-canvas" tabindex="-1"></div></div>
      <div class="rx-failure" role="alert" hidden></div>
    </section>"""
_TEMPLATE = f"""
<div class="rx-compare">
  <form class="rx-second">
    <label>Compare with
      <select aria-label="Compare with">
        <option value="">the next deeper one</option>
        <option value="{PLAIN}">its plain counterpart</option>
        {_OPTIONS}
      </select>
    </label>
    <button type="button" class="rx-button" data-do="pin"
      title="Use this network as the second one, then change the builder">Pin this network</button>
    <label class="rx-other">or <input type="text" maxlength="4000" placeholder="a link of this page, or JSON"
      aria-label="Second network as a link or JSON"></label>
  </form>
  <div class="rx-banner note" role="status" hidden></div>
  <div class="rx-words" aria-live="polite" aria-label="The difference in words" role="region"></div>
  <div class="rx-pair">
    {_HALF.format(label="This network", words="this network")}
    {_HALF.format(label="Second network", words="second network")}
    <div class="rx-foot">
      <div class="rx-legend" aria-label="Legend">
        <span class="differs">≠ differs</span><span class="only-here">+ only here</span><span>equal</span>
      </div>
      <div class="rx-tools" role="toolbar" aria-label="Both diagrams">
        <button type="button" data-tool="in" title="Zoom in" aria-label="Zoom in">+</button>
        <button type="button" data-tool="out" title="Zoom out" aria-label="Zoom out">−</button>
        <button type="button" data-tool="fit" title="Make the wider diagram as wide as its frame">Fit width</button>
        <button type="button" data-tool="whole" title="Show both whole networks at once">Fit all</button>
        <button type="button" data-tool="next" title="Show the next difference">Next ≠</button>
        <button type="button" data-tool="fold" title="Fold everything back">Fold</button>
      </div>
    </div>
  </div>
  <div class="rx-chosen" aria-live="polite"></div>
  <div class="rx-parts"></div>
</div>
"""


def build_tab(shell: Shell) -> None:
    """Lay the tab out; it follows the builder's network. Nothing is computed while it is hidden."""
    create_panel("compare", _TEMPLATE, scripts.mount("compare/compare.js"), [draw_pair, describe_pair])


def _word(value: Any) -> str:
    return value[:MAX_TEXT] if isinstance(value, str) else ""


class PairRequest(NetworkRequest):
    """A network, a second one, and ids of what is open in both diagrams.

    Attributes:
        second: as the address spells it ("with"); see ``second``.
        open: None for the first look.
    """

    second: Annotated[str, BeforeValidator(_word)] = Field("", alias="with")
    open: Open = None

    @cached_property
    def left(self) -> ResNetSpec:
        return from_query(self.query)

    @cached_property
    def right(self) -> tuple[ResNetSpec, str, str]:
        """The second network, how the address spells it, and what was wrong with the request."""
        return _second_or_default(self.second, self.left)

    @property
    def opened(self) -> frozenset[str] | None:
        return self.open if isinstance(self.open, frozenset) else None

    def sides(self, folded: str = "") -> tuple[Side, Side]:
        """Both diagrams; ``folded`` is not open in them."""
        opened = (self.opened or frozenset()) - {folded} if folded else self.opened
        return align(inspect(self.left), inspect(self.right[0]), opened)


class PairNodeRequest(PairRequest):
    """
    Attributes:
        side: 0 or 1: whose ``node`` is selected.
    """

    side: Annotated[Literal[0, 1], BeforeValidator(lambda side: 1 if side == 1 else 0)] = 0
    node: Name = ""


@bridge.answers(PairRequest)
def draw_pair(request: PairRequest) -> dict[str, Any]:
    """-> the contents of the tab.

    ``with``: the second network as the address spells it; ``note``: why it is not the requested one. ``sides``: for
    each its ``title``, ``svg`` or ``error``, ``beside`` and main ``edges``.
    """
    right, word, note = request.right
    comparison = compare(inspect(request.left), inspect(right))
    sides = request.sides()
    return {
        "with": word,
        "note": note,
        "words": beside.words(comparison),
        "parts": beside.parts(comparison),
        "hint": beside.hint(),
        "open": sorted(request.opened or sides[0].opened | sides[1].opened),
        "sides": [_drawn(side) for side in sides],
    }


@bridge.answers(PairNodeRequest)
def describe_pair(request: PairNodeRequest) -> dict[str, Any]:
    """-> ``{"html"}`` of the selected box and the one beside it."""
    here, sides = request.side, request.sides()
    node = sides[here].diagram.node(request.node)
    if node is None:  # an opened box is a frame; folded back it is a box again
        sides = request.sides(folded=request.node)
        node = sides[here].diagram.node(request.node)
    if node is None:
        return {"html": beside.hint()}
    pair = [node, sides[1 - here].diagram.node(sides[here].beside.get(request.node, ""))]
    return {"html": beside.selection(*sides, *(reversed(pair) if here else pair))}


def second(word: str, left: ResNetSpec) -> ResNetSpec:
    """The network that ``word`` names: "" (the next deeper one), ``plain``, a preset, a query, a link or JSON.

    Raises:
        SpecError: it names no network.
    """
    word = word.strip()
    if word in ("", PLAIN):
        return left.plain() if word else deeper(left)
    if word in PRESETS:
        return PRESETS[word]
    if word.startswith("{"):
        return from_json(word)
    _, _, query = word.rpartition("?")
    if not any(query.startswith(f"{name}=") or f"&{name}=" in query for name in (*FIELDS, "preset")):
        raise SpecError("preset", f"got {quote(word)}; allowed: a preset's name, a link of this page, or JSON")
    return from_query(query)


def deeper(spec: ResNetSpec) -> ResNetSpec:
    """The next deeper preset of the same family; of the deepest, the next shallower one."""

    def distance(preset: ResNetSpec) -> tuple[object, ...]:
        layers = preset.weighted_layers - spec.weighted_layers
        return (
            preset.is_cifar != spec.is_cifar,
            preset.block.is_preact != spec.block.is_preact,
            preset.groups != spec.groups,
            preset.width_per_group != spec.width_per_group,
            layers <= 0,
            abs(layers),
        )

    return min((preset for preset in PRESETS.values() if preset != spec), key=distance)


def _second_or_default(asked: str, left: ResNetSpec) -> tuple[ResNetSpec, str, str]:
    """The second network, how the address spells it, and what was wrong with the request."""
    try:
        spec = second(asked, left)
        if asked.strip() in ("", PLAIN):
            return spec, asked.strip(), ""
        return spec, preset_of(spec) or to_query(spec), ""
    except ExplorerError as error:
        spec = deeper(left)
        message = bridge.error_message(error)
        return spec, "", f"The second network: {message}. {title(spec)} is shown instead."


def _drawn(side: Side) -> dict[str, Any]:
    """What the browser needs of one diagram. If it cannot be drawn, the words and the table are still there."""
    edges = [(edge.source, edge.target) for edge in side.diagram.edges if edge.role == "main"]
    quote = {"title": side.report.name, "beside": dict(side.beside), "edges": edges}
    try:
        return {**quote, "svg": draw(side)}
    except Exception as error:
        return {**quote, "error": bridge.error_message(error)}
