"""Loading: a directory of raw replies becomes the Snapshot that the live node would have taken."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from revops.adapters.errors import WireError
from revops.core.budget import Spending
from revops.core.config import Config
from revops.core.units import DAY, HOUR
from revops.simulate.load import from_directory

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "regtest"
LAST_FORWARD = 1_795_331_679


@pytest.fixture(name="replies")
def _replies(tmp_path: Path) -> Path:
    return Path(shutil.copytree(EXAMPLE, tmp_path / "replies"))


def change(file: Path, **fields: object) -> None:
    """
    Put *fields* into every row of the reply in *file*.
    """
    reply = json.loads(file.read_text(encoding="utf-8"))
    for rows in reply.values():
        for row in rows:
            row.update(fields)
    file.write_text(json.dumps(reply), encoding="utf-8")


def test_the_latest_moment_mentioned_is_now() -> None:
    """
    No clock is read: the same replies are the same snapshot on any day.
    """
    snapshot = from_directory(EXAMPLE).snapshot(Config())

    assert snapshot.now == LAST_FORWARD
    assert snapshot == from_directory(EXAMPLE).snapshot(Config())


def test_everything_in_the_replies_is_in_the_snapshot() -> None:
    """
    Node, channels with their aliases, traffic, feerate and on-chain funds come along.
    """
    snapshot = from_directory(EXAMPLE).snapshot(Config())

    assert snapshot.node.network == "regtest"
    assert len(snapshot.channels) == 7
    assert {channel.alias for channel in snapshot.channels} == {
        f"bench-{letter}" for letter in "ABCDE"
    }
    assert [sample.perkw for sample in snapshot.feerates] == [1499]
    assert snapshot.onchain_msat


def test_forwards_are_counted_by_day_and_in_all() -> None:
    """
    The day in progress counts toward the sums; the hour in progress is not complete yet.
    """
    channels = from_directory(EXAMPLE).snapshot(Config()).channels
    traffics = [channel.traffic for channel in channels]

    assert sum(traffic.out_count for traffic in traffics) == 49
    assert sum(day.out_count for traffic in traffics for day in traffic.days) == 49
    assert {traffic.hours for traffic in traffics} == {()}


def test_nothing_was_spent_and_what_was_earned_is_known() -> None:
    """
    No attempt, no cost, all of the budget; fees come from the forwards. A sling that is new enough
    is taken for granted.
    """
    treasury = from_directory(EXAMPLE).snapshot(Config(sling_min_version="4.9")).treasury
    earned = sum(f["fee_msat"] for f in settled(EXAMPLE))

    assert treasury.spending == Spending()
    assert (treasury.attempts, treasury.refill_cost_week_msat) == ((), 0)
    assert treasury.revenue_day_msat == treasury.revenue_week_msat == earned > 0
    assert treasury.income_month_msat == earned
    assert (treasury.engine.version, treasury.engine.jobs) == ("4.9", ())


def test_how_htlcs_of_peers_fared_is_in_the_forwards() -> None:
    """
    Complete hours make the record of each peer that was forwarded to.
    """
    snapshot = from_directory(EXAMPLE, now=LAST_FORWARD + HOUR).snapshot(Config())
    served = {c.peer_id for c in snapshot.channels if c.traffic.out_count}

    assert {record.peer_id for record in snapshot.treasury.reputations} >= served
    assert sum(record.successes for record in snapshot.treasury.reputations) == pytest.approx(49)


def test_what_was_earned_is_of_the_last_day_and_week() -> None:
    """
    What is longer ago counts for the month alone.
    """
    later = from_directory(EXAMPLE, now=LAST_FORWARD + 8 * DAY).snapshot(Config()).treasury

    assert later.revenue_day_msat == later.revenue_week_msat == 0 < later.income_month_msat


def settled(directory: Path) -> list[dict[str, Any]]:
    """
    Return the forwards that paid.
    """
    reply = json.loads((directory / "listforwards.json").read_text(encoding="utf-8"))
    return [row for row in reply["forwards"] if row["status"] == "settled"]


def test_a_later_now_completes_the_hours() -> None:
    """
    Told that the replies were taken an hour later, all their hours are complete.
    """
    channels = from_directory(EXAMPLE, now=LAST_FORWARD + HOUR).snapshot(Config()).channels

    assert sum(hour.out_count for channel in channels for hour in channel.traffic.hours) == 49


def test_the_flow_window_is_the_config_s() -> None:
    """
    Days and hours before the window are left away, what was ever counted is not.
    """
    material = from_directory(EXAMPLE, now=LAST_FORWARD + 3 * DAY)
    wide, narrow = (
        material.snapshot(Config(flow_window_days=days)).channels[0].traffic for days in (7, 1)
    )

    assert wide.days
    assert narrow.days == narrow.hours == ()
    assert narrow.out_count == wide.out_count > 0


def test_channels_are_enough(replies: Path) -> None:
    """
    What was not recorded is unknown, not zero.
    """
    for file in replies.iterdir():
        if file.name != "listpeerchannels.json":
            file.unlink()
    material = from_directory(replies)
    snapshot = material.snapshot(Config())

    assert len(snapshot.channels) == 7
    assert {channel.traffic for channel in snapshot.channels} == {None}
    assert (snapshot.feerates, snapshot.onchain_msat, material.problems) == ((), None, ())
    assert (snapshot.treasury.revenue_day_msat, snapshot.treasury.income_month_msat) == (None, None)


def test_without_channels_there_is_nothing_to_decide(tmp_path: Path) -> None:
    """
    A directory without listpeerchannels.json is refused by name.
    """
    with pytest.raises(WireError, match="there is no listpeerchannels"):
        from_directory(tmp_path)


def test_replies_that_mention_no_time_need_to_be_told(replies: Path) -> None:
    """
    Nothing stands in for a missing time.
    """
    (replies / "listforwards.json").unlink()
    change(replies / "listpeerchannels.json", state_changes=[])

    with pytest.raises(WireError, match="say with --now when they were taken"):
        from_directory(replies)
    assert from_directory(replies, now=LAST_FORWARD).snapshot(Config()).now == LAST_FORWARD


def test_a_time_that_is_none_is_not_now(replies: Path) -> None:
    """
    Absurd and unreadable moments do not move the clock.
    """
    change(
        replies / "listpeerchannels.json",
        last_stable_connection=1e300,
        state_changes=[{"timestamp": "tomorrow"}, {"timestamp": None}],
    )

    assert from_directory(replies).snapshot(Config()).now == LAST_FORWARD


def test_what_is_no_json_is_named(replies: Path) -> None:
    """
    A file cut short is refused with its path.
    """
    file = replies / "listforwards.json"
    file.write_text('{"forwards": [', encoding="utf-8")

    with pytest.raises(WireError) as refused:
        from_directory(replies)

    assert str(refused.value).startswith(f"{file}: not JSON: ")


def test_a_channel_that_makes_no_sense_is_left_out_and_said(replies: Path) -> None:
    """
    One absurd channel does not cost the answer about the others.
    """
    file = replies / "listpeerchannels.json"
    reply = json.loads(file.read_text(encoding="utf-8"))
    reply["channels"][2]["to_us_msat"] = "5k"
    file.write_text(json.dumps(reply), encoding="utf-8")
    material = from_directory(replies)

    assert len(material.snapshot(Config()).channels) == 6
    assert any("channels[2].to_us_msat" in problem for problem in material.problems)


def test_what_no_snapshot_can_hold_is_refused(replies: Path) -> None:
    """
    A reply may be well-formed and still absurd: a feerate above any that ever was, for example.
    """
    reply = {"perkb": {"opening": 10**12, "estimates": []}}
    (replies / "feerates_perkb.json").write_text(json.dumps(reply), encoding="utf-8")

    with pytest.raises(WireError, match="feerates: expected at most 100000000"):
        from_directory(replies)


def test_a_forward_that_cannot_be_is_said(replies: Path) -> None:
    """
    Rows that are counted nowhere are named.
    """
    change(replies / "listforwards.json", in_msat=1)
    material = from_directory(replies)

    assert any("is above in_msat 1" in problem for problem in material.problems)


@pytest.mark.parametrize("style", ["perkw", "perkb"])
def test_feerates_are_read_in_both_styles(replies: Path, style: str) -> None:
    """
    The reply to either style of `feerates` is taken under its own name or the plain one.
    """
    (replies / "feerates_perkb.json").unlink()
    estimates = [{"blockcount": 12, "feerate": 5000, "smoothed_feerate": 5000}]
    reply = {style: {"opening": 5000, "estimates": estimates}}
    (replies / f"feerates_{style}.json").write_text(json.dumps(reply), encoding="utf-8")
    (sample,) = from_directory(replies).snapshot(Config()).feerates

    assert sample.perkw == (5000 if style == "perkw" else 1250)
