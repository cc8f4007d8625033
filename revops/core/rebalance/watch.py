"""Watch: whether a rebalance that runs goes on, is stopped, or is over."""

from typing import Final

import attrs

from revops.core.config import Config
from revops.core.reasons import Reason
from revops.core.treasury import Attempt, Ending, Job
from revops.core.units import HOUR, MINUTE, Instant, Msat

DEADLINE_S: Final = 2 * HOUR
"""What is not done by then waits for a better time."""
PATIENCE_S: Final = 20 * MINUTE
"""How long a market that says no is asked again."""


@attrs.frozen
class Keep:
    """
    It goes on.
    """


@attrs.frozen
class Stop:
    """
    The rebalancer is to be told to end it; *ending* is how it then ended, whatever moves until
    then aside: see `ending_of`.
    """

    ending: Ending
    reason: Reason


@attrs.frozen
class Over:
    """
    The rebalancer works on it no more.
    """

    ending: Ending
    reason: Reason


def watch(
    attempt: Attempt, job: Job | None, to_us_msat: Msat | None, now: Instant, config: Config
) -> Keep | Stop | Over:
    """
    Return what is to become of *attempt*, of which the rebalancer says *job*: `None` when it does
    not list it. *to_us_msat* is on our side of the filled channel; `None` when nobody knows.
    """
    raise NotImplementedError


def ending_of(cause: Ending, attempt: Attempt) -> Ending:
    """
    Return how *attempt* ended, by what moved until it was over, where *cause* is why it ended.
    """
    raise NotImplementedError
