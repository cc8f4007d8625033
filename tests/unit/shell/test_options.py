"""Options as lightningd is told of them, and the Config they make."""

import pytest

from revops.core.config import OPTIONS, Config
from revops.core.option import ConfigError
from revops.shell.options import PREFIX, Settings, declarations

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


def test_values_come_typed_at_start_and_as_text_later() -> None:
    """
    Both ways mean the same.
    """
    started, changed = Settings(), Settings()
    started.start({"revenue-ops-dry-run": True, "revenue-ops-min-fee-ppm": 25})
    changed.change("revenue-ops-dry-run", "true")
    changed.change("revenue-ops-min-fee-ppm", "25")

    assert started.config == changed.config == Config(dry_run=True, min_fee_ppm=25)


def test_a_word_may_stand_for_leaving_it_be() -> None:
    """
    base-fee-msat takes keep beside numbers, so lightningd must take it for text.
    """
    settings = Settings()
    settings.change("revenue-ops-base-fee-msat", "keep")

    assert settings.config.base_fee_msat is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("dry-run", "yes"), ("dry-run", None), ("min-fee-ppm", "6000"), ("colour", "red")],
)
def test_a_change_that_cannot_be_leaves_all_as_it_was(name: str, value: str | None) -> None:
    """
    A bad value, a contradiction or an unknown name is refused and the Config in force stays.
    """
    settings = Settings()
    before = settings.config

    with pytest.raises(ConfigError):
        settings.change(PREFIX + name, value)
    assert settings.config is before
