"""§0 Config: an option is what the operator wrote, or a sentence that names it."""

import math

import attrs
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st
from property.strategies import LARGEST, configs, values

from revops.core.config import (
    OPTIONS,
    Config,
    changed_options,
    configured,
    option_named,
    shadow_of,
)
from revops.core.option import ConfigError
from revops.core.shadow_options import spelled

options = st.sampled_from(tuple(OPTIONS.values()))
numbers = st.sampled_from([o for o in OPTIONS.values() if o.kind in (int, float) and not o.choices])
switches = st.sampled_from([o for o in OPTIONS.values() if o.kind is bool])


def refusals(texts):
    """
    Return the sentences with which *texts* are refused, none when they are taken.
    """
    try:
        configured(texts)
    except ConfigError as error:
        return error.problems
    return ()


def is_number(text):
    """
    Tell whether *text* is a number to Python, which is laxer than to lightningd.
    """
    try:
        float(text)
    except ValueError:
        return False
    return True


@given(st.data(), options)
def test_printing_and_parsing_a_value_changes_nothing(data, option):
    """
    Every value an option may have is printed as text that reads as the same value.
    """
    value = data.draw(values(option))

    assert option.parse(option.format(value)) == value


@given(configs())
def test_printing_and_parsing_a_config_changes_nothing(config):
    """
    The options off their default, as text, make the same Config again.
    """
    assert configured(changed_options(config)) == config


@given(configs(), configs())
def test_later_texts_win_and_the_rest_stays(start, config):
    """
    Texts change the options that they name and no other.
    """
    texts = changed_options(config)
    try:
        changed = configured(texts, start)
    except ConfigError:
        # What the texts leave alone may contradict them; that is refused as a whole.
        reject()
    for field, option in OPTIONS.items():
        source = config if option.name in texts else start
        assert getattr(changed, field) == getattr(source, field)


@given(numbers, st.text() | st.sampled_from(("5k", "", "ten", "0x10", "1,5", "1 sat")))
def test_what_is_no_number_is_refused_by_name(option, text):
    """
    A number that is written as anything but a number is refused in a sentence that opens with the
    option's name and holds the text.
    """
    assume(text != option.none and not is_number(text))
    (problem,) = refusals({option.name: text})

    assert problem == f"{option.name}: expected {option.expectation()}, got {text!r}"


@given(numbers, st.sampled_from(("nan", "inf", "-inf", "1e400")))
def test_no_number_is_infinite_or_none_at_all(option, text):
    """
    What floats can say and numbers cannot is refused by name.
    """
    (problem,) = refusals({option.name: text})

    assert problem.startswith(f"{option.name}: expected {option.expectation()}")


@pytest.mark.parametrize("text", ["1_000", " 50", "50 ", "+50", "٥٠", "0x32", "5e", ""])
@given(numbers)
def test_no_number_is_guessed(text, option):
    """
    A number is written in plain digits: what Python would also take for one is refused.
    """
    assert len(refusals({option.name: text})) == 1


@given(switches, st.text() | st.sampled_from(("yes", "no", "1", "0", "True", "FALSE", "on")))
def test_a_switch_is_true_or_false(option, word):
    """
    Nothing but `true` and `false` turns a switch; `yes` is refused with the option's name.
    """
    assume(word not in ("true", "false"))
    (problem,) = refusals({option.name: word})

    assert problem.startswith(f"{option.name}: expected true or false, got {word!r}")


@given(st.data(), numbers)
def test_bounds_are_inclusive_and_kept(data, option):
    """
    The lowest and highest value of an option are taken; what is beyond them is refused, by name.
    """
    assert option.problem(option.kind(option.low)) is None
    assert option.problem(option.kind(option.high)) is None
    beyond = (
        data.draw(
            st.integers(math.floor(option.high) + 1, LARGEST)
            | st.integers(-LARGEST, math.ceil(option.low) - 1)
        ),
        math.inf,
        -math.inf,
    )
    for value in beyond:
        (problem,) = refusals({option.name: str(value)})
        assert problem.startswith(f"{option.name}: expected")


@given(st.lists(numbers, unique_by=lambda option: option.name, min_size=1, max_size=5), st.text())
def test_all_problems_are_told_at_once(chosen, word):
    """
    Each option that cannot be read has its own sentence, and an unknown one does too.
    """
    stranger = f"not-an-option-{word}"
    problems = refusals({option.name: "?" for option in chosen} | {stranger: "1"})

    assert len(problems) == len(chosen) + 1
    assert problems[-1] == f"{stranger}: there is no such option"


@given(options)
def test_an_option_is_known_by_all_its_spellings(option):
    """
    Dashes, underscores and lightningd's prefix name the same option.
    """
    for name in (option.name, option.name.replace("-", "_"), f"revenue-ops-{option.name}"):
        assert option_named(name) is option


@pytest.mark.parametrize(
    ("low", "high"),
    [
        ("min-fee-ppm", "max-fee-ppm"),
        ("low-liquidity-threshold", "high-liquidity-threshold"),
        ("daily-budget-sats", "weekly-budget-sats"),
        ("rebalance-min-amount", "rebalance-max-amount"),
    ],
)
@given(data=st.data())
def test_contradictions_are_refused_with_both_names(low, high, data):
    """
    A lower bound above its upper bound is refused in a sentence that names both options.
    """
    one, two = (data.draw(values(option_named(name))) for name in (low, high))
    assume(one > two > 0)
    (problem,) = refusals({low: str(one), high: str(two)})

    assert low in problem
    assert high in problem


@pytest.mark.parametrize(
    "texts",
    [
        {"min-fee-ppm": "300", "max-fee-ppm": "300"},
        {"daily-budget-sats": "700", "weekly-budget-sats": "700"},
        {"daily-budget-sats": "700", "weekly-budget-sats": "0"},
        {"rebalance-min-amount": "70000", "rebalance-max-amount": "70000"},
    ],
)
def test_equal_bounds_leave_one_value(texts):
    """
    A lower bound that is its upper bound contradicts nothing, and neither does one of two budgets.
    """
    assert changed_options(configured(texts)).items() <= texts.items()


def test_equal_thresholds_leave_no_balance():
    """
    What is short and what is full must differ.
    """
    texts = {"low-liquidity-threshold": "0.4", "high-liquidity-threshold": "0.4"}

    assert refusals(texts) == (
        "low-liquidity-threshold 0.4 is not below high-liquidity-threshold 0.4",
    )


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"min_fee_ppm": -1}, "min-fee-ppm: expected a whole number from 0 to 100000, got -1"),
        ({"vegas_decay": 2.0}, "vegas-decay: expected a number from 0 to 1, got 2.0"),
    ],
)
def test_no_config_is_made_of_what_an_option_refuses(fields, sentence):
    """
    However a Config comes about, an option's value is one that it takes.
    """
    with pytest.raises(ConfigError) as refused:
        Config(**fields)

    assert refused.value.problems == (sentence,)


def test_a_whole_number_is_a_number():
    """
    An option that is a number takes one without a point, too.
    """
    assert Config(vegas_decay=1).vegas_decay == 1


def test_who_is_refused_a_number_is_told_its_bounds():
    """
    All that is wrong is one text of sentences, each with what the option takes.
    """
    with pytest.raises(ConfigError) as refused:
        configured({"min-fee-ppm": "x", "vegas-decay": "2", "base-fee-msat": "y"})

    assert (
        str(refused.value)
        == "; ".join(refused.value.problems)
        == (
            "min-fee-ppm: expected a whole number from 0 to 100000, got 'x'; "
            "vegas-decay: expected a number from 0 to 1, got 2.0; "
            "base-fee-msat: expected a whole number from 0 to 1000000 or keep, got 'y'"
        )
    )


def test_who_is_refused_a_word_is_told_the_words():
    """
    An option that is one of few words names them all.
    """
    assert refusals({"authority": "all"}) == (
        "authority: expected one of observe, fees, liquidity, got 'all'",
    )


@given(options, st.data())
def test_equal_values_are_spelled_alike(option, data):
    """
    What is written in two ways and means one value is one text; what means nothing stays as it is.
    """
    text = option.format(data.draw(values(option)))

    assert option.spelled(text) == option.spelled(f"{text}") == text
    assert option.spelled("\0") == "\0"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("min-fee-ppm", "expected option=value,option=value or off, got 'min-"),
        ("min-fee-ppm=1,min_fee_ppm=2", "min-fee-ppm: it is set twice, to 1 and to 2"),
        ("dry-run=true", "dry-run: a shadow never acts, got 'true'"),
        ("min-fee-ppm=x", "min-fee-ppm: expected"),
        ("no-such=1", "no-such: there is no such option"),
    ],
)
def test_a_shadow_that_cannot_be_is_refused_by_name(text, sentence):
    """
    A shadow that is no list of options, sets one twice, or one of no use, is no Config.
    """
    (problem,) = refusals({"shadow-config": text})

    assert problem.startswith(f"shadow-config: {sentence}")


def test_a_shadow_has_the_live_options_but_those_it_names():
    """
    What is not named is as in the live config, but that a shadow has none itself.
    """
    live = Config(min_fee_ppm=7, shadow_config="max-fee-ppm=900")

    assert shadow_of(live) == Config(min_fee_ppm=7, max_fee_ppm=900)
    assert shadow_of(Config(min_fee_ppm=7)) is None


def test_a_shadow_is_spelled_in_one_way():
    """
    Order, underscores and lightningd's prefix are no difference; nothing is the empty text.
    """
    texts = ("vegas-decay=0.5,min-fee-ppm=7", "min_fee_ppm=7,revenue-ops-vegas-decay=0.5")

    assert {spelled(text) for text in texts} == {"min-fee-ppm=7,vegas-decay=0.5"}
    assert spelled(None) == spelled("") == ""
    with pytest.raises(ConfigError, match="expected option=value,option=value, got 'no'"):
        spelled("no")


@given(configs())
def test_a_config_is_a_value(config):
    """
    Equal options are an equal Config, and none of them can be changed behind a cycle's back.
    """
    assert Config(**attrs.asdict(config)) == config
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        config.min_fee_ppm = 1
