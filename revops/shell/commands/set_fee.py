"""revenue-set-fee: a fee that the operator sets now, and that stays as long as is said."""

from typing import TYPE_CHECKING, Final

from revops.core.actions import assert_never
from revops.core.fees.floors import operator_bounds
from revops.core.fees.quote import HIGHEST
from revops.core.memory import Price
from revops.core.outcomes import Applied, PriceOutcome, Refused, Rehearsed, Unknown
from revops.core.snapshot import Channel
from revops.core.units import Instant, Msat, Ppm
from revops.shell.commands.command import (
    Answer,
    Argument,
    Command,
    CommandError,
    Given,
    NotDoneError,
    switch,
    whole,
)
from revops.shell.commands.ordering import (
    Wish,
    carry_out,
    pinned,
    refuse_while_paused,
    the_channel,
)

if TYPE_CHECKING:
    from revops.shell.app import App

_HOURS: Final = 24
_MOST_HOURS: Final = 8760


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-set-fee`.
    """
    ppm = Ppm(whole("ppm", given["ppm"], 0, HIGHEST))
    hours = whole("hours", given.get("hours", _HOURS), 0, _MOST_HOURS)
    force = switch("force", given.get("force", False))
    refuse_while_paused(app)
    with app.cycle.performer.turn:
        channel = the_channel(app, str(given["scid"]))
        if not force:
            _refuse_out_of_bounds(app, channel, ppm)
        base = app.settings.config.base_fee_msat
        price = Price(
            fee_ppm=ppm,
            base_fee_msat=channel.base_fee_msat if base is None else Msat(base),
        )
        wish = Wish(channel=channel, price=price)
        until = pinned(app, wish, hours).until
        [(_, outcome)] = carry_out(app, [wish], hours)
    return _told(app, wish, outcome, until)


def _refuse_out_of_bounds(app: "App", channel: Channel, ppm: Ppm) -> None:
    policy = app.store.policies().get(channel.peer_id, app.clock.now())
    floor, ceiling = operator_bounds(policy, app.settings.config)
    if not min(floor, ceiling) <= ppm <= ceiling:
        own = policy.min_fee_ppm is not None or policy.max_fee_ppm is not None
        whose = "the peer's policy" if own else "min-fee-ppm, max-fee-ppm"
        least = min(floor, ceiling)
        msg = f"ppm: expected {least} to {ceiling} ({whose}), got {ppm}; force=true sets it anyway"
        raise CommandError(msg)


def _told(app: "App", wish: Wish, outcome: PriceOutcome, until: Instant) -> Answer:  # noqa: RET503 -- assert_never does not return
    scid, ppm = wish.channel.scid, wish.price.fee_ppm
    match outcome:
        case Applied():
            stays = until > app.clock.now()
            message = "revops leaves it alone until then" if stays else "revops goes on from there"
            return _answer("success", wish, until, message)
        case Rehearsed():
            message = "dry-run is set: it is written down, and nothing was set or pinned"
            return _answer("rehearsed", wish, None, message)
        case Refused():
            msg = f"scid: {scid}: {ppm} ppm is not set and not pinned: {outcome.error}"
            raise NotDoneError(msg)
        case Unknown():
            wait = max(0, app.worker.state("fees").next_run - app.clock.now())
            msg = (
                f"scid: {scid}: {ppm} ppm may be set and pinned, or not; the next look, in"
                f" {wait} s, shows it: {outcome.error}"
            )
            raise NotDoneError(msg)
        case _:
            assert_never(outcome)


def _answer(status: str, wish: Wish, until: Instant | None, message: str) -> Answer:
    channel, price = wish.channel, wish.price
    return {
        "status": status,
        "success": status == "success",
        # Neighbours know a channel by its short channel id, under either name.
        "channel": channel.scid,
        "channel_id": channel.scid,
        "scid": channel.scid,
        "peer_id": channel.peer_id,
        "old_fee_ppm": channel.fee_ppm,
        "new_fee_ppm": price.fee_ppm,
        "fee_ppm": price.fee_ppm,
        "base_fee_msat": price.base_fee_msat,
        "pinned_until": until,
        "message": message,
    }


COMMAND = Command(
    name="revenue-set-fee",
    help="Set the fee of one channel now, and keep revops from changing it for a day or as long as"
    " you say.",
    arguments=(
        Argument(
            "scid",
            "the channel, by its short channel id or channel id",
            needed=True,
            aliases=("channel_id",),
        ),
        Argument("ppm", "the fee, 0 to 100000 ppm", needed=True, aliases=("fee_ppm",)),
        Argument("force", "true also sets what is outside of min-fee-ppm to max-fee-ppm"),
        Argument("hours", "how long it stays, up to 8760; 24 if not given, 0 for not at all"),
    ),
    run=run,
    examples=("revenue-set-fee 851370x470x1 250", "revenue-set-fee 851370x470x1 0 true 72"),
    slow=True,
)
