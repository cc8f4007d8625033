"""revenue-jobs: the rebalances whose money is not settled yet, and how one of them is ended."""

from typing import TYPE_CHECKING

from revops.core.treasury import Ending
from revops.shell.commands.capital import listed, running, sling
from revops.shell.commands.command import (
    Action,
    Answer,
    Argument,
    Command,
    CommandError,
    Given,
    whole,
)

if TYPE_CHECKING:
    from revops.adapters.store import Logged
    from revops.shell.app import App

_LARGEST = 2**63 - 1


def list_them(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-jobs`.
    """
    del given
    jobs = running(app)
    return {
        "jobs": jobs,
        "count": len(jobs),
        "foreign": _foreign(app, {job["to_channel"] for job in jobs}),
        "sling": sling(app),
        "next_look_at": app.worker.state("jobs").next_run,
    }


def _foreign(app: "App", ours: set[str]) -> list[Answer]:
    """
    Return what sling was at for somebody else: it is never touched.
    """
    return [
        {"scid": job.scid, "partners": list(job.partners), "sling": job.words}
        for job in listed(app)
        if job.scid not in ours
    ]


def stop(app: "App", given: Given) -> Answer:
    """
    Answer `revenue-jobs stop`.
    """
    number = whole("rebalance_id", given["rebalance_id"], 0, _LARGEST)
    logged = _open(app, number)
    why = "the operator stopped it (revenue-jobs stop)"
    app.store.treasury.stop(number, why, app.clock.now(), Ending.STOPPED)
    app.worker.hurry("jobs")
    wait = max(0, app.worker.state("jobs").next_run - app.clock.now())
    return {
        "status": "stopping",
        "rebalance_id": number,
        "to_channel": logged.scid,
        "message": f"sling is told within {wait} s; what is on its way may still arrive, and its"
        " money stays reserved until that is known",
    }


def _open(app: "App", number: int) -> "Logged":
    opened = app.store.treasury.open()
    found = next((logged for logged in opened if logged.attempt.rebalance_id == number), None)
    if found is None:
        numbers = ", ".join(str(logged.attempt.rebalance_id) for logged in opened)
        which = f"one of those that run ({numbers})" if numbers else "the id of one, and none runs"
        msg = f"rebalance_id: expected {which}, got {number}"
        raise CommandError(msg)
    return found


COMMAND = Command(
    name="revenue-jobs",
    help="Show the rebalances whose money is not settled: what moved, what it cost so far, what is"
    " reserved, and what sling says. Or stop one.",
    actions=(
        Action(name="list", help="Show them all, the first one first.", run=list_them),
        Action(
            name="stop",
            help="Have one ended, gracefully: a payment that is under way may still arrive.",
            arguments=(
                Argument("rebalance_id", "the number of a rebalance that runs", True, ("id",)),
            ),
            run=stop,
        ),
    ),
    default_action="list",
    examples=("revenue-jobs", "revenue-jobs stop 1"),
)
