"""Config: every option once, with its default, bounds, unit and help."""

from collections.abc import Mapping
from typing import Any, Final, Literal

import attrs

from revops.core import shadow_options
from revops.core.option import ConfigError, Option, Value
from revops.core.units import Ppm


def _option(default: Value, kind: type, help_: str, **declaration: Any) -> Any:  # noqa: ANN401 -- attrs.field() has no better type
    return attrs.field(
        default=default, metadata={"kind": kind, "help": help_, "declaration": declaration}
    )


def _switch(default: bool, help_: str) -> Any:  # noqa: ANN401, FBT001 -- see _option; the value of a switch
    return _option(default, bool, help_)


def _whole(default: int, low: int, high: int, unit: str, help_: str) -> Any:  # noqa: ANN401 -- see _option
    return _option(default, int, help_, low=low, high=high, unit=unit)


def _share(default: float, help_: str, low: float = 0) -> Any:  # noqa: ANN401 -- see _option
    return _option(default, float, help_, low=low, high=1, unit="share")


def _word(default: str, choices: tuple[str, ...], help_: str) -> Any:  # noqa: ANN401 -- see _option
    return _option(default, str, help_, choices=choices)


def _text(default: str, pattern: str, form: str, help_: str) -> Any:  # noqa: ANN401 -- see _option
    return _option(default, str, help_, pattern=pattern, form=form)


_HIGHEST_FEE: Final = 100_000
_MOST_SATS: Final = 2_100_000_000_000_000
_WEEK: Final = 7 * 86_400


@attrs.frozen(kw_only=True)
class Config:
    """
    The operator's wishes: one frozen value, replaced as a whole.

    Every field is an option of the plugin; `options()` lists the declarations.

    Raises:
        ConfigError: A value is out of its bounds, or two contradict each other.
    """

    db_path: str | None = _option(
        None,
        str,
        "Where the books are kept. Relative paths, and the default revenue_ops.db, start in the"
        " lightning-dir of the network. Where an earlier cl-revenue-ops has its database there,"
        " that stays as it is, and the books are in revops.db beside it.",
        pattern=r"[^\x00-\x1f]+",
        form="a path",
        none="default",
        dynamic=False,
    )
    dry_run: bool = _switch(False, "Decide and write down everything, act on nothing.")
    paused: bool = _switch(False, "Start no action of any kind; running jobs end gracefully.")
    authority: Literal["observe", "fees", "liquidity"] = _word(
        "liquidity",
        ("observe", "fees", "liquidity"),
        "What revops may do by itself: nothing, set fees, or set fees and rebalance.",
    )
    shadow_config: str | None = _option(
        None,
        str,
        "Options of a second config, the rest of which is as here: it decides beside this one in"
        " each cycle, it is written down what it would have done, and nothing of that is done.",
        pattern=shadow_options.PATTERN,
        form=shadow_options.FORM,
        none="off",
    )
    flow_interval: int = _whole(3600, 60, _WEEK, "s", "Time between two flow analyses, +-10 %.")
    fee_interval: int = _whole(1800, 60, _WEEK, "s", "Time between two pricing cycles, +-10 %.")
    rebalance_interval: int = _whole(
        900, 60, _WEEK, "s", "Time between two rebalancing cycles, +-10 %."
    )
    flow_window_days: int = _whole(
        7, 1, 90, "days", "How far back forwards count for who drains and who fills."
    )
    target_flow: int = _whole(
        100_000, 0, _MOST_SATS, "sat/day", "Daily volume per channel that capacity advice expects."
    )
    min_fee_ppm: Ppm = _whole(
        10, 0, _HIGHEST_FEE, "ppm", "No learned fee goes below this, unless a policy says so."
    )
    max_fee_ppm: Ppm = _whole(
        5000, 0, _HIGHEST_FEE, "ppm", "No learned fee goes above this, unless a policy says so."
    )
    base_fee_msat: int | None = _option(
        0,
        int,
        "Base fee of every channel that revops prices; keep leaves each channel's own.",
        low=0,
        high=1_000_000,
        unit="msat",
        none="keep",
    )
    htlc_congestion_threshold: float = _share(
        0.8, "Share of HTLC slots in use above which a channel is priced at its ceiling."
    )
    vegas_reflex: bool = _switch(True, "Raise fee floors while on-chain fees spike.")
    vegas_decay: float = _share(
        0.85, "How much of the Vegas reflex is left after each fee-interval without a spike."
    )
    scarcity_pricing: bool = _switch(True, "Charge more while little of a channel is ours.")
    scarcity_threshold: float = _share(
        0.35, "Share of the capacity below which outbound liquidity counts as scarce.", low=0.01
    )
    balance_factor: float = _option(
        20.0,
        float,
        "How many times as dear a channel is with nothing on our side as with all of it; 1 leaves"
        " balances out of the price.",
        low=1,
        high=100,
        unit="times",
    )
    fee_optimizer: Literal["posterior", "hill-climb"] = _word(
        "posterior",
        ("posterior", "hill-climb"),
        "How the best fee of a channel is found: by all that came at the prices so far, or by"
        " comparing two prices at a time.",
    )
    max_fee_updates_per_day: int = _whole(
        4,
        1,
        1000,
        "updates",
        "Fee updates of a channel in 24 hours; congestion has half as many more.",
    )
    max_node_updates_per_hour: int = _whole(
        60,
        1,
        100_000,
        "updates",
        "Fee updates of the node in an hour; congestion has half as many more.",
    )
    htlc_max: bool = _switch(
        True, "Set htlc_maximum_msat to what can be sent, coarsely: fewer failures, balance hidden."
    )
    rebalancer: Literal["sling", "none"] = _word(
        "sling", ("sling", "none"), "The plugin that moves liquidity; none moves none."
    )
    rebalance_min_profit: int = _whole(
        10, 0, _MOST_SATS, "sat", "Least expected profit of a rebalance."
    )
    rebalance_min_profit_ppm: Ppm = _whole(
        0, 0, _HIGHEST_FEE, "ppm", "Least expected profit per amount; 0 asks for none."
    )
    rebalance_min_amount: int = _whole(
        50_000, 1, _MOST_SATS, "sat", "Smallest amount that is rebalanced."
    )
    rebalance_max_amount: int = _whole(
        5_000_000, 1, _MOST_SATS, "sat", "Largest amount that is rebalanced at once."
    )
    rebalance_chunk: int = _whole(
        100_000, 1, _MOST_SATS, "sat", "Amount of each of the payments that a rebalance is made of."
    )
    rebalance_max_ppm: Ppm = _whole(
        1000, 0, _HIGHEST_FEE, "ppm", "Never pay more for a rebalance, whatever it promises."
    )
    rebalance_cooldown_hours: int = _whole(
        24, 0, 8760, "h", "Rest of a channel after it was refilled."
    )
    max_concurrent_jobs: int = _whole(5, 1, 100, "jobs", "How many rebalances run side by side.")
    low_liquidity_threshold: float = _share(
        0.2,
        "Share of the capacity below which a channel is short: worth more capacity, or a refill.",
    )
    high_liquidity_threshold: float = _share(
        0.8, "Share of the capacity above which a channel may give."
    )
    daily_budget_sats: int = _whole(
        5000, 0, _MOST_SATS, "sat", "What rebalancing may cost in any 24 hours."
    )
    weekly_budget_sats: int = _whole(
        0, 0, _MOST_SATS, "sat", "What rebalancing may cost in any 7 days; 0 is 7 x daily."
    )
    proportional_budget: bool = _switch(
        True, "Let the daily budget grow with what was earned: it is the larger of the two."
    )
    proportional_budget_pct: float = _share(
        0.30, "Share of the last 24 hours' revenue that rebalancing may cost."
    )
    min_wallet_reserve: int = _whole(
        1_000_000,
        0,
        _MOST_SATS,
        "sat",
        "No rebalancing below this much on-chain and channel balance, or while it is unknown.",
    )
    enable_reputation: bool = _switch(True, "Weigh what is expected of a peer by its record.")
    reputation_decay: float = _share(
        0.98, "How much of a peer's record is left after each flow-interval."
    )
    enable_kelly: bool = _switch(False, "Size rebalances by the Kelly criterion.")
    kelly_fraction: float = _share(0.5, "Share of the full Kelly stake that is put in.")
    futility_failures: int = _whole(
        10, 1, 1000, "failures", "Failures in a row toward a peer before rebalancing gives up."
    )
    futility_cooldown_hours: int = _whole(
        48, 1, 8760, "h", "How long it then rests; each time twice as long."
    )
    clboss_enabled: bool = _switch(
        True, "Have CLBOSS, where it runs, leave alone what revops does; false gives it back."
    )
    hive_enabled: Literal["auto", "true", "false"] = _word(
        "auto", ("auto", "true", "false"), "Whether to work with cl-hive; auto does where it runs."
    )
    hive_fee_ppm: Ppm = _whole(
        0, 0, _HIGHEST_FEE, "ppm", "Fee toward peers whose policy is hive: members of our hive."
    )
    hive_rebalance_tolerance: int = _whole(
        50, 0, _MOST_SATS, "sat", "Loss accepted to refill a member of our hive."
    )
    rpc_timeout_seconds: int = _whole(15, 1, 300, "s", "Longest wait for an answer of the node.")
    rpc_circuit_breaker_seconds: int = _whole(
        60, 0, 3600, "s", "How long calls of one kind are not made after one of them timed out."
    )
    reservation_timeout_hours: int = _whole(
        4,
        1,
        168,
        "h",
        "How long a rebalance whose 2 hours are over stays reserved while nobody can tell what it"
        " cost; then all that it might have cost counts as spent.",
    )
    sling_min_version: str = _text(
        "4.3.1",
        r"[0-9]{1,9}(\.[0-9]{1,9}){0,2}",
        "a version such as 4.3.1",
        "Oldest sling that is trusted with money.",
    )
    prometheus: bool = _switch(
        False, "Serve metrics for Prometheus, at /metrics; a change is seen within a minute."
    )
    prometheus_port: int = _whole(9800, 1, 65535, "port", "Where metrics are served.")
    prometheus_bind: str = _text(
        "127.0.0.1",
        r"[0-9A-Fa-f:.]+",
        "an IP address",
        "Address of this machine at which metrics are served.",
    )
    history_days: int = _whole(
        365,
        8,
        36_500,
        "days",
        "Age at which hours become days and decisions go; sums stay for ever.",
    )

    def __attrs_post_init__(self) -> None:
        problems = [
            problem
            for name, option in OPTIONS.items()
            if (problem := option.problem(getattr(self, name)))
        ]
        problems = problems or _contradictions(self) or _shadow_problems(self)
        if problems:
            raise ConfigError(tuple(problems))


def _contradictions(config: Config) -> list[str]:
    """
    Return a sentence for each pair of options that cannot hold together.
    """
    daily, weekly = config.daily_budget_sats, config.weekly_budget_sats
    low, high = config.low_liquidity_threshold, config.high_liquidity_threshold
    smallest, largest = config.rebalance_min_amount, config.rebalance_max_amount
    rules = (
        (
            config.min_fee_ppm <= config.max_fee_ppm,
            f"min-fee-ppm {config.min_fee_ppm} is above max-fee-ppm {config.max_fee_ppm}",
        ),
        (
            low < high,
            f"low-liquidity-threshold {low} is not below high-liquidity-threshold {high}",
        ),
        (
            not (daily and weekly) or daily <= weekly,
            f"daily-budget-sats {daily} is above weekly-budget-sats {weekly}",
        ),
        (
            smallest <= largest,
            f"rebalance-min-amount {smallest} is above rebalance-max-amount {largest}",
        ),
    )
    return [sentence for holds, sentence in rules if not holds]


def shadow_of(config: Config) -> Config | None:
    """
    Return the Config that is to decide beside *config*; `None` when there is to be none.

    Raises:
        ConfigError: There is no such Config.
    """
    texts = shadow_options.shadow_texts(config.shadow_config or "")
    return configured(texts, attrs.evolve(config, shadow_config=None)) if texts else None


def _shadow_problems(config: Config) -> list[str]:
    try:
        shadow_of(config)
    except ConfigError as error:
        return [f"shadow-config: {problem}" for problem in error.problems]
    return []


_WAITING: Final = {
    "flow analysis at times of its own": ("flow_interval",),
}
"""Options that are taken and checked before there is anything that reads them, by what will."""


def _declared(field: "attrs.Attribute[Any]") -> Option:
    help_ = field.metadata["help"]
    waits_for = next((what for what, names in _WAITING.items() if field.name in names), "")
    if waits_for:
        help_ += f" Has no effect yet: it waits for {waits_for}."
    return Option(
        name=field.name.replace("_", "-"),
        kind=field.metadata["kind"],
        default=field.default,
        help=help_,
        waits_for=waits_for,
        **field.metadata["declaration"],
    )


OPTIONS: Final[Mapping[str, Option]] = {
    field.name: _declared(field) for field in attrs.fields(Config)
}
"""Every option's declaration, by field name, in the order in which they are documented."""


def option_named(name: str) -> Option:
    """
    Return the declaration of the option *name*, written with dashes or underscores.

    Raises:
        ConfigError: There is no such option.
    """
    option = OPTIONS.get(name.removeprefix("revenue-ops-").replace("-", "_"))
    if option is None:
        raise ConfigError((f"{name}: there is no such option",))
    return option


def configured(texts: Mapping[str, str], start: Config | None = None) -> Config:
    """
    Return *start* (or the defaults) changed by *texts*: option names to values as text.

    Raises:
        ConfigError: One sentence for each unknown option, unreadable value or contradiction.
    """
    problems: list[str] = []
    changes: dict[str, Value] = {}
    for name, text in texts.items():
        try:
            option = option_named(name)
            changes[option.name.replace("-", "_")] = option.parse(text)
        except ConfigError as error:
            problems.extend(error.problems)
    if problems:
        raise ConfigError(tuple(problems))
    return attrs.evolve(start or Config(), **changes)  # type: ignore[arg-type]  # parse() typed them


def changed_options(config: Config) -> dict[str, str]:
    """
    Return the options of *config* that are not at their default, as `configured` reads them.
    """
    return {
        option.name: option.format(getattr(config, field))
        for field, option in OPTIONS.items()
        if getattr(config, field) != option.default
    }
