"""Channels: what is told of each channel, by its short channel id and its peer."""

from collections.abc import Callable, Iterable
from typing import Final, Literal

from revops.core.ledger import Activity
from revops.shell.metrics.family import Family, Group, Row
from revops.shell.metrics.view import Line, View

_LABELS: Final = ("scid", "peer_id")


def _each(
    name: str,
    help_: str,
    read: Callable[[Line], float | None],
    kind: Literal["gauge", "counter"] = "gauge",
) -> Family[View]:
    def rows(view: View) -> Iterable[Row]:
        for line in view.lines:
            value = read(line)
            if value is not None:
                yield line.labels, value

    return Family(name=name, help=help_, kind=kind, labels=_LABELS, rows=rows)


def _life(name: str, help_: str, read: Callable[[Activity], float]) -> Family[View]:
    """
    Return a family that counts over the channel's life, restarts of revops included.
    """

    def of_life(line: Line) -> float | None:
        return read(line.account.life) if line.account else None

    return _each(name, help_, of_life, "counter")


def _refill_cost(line: Line) -> float | None:
    cost = line.account and line.account.life.refill_cost
    return cost.amount_msat if cost else None


def _info(view: View) -> Iterable[Row]:
    for line in view.lines:
        channel = line.channel
        yield (*line.labels, line.alias, channel.state, channel.opener, line.flow), 1


CHANNELS: Final = Group(
    title="Channels",
    source="From the last pricing cycle and the books as the worker read them last. A channel that"
    " closed vanishes; one without a short channel id is not told of yet.",
    families=(
        Family(
            name="revops_channel_info",
            help="1; carries what else is known of a channel, to be joined on scid.",
            labels=(*_LABELS, "alias", "state", "opener", "flow"),
            rows=_info,
        ),
        _each(
            "revops_channel_fee_ppm",
            "Proportional fee when it was looked at last, in millionths.",
            lambda line: line.channel.fee_ppm,
        ),
        _each(
            "revops_channel_base_fee_msat",
            "Base fee when it was looked at last, in millisatoshi.",
            lambda line: line.channel.base_fee_msat,
        ),
        _each(
            "revops_channel_capacity_msat",
            "Capacity, in millisatoshi.",
            lambda line: line.channel.capacity_msat,
        ),
        _each(
            "revops_channel_balance_msat",
            "Our side of the channel, in millisatoshi.",
            lambda line: line.channel.to_us_msat,
        ),
        _each(
            "revops_channel_connected",
            "1 while the peer is connected, else 0.",
            lambda line: line.channel.connected,
        ),
        _each(
            "revops_channel_liquidity_value_msat",
            "Fees that our side is expected to bring within 7 days at the price in force, in"
            " millisatoshi.",
            lambda line: line.value_msat,
        ),
        _each(
            "revops_channel_believed_middle_ppm",
            "Price at which half of the payments are believed to come, in millionths.",
            lambda line: line.belief.middle_ppm if line.belief else None,
        ),
        _each(
            "revops_channel_believed_daily_forwards",
            "Forwards that are believed to come in a day if they cost nothing.",
            lambda line: line.belief.per_day if line.belief else None,
        ),
        _life(
            "revops_channel_in_msat_total",
            "What settled forwards brought in by the channel, in millisatoshi.",
            lambda life: life.in_msat,
        ),
        _life(
            "revops_channel_out_msat_total",
            "What settled forwards took out by the channel, in millisatoshi.",
            lambda life: life.out_msat,
        ),
        _life(
            "revops_channel_forwards_in_total",
            "Settled forwards that came in by the channel.",
            lambda life: life.in_count,
        ),
        _life(
            "revops_channel_forwards_out_total",
            "Settled forwards that left by the channel.",
            lambda life: life.out_count,
        ),
        _life(
            "revops_channel_earned_msat_total",
            "Fees of the forwards that left by the channel, in millisatoshi.",
            lambda life: life.earned_msat,
        ),
        _life(
            "revops_channel_sourced_msat_total",
            "Fees of the forwards that came in by the channel, which another one earned, in"
            " millisatoshi.",
            lambda life: life.sourced_msat,
        ),
        _each(
            "revops_channel_refill_cost_msat",
            "What refills of the channel cost over its life, in millisatoshi.",
            _refill_cost,
        ),
    ),
)
