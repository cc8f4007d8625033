"""What was played is found again, by the code that played it."""

import ast
from pathlib import Path

import pytest
from unit.simulate.league.cells import bounds, cell

from revops.core.units import Msat
from revops.simulate.arena import contest
from revops.simulate.arena.contest import Reference, Sitting, sit
from revops.simulate.kept import Kept
from revops.simulate.league import archive, sources
from revops.simulate.league.archive import Archive
from revops.simulate.league.sources import digest_of, imported, oracle_digest

SITTING = Sitting(scenario="mixed_5", seed=3, days=8, policies=("static-50", "clboss+refills"))
CORE = Path(contest.__file__).parents[2] / "core"


def test_what_was_played_is_found_again() -> None:
    """
    Cells come back as they were, bounds included; who did not play is not there.
    """
    archive = Archive(Kept(None))
    played = sit(SITTING)
    assert archive.cells(SITTING) == []
    archive.put(played[:1])

    assert archive.cells(SITTING) == played[:1]
    assert archive.bounds(SITTING) == played[0].bounds
    archive.put(played)
    assert archive.cells(SITTING) == played


def test_bounds_of_every_kind_come_back() -> None:
    """
    A tape without a static oracle, and one with two, are read as they were written.
    """
    archive = Archive(Kept(None))
    best = Reference(net_msat=Msat(7), by_day=(Msat(3), Msat(4)))
    for known in (bounds(static=None), bounds(regime=best)):
        one = cell("static-50", 3, 5, bounds=known)
        archive.put([one])
        asked = Sitting(scenario="mixed_5", seed=3, days=2, policies=("static-50",))

        assert archive.cells(asked) == [one]


def test_other_days_are_other_cells() -> None:
    """
    Scenario, seed, days and policy all belong to what is kept.
    """
    archive = Archive(Kept(None))
    archive.put([cell("static-50", 3, 5)])
    for scenario, seed, days in (("mixed_20", 3, 2), ("mixed_5", 4, 2), ("mixed_5", 3, 3)):
        asked = Sitting(scenario=scenario, seed=seed, days=days, policies=("static-50",))

        assert archive.cells(asked) == []


def test_what_other_code_played_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Once a source that matters is another one, a cell is as good as never played.
    """
    archive_ = Archive(Kept(None))
    archive_.put([cell("core", 3, 5), cell("static-50", 3, 5)])
    asked = Sitting(scenario="mixed_5", seed=3, days=2, policies=("core", "static-50"))
    monkeypatch.setattr(
        archive, "digest_of", lambda name: digest_of(name) + "core" * ("core" in name)
    )

    assert [found.policy for found in archive_.cells(asked)] == ["static-50"]


def test_the_core_depends_on_the_core_and_a_rival_does_not() -> None:
    """
    Whatever the core imports to decide counts for it, its refills for those who refill; the
    sources of rivals and oracles are their own.
    """
    digests = [oracle_digest(), digest_of("clboss"), digest_of("core"), digest_of("core+refills")]

    assert len(set(digests)) == 4
    assert digest_of("static-50") == digest_of("clboss")
    assert digest_of("core,min-fee-ppm=5") == digest_of("core")
    arena = Path(contest.__file__).parent
    everything = sources._closure([arena / "core_policy.py"], lambda _: True)
    assert {"decide.py", "prepare.py", "climb.py", "books.py", "world.py"} <= {
        path.name for path in everything
    }


def test_the_world_takes_from_the_core_what_its_digest_knows() -> None:
    """
    What makes and plays tapes imports amounts and the worth of liquidity from the core; snapshots
    are only handed on. Of what `value` imports for other purposes the worth needs nothing.
    """
    arena = Path(contest.__file__).parent
    world = sources._closure(
        (arena / f"{name}.py" for name in sources._WORLD), lambda file: arena in file.parents
    )
    taken = {path for file in world for path in imported(file) if CORE in path.parents}

    assert {path.name for path in taken} <= {"units.py", "value.py", "snapshot.py"}
    assert not names_behind("value_msat") & {"dispersion", "size_of", "Slice", "Traffic"}


def names_behind(function: str) -> set[str]:
    """
    Return every name that a function of `value` uses, and those that it calls there.
    """
    module = ast.parse((CORE / "value.py").read_text("utf-8"))
    known = {node.name: node for node in module.body if isinstance(node, ast.FunctionDef)}
    found = {function}
    waiting = [function]
    while waiting:
        body = ast.walk(known[waiting.pop()])
        names = {node.id for node in body if isinstance(node, ast.Name)} - found
        found |= names
        waiting += names & known.keys()
    return found
