"""Recorded: replies of Core Lightning v26.06.6 on regtest, and the shape older ones had."""

import json
from pathlib import Path
from typing import Any

RECORDINGS = Path(__file__).parent / "recordings"

# What v24.02 and later added to a channel of listpeerchannels.
NEWER_THAN_23_05 = {
    "ignore_fee_limits",
    "last_stable_connection",
    "lost_state",
    "our_max_htlc_value_in_flight_msat",
    "reestablished",
    "their_max_htlc_value_in_flight_msat",
    "updates",
}


def names(pattern: str) -> list[str]:
    """
    Return the recordings that *pattern* matches, in all phases: `splice/listfunds.json`.
    """
    return sorted(path.relative_to(RECORDINGS).as_posix() for path in RECORDINGS.rglob(pattern))


def reply(name: str) -> Any:
    """
    Return a recorded reply, fresh: the caller may change it.
    """
    return json.loads((RECORDINGS / name).read_text(encoding="utf-8"))


def with_msat_words(value: Any) -> Any:
    """
    Return *value* with every amount as v23.02 wrote it: `"1500msat"`.
    """
    if isinstance(value, list):
        return [with_msat_words(item) for item in value]
    if isinstance(value, dict):
        return {
            key: f"{item}msat"
            if key.endswith("_msat") and isinstance(item, int)
            else with_msat_words(item)
            for key, item in value.items()
        }
    return value


def without(value: Any, keys: set[str]) -> Any:
    """
    Return *value* without *keys*, wherever they stand.
    """
    if isinstance(value, list):
        return [without(item, keys) for item in value]
    if isinstance(value, dict):
        return {key: without(item, keys) for key, item in value.items() if key not in keys}
    return value
