"""Blocks: what a page may be made of, as data; whatever text they hold is shown, never obeyed."""

import attrs

Number = int | float


@attrs.frozen(kw_only=True)
class Card:
    """
    One headline number.

    Attributes:
        tone: `good`, `bad` or empty; the words say it too.
    """

    label: str
    value: str
    note: str = ""
    tone: str = ""


@attrs.frozen(kw_only=True)
class Cards:
    """
    Headline numbers side by side.
    """

    cards: tuple[Card, ...]


@attrs.frozen(kw_only=True)
class Notes:
    """
    Sentences that nobody should overlook, or with *quiet* such as belong to the small print.
    """

    sentences: tuple[str, ...]
    quiet: bool = False


@attrs.frozen(kw_only=True)
class Band:
    """
    What something was at each place along the x axis, in the middle and at both ends.
    """

    name: str
    low: tuple[Number, ...]
    middle: tuple[Number, ...]
    high: tuple[Number, ...]


@attrs.frozen(kw_only=True)
class Lines:
    """
    Bands over a common x axis.

    Attributes:
        steps: What is drawn stays as it is until it changes, as a fee does.
        least, most: Bounds of the y axis; without them it is as high as what is drawn.
    """

    title: str
    x_title: str
    y_title: str
    x: tuple[Number, ...]
    bands: tuple[Band, ...]
    steps: bool = False
    least: Number | None = None
    most: Number | None = None


@attrs.frozen(kw_only=True)
class Spread:
    """
    What came out, each time.
    """

    name: str
    values: tuple[Number, ...]


@attrs.frozen(kw_only=True)
class Spreads:
    """
    How outcomes are distributed, one below the other.

    Attributes:
        first: Which colour they begin with: where the first of another chart is left out, 1.
    """

    title: str
    x_title: str
    spreads: tuple[Spread, ...]
    first: int = 0


@attrs.frozen(kw_only=True)
class Item:
    """
    One thing that can be chosen.

    Attributes:
        key: What else on the page calls it by.
        charts: The bands of each chart, in the order of the chooser's charts.
    """

    key: str
    name: str
    facts: tuple[str, ...]
    charts: tuple[tuple[Band, ...], ...]


@attrs.frozen(kw_only=True)
class Chooser:
    """
    Charts of which one thing at a time is shown; their own bands are empty.
    """

    label: str
    charts: tuple[Lines, ...]
    items: tuple[Item, ...]


@attrs.frozen(kw_only=True)
class Column:
    """
    What one column of a table tells.

    Attributes:
        number: Aligned by its last digit, and sorted as a number.
        minor: Left out where there is little room.
        wide: Sentences, which need room.
    """

    title: str
    number: bool = False
    minor: bool = False
    wide: bool = False


@attrs.frozen(kw_only=True)
class Cell:
    """
    What stands in one place of a table.

    Attributes:
        below: A second line, smaller.
        by: What it is sorted by, instead of its text or the number that this begins with.
        share: Drawn as a bar beside the text, 0 to 1.
        tone: `up`, `down`, `quiet` or empty; the words say it too.
    """

    text: str
    below: str = ""
    by: Number | None = None
    share: float | None = None
    tone: str = ""


@attrs.frozen(kw_only=True)
class Step:
    """
    One step of a trail: its stage, what it made of the price, and why.
    """

    stage: str
    change: str
    words: str


@attrs.frozen(kw_only=True)
class Trail:
    """
    How a decision came about.
    """

    title: str
    steps: tuple[Step, ...]


@attrs.frozen(kw_only=True)
class Row:
    """
    One thing that a table is about.

    Attributes:
        marked: Still there when only what matters most is asked for.
        key: Of the chooser's item it belongs to.
        facts, trails: Shown when the row is opened.
    """

    cells: tuple[Cell, ...]
    marked: bool = False
    key: str = ""
    facts: tuple[str, ...] = ()
    trails: tuple[Trail, ...] = ()


@attrs.frozen(kw_only=True)
class Table:
    """
    Rows that can be filtered, sorted and opened.

    Attributes:
        only: What the switch is called that leaves the marked rows; without it there is none.
        empty: What is said where there is no row.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    only: str = ""
    empty: str = ""


Block = Cards | Notes | Lines | Spreads | Chooser | Table


@attrs.frozen(kw_only=True)
class Section:
    """
    Blocks under one heading.
    """

    title: str
    intro: str = ""
    blocks: tuple[Block, ...]
