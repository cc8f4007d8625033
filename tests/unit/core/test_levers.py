"""Levers: each reason has one, each is real, and the decisive step is the one that counted."""

import re

import attrs
import pytest
from property.world import CLIMBING, START, looked, quiet_channel
from unit.core.test_reasons import EMPTY, EXAMPLES, USED, climbed, climbing, governed

from revops.core.actions import Hold, SetFee
from revops.core.config import OPTIONS, Config
from revops.core.levers import REMEDIES, Kind, Lever
from revops.core.memory import ClimbMemory, FeeMemory, Price, Window
from revops.core.plan import decisive
from revops.core.policy import Policy, Strategy
from revops.core.reasons import SENTENCES, Code, because
from revops.shell.commands import COMMANDS

OPTION_NAMES = {option.name: option for option in OPTIONS.values()}
LEVERS = sorted({lever for remedy in REMEDIES.values() for lever in remedy.levers}, key=str)


def test_every_reason_has_a_remedy():
    """
    There is no code for which an operator is told nothing that would change it.
    """
    assert set(REMEDIES) == set(Code)
    assert all(remedy.levers for remedy in REMEDIES.values())


@pytest.mark.parametrize("lever", LEVERS, ids=str)
def test_every_lever_is_real(lever):
    """
    An option exists and may change at run time; a policy's field can be set; a command is offered.
    """
    commands = {command.name: command for command in COMMANDS}
    match lever.kind:
        case Kind.OPTION:
            assert OPTION_NAMES[lever.name].dynamic
        case Kind.POLICY:
            (set_,) = (a for a in commands["revenue-policy"].actions if a.name == "set")
            assert lever.name in {argument.name for argument in set_.arguments}
            assert lever.name in {field.name for field in attrs.fields(Policy)}
        case Kind.COMMAND:
            assert lever.name in commands


def test_a_lever_reads_as_it_is_typed():
    """
    An option and a command go by their names, a policy's field by the command that sets it.
    """
    assert str(Lever(Kind.OPTION, "max-fee-ppm")) == "max-fee-ppm"
    assert str(Lever(Kind.POLICY, "max_fee_ppm")) == "revenue-policy max_fee_ppm"
    assert str(Lever(Kind.COMMAND, "revenue-set-fee")) == "revenue-set-fee"


@pytest.mark.parametrize("code", Code)
def test_an_option_in_a_sentence_is_a_lever(code):
    """
    What the sentence names as the setting behind it is among what would change it.
    """
    named = set(re.findall(r"[a-z]+(?:-[a-z]+)+", SENTENCES[code])) & set(OPTION_NAMES)

    assert named <= {lever.name for lever in REMEDIES[code].levers}


@pytest.mark.parametrize("code", Code)
def test_the_decisive_step_is_on_the_trail(code):
    """
    Whatever was decided, what decided it is one of the reasons that were given.
    """
    for decision in EXAMPLES[code]().decisions:
        assert decisive(decision) in decision.trail


HELD = [
    Code.PASSIVE,
    Code.PINNED,
    Code.MANUAL_CHANGE,
    Code.NO_SCID,
    Code.NOT_NORMAL,
    Code.DEAD_BAND,
    Code.GOSSIP_CHANNEL,
    Code.GOSSIP_NODE,
    Code.PAUSED,
    Code.AUTHORITY,
]


@pytest.mark.parametrize("code", HELD)
def test_what_holds_a_price_is_decisive(code):
    """
    A price that is held is explained by what holds it, whatever was wanted before.
    """
    found = [d for d in EXAMPLES[code]().decisions if any(r.code is code for r in d.trail)]

    assert found
    for decision in found:
        assert isinstance(decision.action, Hold)
        assert decisive(decision).code is code


MOVED = [
    (lambda: climbed(quiet_channel(**EMPTY, traffic=USED)), Code.SCARCITY),
    (lambda: looked(quiet_channel(fee_ppm=1)), Code.BOUNDS),
    (lambda: governed({"strategy": Strategy.STATIC, "fee_ppm": 7}), Code.STATIC),
    (lambda: looked(quiet_channel(max_htlcs=10, htlcs_in=9)), Code.CONGESTED),
    (lambda: climbing(forwards=20), Code.CLIMB_PROBE),
]


@pytest.mark.parametrize(("plan", "code"), MOVED)
def test_what_moved_the_price_most_is_decisive(plan, code):
    """
    A price that changes is explained by the stage that moved it farthest.
    """
    (decision,) = plan().decisions

    assert isinstance(decision.action, SetFee)
    assert decisive(decision).code is code


def test_an_update_without_a_new_price_is_explained_by_what_it_is_for():
    """
    An update for htlc_maximum alone, or for the base fee alone, is not put down to a price.
    """
    (rung,) = looked(quiet_channel(htlc_max_msat=1, traffic=USED)).decisions
    (base,) = looked(quiet_channel(base_fee_msat=1, traffic=USED)).decisions

    assert decisive(rung).code is Code.HTLC_MAX
    assert decisive(base).code is Code.SET
    assert "base-fee-msat" in map(str, REMEDIES[Code.SET].levers)


def test_a_price_in_force_is_explained_by_what_keeps_it_there():
    """
    That nothing is to be done since the price is in force explains nothing: the search that waits
    does, or the stage that made the price what it is.
    """
    (waiting,) = climbing(live_s=3600).decisions
    climb = ClimbMemory(base_ppm=500, window=Window(fee_ppm=500), seen_at=START)
    tripled = FeeMemory(known=Price(fee_ppm=1500, base_fee_msat=0), climb=climb)
    channel = quiet_channel(fee_ppm=1500, **EMPTY, traffic=USED)
    (scarce,) = looked(channel, Config(**CLIMBING), fee=tripled).decisions

    assert waiting.trail[-1].code is scarce.trail[-1].code is Code.UNCHANGED
    assert decisive(waiting).code is Code.CLIMB_WAITING
    assert decisive(scarce).code is Code.SCARCITY


def test_a_step_that_is_about_no_price_moved_none():
    """
    Where a step has no price before or after it, one that moved the price by a single ppm counts.
    """
    (decision,) = climbing(forwards=20).decisions
    moved = because(Code.MULTIPLIER, 500, 501)
    mute = (because(Code.VEGAS_CALM), because(Code.VEGAS_BLIND, before=501))
    told = attrs.evolve(decision, trail=(moved, *mute, decision.trail[-1]))

    assert told.trail[-1].code is Code.SET
    assert decisive(told) is moved
