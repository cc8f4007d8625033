"""Trails: how decisions came about, for rows that open."""

from collections.abc import Mapping

from revops.core.plan import Decision
from revops.core.reasons import Reason, sentence
from revops.core.snapshot import Channel
from revops.core.units import sats_down
from revops.simulate import table
from revops.simulate.report.blocks import Cell, Step, Trail


def trails(title: str, decisions: Mapping[str, Decision]) -> tuple[Trail, ...]:
    """
    Return the trails of one channel's *decisions*, by side; sides that went the same way share
    one.
    """
    sides: dict[tuple[Reason, ...], list[str]] = {}
    for name, decision in decisions.items():
        sides.setdefault(decision.trail, []).append(name)
    return tuple(
        Trail(
            title=title if len(decisions) == 1 else f"{title}, {' and '.join(names)}",
            steps=tuple(map(_step, trail)),
        )
        for trail, names in sides.items()
    )


def _step(reason: Reason) -> Step:
    return Step(
        stage=reason.code.value,
        change=table.step(reason),
        words=sentence(table.unpriced(reason)),
    )


def key_of(channel: Channel) -> str:
    """
    Return what *channel* goes by on a page: its short channel id, as soon as it has one.
    """
    return channel.scid or channel.channel_id


def name_cell(channel: Channel) -> Cell:
    """
    Return what *channel* is called.
    """
    return Cell(text=table.peer(channel), below=channel.scid or f"{channel.channel_id[:12]}…")


def share_cell(channel: Channel) -> Cell:
    """
    Return how much of *channel* is ours.
    """
    share = channel.to_us_msat / channel.capacity_msat
    return Cell(text=f"{share:.0%}", share=round(share, 4))


def facts(channel: Channel) -> tuple[str, ...]:
    """
    Return what there is to know of *channel* beside the decision.
    """
    return (
        f"{sats_down(channel.capacity_msat):,} sat, {sats_down(channel.to_us_msat):,} ours",
        f"peer {channel.peer_id}",
        channel.state,
        "connected" if channel.connected else "not connected",
    )


def why_cell(whys: Mapping[str, str], *, quiet: bool) -> Cell:
    """
    Return the reasons of the sides: one, where they agree.
    """
    first, *others = whys.values()
    tone = "quiet" if quiet else ""
    if all(other == first for other in others):
        return Cell(text=first, tone=tone)
    text, *below = (f"{name}: {why}" for name, why in whys.items())
    return Cell(text=text, below="; ".join(below), tone=tone)
