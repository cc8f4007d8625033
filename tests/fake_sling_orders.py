"""Orders to a fake sling: read as strictly as sling reads them, and refused in its words."""

import json
import re
from typing import Any

import attrs


class SlingRefusalError(Exception):
    """
    What sling refuses, in its words.
    """


def demand(so: object, otherwise: str) -> None:
    """
    Refuse with *otherwise* what is not *so*.
    """
    if not so:
        raise SlingRefusalError(otherwise)


@attrs.frozen(kw_only=True)
class Order:
    """
    What sling-job or sling-once was told; amounts in msat, `None` where nothing was said.
    """

    scid: str
    direction: str
    amount: int
    maxppm: int
    once: int | None
    outppm: int | None
    target: float | None
    maxhops: int | None
    keep_share: float | None
    keep: int | None
    parallel: int | None
    candidates: tuple[str, ...] | None

    def shown(self) -> dict[str, Any]:
        """
        Return it as `sling-jobsettings` does.
        """
        told = {
            "sat_direction": self.direction.capitalize(),
            "amount_msat": self.amount,
            "maxppm": self.maxppm,
            "outppm": self.outppm,
            "candidates": None if self.candidates is None else list(self.candidates),
            "target": self.target,
            "maxhops": self.maxhops,
            "depleteuptopercent": self.keep_share,
            "depleteuptoamount_msat": self.keep,
            "paralleljobs": self.parallel,
        }
        return {name: value for name, value in told.items() if value is not None}


_KEYS = {
    *("scid", "direction", "amount", "maxppm", "outppm", "target", "maxhops", "candidates"),
    *("depleteuptopercent", "depleteuptoamount", "paralleljobs"),
}


def order_of(params: Any, *, once: bool) -> Order:
    """
    Return what *params* order, checked in the order in which sling does.
    """
    given = json.dumps(params, separators=(",", ":"))
    demand(isinstance(params, dict), f"Expected an object! Got {given} instead")
    for key in sorted(params):
        demand(key in _KEYS or (once and key == "onceamount"), f"Invalid argument: {key}")
    demand(not once or "target" not in params, "`target` can not be used with `sling-once`")
    order = Order(
        scid=scid_of(_needed(params, "scid"), "invalid string for scid"),
        direction=_direction(_needed(params, "direction")),
        amount=_sats(params, "amount"),
        maxppm=_whole(_needed(params, "maxppm"), 32, "maxppm must be an integer"),
        outppm=_given(params, "outppm", 64),
        once=_once(params) if once else None,
        target=_share(params, "target"),
        maxhops=_at_least(2, params, "maxhops", 8),
        keep_share=_depleted(params),
        keep=_thousands(_given(params, "depleteuptoamount", 64)),
        parallel=_at_least(1, params, "paralleljobs", 16),
        candidates=_candidates(params),
    )
    aimed = order.outppm is not None or order.candidates is not None
    demand(aimed, "Atleast one of outppm and candidatelist must be set.")
    return order


def scid_of(value: Any, problem: str) -> str:
    """
    Return *value*, which must be a short channel id; *problem* says that it is no text.
    """
    demand(isinstance(value, str), problem)
    demand(re.fullmatch(r"\d+x\d+x\d+", value), f"Malformed short_channel_id: {value}")
    return value


def _needed(params: dict[str, Any], key: str) -> Any:
    demand(key in params, f"Missing {key}")
    return params[key]


def _direction(value: Any) -> str:
    demand(isinstance(value, str), "invalid string for direction")
    demand(value in {"pull", "push"}, f"could not parse flow direction from `{value}`")
    return value


def _whole(value: Any, bits: int, problem: str) -> int:
    demand(type(value) is int and 0 <= value < 1 << 64, problem)
    demand(value < 1 << bits, "out of range integral type conversion attempted")
    return value


def _given(params: dict[str, Any], key: str, bits: int) -> int | None:
    return _whole(params[key], bits, f"{key} must be an integer") if key in params else None


def _thousands(sats: int | None) -> int | None:
    return None if sats is None else sats * 1000


def _sats(params: dict[str, Any], key: str) -> int:
    sats = _whole(_needed(params, key), 64, f"{key} must be a positive integer")
    demand(sats > 0, f"{key} must be greater than 0")
    return sats * 1000


def _once(params: dict[str, Any]) -> int:
    once, amount = _sats(params, "onceamount"), _sats(params, "amount")
    words = f"onceamount: {once // 1000}, amount: {amount // 1000}"
    demand(once % amount == 0, f"onceamount must be a multiple of amount. {words}")
    return once


def _at_least(least: int, params: dict[str, Any], key: str, bits: int) -> int | None:
    value = _given(params, key, bits)
    demand(value is None or value >= least, f"{key} must be atleast {least}")
    return value


def _share(params: dict[str, Any], key: str) -> float | None:
    number = key not in params or type(params[key]) in (int, float)
    demand(number, f"{key} must be a floating point")
    return params.get(key)


def _depleted(params: dict[str, Any]) -> float | None:
    share = _share(params, "depleteuptopercent")
    right = share is None or 0 <= share < 1
    demand(right, "depleteuptopercent must be between 0.0 and <1.0")
    return share


def _candidates(params: dict[str, Any]) -> tuple[str, ...] | None:
    if "candidates" not in params:
        return None
    demand(isinstance(params["candidates"], list), "Invalid array for candidate list")
    problem = "invalid string for channel id in candidate list"
    return tuple(scid_of(scid, problem) for scid in params["candidates"])
