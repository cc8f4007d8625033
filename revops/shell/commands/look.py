"""Look: the node as far as it is known now, without asking it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from revops.core.actions import SetFee
from revops.core.outcomes import Applied
from revops.core.snapshot import Channel, Snapshot
from revops.core.treasury import Treasury
from revops.shell.commands.command import CommandError

if TYPE_CHECKING:
    from revops.shell.app import App
    from revops.shell.cycle import Cycled
    from revops.shell.rebalancing.money import Moved


def last_look(app: "App") -> "Cycled":
    """
    Return the last cycle.

    Raises:
        CommandError: There was none since the start.
    """
    if app.cycle.last is None:
        msg = "nothing was seen yet since the start; the first cycle comes with a block"
        raise CommandError(msg)
    return app.cycle.last


def known_now(app: "App", last: "Cycled", channels: Sequence[Channel]) -> Snapshot:
    """
    Return what a cycle would see of *channels* now, if the node had not changed since *last* but
    for the prices that were set then, or ordered since.
    """
    now = app.clock.now()
    pins = app.store.pins(now)
    ordered = app.cycle.performer.ordered
    prices = {
        pin.channel_id: Applied(fee_ppm=pin.price.fee_ppm, base_fee_msat=pin.price.base_fee_msat)
        for pin in pins
        if pin.channel_id in ordered
    }
    for entry, outcome in last.done:
        if isinstance(entry.action, SetFee) and isinstance(outcome, Applied):
            prices.setdefault(entry.action.channel_id, outcome)
    return attrs.evolve(
        last.snapshot,
        now=now,
        channels=[_at(channel, prices.get(channel.channel_id)) for channel in channels],
        policies=app.store.policies().policies,
        pins=pins,
        wake=app.cycle.wake.is_set(),
        memory=last.plan.memory,
    )


def _at(channel: Channel, price: Applied | None) -> Channel:
    if price is None:
        return channel
    htlc_max = channel.htlc_max_msat if price.htlc_max_msat is None else price.htlc_max_msat
    return attrs.evolve(
        channel,
        fee_ppm=price.fee_ppm,
        base_fee_msat=price.base_fee_msat,
        htlc_max_msat=htlc_max,
    )


def last_money_look(app: "App") -> "Moved":
    """
    Return the last cycle of rebalancing.

    Raises:
        CommandError: There was none since the start.
    """
    if app.money.last is None:
        trouble = app.worker.state("rebalance").last_error
        why = f"the last try failed: {trouble}" if trouble else "the first comes with a block"
        msg = f"rebalancing has not looked at the node yet since the start; {why}"
        raise CommandError(msg)
    return app.money.last


def money_now(app: "App", last: "Moved") -> Snapshot:
    """
    Return what a cycle of rebalancing would see now, if nothing had moved since *last* but what
    the books know of.
    """
    now, book, seen = app.clock.now(), app.store.treasury, last.snapshot.treasury or Treasury()
    since = min((attempt.at for attempt in seen.attempts), default=last.snapshot.now)
    return attrs.evolve(
        last.snapshot,
        now=now,
        policies=app.store.policies().policies,
        pins=app.store.pins(now),
        memory=app.cycle.memory,
        treasury=attrs.evolve(seen, spending=book.spending(now), attempts=book.attempts(since)),
    )


def chosen(
    channels: Sequence[Channel], subject: object, name: str = "channel"
) -> tuple[Channel, ...]:
    """
    Return those of *channels* that the argument *name*, any of their ids, means; all for `None`.

    Raises:
        CommandError: It means none.
    """
    if subject is None:
        return tuple(channels)
    found = tuple(c for c in channels if subject in (c.scid, c.channel_id, c.peer_id))
    if not found:
        msg = (
            f"{name}: expected a short channel id, channel id or peer id of the last look,"
            f" got {subject!r}"
        )
        raise CommandError(msg)
    return found
