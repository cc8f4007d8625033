"""Policies: who plays in the arena, by name."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from revops.core.config import configured
from revops.core.option import ConfigError
from revops.simulate import settings
from revops.simulate.arena.core_policy import CorePolicy
from revops.simulate.arena.marginal import MarginalPolicy
from revops.simulate.arena.play import Maker
from revops.simulate.arena.refilling import RefillingPolicy
from revops.simulate.arena.rivals.balance import FeeAdjuster, Integral, Proportional
from revops.simulate.arena.rivals.clboss import Clboss
from revops.simulate.arena.rivals.lndg import Lndg
from revops.simulate.arena.rivals.predecessor import Predecessor
from revops.simulate.arena.rivals.seekers import Descending, NaiveClimber
from revops.simulate.arena.rivals.still import GossipMedian, Static

CORES: Final[Mapping[str, type[CorePolicy]]] = {
    "core": CorePolicy,
    "core+refills": RefillingPolicy,
    "core+marginal": MarginalPolicy,
}
"""The live core; `core,option=value,…` plays under other options."""

PRICING: Final[Mapping[str, Maker]] = {
    "static-50": lambda _: Static(50),
    "static-100": lambda _: Static(100),
    "static-300": lambda _: Static(300),
    "gossip-median": lambda _: GossipMedian(),
    "charge-lnd": lambda _: Proportional(),
    "feeadjuster": lambda _: FeeAdjuster(),
    "clboss": Clboss,
    "lndg": lambda _: Lndg(),
    "descending": lambda _: Descending(),
    "naive-climber": lambda _: NaiveClimber(),
    "integral": lambda _: Integral(),
    "integral-50": lambda _: Integral(0.2, 50.0),
    "predecessor": Predecessor,
}
"""Rivals that only price."""

REFILLING: Final[Mapping[str, Maker]] = {
    "clboss+refills": lambda start: Clboss(start, rebalances=True),
    "lndg+refills": lambda _: Lndg(rebalances=True),
}
"""Rivals that refill as well."""

_ABOUT: Final[Mapping[str, str]] = {
    "core": "the live core, its prices alone.",
    "core+refills": "the live core, with its refills.",
    "core+marginal": "the same with refills by the marginal value of liquidity, a challenger.",
    "static-50": "50 ppm everywhere.",
    "static-100": "100 ppm everywhere.",
    "static-300": "300 ppm everywhere.",
    "gossip-median": "what others charged toward the same peers when the node started, for ever.",
    "charge-lnd": "charge-lnd's proportional strategy: dear when empty, cheap when full.",
    "feeadjuster": "the plugin feeadjuster: a base price times 50^(0.5 - share on our side).",
    "clboss": "CLBOSS's prices: a factor by balance, and its game of price cards.",
    "clboss+refills": "CLBOSS with its rebalancer.",
    "lndg": "LNDg's autofee, once a day.",
    "lndg+refills": "LNDg with its auto-rebalance.",
    "descending": "begins at the top and comes down until somebody pays.",
    "naive-climber": "a textbook hill climber on raw revenue: a negative control.",
    "integral": "an integral controller on the balance, with a gentle factor by balance.",
    "integral-50": "the same, faster and with feeadjuster's steep factor.",
    "predecessor": "the random search of the plugin that revops succeeds.",
}


def about(name: str) -> str:
    """
    Return what the policy *name* does, in a sentence.
    """
    first, _, options = name.partition(",")
    return _ABOUT[first] + (f" With {options}." if options else "")


def refills(name: str) -> bool:
    """
    Return whether the policy *name* refills.
    """
    core = CORES.get(name.split(",", maxsplit=1)[0])
    return name in REFILLING or bool(core and issubclass(core, RefillingPolicy))


def maker_of(name: str) -> Maker:
    """
    Return who makes the policy *name*, fresh for each run.

    Raises:
        ConfigError: There is no such policy, or no such option of the core.
    """
    first, *pairs = name.split(",")
    if core := CORES.get(first):
        config = configured(settings.from_pairs(pairs))
        return partial(core, config)
    known = {**PRICING, **REFILLING}
    if name not in known:
        words = ", ".join((*CORES, *known))
        raise ConfigError((f"there is no policy {name!r}, but {words}",))
    return known[name]
