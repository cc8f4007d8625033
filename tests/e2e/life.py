"""A life of a node that rebalances: where it begins, what it may be struck by, and how it ends."""

import copy
from collections.abc import Callable, Mapping
from pathlib import Path
from random import Random  # noqa: TID251 -- a test draws what no decision depends on
from shutil import copytree
from typing import Any, Final

from e2e.audit import Audit
from e2e.office import Office
from e2e.strikes import StruckError, StruckOffice
from e2e.thirsty import HOUR, MINUTE, SOURCE, TARGET, make_thirsty, settle_in
from fake_circular import Fate
from fakes import FakeNode

OPTIONS: Final = {
    "proportional_budget": "false",
    "rebalance_cooldown_hours": "0",
    "rebalance_chunk": "50000",
    "fee_interval": "7200",
}
TARGETS: Final = (TARGET, "150x4x0")
GIVERS: Final = (SOURCE, "150x6x0", "150x8x0", "150x5x0")

Happenings = Mapping[Callable[["Life"], str], int]
"""What may happen, and how often: each has an effect and says what happened."""


class Start:
    """
    A node that could sell more by *targets*, and the books of a plugin that has known it for a
    day: to begin with as often as is wished.
    """

    def __init__(self, directory: Path, now: int, *targets: str) -> None:
        node = FakeNode(now)
        node.strict = False
        for target in targets:
            make_thirsty(node, target)
        office = Office(directory, node)
        settle_in(office, *targets)
        office.close()
        (directory / "lightning-rpc").unlink()
        self._directory, self._node = directory, node

    def again(self, directory: Path) -> FakeNode:
        """
        Return the node as it was then, with the books in *directory*.
        """
        copytree(self._directory, directory)
        node = FakeNode(self._node.now)
        node.strict = False
        node.channels[:] = copy.deepcopy(self._node.channels)
        node.forwards = copy.deepcopy(self._node.forwards)
        return node


class Life:
    """
    A node, the plugin on it and what becomes of both; every fourth node is an old one.

    Attributes:
        chance: Where everything is drawn from.
        channels: Those that have to do with it, by their first names.
        story: What happened.
    """

    def __init__(self, seed: int, node: FakeNode, directory: Path) -> None:
        self.chance = Random(seed)
        self.node = node
        self.sling = node.sling
        self.office = StruckOffice(directory, node, **OPTIONS)
        self.audit = Audit(self.office)
        self.channels = {scid: node.channel(scid) for scid in (*TARGETS, *GIVERS)}
        self.story: list[str] = []
        self._number = 0
        if seed % 4 == 3:
            # As before v25.09: what payments cost is in bookkeeper's books alone.
            node.absent.add("listchannelmoves")
        self.calm()

    def close(self) -> None:
        """
        End it.
        """
        self.audit.close()
        self.office.close()

    def go_on(self, happenings: Happenings) -> None:
        """
        Let something happen, and check what must hold whatever happens.
        """
        (befall,) = self.chance.choices([*happenings], [*happenings.values()])
        self.story.append(f"{befall.__name__} ...")
        before = self.office.clock.now()
        told = befall(self)
        passed = self.office.clock.now() - before
        self.story[-1] = f"{befall.__name__} {told} ({passed:+} s)"
        if self._troubled():
            self.hinder()
        self.audit.check()

    def _troubled(self) -> bool:
        """
        Return whether anything keeps revops from looking after what it began.
        """
        node, sling = self.node, self.sling
        locked = sling.now < sling.lock_held_until
        silent = node.before or node.after or node.garbage
        return bool(silent or locked or self.office.settings.config.dry_run) or not sling.there

    # What happenings are made of -------------------------------------------------------------

    def hinder(self) -> None:
        """
        Note that what is open may not have been looked after.
        """
        self.audit.hindered |= {row.number for row in self.audit.opened()}

    def work(self, act: Callable[[], Any]) -> str:
        """
        Have the plugin do something, and begin anew if that strikes it.
        """
        try:
            act()
        except StruckError as struck:
            return f"struck {struck}, {self.begin_anew()}"
        finally:
            self.office.fuse = None
        return "done"

    def begin_anew(self) -> str:
        """
        Have the plugin away for a while, and start it again.
        """
        self.hinder()
        away = self.chance.choice((2, 2, 3, 7, 30, 90, 300, HOUR, 5 * HOUR))
        dies = self.chance.random() < 0.3
        if dies:
            self.sling.die()
        self.office.pass_by(away)
        if dies:
            self.sling.begin()
        self.office.restart()
        return f"away for {away} s" + (", sling died" if dies else "")

    def calm(self) -> None:
        """
        Have all trouble be over.
        """
        node, sling = self.node, self.sling
        for hooks in (node.before, node.after, node.garbage):
            hooks.clear()
        if not sling.there:
            sling.begin()
        sling.lock_held_until, sling.patience_s = sling.now, 0
        sling.version, sling.sendpay_fails, sling.usual_ppm = "v4.3.1", False, 100
        pace = Fate(arrives_s=self.chance.choice((1, 5, 15, 25, 40)))
        sling.fate = lambda _pair: pace
        for channel in node.channels:
            channel["peer_connected"] = True

    def fresh(self) -> int:
        """
        Return a number that was not used.
        """
        self._number += 1
        return self._number

    def pick(self, scids: tuple[str, ...]) -> dict[str, Any]:
        """
        Return one of the channels that were called *scids* at first.
        """
        return self.channels[self.chance.choice(scids)]

    def pair(self) -> tuple[str, str]:
        """
        Return the names of two channels of different peers: one to give, one to be filled.
        """
        source, target = self.pick(GIVERS), self.pick(TARGETS + GIVERS)
        if source["peer_id"] == target["peer_id"]:
            target = self.channels[TARGET]
        return source["short_channel_id"], target["short_channel_id"]

    # The end ---------------------------------------------------------------------------------

    def end(self) -> None:
        """
        Let all trouble be over, nothing new begin and time pass until nothing is open; check that
        every msat is accounted for.
        """
        self.story.append("quiet")
        self.calm()
        self.office.configure(paused="false", dry_run="false", rebalancer="sling")
        self.office.configure(authority="fees")
        self.office.cycle()
        for minutes in (1,) * 10 + (15,) * 16 + (60,) * 24:
            self.office.tend(after_s=minutes * MINUTE)
            if not self.audit.opened():
                break
        self.office.tend(after_s=MINUTE)
        self.audit.check()
        self.audit.check_end()
        # What others have under way comes to its end too.
        self.sling.die()
        self.office.pass_by(8 * HOUR)
        self.office.keep_books()
        self.audit.check_all_booked()
