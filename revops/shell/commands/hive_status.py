"""revenue-hive-status: whether cl-hive is there, what it told, what it was told, and why not."""

from collections import defaultdict
from typing import TYPE_CHECKING

import attrs

from revops.core.policy import Strategy, in_force
from revops.core.units import PeerId
from revops.shell.commands.command import Answer, Command, Given

if TYPE_CHECKING:
    from revops.shell.app import App


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-hive-status`.
    """
    from revops.shell.hive import HINTS_LAST_S  # noqa: PLC0415 -- lightningd waits for the manifest

    del given
    hive, config = app.hive, app.settings.config
    known, hints = hive.membership, hive.hints()
    return {
        **status(app),
        "hive": attrs.asdict(known) if known else None,
        "features": hive.features,
        "members": {"count": len(hive.members), "with_channels": _members(app)},
        "tariff": {
            "hive_fee_ppm": config.hive_fee_ppm,
            "base_fee_msat": 0,
            "rebalance_tolerance_sats": config.hive_rebalance_tolerance,
        },
        "cached": {
            "fee_hints": len(hints),
            "age_s": hive.hints_age_s() if hints else None,
            "lasts_s": HINTS_LAST_S,
        },
        "reports": {
            # A copy, as its own thread goes on counting.
            "told": dict(sorted(hive.told.copy().items())),
            "lost": dict(sorted(hive.lost.copy().items())),
            "waiting": hive.reports_waiting,
        },
        "answered_at": dict(sorted(hive.answered_at.items())),
        "breaker": attrs.asdict(circuit) if (circuit := hive.circuit()) else None,
    }


def _members(app: "App") -> list[Answer]:
    """
    Return the members that we have channels with, and what our policy for them is.
    """
    now, book = app.clock.now(), app.store.policies()
    scids: dict[PeerId, list[str]] = defaultdict(list)
    if last := app.cycle.last:
        for channel in last.snapshot.channels:
            scids[channel.peer_id].append(channel.scid or channel.channel_id)
    return [
        {
            "peer_id": member.peer_id,
            "tier": member.tier,
            "strategy": book.get(member.peer_id, now).strategy.value,
            "channels": sorted(scids[member.peer_id]),
        }
        for member in app.hive.members
        if member.peer_id in scids
    ]


def status(app: "App") -> Answer:
    """
    Return what revenue-status says of it.
    """
    known, policies = (
        app.hive.membership,
        in_force(app.store.policies().policies, app.clock.now()).values(),
    )
    return {
        "hive_enabled": app.settings.config.hive_enabled,
        "available": known is not None,
        "tier": known.tier if known else None,
        "why_not": _why_not(app),
        "looked_at": app.hive.looked_at,
        "hive_policies": sum(policy.strategy is Strategy.HIVE for policy in policies),
    }


def _why_not(app: "App") -> str | None:
    if app.settings.config.hive_enabled == "false":
        return "hive-enabled is false"
    if app.hive.membership:
        return app.hive.trouble or None
    if app.hive.looked_at is None:
        return "nobody has looked yet: the first look comes with a block"
    return app.hive.trouble or "cl-hive is not there"


def troubles(app: "App") -> list[str]:
    """
    Return what is wrong, in sentences: that it is not there is wrong only where it has to be.
    """
    missing = app.hive.membership is None and app.hive.looked_at is not None
    if app.settings.config.hive_enabled != "true" or not missing:
        return []
    return [f"hive-enabled is true, and it cannot be worked with: {_why_not(app)}"]


COMMAND = Command(
    name="revenue-hive-status",
    help="Show whether cl-hive is there and what we are in it, what it told of late, what it was"
    " told, and which of its members our policies know. Nobody is asked for it.",
    run=run,
    examples=("revenue-hive-status",),
)
