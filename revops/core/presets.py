"""Presets: three ways to run a node, each option of them with its reason."""

from collections.abc import Mapping
from typing import Final

import attrs

from revops.core.config import option_named
from revops.core.option import ConfigError, Value


@attrs.frozen
class Choice:
    """
    What a preset says about one option, and why.
    """

    option: str
    value: Value
    why: str


@attrs.frozen(kw_only=True)
class Preset:
    """
    Settings for one kind of node. All presets set the same options, so that going from one to
    another leaves nothing of the first behind.
    """

    name: str
    help: str
    choices: tuple[Choice, ...]

    def texts(self) -> dict[str, str]:
        """
        Return the values by option, as `configured` reads them.
        """
        return {c.option: option_named(c.option).format(c.value) for c in self.choices}


def preset_named(name: str) -> Preset:
    """
    Return the preset *name*.

    Raises:
        ConfigError: There is none.
    """
    if name not in PRESETS:
        raise ConfigError((f"preset: expected one of {', '.join(PRESETS)}, got {name!r}",))
    return PRESETS[name]


_TABLE: Final[tuple[tuple[str, tuple[Value, str], tuple[Value, str]], ...]] = (
    (
        "flow-window-days",
        (14, "few forwards a day: two weeks say more than one"),
        (3, "a busy channel shows in days which way it runs"),
    ),
    (
        "fee-interval",
        (3600, "little happens within an hour, and a small computer rests"),
        (900, "scarcity and congestion are answered within minutes"),
    ),
    (
        "min-fee-ppm",
        (25, "what little there is to sell is not given away"),
        (1, "large volume earns at any price that covers its costs"),
    ),
    (
        "max-fee-ppm",
        (2500, "a channel that nobody can afford teaches nothing"),
        (10_000, "the scarcest directions may find their own price"),
    ),
    (
        "max-fee-updates-per-day",
        (3, "windows close slowly where little is forwarded"),
        (8, "windows close sooner where much is forwarded"),
    ),
    (
        "max-node-updates-per-hour",
        (10, "enough for a few channels"),
        (200, "hundreds of channels share it"),
    ),
    (
        "rebalance-interval",
        (1800, "balances move slowly"),
        (600, "a channel that ran empty is seen sooner"),
    ),
    (
        "rebalance-min-amount",
        (20_000, "channels are small"),
        (100_000, "less is not worth the HTLC slots"),
    ),
    (
        "rebalance-max-amount",
        (500_000, "one bad refill stays a small one"),
        (20_000_000, "channels are large"),
    ),
    (
        "rebalance-chunk",
        (50_000, "small payments find a route between small channels"),
        (500_000, "fewer payments for the same amount"),
    ),
    (
        "rebalance-max-ppm",
        (500, "only refills that are cheap"),
        (2000, "a dear refill may pay where the price is high"),
    ),
    (
        "rebalance-cooldown-hours",
        (48, "whether a refill was sold takes days to show"),
        (12, "what was refilled may be sold by the evening"),
    ),
    (
        "max-concurrent-jobs",
        (2, "a small computer, and few channels to move between"),
        (10, "many channels, that do not wait for each other"),
    ),
    (
        "low-liquidity-threshold",
        (0.1, "only what is nearly empty is worth the budget"),
        (0.3, "refilled before it turns payments away"),
    ),
    (
        "high-liquidity-threshold",
        (0.9, "only what is nearly full gives"),
        (0.7, "more channels give, so that more routes are cheap"),
    ),
    (
        "daily-budget-sats",
        (500, "what a small node can earn back"),
        (50_000, "many refills a day"),
    ),
    (
        "weekly-budget-sats",
        (2000, "four full days: a bad week stays cheap"),
        (0, "seven times the daily budget"),
    ),
    (
        "proportional-budget-pct",
        (0.2, "most of what is earned is kept"),
        (0.5, "half of what is earned goes into more volume"),
    ),
    (
        "min-wallet-reserve",
        (500_000, "enough to close a channel and open another"),
        (5_000_000, "many channels may have to be closed while blocks are full"),
    ),
    (
        "futility-failures",
        (5, "a small budget is not tried on hopeless routes"),
        (20, "routes open and close; it is worth another try"),
    ),
)
"""An option; its value on a small node, and why; its value on a large one, and why."""

PRESETS: Final[Mapping[str, Preset]] = {
    "small": Preset(
        name="small",
        help="A few channels on a Raspberry Pi: unhurried, with a budget that can do no harm.",
        choices=tuple(Choice(option, *small) for option, small, _ in _TABLE),
    ),
    "balanced": Preset(
        name="balanced",
        help="A node with tens of channels: the defaults.",
        choices=tuple(
            Choice(option, option_named(option).default, "the default") for option, _, _ in _TABLE
        ),
    ),
    "aggressive": Preset(
        name="aggressive",
        help="A large routing node: quick, with a budget that buys volume.",
        choices=tuple(Choice(option, *large) for option, _, large in _TABLE),
    ),
}
"""Every preset by its name, the most careful first."""
