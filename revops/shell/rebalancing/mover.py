"""Mover: what money is reserved for is asked of sling; what it said is written down at once."""

from collections.abc import Sequence
from typing import Final

import attrs

from revops.adapters.errors import NoAnswerError, NodeRefusedError, NotAskedError
from revops.adapters.store import JournalEntry
from revops.core.actions import StartRebalance, assert_never
from revops.core.outcomes import JobOutcome, Refused, Rehearsed, Started, Stopped, Unknown
from revops.core.treasury import Ending, Engine
from revops.core.units import Scid, sats_down, sats_up
from revops.shell.perform import attempted
from revops.shell.rebalancing.kit import Kit

Begun = tuple[StartRebalance, JobOutcome]
_NOT_TRIED: Final = "not tried: sling is silent, or revops is stopping"
_NOT_SLINGS_WORD: Final = (None, -32601)
"""Codes of refusals that say nothing about the way to a peer: nobody was there to refuse."""


@attrs.frozen
class Mover:
    """
    Starts and stops, one after the other.
    """

    kit: Kit

    def start(self, entries: Sequence[JournalEntry], engine: Engine | None) -> tuple[Begun, ...]:
        """
        Have *entries*, for each of which money is reserved, begun by sling as it was found just
        now. After one without an answer no other is begun, and its money is free again.
        """
        begun: list[Begun] = []
        for entry in entries:
            action = entry.action
            assert isinstance(action, StartRebalance)  # noqa: S101 -- money is for nothing else
            silent = begun and isinstance(begun[-1][1], Unknown)
            why_not = _NOT_TRIED if silent or self.kit.stopping.is_set() else _taken(action, engine)
            if why_not:
                outcome: JobOutcome = self._refused(entry, why_not, Ending.VANISHED)
            else:
                outcome = self._start(entry, action)
            begun.append((action, outcome))
            self.tell(action, outcome)
        return tuple(begun)

    def _start(self, entry: JournalEntry, action: StartRebalance) -> JobOutcome:
        assert entry.rebalance_id is not None  # noqa: S101 -- money is reserved for it
        try:
            self.kit.sling.start(action)
        except NotAskedError as error:
            return self._refused(entry, str(error), Ending.VANISHED)
        except NodeRefusedError as error:
            said_no = error.code not in _NOT_SLINGS_WORD
            return self._refused(entry, str(error), Ending.REJECTED if said_no else Ending.VANISHED)
        except NoAnswerError as error:
            self.kit.store.treasury.lost(entry.entry_id, str(error), self.kit.clock.now())
            return Unknown(error=str(error))
        self.kit.store.treasury.began(entry.entry_id, self.kit.clock.now())
        return Started(rebalance_id=entry.rebalance_id)

    def _refused(self, entry: JournalEntry, error: str, ending: Ending) -> Refused:
        self.kit.store.treasury.refused(entry.entry_id, error, self.kit.clock.now(), ending)
        return Refused(error=error)

    def stop(self, rebalance_id: int, scid: Scid, why: str, *, dry_run: bool) -> JobOutcome:
        """
        Have sling end what it is at on *scid*, which is a rebalance of ours.
        """

        def ask() -> Stopped:
            self.kit.sling.stop(scid)
            return Stopped(rebalance_id=rebalance_id)

        outcome = attempted(ask, dry_run=dry_run)
        log = self.kit.log.bind(rebalance=rebalance_id, scid=scid, why=why)
        match outcome:
            case Stopped():
                log.debug("rebalance stopped")
            case Rehearsed():
                log.debug("rebalance not stopped: dry-run is set")
            case Refused() | Unknown():
                log.warning("rebalance not seen to stop", error=outcome.error)
            case _:
                assert_never(outcome)
        return outcome

    def tell(self, action: StartRebalance, outcome: JobOutcome) -> None:
        """
        Log what became of *action*, in a line.
        """
        log = self.kit.log.bind(
            scid=action.scid,
            sats=sats_down(action.amount_msat),
            max_ppm=action.max_ppm,
            max_fee_sats=sats_up(action.max_fee_msat),
            sources=len(action.sources),
        )
        match outcome:
            case Started() | Stopped():
                log.info("rebalance begun", rebalance=outcome.rebalance_id)
            case Rehearsed():
                log.info("rebalance not begun: dry-run is set")
            case Refused():
                log.warning("rebalance refused", why=outcome.error)
            case Unknown():
                log.warning("rebalance without an answer: it may have begun", why=outcome.error)
            case _:
                assert_never(outcome)


def _taken(action: StartRebalance, engine: Engine | None) -> str | None:
    """
    Return why sling is not asked for *action*: whatever it is at on these channels stays alone.
    """
    if engine is None or engine.jobs is None or engine.trouble:
        return engine.trouble if engine and engine.trouble else "sling was not asked"
    needed = {action.scid, *(source.scid for source in action.sources)}
    for job in engine.jobs:
        if used := needed & {job.scid, *job.partners}:
            return f"sling has a job on {job.scid} that needs {', '.join(sorted(used))} too"
    return None
