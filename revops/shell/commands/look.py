"""Look: the node as far as it is known now, without asking it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from revops.core.actions import SetFee
from revops.core.outcomes import Applied
from revops.core.snapshot import Channel, Snapshot
from revops.shell.commands.command import CommandError

if TYPE_CHECKING:
    from revops.shell.app import App
    from revops.shell.cycle import Cycled


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


def chosen(last: "Cycled", subject: object) -> tuple[Channel, ...]:
    """
    Return the channels that *subject*, any of their ids, names; all for `None`.

    Raises:
        CommandError: It names none.
    """
    channels = last.snapshot.channels
    if subject is None:
        return channels
    found = tuple(c for c in channels if subject in (c.scid, c.channel_id, c.peer_id))
    if not found:
        msg = (
            "channel: expected a short channel id, channel id or peer id of the last look,"
            f" got {subject!r}"
        )
        raise CommandError(msg)
    return found
