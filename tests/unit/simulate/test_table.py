"""Tables: what is said is the trail's, and nothing from outside gets to the terminal unread."""

import io

import attrs
import pytest
from rich.console import Console, RenderableType

from revops.adapters.strangers import plain
from revops.core import Channel, Config, Node, Snapshot, decide
from revops.core.actions import Hold, SetFee
from revops.core.plan import Decision
from revops.core.reasons import Code, because
from revops.simulate.table import (
    comparison_report,
    main_reason,
    plan_report,
    rows_of,
    trail_report,
)

CHANNEL = Channel(
    channel_id="ab" * 32,
    scid="700000x1x0",
    peer_id="03" * 33,
    state="CHANNELD_NORMAL",
    capacity_msat=5_000_000_000,
    to_us_msat=2_500_000_000,
    spendable_msat=2_450_000_000,
    receivable_msat=2_450_000_000,
    fee_ppm=100,
    base_fee_msat=0,
)
SNAPSHOT = Snapshot(now=1_790_000_000, node=Node(node_id="02" * 33), channels=(CHANNEL,))
SET = SetFee(
    channel_id=CHANNEL.channel_id,
    scid="700000x1x0",
    peer_id=CHANNEL.peer_id,
    old_ppm=100,
    new_ppm=300,
    old_base_msat=0,
    new_base_msat=0,
)


def decision(action: Hold | SetFee, *trail: tuple[Code, int, int]) -> Decision:
    return Decision(
        channel_id=CHANNEL.channel_id,
        scid=CHANNEL.scid,
        peer_id=CHANNEL.peer_id,
        action=action,
        trail=tuple(because(*step) for step in trail),
    )


def shown(report: RenderableType) -> str:
    page = io.StringIO()
    Console(file=page, width=200, force_terminal=True, color_system=None).print(report)
    return page.getvalue()


def test_the_main_reason_of_a_change_is_its_largest_step() -> None:
    """
    What moved the price most explains it, however small the steps after it.
    """
    changed = decision(
        SET, (Code.BOUNDS, 100, 110), (Code.SCARCITY, 110, 310), (Code.STEP_LIMIT, 310, 300)
    )

    assert main_reason(changed).code is Code.SCARCITY


def test_the_main_reason_of_a_hold_is_what_stopped_it() -> None:
    """
    The last stage that had something of its own to say explains why a fee stays.
    """
    held = decision(
        Hold(), (Code.BOUNDS, 100, 100), (Code.PINNED, 100, 100), (Code.UNCHANGED, 100, 100)
    )

    assert main_reason(held).code is Code.PINNED


def test_a_trail_of_routine_still_has_a_main_reason() -> None:
    """
    Where nobody said anything special, the last word counts.
    """
    assert main_reason(decision(Hold(), (Code.UNCHANGED, 100, 100))).code is Code.UNCHANGED
    assert main_reason(decision(Hold())) is None


@pytest.mark.parametrize(
    "alias",
    [
        "[red]markup[/red]",
        "[link=https://example.com]click[/link]",
        "\x1b[2Jcleared",
        "right\u202eleft",
        "zero\u200bwidth",
        "two\nlines\rreturn\x07",
        "[/]",
    ],
)
def test_a_hostile_alias_is_shown_and_not_obeyed(alias: str) -> None:
    """
    Markup stays text, and what is not printable is made visible, in every view.
    """
    snapshot = attrs.evolve(SNAPSHOT, channels=(attrs.evolve(CHANNEL, alias=alias),))
    plan = decide(snapshot, Config())
    (row,) = rows_of(snapshot, plan)
    views = (
        plan_report(snapshot, plan),
        comparison_report(snapshot, {"as set": plan, "against": plan}),
        trail_report(row, plan),
    )

    for page in map(shown, views):
        assert plain(alias)[:15] in page
        assert not set(page.replace("\n", "")) & set("\x1b\r\x07\u202e\u200b")


def test_a_hostile_state_is_shown_and_not_obeyed() -> None:
    """
    Facts in a sentence are words from outside too.
    """
    channel = attrs.evolve(CHANNEL, state="[red]\x1b[2J")
    snapshot = attrs.evolve(SNAPSHOT, channels=(channel,))

    page = shown(plan_report(snapshot, decide(snapshot, Config())))

    assert "[red]�[2J" in page
    assert "\x1b" not in page


def test_a_peer_without_a_name_goes_by_its_id() -> None:
    """
    Where no alias is known, the beginning of the peer id stands.
    """
    assert CHANNEL.peer_id[:12] + "…" in shown(plan_report(SNAPSHOT, decide(SNAPSHOT, Config())))


def test_a_node_without_channels_has_a_report() -> None:
    """
    An empty node is no error.
    """
    snapshot = attrs.evolve(SNAPSHOT, channels=())

    assert "0 channels" in shown(plan_report(snapshot, decide(snapshot, Config())))
