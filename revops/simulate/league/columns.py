"""Columns: what is told of a policy, each with a sentence on what it means."""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from revops.simulate.arena.measures import Mean
from revops.simulate.league.standings import Standing

CLEAR: Final = 0.05
"""What the chance of a lead must be below to call it one."""
NOTHING: Final = "-"


class Column(NamedTuple):
    """
    What is told of a policy.

    Attributes:
        about: What it means, in a sentence.
        text: Of a standing; `NOTHING` where there is no such thing.
    """

    head: str
    about: str
    text: Callable[[Standing], str]


def _percent(mean: Mean | None) -> str:
    if mean is None:
        return NOTHING
    found = f"{mean.mean * 100:.1f}"
    if mean.low is None or mean.high is None:
        return found
    return f"{found} ({mean.low * 100:.0f} to {mean.high * 100:.0f})"


def _behind(standing: Standing) -> str:
    lead = standing.lead
    if lead is None:
        return NOTHING
    found = _more(lead.ratio.mean)
    if lead.ratio.low is None or lead.ratio.high is None:
        return found
    clear = standing.chance is not None and standing.chance < CLEAR
    return f"{found} ({_more(lead.ratio.low)} to {_more(lead.ratio.high)}){'*' if clear else ''}"


def _more(log_ratio: float) -> str:
    return f"{math.expm1(log_ratio) * 100:+.0f}"


def _sat(amount: float | None) -> str:
    return NOTHING if amount is None else f"{round(amount):,}"


_POLICY: Final = Column("policy", "Who plays.", lambda s: s.policy)

EARNED: Final = (
    _POLICY,
    Column(
        "sat/day",
        "net profit: fees less refills, plus what liquidity is worth more at the end than at the"
        " beginning, sold by the demand as it truly is; else who drains the node would look good.",
        lambda s: _sat(s.sat_per_day.mean),
    ),
    Column(
        "days 1-14",
        "fees less refills a day, while there is most to learn.",
        lambda s: _sat(s.early_per_day),
    ),
    Column("later", "the same of the days after those.", lambda s: _sat(s.late_per_day)),
    Column(
        "% of O_fluid",
        "the share of what nobody can expect to beat who knows all volumes and demand curves, where"
        " every payment is divisible and prices may be mixed; who refills is measured by a bound"
        " that may refill.",
        lambda s: _percent(s.of_fluid),
    ),
    Column(
        "% of O_static",
        "of what the best prices earn that never change, found with the whole tape in hand: a"
        " strong reference and no bound.",
        lambda s: _percent(s.of_static),
    ),
    Column(
        "% of O_regime",
        "of what the best ones earn that change once, when the market does.",
        lambda s: _percent(s.of_regime),
    ),
    Column(
        "behind",
        "by how many per cent the policy of comparison earned more: the mean of the log ratios,"
        " seed by seed; with * it is clear, at a chance below 5 % after Holm's correction for all"
        " comparisons on the page (every sign of every ratio flipped).",
        _behind,
    ),
    Column(
        "lost",
        "per cent of the seeds on which that one earned more; a tie is half.",
        lambda s: f"{s.lead.wins * 100:.0f}" if s.lead else NOTHING,
    ),
)
"""What a policy earned."""

BEHAVED: Final = (
    _POLICY,
    Column(
        "updates",
        "fee updates a channel and day.",
        lambda s: f"{s.average(lambda score: score.updates):.2f}",
    ),
    Column("most", "of one channel in one day.", lambda s: str(s.most_updates)),
    Column(
        "empty %",
        "of the time of all channels, with less than 5 % on our side.",
        lambda s: f"{s.average(lambda score: score.depleted) * 100:.0f}",
    ),
    Column(
        "full %",
        "with more than 95 % on our side.",
        lambda s: f"{s.average(lambda score: score.saturated) * 100:.0f}",
    ),
    Column(
        "missed",
        "sat a day that payments would have paid which came and could not leave.",
        lambda s: _sat(s.average(lambda score: score.missed_msat) / s.days / 1000),
    ),
    Column(
        "refills",
        "sat a day spent on refills.",
        lambda s: _sat(s.average(lambda score: score.spent_msat) / s.days / 1000),
    ),
    Column(
        "return %",
        "what a sat spent on refills brought beyond itself, beside the same policy without them on"
        " the same tapes.",
        lambda s: _percent(s.roi),
    ),
    Column(
        "worst 5 %",
        "sat a channel and day, averaged over the worst 5 % of these.",
        lambda s: _sat(s.average(lambda score: score.worst_msat) / 1000),
    ),
    Column(
        "out of bounds",
        "fees that no policy may set, and that were not set.",
        lambda s: str(s.violations),
    ),
    Column(
        "µs",
        "of one CPU core for a channel and step of 30 minutes, the world included; the one number"
        " that is another on another machine.",
        lambda s: f"{s.cpu_us:.0f}",
    ),
)
"""How it behaved."""


def shown(columns: tuple[Column, ...], standings: tuple[Standing, ...]) -> tuple[Column, ...]:
    """
    Return those of *columns* in which there is anything.
    """
    return tuple(c for c in columns if any(c.text(s) != NOTHING for s in standings))
