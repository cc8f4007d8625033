"""View: what is known of the node at one moment, read by the worker so that no scrape reads it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Final

import attrs

from revops.adapters.store import Books, Logged
from revops.core.budget import Limits, Spending
from revops.core.config import Config
from revops.core.ledger import Account
from revops.core.memory import BeliefMemory
from revops.core.rebalance.inventory import inventory
from revops.core.snapshot import Channel
from revops.core.units import Instant, Msat, PeerId
from revops.core.value import HORIZON_DAYS, value_msat
from revops.shell.commands.capital import limits_now
from revops.shell.commands.seen import Seen, seen_in
from revops.shell.readings import Reading

if TYPE_CHECKING:
    from revops.shell.app import App
    from revops.shell.cycle import Cycled
    from revops.shell.rebalancing.money import Moved

_WEEK_DAYS: Final = 7


@attrs.frozen(kw_only=True)
class Line:
    """
    An open channel, as all of its metrics need it.

    Attributes:
        alias: What its peer calls itself: a stranger's words; empty when nobody knows.
        account: What the books have of it; `None` until they were brought up to date.
        flow: Which way its liquidity moves, in a word.
        value_msat: What our side of it is expected to earn within a week at the price in force;
            `None` while demand is unknown.
    """

    channel: Channel
    alias: str
    account: Account | None
    flow: str
    value_msat: Msat | None
    belief: BeliefMemory | None
    labels: tuple[str, str]


@attrs.frozen(kw_only=True, eq=False)
class View:
    """
    Attributes:
        at: When it was made.
        cycled, moved: The last cycles of pricing and of rebalancing; `None` before the first.
        lines: In the order of the last cycle; closed channels are in none.
        behind: About how many forwards are still to be counted.
        opened: Rebalances whose money is not settled.
    """

    at: Instant
    config: Config
    cycled: "Cycled | None"
    moved: "Moved | None"
    seen: Seen
    lines: tuple[Line, ...]
    week: Reading
    month: Reading
    books: Books
    behind: int
    spending: Spending
    limits: Limits
    opened: tuple[Logged, ...]
    database_bytes: int


def view_of(app: "App", alias: Callable[[PeerId], str]) -> View:
    """
    Return what is known now, without asking the node; *alias* tells what a peer calls itself.

    Raises:
        StoreError: The books cannot be read.
    """
    now, last = app.clock.now(), app.cycle.last
    month = app.readings.lately(now)
    return View(
        at=now,
        config=app.settings.config,
        cycled=last,
        moved=app.money.last,
        seen=seen_in(last) if last else Seen(),
        lines=tuple(_lines(last, month, alias)) if last else (),
        week=app.readings.lately(now, _WEEK_DAYS),
        month=month,
        books=app.store.books(),
        behind=app.cycle.observer.forwards.behind,
        spending=app.store.treasury.spending(now),
        limits=limits_now(app),
        opened=app.store.treasury.open(),
        database_bytes=app.store.size_bytes(),
    )


def _lines(last: "Cycled", month: Reading, alias: Callable[[PeerId], str]) -> Iterator[Line]:
    accounts = {account.channel_id: account for account in month.ledger.accounts}
    beliefs = {m.channel_id: m.fee.belief for m in last.plan.memory.channels}
    flows = {state.channel_id: state.flow for state in last.plan.states}
    for channel in last.snapshot.channels:
        own, flow = channel.channel_id, flows.get(channel.channel_id)
        if channel.scid is not None:
            yield Line(
                channel=channel,
                alias=alias(channel.peer_id),
                account=accounts.get(own),
                flow=flow.state.value if flow else "unknown",
                value_msat=_value(channel, last.config),
                belief=beliefs.get(own),
                labels=(channel.scid, channel.peer_id),
            )


def _value(channel: Channel, config: Config) -> Msat | None:
    held = inventory((channel,), config.flow_window_days)
    if held is None or held.demand is None:
        return None
    return value_msat(held.demand, channel.fee_ppm, channel.to_us_msat, HORIZON_DAYS)
