"""Look: the node as far as it is known now, without asking it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
    for the prices that were set then.
    """
    now, config = app.clock.now(), app.settings.config
    memory = last.plan.memory
    traffic = app.store.traffic(now, config.flow_window_days, memory)
    prices = {
        entry.action.channel_id: outcome
        for entry, outcome in last.done
        if isinstance(entry.action, SetFee) and isinstance(outcome, Applied)
    }
    return attrs.evolve(
        last.snapshot,
        now=now,
        channels=[
            attrs.evolve(
                channel,
                # What could not be read then stays unknown.
                traffic=channel.traffic and traffic.get(channel.channel_id),
                **_in_force(prices.get(channel.channel_id)),
            )
            for channel in channels
        ],
        policies=app.store.policies().policies,
        memory=memory,
    )


def _in_force(price: Applied | None) -> dict[str, Any]:
    if price is None:
        return {}
    htlc_max = {} if price.htlc_max_msat is None else {"htlc_max_msat": price.htlc_max_msat}
    return {"fee_ppm": price.fee_ppm, "base_fee_msat": price.base_fee_msat, **htlc_max}


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
