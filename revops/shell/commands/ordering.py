"""Ordering: how a command sets fees at once, so that the cycles after it leave them alone."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.core.actions import SetFee
from revops.core.memory import Price
from revops.core.outcomes import PriceOutcome
from revops.core.plan import Decision
from revops.core.reasons import Code, because
from revops.core.snapshot import NORMAL, Channel, FeePin
from revops.core.units import HOUR, Instant, Msat, PeerId
from revops.shell.commands.command import CommandError, NotDoneError

if TYPE_CHECKING:
    from revops.adapters.store import Order
    from revops.shell.app import App


@attrs.frozen(kw_only=True)
class Wish:
    """
    A price for one channel, as it is now.
    """

    channel: Channel
    price: Price
    htlc_max_msat: Msat | None = None


def refuse_while_paused(app: "App") -> None:
    """
    Refuse to act while the operator has paused everything.

    Raises:
        CommandError: paused is set.
    """
    if app.settings.config.paused:
        msg = "paused is set and keeps every fee as it is: set revenue-ops-paused to false first"
        raise CommandError(msg)


def look(app: "App", peer_id: PeerId | None = None) -> tuple[tuple[Channel, ...], tuple[str, ...]]:
    """
    Return the channels as the node has them now, all or those with one peer, and a sentence for
    what could not be read; for whoever has the turn.

    Raises:
        NotDoneError: The node did not tell.
    """
    now, node = app.clock.now(), app.cycle.performer.node
    try:
        channels, problems = node.channels(now, app.cycle.observer.blockheight, peer_id)
    except (NodeRefusedError, NoAnswerError) as error:
        msg = f"{error}; nothing was done"
        raise NotDoneError(msg) from None
    # Before it is touched for the first time: an order may come before the first cycle.
    app.store.know_channels(channels, now)
    return channels, problems


def the_channel(app: "App", name: str) -> Channel:
    """
    Return the channel *name*, on which a fee can be set, as the node has it now.

    Raises:
        CommandError: There is none, or its fee cannot be set.
        NotDoneError: The node did not tell.
    """
    last = app.cycle.last.snapshot.channels if app.cycle.last else ()
    peers = [channel.peer_id for channel in last if name in (channel.scid, channel.channel_id)]
    channels, problems = look(app, peers[0] if peers else None)
    found = [channel for channel in channels if name in (channel.scid, channel.channel_id)]
    if not found:
        unread = "".join(f"; {problem}" for problem in problems)
        msg = f"scid: expected a short channel id or channel id of ours, got {name!r}{unread}"
        raise CommandError(msg)
    if why_not := _why_not(found[0]):
        msg = f"scid: {name} {why_not}"
        raise CommandError(msg)
    return found[0]


def _why_not(channel: Channel) -> str | None:
    if channel.state != NORMAL:
        return f"is in state {channel.state}: fees can be set in {NORMAL} only"
    return "has no short channel id yet" if channel.scid is None else None


def can_be_set(channel: Channel) -> bool:
    """
    Return whether a fee can be set on *channel*.
    """
    return _why_not(channel) is None


def pinned(app: "App", wish: Wish, hours: int) -> FeePin:
    """
    Return *wish* as what stays for *hours* from now.
    """
    now = app.clock.now()
    return FeePin(
        channel_id=wish.channel.channel_id,
        price=wish.price,
        set_at=now,
        until=Instant(now + hours * HOUR),
    )


def carry_out(
    app: "App", wishes: Sequence[Wish], hours: int
) -> tuple[tuple[Wish, PriceOutcome], ...]:
    """
    Have *wishes* set and left alone for *hours*, and return what became of each; for whoever has
    the turn since it looked.
    """
    orders = [_order(app, wish, hours) for wish in wishes]
    done = app.cycle.performer.order(orders, dry_run=app.settings.config.dry_run)
    return tuple((wish, outcome) for wish, (_, outcome) in zip(wishes, done, strict=True))


def _order(app: "App", wish: Wish, hours: int) -> "Order":
    channel, price = wish.channel, wish.price
    assert channel.scid is not None  # noqa: S101 -- nobody wishes what cannot be set
    action = SetFee(
        channel_id=channel.channel_id,
        scid=channel.scid,
        peer_id=channel.peer_id,
        old_ppm=channel.fee_ppm,
        new_ppm=price.fee_ppm,
        old_base_msat=channel.base_fee_msat,
        new_base_msat=price.base_fee_msat,
        htlc_max_msat=wish.htlc_max_msat,
    )
    facts = {"fee_ppm": price.fee_ppm, "base_fee_msat": price.base_fee_msat}
    decision = Decision(
        channel_id=channel.channel_id,
        scid=channel.scid,
        peer_id=channel.peer_id,
        action=action,
        trail=(
            because(
                Code.ORDERED,
                channel.fee_ppm,
                price.fee_ppm,
                fee_ppm=price.fee_ppm,
                hours=float(hours),
            ),
            because(Code.SET, price.fee_ppm, price.fee_ppm, **facts),
        ),
    )
    return decision, pinned(app, wish, hours)
