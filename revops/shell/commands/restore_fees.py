"""revenue-restore-fees: every fee as it was before revops first touched it."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from revops.core.outcomes import Applied, Outcome, Refused, Rehearsed, Unknown
from revops.core.snapshot import Channel
from revops.core.units import HOUR, Instant
from revops.shell.commands.command import Answer, Argument, Command, Given, NotDoneError
from revops.shell.commands.ordering import (
    Wish,
    can_be_set,
    carry_out,
    look,
    pinned,
    refuse_while_paused,
    the_channel,
)

if TYPE_CHECKING:
    from revops.adapters.store import Original
    from revops.shell.app import App

Done = Sequence[tuple[Wish, Outcome]]

_HOURS: Final = 24
_ADVICE: Final = (
    "revops leaves these fees alone for 24 hours; for longer, set revenue-ops-authority to observe"
    " or stop the plugin"
)
_REHEARSED: Final = "dry-run is set: it is written down, and nothing was set or pinned"


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-restore-fees`.
    """
    refuse_while_paused(app)
    dry_run = app.settings.config.dry_run
    with app.cycle.performer.turn:
        channels, problems = _chosen(app, given.get("scid"))
        wishes = _wishes(app, channels)
        already = [wish for wish in wishes if _is_in_force(wish)]
        if not dry_run:
            app.cycle.performer.keep([pinned(app, wish, _HOURS) for wish in already])
        until = Instant(app.clock.now() + _HOURS * HOUR)
        done = carry_out(app, [wish for wish in wishes if not _is_in_force(wish)], _HOURS)
    return _told(done, len(already), problems, None if dry_run else until)


def _chosen(app: "App", scid: object) -> tuple[Iterable[Channel], tuple[str, ...]]:
    if scid is not None:
        return (the_channel(app, str(scid)),), ()
    channels, problems = look(app)
    return filter(can_be_set, channels), problems


def _wishes(app: "App", channels: Iterable[Channel]) -> list[Wish]:
    originals = app.store.original_fees()
    return [_wish(channel, originals[channel.channel_id]) for channel in channels]


def _wish(channel: Channel, original: "Original") -> Wish:
    htlc_max = original.htlc_max_msat
    return Wish(
        channel=channel,
        price=original.price,
        htlc_max_msat=None if htlc_max == channel.htlc_max_msat else htlc_max,
    )


def _is_in_force(wish: Wish) -> bool:
    channel, price = wish.channel, wish.price
    now = (channel.fee_ppm, channel.base_fee_msat)
    return now == (price.fee_ppm, price.base_fee_msat) and wish.htlc_max_msat is None


def _told(done: Done, already: int, problems: Sequence[str], until: Instant | None) -> Answer:
    restored = sum(isinstance(outcome, (Applied, Rehearsed)) for _, outcome in done)
    failed = [(wish.channel.scid, o.error) for wish, o in done if isinstance(o, Refused)]
    failed += [(None, problem) for problem in problems]
    for scid, error in ((w.channel.scid, o.error) for w, o in done if isinstance(o, Unknown)):
        msg = (
            f"{restored} restored, {already} were as before, {len(failed)} not; the fee of {scid}"
            f" may be restored or not, call again: {error}"
        )
        raise NotDoneError(msg)
    if failed and not restored + already:
        msg = f"no fee is restored: {'; '.join(error for _, error in failed)}"
        raise NotDoneError(msg)
    done_well = "rehearsed" if until is None else "success"
    return {
        "status": "partial" if failed else done_well,
        "restored": restored,
        "already": already,
        "failed": [{"scid": scid, "error": error} for scid, error in failed],
        "pinned_until": until,
        "message": _REHEARSED if until is None else _ADVICE,
    }


COMMAND = Command(
    name="revenue-restore-fees",
    help="Put fees back to what they were before revops first touched them.",
    arguments=(
        Argument(
            "scid",
            "one channel, by its short channel id or channel id; all of them if not given",
            aliases=("channel_id",),
        ),
    ),
    run=run,
    examples=("revenue-restore-fees", "revenue-restore-fees 851370x470x1"),
    slow=True,
)
