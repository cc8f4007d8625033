"""Profit: what a channel is worth to the node, and what it is called for it."""

import enum
from typing import Final

import attrs

from revops.core.ledger import Account, Activity, Ledger
from revops.core.pnl import Pnl, annual_return, covered, open_seconds, pnl_of, return_on
from revops.core.units import DAY, Instant, from_sats

YOUNG_DAYS: Final = 14
SILENT_DAYS: Final = 30
SETTLED_DAYS: Final = 60
"""Age from which silence is no longer a beginning."""
GOOD_ROI: Final = 0.10
BAD_ROI: Final = -0.10
FUTILE_DIAGNOSTICS: Final = 2
FEWEST_FORWARDS: Final = 10
LEAST_BLEEDING: Final = from_sats(100)
# More than 7 in 10 make a gateway, more than 3 to 1 a dominant direction.
_GATEWAY: Final = (7, 10)
_DOMINANT: Final = 3


class ProfitClass(str, enum.Enum):
    """
    What a channel is to the node's purse; the first that fits, in this order.

    `unknown` is a channel whose class depends on a cost that nobody can tell, or on what it earned
    before the books began.
    """

    LEARNING = "learning"
    ZOMBIE = "zombie"
    STAGNANT = "stagnant"
    PROFITABLE = "profitable"
    UNDERWATER = "underwater"
    BREAK_EVEN = "break_even"
    UNKNOWN = "unknown"


class Role(str, enum.Enum):
    """
    What the node uses a channel for, by the forwards of the window.
    """

    INBOUND_GATEWAY = "inbound_gateway"
    OUTBOUND_GATEWAY = "outbound_gateway"
    BALANCED = "balanced"
    DORMANT = "dormant"


class FlowProfile(str, enum.Enum):
    """
    Which way the volume of a lifetime went.
    """

    INACTIVE = "inactive"
    INBOUND_ONLY = "inbound_only"
    OUTBOUND_ONLY = "outbound_only"
    INBOUND_DOMINANT = "inbound_dominant"
    OUTBOUND_DOMINANT = "outbound_dominant"
    BALANCED = "balanced"


@attrs.frozen(kw_only=True)
class Assessment:
    """
    What one channel is worth to the node.

    Attributes:
        roc: Net over capacity per year, over its life; `None` when its age is unknown.
        window_roc: The same over the window.
        marginal_roi: What refilling it brought beyond its cost in the window, over that cost;
            `None` when the cost is unknown.
        whole_life: The books reach back to its opening; otherwise it may have earned more.
        bleeding: Refills cost more than the channel brought; `None` when their cost is unknown.
    """

    account: Account
    life: Pnl
    window: Pnl
    roc: float | None
    window_roc: float
    marginal_roi: float | None
    profit_class: ProfitClass
    role: Role
    flow_profile: FlowProfile
    bleeding: bool | None
    whole_life: bool


def assessed(account: Account, ledger: Ledger) -> Assessment:
    """
    Return what *account* of *ledger* is worth.
    """
    life, window = pnl_of(account.life), pnl_of(account.window)
    age = _age(account, ledger)
    return Assessment(
        account=account,
        life=life,
        window=window,
        roc=None if age is None else annual_return(life, account.capacity_msat, age),
        window_roc=annual_return(
            window, account.capacity_msat, open_seconds(account, *covered(ledger))
        ),
        marginal_roi=_marginal_roi(account.window),
        profit_class=_class(account, life, ledger),
        whole_life=_whole_life(account, ledger),
        role=_role(account.window),
        flow_profile=flow_profile(account.life),
        bleeding=bleeds(account.window),
    )


def _class(account: Account, life: Pnl, ledger: Ledger) -> ProfitClass:
    """
    Return the first class that fits. An age or a silence that is unknown fits none.
    """
    age, silence = _age(account, ledger), _silence(account, ledger)
    if age is not None and age < YOUNG_DAYS * DAY:
        return ProfitClass.LEARNING
    # What was earned before the books is missing from the ROI, and so is a cost nobody can tell.
    roi, whole, blind = life.roi, _whole_life(account, ledger), life.costs.unknown
    bad = roi < BAD_ROI and whole
    if bad and account.diagnostics >= FUTILE_DIAGNOSTICS and not account.revived:
        return ProfitClass.ZOMBIE
    settled = age is not None and age > SETTLED_DAYS * DAY
    if settled and silence is not None and silence >= SILENT_DAYS * DAY:
        return ProfitClass.STAGNANT
    if roi > GOOD_ROI and not blind:
        return ProfitClass.PROFITABLE
    if bad:
        return ProfitClass.UNDERWATER
    return ProfitClass.BREAK_EVEN if whole and not blind else ProfitClass.UNKNOWN


def _whole_life(account: Account, ledger: Ledger) -> bool:
    if ledger.since is None:
        return False
    return ledger.since <= (account.opened_at or 0)


def _age(account: Account, ledger: Ledger) -> int | None:
    if account.opened_at is None:
        return None
    return max(0, _last_moment(account, ledger) - account.opened_at)


def _silence(account: Account, ledger: Ledger) -> int | None:
    """
    Return for how long nothing settled; what was before the books is not known to be silence.
    """
    until = _last_moment(account, ledger)
    if account.last_value_at is not None:
        return until - account.last_value_at
    if ledger.since is None:
        return None
    return until - max(ledger.since, account.opened_at or 0)


def _last_moment(account: Account, ledger: Ledger) -> Instant:
    return ledger.now if account.closed_at is None else min(account.closed_at, ledger.now)


def _marginal_roi(window: Activity) -> float | None:
    if window.refill_cost is None:
        return None
    return return_on(window.earned_msat, window.refill_cost.amount_msat)


def _role(window: Activity) -> Role:
    total = window.in_count + window.out_count
    most, of = _GATEWAY
    if total < FEWEST_FORWARDS:
        return Role.DORMANT
    if window.in_count * of > most * total:
        return Role.INBOUND_GATEWAY
    if window.out_count * of > most * total:
        return Role.OUTBOUND_GATEWAY
    return Role.BALANCED


def flow_profile(activity: Activity) -> FlowProfile:
    """
    Return which way the volume went: three times the other way is dominant.
    """
    into, out = activity.in_msat, activity.out_msat
    if not into or not out:
        if into:
            return FlowProfile.INBOUND_ONLY
        return FlowProfile.OUTBOUND_ONLY if out else FlowProfile.INACTIVE
    if into > _DOMINANT * out:
        return FlowProfile.INBOUND_DOMINANT
    return FlowProfile.OUTBOUND_DOMINANT if out > _DOMINANT * into else FlowProfile.BALANCED


def bleeds(window: Activity) -> bool | None:
    """
    Return whether refills of more than 100 sat cost more than the channel earned and sourced;
    `None` when nobody can tell what they cost.
    """
    if window.refill_cost is None:
        return None
    paid = window.refill_cost.amount_msat
    return paid > LEAST_BLEEDING and paid > window.earned_msat + window.sourced_msat
