"""Treasury: what a rebalancing cycle may know beside the channels."""

import enum
from collections.abc import Iterable
from operator import attrgetter
from typing import Any, Final

import attrs

from revops.core import checks
from revops.core.budget import OVER, Spend, Spending
from revops.core.units import ChannelId, Instant, Msat, PeerId, Scid

MOST_RECORD: Final = 1e9
"""Beyond this a record is as good as certain, and floats could not tell one more from none."""


@attrs.frozen(kw_only=True)
class Reputation:
    """
    What became of the HTLCs that we forwarded to a peer; see `revops.core.reputation`.

    Attributes:
        hour: The last hour digested, since the epoch; no hour is digested twice.
        successes, failures: Exponentially weighted counts, as of the end of that hour.
    """

    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    hour: int = attrs.field(validator=checks.whole())
    successes: float = attrs.field(default=0.0, validator=checks.number(0, MOST_RECORD))
    failures: float = attrs.field(default=0.0, validator=checks.number(0, MOST_RECORD))


class Progress(str, enum.Enum):
    """
    What a rebalancer says of a job.

    `WORKING` looks for routes or pays; `DONE` needs nothing more; `TOO_EXPENSIVE` and `NO_ROUTE`
    say that the market said no; `WAITING` passes by itself; `DEAD` does not.
    """

    WORKING = "working"
    DONE = "done"
    TOO_EXPENSIVE = "too_expensive"
    NO_ROUTE = "no_route"
    WAITING = "waiting"
    DEAD = "dead"


@attrs.frozen(kw_only=True)
class Job:
    """
    What a rebalancer is at, as it lists it: our doing or somebody else's.

    Attributes:
        scid: The channel that is filled or emptied.
        progress: Of its tasks the one that is farthest from its end; `None` for a job that it
            keeps for ever, which ours never are.
        partners: The channels it may use for it, where it names them.
        words: What the rebalancer says itself, for people.
    """

    scid: Scid = attrs.field(validator=checks.scid())
    progress: Progress | None = None
    partners: tuple[Scid, ...] = ()
    words: str = ""


@attrs.frozen(kw_only=True)
class Engine:
    """
    The plugin that moves liquidity, as it was found.

    Attributes:
        version: `None` when it is not there, or did not answer.
        trouble: Why it could not be asked, in a sentence; empty when it could.
        jobs: What it is at, or was and lists still; none when it is not there, `None` when it did
            not tell.
    """

    version: str | None = None
    trouble: str = ""
    jobs: tuple[Job, ...] | None = None


class Ending(str, enum.Enum):
    """
    How a rebalance ended.

    Those of `FAILURES` say something about the way to the peer; the others do not.
    """

    DONE = "done"
    PARTIAL = "partial"
    NO_ROUTE = "no_route"
    TOO_EXPENSIVE = "too_expensive"
    REJECTED = "rejected"
    EXPIRED = "expired"
    STOPPED = "stopped"
    VANISHED = "vanished"


FAILURES: Final = frozenset(
    {Ending.NO_ROUTE, Ending.TOO_EXPENSIVE, Ending.REJECTED, Ending.EXPIRED}
)
"""Tried in earnest, and nothing moved: no route, too dear, rejected, or no luck until the end."""


@attrs.frozen(kw_only=True)
class Attempt:
    """
    A rebalance that was begun, or was about to be.

    Attributes:
        at: When it was decided.
        to_channel, to_peer: What is filled, and by whom.
        from_channels: What may give.
        amount_msat: What was to be moved.
        chunk_msat: By payments of this size.
        limit_msat: The most it may cost: what is reserved.
        before_msat: What was on our side of the filled channel when it was decided.
        state: Of its money.
        moved_msat, fee_msat: What arrived and what it cost, by the node's own records so far.
        moved_at: When the latest of it arrived; `None` while nothing has.
        stopping: How it is to end, from when that was decided until it has ended; `None` while it
            is to go on.
        ending, ended_at: `None` as long as its money is not settled.
        sold: Share of what arrived that left again within the horizon; `None` while that is not
            over, or nothing arrived.
        ordered: By the operator, whatever the expected value.
    """

    rebalance_id: int = attrs.field(validator=checks.whole())
    at: Instant = attrs.field(validator=checks.whole())
    to_channel: ChannelId = attrs.field(validator=checks.hexadecimal(64))
    to_peer: PeerId = attrs.field(validator=checks.hexadecimal(66))
    from_channels: tuple[ChannelId, ...] = ()
    amount_msat: Msat = attrs.field(validator=checks.msat())
    chunk_msat: Msat = attrs.field(validator=checks.msat())
    limit_msat: Msat = attrs.field(validator=checks.msat())
    before_msat: Msat = attrs.field(default=Msat(0), validator=checks.msat())
    state: Spend = Spend.RESERVED
    moved_msat: Msat = attrs.field(default=Msat(0), validator=checks.msat())
    fee_msat: Msat = attrs.field(default=Msat(0), validator=checks.msat())
    moved_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    stopping: Ending | None = None
    ending: Ending | None = None
    ended_at: Instant | None = attrs.field(default=None, validator=checks.whole(optional=True))
    sold: float | None = attrs.field(default=None, validator=checks.number(0, 1, optional=True))
    ordered: bool = False

    @property
    def open(self) -> bool:
        """
        Return whether its money is not settled yet.
        """
        return self.state not in OVER


def by_rebalance(items: Iterable[Any]) -> tuple[Any, ...]:
    """
    Return attempts in the order in which they were made.
    """
    return tuple(sorted(items, key=attrgetter("rebalance_id")))


def _in_order(peers: Iterable[PeerId]) -> tuple[PeerId, ...]:
    return tuple(sorted(set(peers)))


@attrs.frozen(kw_only=True)
class Treasury:
    """
    What the books, the wallet and the rebalancer tell a rebalancing cycle.

    Attributes:
        engine: `None` when it was not asked.
        spending: What rebalancing cost and may yet cost; `None` when the books do not tell.
        revenue_day_msat, revenue_week_msat: Fees earned in the last 24 hours and 7 days; `None`
            while forwards are not counted through.
        refill_cost_week_msat: What all circular payments of 7 days cost, whoever made them;
            `None` when the node did not tell.
        income_month_msat: Fees earned less refills paid in 30 days: the bankroll.
        attempts: Those of the last 90 days, and all that are open.
        one_at_a_time: The node keeps no list of what moved in its channels, so that the cost of
            two rebalances at once could not be told apart.
        reputations: Of peers.
        contested: Peers that another member of our hive fills channels of now.
    """

    engine: Engine | None = None
    spending: Spending | None = None
    revenue_day_msat: Msat | None = attrs.field(default=None, validator=checks.whole(optional=True))
    revenue_week_msat: Msat | None = attrs.field(
        default=None, validator=checks.whole(optional=True)
    )
    refill_cost_week_msat: Msat | None = attrs.field(
        default=None, validator=checks.whole(optional=True)
    )
    income_month_msat: Msat | None = attrs.field(
        default=None, validator=checks.whole(-checks.MOST_MSAT, optional=True)
    )
    attempts: tuple[Attempt, ...] = attrs.field(
        default=(),
        converter=by_rebalance,
        validator=checks.unique("rebalance_id", attrgetter("rebalance_id")),
    )
    one_at_a_time: bool = False
    reputations: tuple[Reputation, ...] = attrs.field(
        default=(),
        converter=checks.by_peer,
        validator=checks.unique("peer_id", attrgetter("peer_id")),
    )
    contested: tuple[PeerId, ...] = attrs.field(default=(), converter=_in_order)
