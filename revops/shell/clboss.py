"""The keeper of CLBOSS: it has CLBOSS leave alone what revops does, and gives all of it back."""

import math
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any, Final

import attrs

from revops.adapters.errors import NoAnswerError, NodeRefusedError, NotAskedError
from revops.adapters.store import Store
from revops.core.clboss import NONE, Claim, Step, Tags, due, hands_off, steps
from revops.core.config import Config
from revops.core.snapshot import Snapshot
from revops.core.units import MINUTE, Instant, PeerId
from revops.shell.clock import Clock
from revops.shell.ports import ClbossPort

_ASK_AGAIN_S: Final = 10 * MINUTE
"""When a CLBOSS that is not there is looked for again."""
_TURN_S: Final = 30.0
"""How long a cycle may go on telling a CLBOSS that answers; the next one tells it the rest."""
_ABSENT: Final = "CLBOSS is not there"
_STOPPING: Final = "revops is stopping"
_LATER: Final = "not told yet: CLBOSS is silent or takes long, or revops is stopping"


@attrs.frozen(kw_only=True)
class Look:
    """
    How CLBOSS was found.

    Attributes:
        unmanaged: What it leaves alone of which peers; `None` when it did not tell.
        note: Why it did not, or what it was not told; empty when all is well.
    """

    at: Instant
    there: bool
    unmanaged: Mapping[PeerId, Tags] | None = None
    note: str = ""


class Keeper:
    """
    What is claimed is written down before CLBOSS is told: a crash at any moment loses no tag of the
    operator's. Any thread may ask; CLBOSS is told by one after the other.

    Attributes:
        due: What the last cycle wanted CLBOSS to leave alone of whom.
        last: The last look; `None` before the first.
    """

    def __init__(
        self,
        clboss: ClbossPort,
        store: Store,
        clock: Clock,
        config: Callable[[], Config],
        log: Any,  # noqa: ANN401 -- structlog's loggers have no better type
    ) -> None:
        self._clboss = clboss
        self._store = store
        self._clock = clock
        self._config = config
        self._log = log
        self._lock = Lock()
        self.due: Mapping[PeerId, Tags] = {}
        self._absent_until = clock.ticks()
        self._released = False
        # Nobody begins to tell it anything after this tick.
        self._ends = -math.inf
        self.last: Look | None = None

    def keep(self, snapshot: Snapshot, config: Config) -> None:
        """
        Have CLBOSS leave alone what revops does under *config* and nothing that it does no longer,
        before it does any of it.

        Raises:
            StoreError: The books cannot be read or written: CLBOSS is told nothing.
        """
        self.due = due(snapshot, config)
        if hands_off(config) or self._clock.ticks() < self._absent_until:
            return
        with self._lock:
            claims = self._store.clboss.claims()
            # Where nothing is wanted and nothing is ours, there is nothing to ask.
            wanted = config.clboss_enabled and (self.due or claims)
            needed = wanted or any(claim.ours for claim in claims.values())
            self._ends = self._clock.ticks() + _TURN_S
            if needed and not self._released:
                self._settle(claims, {**self.due, **self._wanted(claims)})

    def order(
        self, peers: Iterable[PeerId], change: Callable[[Claim], Claim]
    ) -> tuple[tuple[Claim, ...], str]:
        """
        Write down what the operator orders about *peers* and tell CLBOSS; return what is claimed
        then, and why CLBOSS was not told: empty when it was.

        Raises:
            StoreError: The books cannot be read or written: CLBOSS is told nothing.
        """
        with self._lock:
            claims = self._store.clboss.claims()
            now = self._clock.now()
            ordered = {
                peer: change(claims.get(peer) or Claim(peer_id=peer, since=now)) for peer in peers
            }
            self._store.clboss.save(ordered.values())
            self._ends = self._clock.ticks() + _TURN_S
            why_not = _STOPPING if self._released else _why_not(self._config())
            why_not = why_not or self._settle(ordered, self._wanted(ordered))
            claims = ordered | self._store.clboss.claims()
            return tuple(claims[peer] for peer in ordered), why_not

    def look(self) -> Look:
        """
        Return how CLBOSS is found now.
        """
        with self._lock:
            return self._look()

    def release(self) -> None:
        """
        Give everything back to how it would be without us, as revops stops, and claim no more.

        Raises:
            StoreError: The books cannot be read or written: CLBOSS is told nothing.
        """
        self._released, self._ends = True, -math.inf  # Whoever is telling it comes to an end.
        with self._lock:
            self._ends = math.inf
            claims = self._store.clboss.claims()
            ours = {peer: claim for peer, claim in claims.items() if claim.ours}
            if ours and (why_not := self._settle(ours, {})):
                self._log.warning("CLBOSS keeps tags of ours until the next start", why=why_not)

    def _wanted(self, claims: Mapping[PeerId, Claim]) -> dict[PeerId, Tags]:
        if not self._config().clboss_enabled:
            return {}
        return {peer: claim.wanted(self.due.get(peer, NONE)) for peer, claim in claims.items()}

    def _look(self) -> Look:
        now = self._clock.now()
        try:
            found = self._clboss.unmanaged()
        except (NodeRefusedError, NoAnswerError) as error:
            look = Look(at=now, there=True, note=str(error))
        else:
            absent = found is None
            look = Look(at=now, there=not absent, unmanaged=found, note=_ABSENT if absent else "")
            self._absent_until = self._clock.ticks() + (_ASK_AGAIN_S if absent else 0)
        self.last = look
        return look

    def _settle(self, claims: Mapping[PeerId, Claim], wanted: Mapping[PeerId, Tags]) -> str:
        """
        Make *wanted* ours, and return why not all of it is; empty when it is.
        """
        look = self._look()
        if look.unmanaged is None:
            return look.note
        todo = steps(claims, look.unmanaged, wanted, look.at)
        self._store.clboss.save(step.pending for step in todo)
        results = [self._tell(step) for step in todo]
        self._store.clboss.save(claim for claim, _ in results)
        untold = [why for _, why in results if why]
        note = f"{len(untold)} peers: {untold[0]}" if untold else ""
        has = {
            step.then.peer_id: step.then.told
            for step, (_, why) in zip(todo, results, strict=True)
            if not why
        }
        self.last = attrs.evolve(look, unmanaged={**look.unmanaged, **has}, note=note)
        if told := sum(step.to_tell is not None for step in todo) - len(untold):
            self._log.info("CLBOSS was told what to leave alone", peers=told)
        return note

    def _tell(self, step: Step) -> tuple[Claim, str]:
        """
        Return what is claimed after *step*, and why it was not done.
        """
        if step.to_tell is None:
            return step.then, ""
        if self._clock.ticks() > self._ends:
            return step.seen, _LATER
        try:
            self._clboss.unmanage(step.then.peer_id, step.to_tell)
        except (NodeRefusedError, NotAskedError) as error:
            return step.seen, str(error)
        except NoAnswerError as error:
            self._ends = -math.inf
            return step.pending, str(error)
        return step.then, ""


def _why_not(config: Config) -> str:
    """
    Return what keeps CLBOSS from being told what the operator orders; empty when nothing does.
    """
    if not config.clboss_enabled:
        return "clboss-enabled is false"
    if config.dry_run or config.paused:
        return f"{'dry-run' if config.dry_run else 'paused'} is set"
    return ""
