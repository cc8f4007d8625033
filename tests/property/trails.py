"""Trails: how the laws read what a decision says about itself."""

from revops.core.actions import SetFee
from revops.core.plan import Decision
from revops.core.reasons import Code, Fact, Reason


def codes(decision: Decision) -> list[Code]:
    """
    Return the path that a decision took.
    """
    return [reason.code for reason in decision.trail]


def reason(decision: Decision, *wanted: Code) -> Reason | None:
    """
    Return the first reason with one of the *wanted* codes.
    """
    return next((found for found in decision.trail if found.code in wanted), None)


def fact(decision: Decision, name: str, *wanted: Code) -> Fact | None:
    """
    Return what the last reason with one of the *wanted* codes says about *name*.
    """
    said = [dict(found.facts) for found in decision.trail if found.code in wanted]
    return said[-1][name] if said else None


def fee(decision: Decision, in_force: int) -> int:
    """
    Return the fee that is in force when the decision is carried out.
    """
    action = decision.action
    return action.new_ppm if isinstance(action, SetFee) else in_force


def bounds(decision: Decision) -> tuple[int, int] | None:
    """
    Return the floor and ceiling that the trail tells, or `None` when the price is not learned.
    """
    floor = fact(
        decision,
        "floor",
        *(Code.BOUNDS, Code.POLICY_BOUNDS, Code.CHAIN_FLOOR, Code.REFILL_FLOOR, Code.VEGAS_FLOOR),
    )
    ceiling = fact(decision, "ceiling", Code.BOUNDS, Code.POLICY_BOUNDS, Code.STALE_CEILING)
    if floor is None or ceiling is None:
        return None
    return min(int(floor), int(ceiling)), int(ceiling)
