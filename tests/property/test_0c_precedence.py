"""§0 Precedence: the newest explicit setting wins, and a restart changes nothing."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from property.strategies import configs, instants, values

from revops.adapters.errors import StoreError
from revops.core.config import OPTIONS, changed_options, configured
from revops.core.option import ConfigError
from revops.core.precedence import Setting, started
from revops.shell.options import Settings

TEXTS = {
    "min-fee-ppm": ("10", "6000"),
    "max-fee-ppm": ("5000", "9", "7000"),
    "base-fee-msat": ("0", "5", "keep"),
}
"""Few values, so that they meet again; the first of each is the default."""
DEFAULTS = {name: texts[0] for name, texts in TEXTS.items()}
changes = st.sampled_from([(name, text) for name, texts in TEXTS.items() for text in texts])
names = st.sampled_from(tuple(TEXTS))
edits = st.dictionaries(names, st.none(), max_size=2).flatmap(
    lambda chosen: st.fixed_dictionaries(
        {name: st.none() | st.sampled_from(TEXTS[name]) for name in chosen}
    )
)
times = st.integers(1, 10)


class KilledError(BaseException):
    """
    The process is gone.
    """


class FakeBooks:
    """
    Rows that survive a restart, unless the disk is full or the power fails.
    """

    def __init__(self):
        self.rows = {}
        self.trouble = None

    def save(self, new, before):
        """
        Do what `Store.save_settings` does.
        """
        if self.trouble == "full":
            raise StoreError(self.trouble)
        if self.trouble == "killed before":
            raise KilledError
        for setting in before:
            self.rows.pop(setting.option, None)
        self.rows |= {setting.option: setting for setting in new}
        if self.trouble == "killed after":
            raise KilledError


def started_with(books, lines):
    """
    Return the Settings of a start with *lines* in the file.
    """
    settings = Settings()
    settings.start(DEFAULTS | lines, books.rows.values())
    settings.keep_in(books.save)
    return settings


def may_be(texts):
    """
    Tell whether an operator may have all of *texts* at once.
    """
    return int(texts["min-fee-ppm"]) <= int(texts["max-fee-ppm"])


class Life(RuleBasedStateMachine):
    """
    A node's life, beside the simplest account of it: `newest` is, by option, who set it last and
    to what. Lightningd itself sets an option when it comes to have another value than before.
    """

    @initialize()
    def install(self):
        """
        Start for the first time.
        """
        self.file = {}
        self.has = dict(DEFAULTS)
        self.newest = {name: ("default", text) for name, text in DEFAULTS.items()}
        self.books = FakeBooks()
        self.start()

    def start(self):
        """
        Start as lightningd does, and account for what it has now.
        """
        self.settings = Settings()
        has = DEFAULTS | self.file
        before = dict(self.books.rows)
        self.settings.start(has, before.values())
        newest = dict(self.newest)
        for name, text in has.items():
            source, _ = newest[name]
            lapsed = source == "revenue-config" and text == DEFAULTS[name]
            if text != self.has[name] and not lapsed:
                newest[name] = self.by_lightningd(name, text)
        for name, (source, _) in newest.items():
            # A wish that contradicts what was put into the file since is the older one.
            if source == "revenue-config" and not self.fits(newest):
                newest[name] = self.by_lightningd(name, has[name])
        if self.fits(newest):
            self.settings.keep_in(self.books.save)
            self.newest, self.has = newest, has
            return
        assert self.settings.problems()
        assert self.books.rows == before
        self.file = {n: text for n, text in self.file.items() if not n.endswith("fee-ppm")}
        self.start()

    def by_lightningd(self, name, text):
        """
        Return what lightningd has as the newest setting.
        """
        return ("default" if text == DEFAULTS[name] else "config file", text)

    def fits(self, newest):
        """
        Tell whether all of *newest* may be at once.
        """
        return may_be({name: text for name, (_, text) in newest.items()})

    def attempt(self, after, act):
        """
        Do *act*, which is to lead to *after*; if that cannot be, it is refused and nothing changed.
        """
        config, in_force = self.settings.config, self.settings.in_force
        version, rows = self.settings.version, dict(self.books.rows)
        if self.fits(after) and self.books.trouble is None:
            act()
            self.newest = after
            return True
        with pytest.raises((ConfigError, StoreError)):
            act()
        assert self.settings.config is config
        assert self.settings.in_force is in_force
        assert self.settings.version == version
        assert self.books.rows == rows
        return False

    @rule(lines=edits)
    def edit_the_file(self, lines):
        """
        Write lines, or delete them; they count at the next start.
        """
        kept = {name: text for name, text in self.file.items() if name not in lines}
        self.file = kept | {name: text for name, text in lines.items() if text is not None}

    @rule(change=changes, transient=st.booleans(), at=times)
    def setconfig(self, change, transient, at):
        """
        Lightningd asks us first; then it has the value, and writes it to its file or does not.
        """
        name, text = change
        after = self.newest | {name: ("setconfig", text)}
        if self.attempt(after, lambda: self.settings.change({name: text}, "setconfig", at)):
            self.has[name] = text
            if not transient:
                self.file[name] = text

    @rule(
        wishes=st.dictionaries(names, st.none(), min_size=1, max_size=3), data=st.data(), at=times
    )
    def revenue_config(self, wishes, data, at):
        """
        Set one option or several, as a preset does.
        """
        texts = {name: data.draw(st.sampled_from(TEXTS[name])) for name in wishes}
        after = self.newest | {name: ("revenue-config", text) for name, text in texts.items()}
        self.attempt(after, lambda: self.settings.change(texts, "revenue-config", at))

    @rule(name=names)
    def reset(self, name):
        """
        Take back what revenue-config set.
        """
        after = dict(self.newest)
        if self.newest[name][0] == "revenue-config":
            after[name] = self.by_lightningd(name, self.has[name])
        self.attempt(after, lambda: self.settings.reset(name))

    @rule(full=st.booleans())
    def fill_the_disk(self, full):
        """
        Make every write fail, or no more.
        """
        self.books.trouble = "full" if full else None

    @precondition(lambda self: not self.books.trouble)
    @rule(lines=edits)
    def restart(self, lines):
        """
        Stop, edit the file, and start.
        """
        self.edit_the_file(lines)
        self.start()

    @precondition(lambda self: not self.books.trouble)
    @rule(
        change=changes,
        source=st.sampled_from(("setconfig", "revenue-config")),
        at=times,
        saved=st.booleans(),
    )
    def crash(self, change, source, at, saved):
        """
        Be killed in the middle of a change, before or after it was written down. Lightningd, which
        gets no answer, then goes on with what it had.
        """
        name, text = change
        self.books.trouble = "killed after" if saved else "killed before"
        with pytest.raises((KilledError, ConfigError)) as end:
            self.settings.change({name: text}, source, at)
        self.books.trouble = None
        if saved and end.type is KilledError:
            self.newest[name] = (source, text)
            if source == "setconfig":
                self.has[name] = text
        self.start()

    @invariant()
    def the_newest_setting_is_in_force(self):
        """
        Values and sources are those of the simple account.
        """
        config, in_force = self.settings.config, self.settings.in_force
        assert config == configured({name: text for name, (_, text) in self.newest.items()})
        assert config == in_force.config()
        for name, (source, _) in self.newest.items():
            assert in_force.source(name) == source


TestLife = Life.TestCase
TestLife.settings = settings(stateful_step_count=30)


@st.composite
def rows(draw):
    """
    Return a setting such as books may hold, of another revops perhaps.
    """
    option = draw(st.sampled_from(tuple(OPTIONS.values())))
    texts = values(option).map(option.format) | st.text(max_size=5)
    return Setting(
        option=draw(st.just(option.name) | st.text("abc-", max_size=5)),
        value=draw(texts),
        given=draw(st.just(option.format(option.default)) | texts),
        source=draw(st.sampled_from(("setconfig", "revenue-config"))),
        at=draw(instants()),
    )


@given(configs(), st.lists(rows(), max_size=6, unique_by=lambda row: row.option))
def test_a_good_file_starts_whatever_the_books_hold(config, saved):
    """
    No setting of the past, of another revops or contradicting the file, keeps a node from
    starting; each that is not in force any more is told, by name.
    """
    in_force, told = started(changed_options(config), saved)
    gone = {row.option for row in saved} - set(in_force.settings)

    assert in_force.problems() == ()
    assert sorted(sentence.split("=")[0] for sentence in told) == sorted(gone)


@given(configs(), st.lists(rows(), max_size=6, unique_by=lambda row: row.option), st.randoms())
def test_starting_again_is_the_same(config, saved, chance):
    """
    What is in force stays so at any later start with the same file, in whatever order it is read.
    """
    given_texts = changed_options(config)
    in_force, _ = started(given_texts, saved)
    again = list(in_force.settings.values())
    chance.shuffle(again)

    assert started(given_texts, again) == (in_force, ())


@given(times, times, st.booleans())
def test_of_two_settings_that_contradict_each_other_the_newer_stands(one, other, turned):
    """
    Where two settings of the books cannot both be, the one that was made later is in force, and of
    the other it is told why it is not.
    """
    saved = [
        Setting(option=option, value=value, given=DEFAULTS[option], source="revenue-config", at=at)
        for option, value, at in (("min-fee-ppm", "3000", one), ("max-fee-ppm", "2000", other))
    ]
    in_force, told = started({}, reversed(saved) if turned else saved)
    newest = min(saved, key=lambda setting: (-setting.at, setting.option))
    (older,) = (setting for setting in saved if setting is not newest)

    assert list(in_force.settings.values()) == [newest]
    gone = f"{older.option}={older.value}, set by revenue-config, is no longer in force"
    assert told == (f"{gone}: min-fee-ppm 3000 is above max-fee-ppm 2000",)


@given(st.data(), names, times)
def test_a_line_taken_out_is_no_newer_wish_but_one_put_in_is(data, name, at):
    """
    When the file falls silent about an option, what revenue-config set stands; when it speaks
    again, even to say what it said before, that is newer, and the wish is gone for good.
    """
    text = data.draw(st.sampled_from(TEXTS[name][1:]))
    books = FakeBooks()
    started_with(books, {name: text}).change({name: DEFAULTS[name]}, "revenue-config", at)

    for lines, source in (
        ({}, "revenue-config"),
        ({name: text}, "config file"),
        ({}, "default"),
        ({name: text}, "config file"),
    ):
        assert started_with(books, lines).in_force.source(name) == source


@given(st.lists(names, min_size=1, unique=True), times)
def test_what_was_reset_does_not_come_back(chosen, at):
    """
    Whatever was set before and after it, a reset is for good.
    """
    books = FakeBooks()
    settings = started_with(books, {})
    for name in chosen:
        settings.change({name: DEFAULTS[name]}, "revenue-config", at)
    for name in chosen:
        settings.reset(name)

    assert not books.rows
    assert started_with(books, {}).in_force.source(chosen[0]) == "default"


def test_what_is_fixed_is_not_changed_while_running():
    """
    Where the books are is not changed under a running plugin, nor is anything beside it.
    """
    before, _ = started({}, ())
    texts = {"min-fee-ppm": "7", "db-path": "elsewhere"}
    with pytest.raises(ConfigError, match="db-path: it is fixed while revops runs"):
        before.changed(texts, "revenue-config", 1)


@given(configs(), st.sampled_from(tuple(OPTIONS)))
def test_a_reset_of_what_was_not_set_changes_nothing(start, name):
    """
    What lightningd's own config says is not revenue-config's to take back.
    """
    before, _ = started(changed_options(start), ())

    assert before.reset(name) == before


@given(configs(), configs(), instants())
def test_all_options_at_once_are_set_or_none(start, wished, at):
    """
    Any Config can be wished for over any other, and is then in force as a whole, now and after a
    restart.
    """
    given_texts = changed_options(start)
    dynamic = {o.name: o for o in OPTIONS.values() if o.dynamic}
    texts = {name: o.format(getattr(wished, name.replace("-", "_"))) for name, o in dynamic.items()}
    before, _ = started(given_texts, ())
    after = before.changed(texts, "revenue-config", at)

    assert after.config() == configured(texts, start)
    assert started(given_texts, after.settings.values()) == (after, ())
