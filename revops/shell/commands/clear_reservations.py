"""revenue-clear-reservations: money that is held for what never began is free again."""

from typing import TYPE_CHECKING

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.core.rebalance.watch import DEADLINE_S
from revops.core.treasury import Attempt
from revops.core.units import HOUR, Instant, Msat, Scid
from revops.shell.commands.capital import budget_of, cost
from revops.shell.commands.command import Answer, Command, Given, NotDoneError
from revops.shell.commands.money import earned

if TYPE_CHECKING:
    from revops.shell.app import App


def run(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-clear-reservations`.
    """
    del given
    now, timeout = app.clock.now(), app.settings.config.reservation_timeout_hours
    cleared = app.store.treasury.release_stale(now, DEADLINE_S, _busy(app))
    return {
        "status": "success",
        "cleared_count": len(cleared.released),
        **earned("released", Msat(sum(attempt.limit_msat for attempt in cleared.released))),
        "released": [_row(attempt) for attempt in cleared.released],
        "kept": [
            {
                **_row(attempt),
                "state": attempt.state.value,
                "why": why,
                "at_the_latest": Instant(attempt.at + DEADLINE_S + timeout * HOUR),
            }
            for attempt, why in cleared.kept
        ],
        "budget": budget_of(app),
    }


def _busy(app: "App") -> frozenset[Scid]:
    """
    Return the channels that sling is at work on, with all that moved until now in the books.

    Raises:
        NotDoneError: It cannot be had: nobody can tell then what was never spent.
    """
    kit = app.money.jobs.kit
    engine = kit.sling.look()
    if engine.jobs is None:
        msg = f"{engine.trouble}; nothing is released"
        raise NotDoneError(msg)
    try:
        kit.read_moves()
    except (NodeRefusedError, NoAnswerError) as error:
        msg = f"{error}; nothing is released"
        raise NotDoneError(msg) from None
    return frozenset(job.scid for job in engine.jobs)


def _row(attempt: Attempt) -> Answer:
    return {
        "rebalance_id": attempt.rebalance_id,
        "at": attempt.at,
        **cost("reserved", attempt.limit_msat),
    }


COMMAND = Command(
    name="revenue-clear-reservations",
    help="Free the money that is reserved for rebalances which provably never began; what stays"
    " reserved is shown with the reason. Not needed in everyday life: it happens by itself.",
    run=run,
    examples=("revenue-clear-reservations",),
    slow=True,
)
