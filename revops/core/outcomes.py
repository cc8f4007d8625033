"""Outcomes: what became of an action. An unknown outcome is not a refusal."""

import attrs

from revops.core.units import Msat, Ppm


@attrs.frozen(kw_only=True)
class Applied:
    """
    The node confirmed it, with these values in force.
    """

    fee_ppm: Ppm
    base_fee_msat: Msat
    htlc_max_msat: Msat | None = None


@attrs.frozen(kw_only=True)
class Refused:
    """
    The node, or the shell because the world had moved, said no; nothing happened.
    """

    error: str


@attrs.frozen(kw_only=True)
class Unknown:
    """
    No answer: it may have happened. The next snapshot settles it.
    """

    error: str


@attrs.frozen(kw_only=True)
class Rehearsed:
    """
    A dry run: decided and written down, not done.
    """


Outcome = Applied | Refused | Unknown | Rehearsed
