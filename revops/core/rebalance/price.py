"""Price: what a channel will charge after a refill, and whether a higher one makes it needless."""

from revops.core.config import Config
from revops.core.fees.floors import operator_bounds
from revops.core.fees.quote import ChannelView
from revops.core.fees.scarcity import multiplier
from revops.core.policy import Policy, Strategy
from revops.core.units import Instant, Ppm, nearest_ppm


def price_after(view: ChannelView, now: Instant, config: Config) -> Ppm:
    """
    Return the price in force once the channel has enough: neither scarcity nor congestion counts.
    """
    given = _given(view, now, config)
    return _learned(view, config, 1.0) if given is None else given


def scarce_price(view: ChannelView, now: Instant, config: Config) -> Ppm | None:
    """
    Return what the channel charges for as long as it is short; `None` where nothing raises it.
    """
    if not config.scarcity_pricing or _given(view, now, config) is not None:
        return None
    return _learned(view, config, multiplier(view.peer.share, config.scarcity_threshold))


def _given(view: ChannelView, now: Instant, config: Config) -> Ppm | None:
    """
    Return the price that is not learned: whoever set it, it stays.
    """
    pin, policy = view.memory.pin, view.policy
    if pin and now < pin.until:
        return pin.price.fee_ppm
    if policy.strategy is Strategy.PASSIVE:
        return view.channel.fee_ppm
    if policy.strategy is Strategy.STATIC:
        return policy.fee_ppm
    return config.hive_fee_ppm if policy.strategy is Strategy.HIVE else None


def _learned(view: ChannelView, config: Config, factor: float) -> Ppm:
    search = view.memory.search
    base = search.base_ppm if search else view.channel.fee_ppm
    floor, ceiling = operator_bounds(view.policy, config)
    return min(max(nearest_ppm(base * _allowed(factor, view.policy)), floor), ceiling)


def _allowed(factor: float, policy: Policy) -> float:
    low = policy.fee_multiplier_min or 0.0
    high = policy.fee_multiplier_max or float("inf")
    return min(max(factor, low), high)
