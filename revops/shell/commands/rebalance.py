"""revenue-rebalance: liquidity that the operator, or a neighbour, wants to be moved now."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.core.actions import StartRebalance
from revops.core.checks import MOST_MSAT
from revops.core.outcomes import Refused, Rehearsed
from revops.core.plan import Decision
from revops.core.reasons import sentence
from revops.core.rebalance.order import Order, ordered
from revops.core.snapshot import Channel
from revops.core.units import from_sats
from revops.shell.commands.capital import cost, limits_now
from revops.shell.commands.command import (
    Answer,
    Argument,
    Command,
    CommandError,
    Given,
    switch,
    whole,
)
from revops.shell.commands.look import chosen, last_money_look, money_now
from revops.shell.commands.money import earned

if TYPE_CHECKING:
    from revops.adapters.store import JournalEntry
    from revops.shell.app import App

_MOST_SATS: Final = MOST_MSAT // 1000


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-rebalance`.
    """
    amount = whole("amount_sats", given["amount_sats"], 1, _MOST_SATS)
    fee = given.get("max_fee_sats")
    most = None if fee is None else from_sats(whole("max_fee_sats", fee, 0, _MOST_SATS))
    force = switch("force", given.get("force", False))
    last = last_money_look(app)
    to, from_ = (_named(app, last.snapshot.channels, given, name) for name in ("to", "from"))
    _refuse_loops(to, from_)
    order = Order(
        to_channels=frozenset(channel.channel_id for channel in to),
        from_channels=frozenset(channel.channel_id for channel in from_),
        amount_sats=amount,
        most_fee_msat=most,
        force=force,
    )
    decision = ordered(order, money_now(app, last), app.settings.config)
    action = decision.action
    if not isinstance(action, StartRebalance):
        raise CommandError(_refusal(decision, force=force))
    return _told(app, decision, action, _reserved(app, decision))


def _named(app: "App", channels: Sequence[Channel], given: Given, name: str) -> tuple[Channel, ...]:
    try:
        return chosen(channels, given[name], name)
    except CommandError as error:
        # It may have opened since.
        app.worker.hurry("rebalance")
        wait = max(0, app.worker.state("rebalance").next_run - app.clock.now())
        msg = f"{error}; the next look is in {wait} s"
        raise CommandError(msg) from None


def _refuse_loops(to: tuple[Channel, ...], from_: tuple[Channel, ...]) -> None:
    peers = {channel.peer_id for channel in to} & {channel.peer_id for channel in from_}
    if peers:
        msg = f"from: expected channels of another peer than to, got {from_[0].scid!r}"
        raise CommandError(msg)


def _refusal(decision: Decision, *, force: bool) -> str:
    """
    Return why it is not begun: all that was said after what was ordered.
    """
    _, *why = decision.trail
    said = "; ".join(sentence(reason) for reason in why)
    hint = "" if force else "; force=true asks for no profit: the budget and the reserve still hold"
    return f"to: {decision.scid or decision.channel_id}: {said}{hint}"


def _reserved(app: "App", decision: Decision) -> "JournalEntry | None":
    """
    Return the order as it stands in the books, with its money reserved; `None` in a dry run.
    """
    try:
        entry = app.money.jobs.order(decision, limits_now(app))
    except (NodeRefusedError, NoAnswerError) as error:
        msg = f"{error}; nothing was ordered"
        raise CommandError(msg) from None
    if entry is None:
        (explained,) = app.store.last_decisions(decision.channel_id, "rebalance")
        if isinstance(explained.outcome, Refused):
            msg = f"to: {decision.scid}: {explained.outcome.error}"
            raise CommandError(msg)
        assert isinstance(explained.outcome, Rehearsed)  # noqa: S101 -- nothing else is left out
        return None
    app.worker.hurry("jobs")
    return entry


def _told(
    app: "App", decision: Decision, action: StartRebalance, entry: "JournalEntry | None"
) -> Answer:
    wait = max(0, app.worker.state("jobs").next_run - app.clock.now())
    return {
        "status": "initiated" if entry else "rehearsed",
        "success": entry is not None,
        "rebalance_id": entry.rebalance_id if entry else None,
        "to_channel": action.scid,
        "peer_id": action.peer_id,
        "from_channels": [source.scid for source in action.sources],
        **earned("amount", action.amount_msat),
        **earned("chunk", action.chunk_msat),
        "max_ppm": action.max_ppm,
        **cost("max_fee", action.max_fee_msat),
        **cost("expected_fee", action.expected_fee_msat),
        "why": [sentence(reason) for reason in decision.trail],
        "message": f"its money is reserved, and sling is asked within {wait} s: revenue-jobs shows"
        " what comes of it"
        if entry
        else "dry-run is set: it is written down, and nothing is reserved or begun",
    }


COMMAND = Command(
    name="revenue-rebalance",
    help="Fill a channel from others of ours now, by circular payments through sling. What it may"
    " cost is reserved before it begins; the answer does not wait for the payments.",
    arguments=(
        Argument(
            "from",
            "what gives: a short channel id or channel id, or a peer id for all of its channels",
            needed=True,
            aliases=("from_channel",),
        ),
        Argument(
            "to",
            "what is filled, likewise; of a peer's channels the one with most room",
            needed=True,
            aliases=("to_channel",),
        ),
        Argument("amount_sats", "how much, in equal payments of rebalance-chunk at most", True),
        Argument(
            "max_fee_sats",
            "the most that all of it may cost; what it is expected to bring decides otherwise, with"
            " force rebalance-max-ppm",
        ),
        Argument("force", "true asks for no profit; paused, the budget and the reserve still hold"),
    ),
    run=run,
    examples=("revenue-rebalance 851371x8x0 851371x1x0 100000 50 true",),
    slow=True,
    neighbourly=True,
)
