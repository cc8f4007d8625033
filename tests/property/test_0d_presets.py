"""§0 Presets: one word for many options, and going from one to another leaves nothing behind."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import configs

from revops.core.config import OPTIONS, Config, configured, option_named
from revops.core.option import ConfigError
from revops.core.presets import PRESETS, preset_named

presets = st.sampled_from(tuple(PRESETS.values()))


@given(configs(), presets)
def test_a_preset_fits_every_config(start, preset):
    """
    Over whatever is configured a preset is valid as a whole, sets each of its options as it says,
    and touches no other.
    """
    config = configured(preset.texts(), start)
    chosen = {choice.option: choice.value for choice in preset.choices}

    for field, option in OPTIONS.items():
        assert getattr(config, field) == chosen.get(option.name, getattr(start, field))


@given(configs(), presets, presets)
def test_the_last_preset_is_what_counts(start, one, other):
    """
    A preset after another is that preset alone, and twice is once.
    """
    alone = configured(other.texts(), start)

    assert configured(other.texts(), configured(one.texts(), start)) == alone
    assert configured(other.texts(), alone) == alone


def test_balanced_is_the_default():
    """
    An operator who chooses nothing has chosen `balanced`.
    """
    assert configured(PRESETS["balanced"].texts()) == Config()


@pytest.mark.parametrize("option", ["daily-budget-sats", "rebalance-max-ppm", "max-fee-ppm"])
def test_presets_grow_from_careful_to_bold(option):
    """
    A small node risks less than a balanced one, and that less than an aggressive one.
    """
    small, balanced, aggressive = (
        next(c.value for c in PRESETS[name].choices if c.option == option)
        for name in ("small", "balanced", "aggressive")
    )

    assert small < balanced < aggressive


def test_every_choice_has_a_reason():
    """
    No value is there by habit: each says why in a few words, and each option is chosen once.
    """
    for preset in PRESETS.values():
        assert len({choice.option for choice in preset.choices}) == len(preset.choices)
        assert all(1 < len(choice.why.split()) <= 12 for choice in preset.choices)


def test_no_preset_touches_what_is_not_its_business():
    """
    How far revops may go, where it keeps its books, and whom it works with stay the operator's.
    """
    own = {"db-path", "dry-run", "paused", "authority", "rebalancer", "hive-enabled"}

    for preset in PRESETS.values():
        assert not own & preset.texts().keys()
        assert all(option_named(name).dynamic for name in preset.texts())


def test_an_unknown_preset_is_refused_with_the_names_of_all():
    """
    A wrong name is answered with the right ones.
    """
    for name, preset in PRESETS.items():
        assert preset_named(name) is preset
    with pytest.raises(ConfigError, match="one of small, balanced, aggressive, got 'huge'"):
        preset_named("huge")
