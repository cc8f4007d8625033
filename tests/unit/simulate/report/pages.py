"""Pages: reports of nodes with names that mean harm, and what is in them."""

import functools
import json
from collections.abc import Mapping, Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import attrs
from unit.simulate.report.lived import forecast

from revops.core.config import Config, changed_options, configured
from revops.core.decide import decide
from revops.core.rebalance.decide import rebalance
from revops.core.snapshot import Snapshot
from revops.simulate import load
from revops.simulate.forecast.lives import Forecast
from revops.simulate.report.page import Plans, page

FORTY = Path(__file__).resolve().parents[4] / "examples" / "forty.json"
HOSTILE = (
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    "\" onmouseover=alert(1) '",
    "&lt;b&gt; {{ 7 * 7 }} ${7 * 7}",
    "right\u202eleft",
    "two\u2028lines\x1b[2J",
    "<b>bold</b>]]>",
)
"""What a stranger may call a node."""
WARNING = "thin: <i>Wee Twee</i> saw 3 forwards"
FEWER = {"min-fee-ppm": "50", "max-fee-ppm": "300"}


def node(aliases: Sequence[str] = ()) -> Snapshot:
    """
    Return the example, of which the first channels go by *aliases*.
    """
    material = load.from_text(FORTY.read_bytes())
    snapshot = material.snapshot(configured({}, material.config))
    first = [
        attrs.evolve(channel, alias=alias)
        for channel, alias in zip(snapshot.channels, aliases, strict=False)
    ]
    return attrs.evolve(snapshot, channels=(*first, *snapshot.channels[len(first) :]))


def decided(snapshot: Snapshot, configs: Mapping[str, Config]) -> dict[str, Plans]:
    """
    Return what is decided under each of *configs*.
    """
    return {name: (decide(snapshot, c), rebalance(snapshot, c)) for name, c in configs.items()}


def lived(snapshot: Snapshot, sides: Sequence[str] = ("as set", "as it is")) -> Forecast:
    """
    Return a small forecast.
    """
    moves = {name: name != "as it is" for name in sides}
    return forecast(snapshot.channels, moves, runs=8, days=10, warnings=(WARNING,))


@functools.cache
def report(aliases: tuple[str, ...] = (), *, other: bool = False) -> str:
    """
    Return the page of the example with a forecast; with *other*, of two configs.
    """
    snapshot = node(aliases)
    configs = {"as set": Config()} | ({"against": configured(FEWER)} if other else {})
    options = {name: changed_options(config) for name, config in configs.items()}
    return page(
        snapshot,
        decided(snapshot, configs),
        lived(snapshot, (*configs, "as it is")),
        options,
    )


@functools.cache
def parsed(aliases: tuple[str, ...] = (), *, other: bool = False) -> "Parsed":
    """
    Return that page as a browser reads it.
    """
    return Parsed(report(aliases, other=other))


class Parsed(HTMLParser):
    """
    What a browser would make of a page.

    Attributes:
        elements: Tag and attributes of each, in order.
        scripts: The text of each script element.
        texts: What stands in each element that is no script and no style.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.texts: list[str] = []
        self._open = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """
        Take down an element.
        """
        self.elements.append((tag, dict(attrs)))
        self._open = tag
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, _tag: str) -> None:
        """
        Know that what comes is no script any more.
        """
        self._open = ""

    def handle_data(self, data: str) -> None:
        """
        Take down what stands in an element.
        """
        if self._open == "script":
            self.scripts[-1] += data
        elif self._open != "style" and data.strip():
            self.texts.append(data.strip())

    @property
    def drawn(self) -> list[dict[str, Any]]:
        """
        Return what the page's script is told to draw.
        """
        return json.loads(self.scripts[0])

    def table(self, title: str) -> dict[str, Any]:
        """
        Return the table of that *title*.
        """
        return next(block for block in self.drawn if block.get("title") == title)
