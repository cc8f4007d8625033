"""Grid file: a grid as it is written in TOML, read strictly and refused in full sentences."""

import itertools
import math
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeGuard

import attrs

from revops.adapters.errors import WireError
from revops.adapters.wire import write_snapshot
from revops.core.config import Config, changed_options, configured, option_named
from revops.core.option import ConfigError, Option
from revops.simulate import load
from revops.simulate.arena.scenarios import SCENARIOS
from revops.simulate.sweep.cells import Node, Scene, Stage
from revops.simulate.sweep.grid import BASE, Entry, Grid

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MOST_CELLS: Final = 100_000
MOST_DAYS: Final = 365
MOST_SEED: Final = 2**32 - 1
MOST_PROBLEMS: Final = 10
"""How many are told at once: a product repeats its own."""

_KEYS: Final = ("scenario", "snapshot", "days", "seeds", "base", "grid", "config")
_RANGE: Final = re.compile(r"([0-9]{1,10})-([0-9]{1,10})")
_SEEDS: Final = f'"FIRST-LAST" or a list of whole numbers from 0 to {MOST_SEED}'
_LONGEST: Final = 60
"""How much of a value is shown."""


def read_grid(path: Path) -> Grid:
    """
    Return the grid in the file at *path*.

    Raises:
        ConfigError: A sentence for each thing that cannot be.
        OSError: A file cannot be read.
    """
    try:
        document = tomllib.loads(path.read_bytes().decode())
    except (ValueError, RecursionError) as error:
        raise ConfigError((f"{path}: not TOML: {error}",)) from error
    return _Reader(path).grid(document)


class _Played(NamedTuple):
    """
    What the entries are played on, the config that they start from, and what is to be said of it.
    """

    stages: tuple[Stage, ...]
    start: Config = Config()
    notes: tuple[str, ...] = ()


@attrs.define
class _Reader:
    """
    Reads on after what is wrong, to tell all of it at once.
    """

    path: Path
    problems: list[str] = attrs.field(factory=list)

    def grid(self, document: Mapping[str, Any]) -> Grid:
        """
        Return what the *document* says.
        """
        for key in document.keys() - _KEYS:
            self.wrong(key, f"expected one of {', '.join(_KEYS)}")
        stages, start, notes = self.played(document)
        seeds = self.seeds(document.get("seeds"))
        base = self.texts("[base]", document.get("base", {}))
        axes = self.axes(document.get("grid", {}))
        named = self.named(document.get("config", []))
        self.close()
        product = math.prod(map(len, axes.values())) if axes else 0
        count = len(stages) * len(seeds) * (1 + product + len(named))
        if count > MOST_CELLS:
            self.wrong(f"{count} cells", f"{MOST_CELLS} is the most: take fewer values or seeds")
        self.close()
        entries = self.entries([(BASE, {}), *_product(axes), *named], base, start)
        self.close()
        return Grid(stages, tuple(seeds), entries, notes)

    def wrong(self, where: str, what: str) -> None:
        """
        Keep *what* is wrong there.
        """
        self.problems.append(f"{self.path}: {where}: {what}")

    def close(self) -> None:
        """
        Raise what is wrong, if anything is.
        """
        told = self.problems[:MOST_PROBLEMS]
        if rest := len(self.problems) - len(told):
            told.append(f"{self.path}: and {rest} more like these")
        if told:
            raise ConfigError(tuple(told))

    def played(self, document: Mapping[str, Any]) -> _Played:
        """
        Return what the entries are played on.
        """
        days = self.days(document.get("days"))
        if ("scenario" in document) == ("snapshot" in document):
            self.wrong("scenario, snapshot", "expected one of the two")
        elif "scenario" in document:
            return _Played(self.scenes(document["scenario"], days))
        elif days is None:
            self.wrong("days", "expected with a snapshot")
        elif not isinstance(name := document["snapshot"], str):
            self.wrong("snapshot", f"expected a path, got {_shown(name)}")
        else:
            return self.node(name, days)
        return _Played(())

    def node(self, name: str, days: int) -> _Played:
        """
        Return the node whose snapshot, or whose raw replies, are at *name*, seen from the grid.
        """
        place = self.path.parent / name
        try:
            material = (load.from_directory if place.is_dir() else _from_file)(place)
        except WireError as error:
            for problem in error.problems:
                self.wrong(f"snapshot {name}", problem)
            return _Played(())
        snapshot = material.snapshot(material.config)
        if not snapshot.channels:
            self.wrong(f"snapshot {name}", "expected a node with channels, got one without")
        page = zlib.compress(write_snapshot(snapshot).encode())
        notes = (*(f"left out: {problem}" for problem in material.problems), material.granted)
        return _Played((Node(name, days, page),), material.config, tuple(filter(None, notes)))

    def days(self, value: object) -> int | None:
        """
        Return how many days are played, `None` for all there are.
        """
        if value is None or _is_whole(value, 1, MOST_DAYS):
            return value
        self.wrong("days", f"expected a whole number from 1 to {MOST_DAYS}, got {_shown(value)}")
        return None

    def scenes(self, value: object, days: int | None) -> tuple[Scene, ...]:
        """
        Return the scenarios that *value* names.
        """
        scenes = []
        for name in self.several("scenario", [value] if isinstance(value, str) else value):
            if not isinstance(name, str) or name not in SCENARIOS:
                self.wrong("scenario", f"expected {', '.join(SCENARIOS)}, got {_shown(name)}")
            elif days is not None and days > SCENARIOS[name].days:
                self.wrong("days", f"{name} has {SCENARIOS[name].days}, got {days}")
            else:
                scenes.append(Scene(name, days or SCENARIOS[name].days))
        return tuple(scenes)

    def seeds(self, value: object) -> Sequence[int]:
        """
        Return the seeds that *value* is a range or a list of.
        """
        ends = _RANGE.fullmatch(value) if isinstance(value, str) else None
        first, last = map(int, ends.groups()) if ends else (0, -1)
        if first <= last <= MOST_SEED:
            return range(first, last + 1)
        if isinstance(value, list) and all(_is_whole(seed, 0, MOST_SEED) for seed in value):
            return self.several("seeds", value)
        self.wrong("seeds", f"expected {_SEEDS}, got {_shown(value)}")
        return ()

    def several(self, where: str, value: object) -> list[Any]:
        """
        Return the items of a list that has some, each of them once.
        """
        if not isinstance(value, list) or not value:
            self.wrong(where, f"expected a list of some, got {_shown(value)}")
            return []
        for item in _repeated(map(repr, value)):
            self.wrong(where, f"{item} is there twice")
        return value

    def options(self, where: str, table: object) -> Iterator[tuple[Option, Any]]:
        """
        Return what a *table* has for each option.
        """
        if not isinstance(table, dict):
            self.wrong(where, f"expected a table of options, got {_shown(table)}")
            return
        seen = set()
        for name, value in table.items():
            try:
                option = option_named(name)
            except ConfigError as error:
                self.wrong(where, str(error))
                continue
            if option.name in seen:
                self.wrong(where, f"{option.name} is there twice")
            seen.add(option.name)
            yield option, value

    def text(self, where: str, option: Option, value: object) -> str:
        """
        Return *value* as `configured` reads it, the same text for the same value.
        """
        text = str(value).lower() if isinstance(value, bool) else str(value)
        if not isinstance(value, (str, int, float)):
            self.wrong(f"{where} {option.name}", f"expected a single value, got {_shown(value)}")
            return text
        try:
            return option.format(option.parse(text))
        except ConfigError as error:
            self.wrong(where, str(error))
            return text

    def texts(self, where: str, table: object) -> dict[str, str]:
        """
        Return the options that a *table* sets.
        """
        return {o.name: self.text(where, o, value) for o, value in self.options(where, table)}

    def axes(self, table: object) -> dict[str, list[str]]:
        """
        Return the values that a *table* has for each of its options.
        """
        axes = {}
        for option, values in self.options("[grid]", table):
            where = f"[grid] {option.name}"
            texts = [self.text("[grid]", option, value) for value in self.several(where, values)]
            for text in _repeated(texts):
                self.wrong(where, f"{text} is there twice")
            axes[option.name] = texts
        return axes

    def named(self, tables: object) -> list[tuple[str, dict[str, str]]]:
        """
        Return the configs that are written out, by their names.
        """
        if not isinstance(tables, list):
            self.wrong("config", f"expected tables under [[config]], got {_shown(tables)}")
            return []
        named = []
        for table in tables:
            name = table.get("name") if isinstance(table, dict) else None
            if not isinstance(name, str) or not name.isprintable() or not name:
                self.wrong("[[config]]", f"name: expected some text, got {_shown(name)}")
                continue
            options = {key: value for key, value in table.items() if key != "name"}
            named.append((name, self.texts(f"[[config]] {name}", options)))
        return named

    def entries(
        self,
        changes: Sequence[tuple[str, Mapping[str, str]]],
        base: Mapping[str, str],
        start: Config,
    ) -> tuple[Entry, ...]:
        """
        Return the configs that *changes* of the *base* make, by their names.
        """
        for name in _repeated(name for name, _ in changes):
            self.wrong(f"config {name}", "there are two of this name")
        entries = []
        for name, texts in changes:
            try:
                config = configured({**base, **texts}, start)
            except ConfigError as error:
                self.wrong(f"config {name}", str(error))
            else:
                entries.append(Entry(name, tuple(sorted(changed_options(config).items()))))
        return tuple(entries)


def _from_file(path: Path) -> load.Material:
    return load.from_text(path.read_bytes())


def _product(axes: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, dict[str, str]]]:
    """
    Return every choice of one value for each option, by its name.
    """
    for choice in itertools.product(*axes.values()) if axes else ():
        texts = dict(zip(axes, choice, strict=True))
        yield ", ".join(f"{name}={text}" for name, text in texts.items()), texts


def _is_whole(value: object, low: int, high: int) -> TypeGuard[int]:
    return type(value) is int and low <= value <= high


def _repeated(items: Iterable[str]) -> Iterator[str]:
    return (item for item, count in Counter(items).items() if count > 1)


def _shown(value: object) -> str:
    text = "nothing" if value is None else repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
