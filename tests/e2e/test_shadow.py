"""A shadow: a second config that decides in each cycle, is told about, and changes nothing."""

import sqlite3
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from e2e.conftest import NOW
from e2e.fake_lightningd import FakeLightningd
from e2e.office import Office
from e2e.thirsty import CHUNK, SIZES, TARGET, make_thirsty, settle_in
from fakes import FakeNode, RpcRefusalError
from hypothesis import given, settings
from property.strategies import values

from revops.adapters.store.settings import peek
from revops.core.config import OPTIONS, Config
from revops.core.units import DAY, HOUR

SCID = "150x6x0"
CROWD = "150x1x0"
OPTION = "revenue-ops-shadow-config"
HALF_AN_HOUR = 1800
DEAR = "min-fee-ppm=400"
LIVE_TABLES = (
    *("books", "cursors", "channel_scids", "forward_stats", "forward_totals", "feerates"),
    *("memory", "cycles", "decisions", "journal", "fee_history", "original_fees"),
    *("rebalance_log", "reservations", "refills"),
)


def rows(office: Office, table: str) -> list[Any]:
    """
    Return what the books hold in *table*.
    """
    with closing(sqlite3.connect(office.app.store.path)) as books:
        return books.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 -- the test's own words


def reported(office: Office, days: int | None = None) -> Any:
    """
    Return what `revenue-report shadow` says.
    """
    return office.call("revenue-report", "shadow", days)


def beside(office: Office, scid: str = SCID) -> Any:
    """
    Return what `revenue-explain` says of the shadow's price of one channel.
    """
    [channel] = office.call("revenue-explain", scid)["channels"]
    return channel["shadow_fee"]


# It changes nothing --------------------------------------------------------------------------


def lived(directory: Path, shadow: str) -> Any:
    """
    Return all that was done and written down in a life with *shadow* beside it: what the node and
    sling were asked, what the books hold, what is remembered.
    """
    node = FakeNode(now=NOW)
    make_thirsty(node)
    office = Office(directory, node, shadow_config=shadow, **SIZES)
    settle_in(office)
    for minutes in (30, 31, 45):
        node.forward(SCID, CROWD, 1_000_000, office.clock.now())
        office.cycle(60 * minutes)
        office.move(60)
        office.tend(60)
    told = (
        list(node.calls),
        {table: rows(office, table) for table in LIVE_TABLES},
        office.app.cycle.memory,
        office.app.cycle.last.plan,
        office.app.money.last.plan,
        office.app.cycle.shadow.troubles,
    )
    cycles = len(rows(office, "shadow_cycles"))
    office.close()
    return told, cycles


@settings(max_examples=3)
@given(shadow=values(OPTIONS["shadow_config"]).filter(lambda text: text not in (None, "")))
def test_whatever_it_would_do_nothing_is_done(shadow: str) -> None:
    """
    With a shadow and without one, the node and sling are asked the same, and the books of the live
    config hold the same, to the last row.
    """
    with TemporaryDirectory() as directory:
        path = Path(directory)
        alone, none = lived(path / "alone", "off")
        beside_it, some = lived(path / "beside", shadow)

    assert alone == beside_it
    assert (none, some) == (0, 7)


def test_without_a_shadow_its_books_stay_empty(office: Office) -> None:
    """
    While the option is off nothing is decided twice and nothing written down.
    """
    office.cycle()
    office.move(60)
    for table in ("runs", "memory", "decisions", "journal", "cycles"):
        assert rows(office, f"shadow_{table}") == []
    assert office.call("revenue-explain", SCID)["shadow_config"] is None
    assert office.call("revenue-status")["shadow"] is None
    assert reported(office)["error"].startswith("shadow-config: expected one to report about")


# What is told --------------------------------------------------------------------------------


def test_where_it_differs_both_are_explained(office: Office) -> None:
    """
    Beside the live decision stands that of the shadow, step by step; where both decided alike there
    is none.
    """
    office.configure(shadow_config=DEAR)
    office.cycle()
    told = beside(office)

    assert told["decided_at"] == office.clock.now()
    assert (told["do"], told["new_fee_ppm"]) == ("set_fee", 400)
    assert told["because"]["code"] == "bounds"
    assert told["steps"][0]["code"] == "first_contact"
    assert office.call("revenue-explain", SCID)["shadow_config"] == DEAR
    office.configure(min_fee_ppm="400")
    office.cycle(HALF_AN_HOUR)
    assert beside(office) is None


def test_a_shadow_like_the_live_config_differs_nowhere(office: Office) -> None:
    """
    Equal options decide alike, cycle after cycle, whatever happens to the node.
    """
    office.configure(shadow_config="min-fee-ppm=10")
    for after in (0, HALF_AN_HOUR, 3 * HOUR, DAY):
        office.node.forward(SCID, CROWD, 2_000_000, office.clock.now())
        office.cycle(after)
        office.move(60)
    report = reported(office)

    assert (report["cycles"], report["rebalance_cycles"]) == (4, 4)
    assert (report["prices_that_differed"], report["average_distance_ppm"]) == (0, 0.0)
    assert report["channels"] == report["refills"] == []
    assert report["shadow_updates"] == report["live_updates"]


def test_a_price_set_by_hand_is_left_alone_by_both(office: Office, node: FakeNode) -> None:
    """
    That the fee in force is not the one that the shadow asked for is nobody's doing; one that
    somebody set holds both.
    """
    office.configure(shadow_config=DEAR)
    office.cycle()
    office.cycle(HALF_AN_HOUR)
    assert beside(office)["because"]["code"] not in ("manual_change", "pinned")
    node.channel(SCID)["fee_proportional_millionths"] = 77
    office.cycle(HALF_AN_HOUR)

    assert beside(office) is None
    assert office.decision(SCID).trail[-1].code == "manual_change"


def test_the_report_adds_up(office: Office, node: FakeNode) -> None:
    """
    How far the prices are apart now and on average, with the reason of each; how often each config
    changed them; which options are why.
    """
    office.configure(shadow_config=DEAR)
    office.cycle()
    before = reported(office)["average_distance_ppm"]
    office.cycle(HALF_AN_HOUR)
    report = reported(office, 7)
    decisions = office.app.cycle.last.plan.decisions
    live = {decision.scid: decision.trail[-1].after for decision in decisions}

    assert report["type"] == "shadow"
    assert report["since"] == report["began_at"] == office.clock.now() - HALF_AN_HOUR
    assert report["options"] == [{"option": "min-fee-ppm", "live": "10", "shadow": "400"}]
    assert (report["cycles"], report["prices_compared"]) == (2, 2 * len(node.channels))
    distances = []
    for row in report["channels"]:
        assert row["live_fee_ppm"] == live[row["channel_id"]]
        assert row["shadow_fee_ppm"] >= 400
        assert row["live_because"]
        assert row["shadow_because"]
        distances.append(row["shadow_fee_ppm"] - row["live_fee_ppm"])
    assert distances == sorted(distances, reverse=True)
    assert report["prices_that_differed"] == 2 * report["channels_total"] == 2 * len(distances)
    now = sum(distances) / len(node.channels)
    assert report["average_distance_ppm"] == pytest.approx((before + now) / 2, abs=0.01)
    assert report["average_difference_ppm"] == report["average_distance_ppm"]
    assert report["live_updates"] >= len(node.channels)
    assert report["shadow_updates"] >= len(node.channels)
    assert len(office.call("revenue-report", "shadow", limit=1)["channels"]) == 1


def test_what_it_would_bring_is_told_where_there_is_evidence(
    office: Office, node: FakeNode
) -> None:
    """
    A channel by which payments left has an expected income at both prices, with its bounds; of the
    others nothing is known, which is not nothing. The sum is of those that are known.
    """
    for hours in range(60):
        node.forward(CROWD, SCID, 5_000_000, node.now + hours * HOUR)
    office.configure(shadow_config=DEAR)
    office.cycle(60 * HOUR)
    report = reported(office)
    effect, told = report["effect"], {row["channel_id"]: row for row in report["channels"]}
    names = [name for name in told[SCID] if name.startswith("expected_") and name.endswith("_msat")]
    known = [row for row in told.values() if row[names[0]] is not None]

    assert len(names) == 5
    assert told[SCID] in known
    assert told[SCID]["expected_live_per_day_msat"] > 0
    assert told[SCID]["expected_low_per_day_msat"] < told[SCID]["expected_high_per_day_msat"]
    assert {row[name] for row in told.values() if row not in known for name in names} == {None}
    assert effect["channels_counted"] == len(known) < len(told)
    assert effect["channels_unknown"] == len(told) - len(known)
    gains = sum(row["expected_gain_per_day_msat"] for row in known)
    assert abs(effect["expected_gain_per_day_msat"] - gains) <= len(known)
    office.restart()
    assert reported(office)["effect"] is None


@pytest.mark.parametrize("days", [0, "x", 1.5, 10**6])
def test_a_number_of_days_that_cannot_be_is_named(office: Office, days: Any) -> None:
    """
    The error names the argument and its value.
    """
    answer = office.call("revenue-report", "shadow", days)

    assert answer["status"] == "error"
    assert answer["error"].startswith("days: expected a whole number from 1 to 3650, got ")


def test_refills_that_it_would_start_are_counted_once(thirsty: Office) -> None:
    """
    What the live config forbids itself the shadow wants, again and again, and it is told as one
    refill with what it would cost; sling is asked for nothing.
    """
    thirsty.configure(authority="fees", shadow_config="authority=liquidity")
    thirsty.cycle(HALF_AN_HOUR)
    thirsty.move(60)
    thirsty.move(900)
    report = reported(thirsty)
    [row] = report["refills"]

    assert (row["channel_id"], row["live_starts"], row["shadow_starts"]) == (TARGET, False, True)
    assert "authority" in row["live_because"]
    assert (report["live_refills"], report["shadow_refills"]) == (0, 1)
    assert report["shadow_refill_amount_msat"] >= CHUNK
    assert report["shadow_refill_expected_fee_msat"] > 0
    [channel] = thirsty.call("revenue-explain", TARGET)["channels"]
    assert channel["shadow_rebalance"]["do"] == "start_rebalance"
    assert not [method for method, _ in thirsty.node.calls if method == "sling-once"]
    thirsty.cycle(25 * HOUR)
    thirsty.move()
    assert reported(thirsty)["shadow_refills"] == 2


def test_the_status_says_in_a_line_that_there_is_one(office: Office) -> None:
    """
    Which config decides beside the live one, and in how many prices it differs.
    """
    office.configure(shadow_config=DEAR)
    line = f"beside it {DEAR} decides and does nothing: "
    assert f"{line}no cycle yet" in office.call("revenue-status")["summary"]
    office.cycle()
    status = office.call("revenue-status")

    assert f"{line}7 of 7 prices differ; nothing is wrong" in status["summary"]
    assert status["shadow"] == {
        "config": DEAR,
        "since": office.clock.now(),
        "last_cycle_at": office.clock.now(),
        "channels": 7,
        "prices_that_differ": 7,
        "refills_that_differ": None,
        "troubles": [],
    }


# What it remembers ---------------------------------------------------------------------------


def test_a_restart_keeps_its_memory(office: Office) -> None:
    """
    It goes on at the prices that it had, in the same run.
    """
    office.configure(shadow_config=DEAR)
    office.cycle()
    before = office.app.cycle.shadow.standing
    office.restart()
    told = beside(office)
    office.cycle(HALF_AN_HOUR)
    after = office.app.cycle.shadow.standing

    assert told["new_fee_ppm"] == 400
    assert after.run == before.run
    assert beside(office)["do"] == "hold"
    assert reported(office)["cycles"] == 2


def test_another_config_begins_anew(office: Office) -> None:
    """
    A change of the option ends what was under way; the same in another spelling does not.
    """
    office.configure(shadow_config="min-fee-ppm=400,max-fee-ppm=900")
    office.cycle()
    office.configure(shadow_config="max_fee_ppm=900,revenue-ops-min-fee-ppm=400")
    office.cycle(HALF_AN_HOUR)
    assert reported(office)["cycles"] == 2
    office.configure(shadow_config="min-fee-ppm=400")
    assert reported(office)["note"] == "no cycle has come since shadow-config was set"
    office.cycle(HALF_AN_HOUR)
    assert reported(office)["cycles"] == 1
    office.configure(shadow_config="off")
    office.cycle(HALF_AN_HOUR)
    office.configure(shadow_config="min-fee-ppm=400")
    office.cycle(HALF_AN_HOUR)
    assert reported(office)["cycles"] == 1
    assert [row[1] for row in rows(office, "shadow_runs")] == [
        "max-fee-ppm=900,min-fee-ppm=400",
        "min-fee-ppm=400",
        "min-fee-ppm=400",
    ]


def test_off_through_a_restart_is_off(office: Office) -> None:
    """
    A run that ended while nobody looked is over: what begins later is another.
    """
    office.configure(shadow_config=DEAR)
    office.cycle()
    office.configure(shadow_config="")
    office.restart()
    office.cycle(HALF_AN_HOUR)

    assert office.app.cycle.shadow.standing is None
    assert rows(office, "shadow_memory") == []


# When it fails -------------------------------------------------------------------------------


def test_one_that_fails_is_told_once_and_disturbs_nothing(office: Office, node: FakeNode) -> None:
    """
    The live cycle sets its prices, the log says once what is wrong, the status as long as it is.
    """
    office.configure(shadow_config=DEAR)
    office.cycle()
    office.app.store._write(lambda books: books.execute("UPDATE shadow_memory SET data = '{'"))
    office.restart()
    node.channel(SCID)["spendable_msat"] = node.channel(SCID)["to_us_msat"] = 0
    for _ in range(3):
        office.cycle(HALF_AN_HOUR)
    status = office.call("revenue-status")
    logged = [line for _, line in office.logs if "shadow-config" in line]

    assert len(logged) == 1
    assert any(trouble.startswith("shadow-config: fee: StoreErr") for trouble in status["troubles"])
    assert [state["failing"] for state in status["loops"] if state["name"] == "fees"] == [False]
    assert status["last_cycle"]["at"] == office.clock.now()
    assert node.fees()[SCID] != (100, 0)
    office.configure(shadow_config="off")
    office.configure(shadow_config="min-fee-ppm=401")


# In the real process -------------------------------------------------------------------------


def test_it_is_taken_from_the_config_file_and_from_setconfig(lightningd: FakeLightningd) -> None:
    """
    What lightningd hands out at start decides beside the first cycle; setconfig ends it, and an
    empty text is none.
    """
    lightningd.config = {OPTION: DEAR}
    lightningd.start()
    lightningd.first_cycle()
    told = lightningd.wait_for(
        lambda: lightningd.call("revenue-status")["shadow"]["prices_that_differ"]
    )
    assert told == 7
    report = lightningd.call("revenue-report", "shadow")
    assert (report["cycles"], report["config"], report["shadow_updates"]) == (1, DEAR, 7)
    [channel] = lightningd.call("revenue-explain", SCID)["channels"]
    assert channel["shadow_fee"]["new_fee_ppm"] == 400
    assert lightningd.node.fees()[SCID] == (100, 0)

    lightningd.setconfig(OPTION, "")
    assert lightningd.call("revenue-status")["shadow"] is None
    assert lightningd.call("revenue-report", "shadow")["status"] == "error"
    lightningd.setconfig(OPTION, "max-fee-ppm=50")
    assert lightningd.call("revenue-status")["shadow"]["config"] == "max-fee-ppm=50"
    assert lightningd.call("revenue-report", "shadow")["cycles"] == 0


def test_killed_it_goes_on_where_it_was(lightningd: FakeLightningd) -> None:
    """
    A kill takes nothing of what it remembers, nor the option.
    """
    lightningd.start()
    lightningd.setconfig(OPTION, DEAR)
    lightningd.first_cycle()
    lightningd.wait_for(lambda: lightningd.call("revenue-status")["shadow"]["last_cycle_at"])
    lightningd.kill()
    lightningd.start()
    lightningd.first_cycle()
    lightningd.wait_for(lambda: lightningd.call("revenue-status")["shadow"]["last_cycle_at"])

    report = lightningd.call("revenue-report", "shadow")
    assert report["cycles"] == 2
    assert report["shadow_updates"] < 14


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("5k", "shadow-config: expected option=value,option=value or off, got '5k'"),
        ("min-fee-ppm=5k", "shadow-config: min-fee-ppm: expected a whole number from 0 to"),
        ("min-fee-ppm=9000", "shadow-config: min-fee-ppm 9000 is above max-fee-ppm 5000"),
        ("fee-ppm=5", "shadow-config: fee-ppm: there is no such option"),
        ("dry-run=true", "shadow-config: dry-run: a shadow never acts, got 'true'"),
        ("db-path=/tmp/x", "shadow-config: db-path: where the books are changes no decision"),
        ("fee-interval=600", "shadow-config: fee-interval: a shadow decides whenever the live"),
        ("shadow-config=x", "shadow-config: shadow-config: a shadow has none itself, got 'x'"),
        ("min-fee-ppm=5,min_fee_ppm=6", "min-fee-ppm: it is set twice, to 5 and to 6"),
    ],
)
def test_a_value_that_cannot_be_is_refused_in_a_sentence(
    lightningd: FakeLightningd, value: str, problem: str
) -> None:
    """
    Be it by setconfig or at start, and what was in force stays.
    """
    lightningd.start()
    with pytest.raises(RpcRefusalError) as refused:
        lightningd.setconfig(OPTION, value)
    assert (refused.value.code, problem in refused.value.message) == (-32602, True)
    assert lightningd.call("revenue-config", "get", "shadow-config")["value"] == "off"


def test_a_config_file_that_cannot_be_is_told(lightningd: FakeLightningd) -> None:
    """
    The plugin stays and says why it does not run; setconfig mends it.
    """
    lightningd.config = {OPTION: "min-fee-ppm=9000"}
    lightningd.start()
    with pytest.raises(RpcRefusalError, match="shadow-config: min-fee-ppm 9000 is above"):
        lightningd.call("revenue-status")
    lightningd.setconfig(OPTION, "off")
    assert lightningd.call("revenue-status")["shadow"] is None


def test_a_live_option_that_the_shadow_contradicts_is_refused(office: Office) -> None:
    """
    The sentence names shadow-config, which is in the way, and nothing changes.
    """
    office.configure(shadow_config="min-fee-ppm=400")
    answer = office.call("revenue-config", "set", "max-fee-ppm", 300)

    assert answer["error"] == "shadow-config: min-fee-ppm 400 is above max-fee-ppm 300"
    assert office.settings.config == Config(shadow_config="min-fee-ppm=400")
    assert [setting.option for setting in peek(office.app.store.path)] == ["shadow-config"]
