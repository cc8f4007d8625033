"""Options as lightningd is told of them, and the Config they make."""

import re
from pathlib import Path
from typing import Any

import pytest

import revops
from revops.core.config import OPTIONS, Config
from revops.core.option import ConfigError
from revops.core.precedence import Setting
from revops.core.units import Instant
from revops.shell.options import PREFIX, Settings, declarations

NOW = Instant(1_795_338_900)
PACKAGE = Path(revops.__file__).parent
TYPES = {"bool": bool, "int": int, "string": str}


def test_every_option_is_declared_once_with_a_default_of_its_type() -> None:
    """
    Lightningd gets each option of Config, and a default that it can print and read back.
    """
    declared = declarations()

    assert [d["name"] for d in declared] == [PREFIX + o.name for o in OPTIONS.values()]
    for declaration in declared:
        default = declaration["default"]
        assert default is None or type(default) is TYPES[declaration["opt_type"]]


def test_the_defaults_that_lightningd_hands_back_are_the_default_config() -> None:
    """
    Starting with nothing configured is starting with `Config()`.
    """
    settings = Settings()
    settings.start({d["name"]: d["default"] for d in declarations()})

    assert settings.config == Config()


def started(**options: object) -> Settings:
    settings = Settings()
    settings.start({PREFIX + name.replace("_", "-"): value for name, value in options.items()})
    return settings


def test_values_come_typed_at_start_and_as_text_later() -> None:
    """
    Both ways mean the same.
    """
    changed = Settings()
    changed.change(
        {PREFIX + "dry-run": "true", PREFIX + "min-fee-ppm": "25", "kelly_fraction": 0.25},
        "setconfig",
        NOW,
    )

    config = Config(dry_run=True, min_fee_ppm=25, kelly_fraction=0.25)
    assert started(dry_run=True, min_fee_ppm=25, kelly_fraction="0.25").config == config
    assert changed.config == config


def test_a_word_may_stand_for_leaving_it_be() -> None:
    """
    base-fee-msat takes keep beside numbers, so lightningd must take it for text.
    """
    settings = Settings()
    settings.change({"base-fee-msat": "keep"}, "setconfig", NOW)

    assert settings.config.base_fee_msat is None


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("dry-run", "yes", "dry-run: expected true or false, got 'yes'"),
        ("dry-run", None, "dry-run: expected true or false, got nothing"),
        ("prometheus-bind", None, "prometheus-bind: expected an IP address, got nothing"),
        ("prometheus-bind", "", "prometheus-bind: expected an IP address, got ''"),
        ("sling-min-version", ["4"], "sling-min-version: expected a version .*, got \\['4'\\]"),
        ("min-fee-ppm", "6000", "min-fee-ppm 6000 is above max-fee-ppm 5000"),
        ("db-path", "/tmp/x", "db-path: it is fixed while revops runs"),  # noqa: S108 -- not opened
        ("colour", "red", "colour: there is no such option"),
    ],
)
def test_a_change_that_cannot_be_leaves_all_as_it_was(
    name: str, value: object, sentence: str
) -> None:
    """
    A bad value, a contradiction, an unknown name or what is fixed is refused in a sentence, and
    the Config in force stays.
    """
    settings = Settings()
    before = settings.config

    with pytest.raises(ConfigError, match=sentence):
        settings.change({PREFIX + name: value}, "revenue-config", NOW)
    assert settings.config is before
    assert settings.version == 0


def test_a_bad_file_is_mended_option_by_option() -> None:
    """
    While more than one option of the file cannot be, each is mended by itself; what was in force
    is not touched before all of them are, and nothing new may go wrong.
    """
    settings = started(kelly_fraction="1.5", vegas_decay="-1", min_fee_ppm=25)
    assert len(settings.problems()) == 2

    with pytest.raises(ConfigError, match=r"kelly-fraction: .* got 1\.7"):
        settings.change({"kelly-fraction": "1.7"}, "setconfig", NOW)
    settings.change({"kelly-fraction": "0.5"}, "setconfig", NOW)
    assert settings.config == Config()
    with pytest.raises(ConfigError, match="min-fee-ppm 25 is above max-fee-ppm 20"):
        settings.change({"vegas-decay": "0.8", "max-fee-ppm": "20"}, "setconfig", NOW)
    settings.change({"vegas-decay": "0.8"}, "setconfig", NOW)

    assert settings.problems() == ()
    assert settings.config == Config(min_fee_ppm=25, vegas_decay=0.8)


def test_what_was_set_before_the_books_were_open_is_kept_in_them() -> None:
    """
    A change that comes first is written down as soon as there are books.
    """
    kept: list[Setting] = []
    settings = started(kelly_fraction="1.5")
    settings.change({"kelly-fraction": "0.25"}, "setconfig", NOW)
    settings.keep_in(lambda new, _: kept.extend(new))

    assert [(row.option, row.value, row.source) for row in kept] == [
        ("kelly-fraction", "0.25", "setconfig")
    ]


def test_a_setting_that_is_gone_is_told_in_a_sentence() -> None:
    """
    Each says what it was, who set it, and what took its place.
    """
    common: dict[str, Any] = {"source": "revenue-config", "at": NOW}
    saved = [
        Setting(option="fee-interval", value="600", given="1800", **common),
        Setting(option="max-fee-ppm", value="50", given="5000", **common),
        Setting(option="colour", value="red", given="blue", **common),
    ]
    told = Settings().start({"min-fee-ppm": 100, "fee-interval": 900}, saved)

    gone = "set by revenue-config, is no longer in force"

    assert sorted(told) == [
        f"colour=red, {gone}: there is no such option any more",
        f"fee-interval=600, {gone}: lightningd has 900 now and had 1800",
        f"max-fee-ppm=50, {gone}: min-fee-ppm 100 is above max-fee-ppm 50",
    ]


def test_an_option_that_nothing_reads_says_so() -> None:
    """
    What claims an effect is read by code; what is not says in its help that it has none yet.
    """
    sources = "".join(
        path.read_text(encoding="utf-8")
        for path in PACKAGE.rglob("*.py")
        if path.name != "config.py"
    )

    for field, option in OPTIONS.items():
        assert option.waits_for or re.search(rf"\bconfig(\(\))?\.{field}\b", sources), option.name
        assert bool(option.waits_for) == ("no effect yet" in option.help)
