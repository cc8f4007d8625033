"""Quote: a price on its way through the stages, with the reasons it collected."""

import enum
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import attrs

from revops.core.config import Config
from revops.core.memory import Change, FeeMemory
from revops.core.plan import FlowView
from revops.core.policy import Policy
from revops.core.reasons import Code, Facts, Reason
from revops.core.snapshot import Channel
from revops.core.units import Instant, Msat, Ppm, nearest_ppm

LOWEST: Final = Ppm(0)
HIGHEST: Final = Ppm(100_000)
"""What no fee leaves, whatever any option or policy says."""


class Mode(enum.Enum):
    """
    Whether a price is learned, given, or not ours to set.
    """

    LEARNED = enum.auto()
    GIVEN = enum.auto()
    HELD = enum.auto()


@attrs.frozen(kw_only=True, slots=False)
class PeerView:
    """
    All our open channels with one peer, seen as one.

    Attributes:
        share: How much of their capacity is ours.
        drains: Whether more leaves by them than comes in, by a margin.
    """

    share: float
    drains: bool


@attrs.frozen(kw_only=True, slots=False)
class ChannelView:
    """
    What the stages know of one channel.

    Attributes:
        memory: With what was asked for settled by what is in force.
        flow: `None` when the books could not be read.
        is_new: Opened since revops runs here, and nothing has left by it.
        changed_from: What we knew to be charged, where this look made a pin of something else.
        woken: The operator has just woken its search, which rested.
        age_s: Since it was opened, or since it was first seen.
    """

    channel: Channel
    policy: Policy
    memory: FeeMemory
    flow: FlowView | None
    peer: PeerView
    is_new: bool
    changed_from: Ppm | None
    woken: bool
    age_s: int


@attrs.frozen(kw_only=True)
class Context:
    """
    What the stages know of the node.

    Attributes:
        advanced: Time has passed since the last cycle.
        vegas: Intensity of the reflex, 0 to 1.
        week_perkw: Mean feerate of our samples; `None` without any.
        node_ppm: Median of what we charge; `None` without channels that somebody priced.
        absent: Updates, made or asked for, of channels that are remembered and not listed now.
        inflow: How full the channels are that payments come in by.
        pool: What is believed of the demand for the node's channels.
    """

    now: Instant
    seed: int
    config: Config
    advanced: bool
    vegas: float
    week_perkw: int | None
    node_ppm: Ppm | None
    absent: tuple[Change, ...]
    inflow: "Inflow"
    pool: "Pool"


@attrs.frozen(kw_only=True)
class Inflow:
    """
    How full the channels are that payments come in by.

    Attributes:
        weight: What they all weigh, each as much as comes in by it.
        ours: The sum of the shares that are ours, so weighed.
    """

    weight: float
    ours: float

    def share_without(self, view: ChannelView) -> float:
        """
        Return how much is ours of the other channels than that of *view*, a half for none.
        """
        mine = entry_weight(view)
        rest = self.weight - mine
        return (self.ours - mine * view.peer.share) / rest if rest > 0 else 0.5


def entry_weight(view: ChannelView) -> float:
    """
    Return how much a channel counts among those that payments come in by.
    """
    return 2.0 + (view.flow.in_forwards if view.flow else 0)


@attrs.frozen(kw_only=True)
class Pool:
    """
    What is believed of the demand for the node's channels, on average.

    Attributes:
        middle: Logarithm of the price at which half of the payments come, in ppm.
        per_day: How many would come a day for nothing.
    """

    middle: float
    per_day: float


class Quote(NamedTuple):
    """
    A price and how it came about. A tuple, because a cycle makes a dozen of them per channel.

    Attributes:
        base_ppm: The learned (or given) price, before factors and bounds.
        factor: What balance, scarcity and the policy's multipliers make of it.
        balance: What balance alone makes of it.
        floor, ceiling: Where the price stays; the ceiling wins.
        lower, upper: Where the *learned* price stays: without passing spikes.
        at_ceiling: Congested: the price is the ceiling, whatever was learned.
        urgent: Worth the reserve of the gossip budget.
        unlimited: Not held to the step per cycle.
        disturbed: The stage whose say makes this a time that teaches nothing, or empty.
        until: For a price that is held: when that may end.
        tolerance: Share of the price in force by which it may be off without being told.
    """

    base_fee_msat: Msat
    memory: FeeMemory
    mode: Mode
    in_force: Ppm
    base_ppm: Ppm
    factor: float = 1.0
    floor: Ppm = LOWEST
    ceiling: Ppm = HIGHEST
    at_ceiling: bool = False
    balance: float = 1.0
    lower: Ppm = LOWEST
    upper: Ppm = HIGHEST
    urgent: bool = False
    unlimited: bool = False
    disturbed: str = ""
    until: Instant | None = None
    tolerance: float = 0.0
    trail: tuple[Reason, ...] = ()

    @property
    def price(self) -> Ppm:
        """
        Return the fee that this quote comes to.
        """
        row: tuple[Any, ...] = self
        return _price(*row[_PRICED])

    def price_of(self, base_ppm: Ppm) -> Ppm:
        """
        Return what *base_ppm* comes to under this quote's factor and bounds.
        """
        return _bounded(nearest_ppm(base_ppm * self.factor), self.floor, self.ceiling)

    def bounded(self, ppm: Ppm) -> Ppm:
        """
        Return *ppm* within floor and ceiling; where they cross, the ceiling wins.
        """
        return _bounded(ppm, self.floor, self.ceiling)

    def because(self, code: Code, facts: Facts | None = None, **changes: Any) -> "Quote":  # noqa: ANN401 -- fields of a quote, which _replace() asks for
        """
        Return this quote with *changes*, and a Reason with the price before and after them.
        """
        row: list[Any] = list(self)
        for name, value in changes.items():
            row[_PLACES[name]] = value
        trail = self.trail
        before = trail[-1].after if trail else self.price
        after = _price(*row[_PRICED])
        row[-1] = (*trail, Reason(code, tuple(facts.items()) if facts else (), before, after))
        return Quote._make(row)

    def amended(self, **changes: Any) -> "Quote":  # noqa: ANN401 -- see because()
        """
        Return this quote with *changes*, which nobody is told of: half the time of `_replace`.
        """
        row: list[Any] = list(self)
        for name, value in changes.items():
            row[_PLACES[name]] = value
        return Quote._make(row)


_PLACES: Final = {name: place for place, name in enumerate(Quote._fields)}
_PRICED: Final = slice(_PLACES["mode"], _PLACES["at_ceiling"] + 1)
"""The fields that a price is made of, in the order in which they are taken."""


def _price(  # noqa: PLR0913, PLR0917 -- those fields
    mode: Mode,
    in_force: Ppm,
    base_ppm: Ppm,
    factor: float,
    floor: Ppm,
    ceiling: Ppm,
    at_ceiling: bool,  # noqa: FBT001 -- see above
) -> Ppm:
    if mode is Mode.HELD:
        return in_force
    if at_ceiling:
        return ceiling
    return _bounded(base_ppm if factor == 1.0 else nearest_ppm(base_ppm * factor), floor, ceiling)


def _bounded(ppm: Ppm, floor: Ppm, ceiling: Ppm) -> Ppm:
    return ppm if floor <= ppm <= ceiling else min(max(ppm, floor), ceiling)


def unbalanced(quote: Quote) -> Ppm:
    """
    Return the base with which a search begins: one that leaves the price in force as it is, or
    what a new channel is to charge.
    """
    if quote.unlimited:
        return quote.base_ppm
    # What another search came to has had every factor already, and not balance alone.
    return nearest_ppm(quote.in_force / (quote.factor if quote.memory.search else quote.balance))


class Learned(NamedTuple):
    """
    What an optimizer answers.

    Attributes:
        base_ppm: The price to charge before factors and bounds.
        memory: With what the optimizer wants to remember.
        code, facts: Why.
        tolerance: Share of the price in force by which it may be off without being told.
    """

    base_ppm: Ppm
    memory: FeeMemory
    code: Code
    facts: Facts
    tolerance: float = 0.0


Optimizer = Callable[[Quote, ChannelView, Context], Learned]
"""
A search for the price that earns most: pure, with its state in the quote's memory. It keeps within
`lower` and `upper`, and learns nothing from a `disturbed` time or without traffic.
"""
