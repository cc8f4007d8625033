"""Reports: what an operator reads is what happened, added up to the msat, from the books alone."""

import csv
import json
from datetime import datetime, timezone
from typing import Any

import pytest
from e2e.office import Office
from fakes import FakeNode

from revops.core.units import DAY, HOUR
from revops.shell.commands.command import CommandError

OURS, THEIRS, OTHER = "150x6x0", "150x1x0", "150x8x0"
COSTS = ("open_cost", "close_cost", "splice_cost", "rebalance_cost")
ADDED = (
    *(f"{name}_msat" for name in ("earned", "sourced", "net", "costs", "volume_in", "volume_out")),
    *(f"{name}_msat" for name in COSTS),
    "forwards_in",
    "forwards_out",
)
REPORTS = (
    ("revenue-dashboard", {}),
    ("revenue-report", {}),
    ("revenue-report", {"report_type": "peer"}),
    ("revenue-report", {"report_type": "costs"}),
    ("revenue-report", {"report_type": "hive"}),
    ("revenue-report", {"report_type": "policies"}),
    ("revenue-profitability", {}),
    ("revenue-profitability", {"channel_id": OURS}),
    ("revenue-history", {}),
    ("revenue-capacity-report", {}),
    ("revenue-cleanup-closed", {}),
)


def keep(office: Office, after_s: int = 0) -> None:
    """
    Let time go by, look at the node and bring the books up to date.
    """
    office.cycle(after_s)
    office.keep_books()


def close(office: Office, node: FakeNode, scid: str, fee: int) -> None:
    """
    Close a channel now, together with its peer.
    """
    now = office.clock.now()
    stamp = datetime.fromtimestamp(now, timezone.utc).isoformat().replace("+00:00", ".000Z")
    node.books.close(scid, fee=fee, at=now, stamp=stamp)


def lived(office: Office, node: FakeNode) -> None:
    """
    Open, splice, refill, forward and close, and have all of it in the books.
    """
    keep(office)
    at = office.clock.now()
    node.books.open("200x1x0", like=OURS, fee=1_500_000, at=at)
    node.books.splice(OTHER, "201x1x0", 100_000_000, 700_000, at)
    node.books.pay(OURS, THEIRS, 50_000_000, fee=44_001, at=at)
    node.forward(THEIRS, OURS, 20_000_000, at + 1)
    node.forward(OURS, THEIRS, 10_000_000, at + 2)
    keep(office, HOUR)
    close(office, node, THEIRS, 900_000)
    keep(office, HOUR)
    keep(office, HOUR)


def fees(node: FakeNode) -> int:
    """
    Return what every forward earned.
    """
    return sum(row["fee_msat"] for row in node.forwards if row["status"] == "settled")


def sums(rows: list[dict[str, Any]]) -> dict[str, int]:
    """
    Return what rows come to.
    """
    return {name: sum(row[name] for row in rows) for name in ADDED}


# Adding up -----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["channels", "peers"])
def test_rows_add_up_to_the_node(office: Office, node: FakeNode, kind: str) -> None:
    """
    Channels, or peers, and what belongs to no channel come to the node's totals, to the msat, and
    the node earned the fee of each of its forwards once.
    """
    lived(office, node)
    summary = office.call("revenue-report")
    shown = office.call("revenue-report", "peer" if kind == "peers" else "summary")
    totals = {name: summary["totals"][name] for name in ADDED}
    nets = [row["net_msat"] for row in shown[kind]]

    assert nets == sorted(nets, reverse=True)
    assert sums([*shown[kind], summary["without_channel"]]) == totals
    assert totals["earned_msat"] == totals["sourced_msat"] == fees(node)
    assert totals["rebalance_cost_msat"] >= 44_001
    assert totals["close_cost_msat"] == 900_000
    assert totals["splice_cost_msat"] == 700_000


def test_every_report_tells_the_same(office: Office, node: FakeNode) -> None:
    """
    Dashboard, summary, profitability, history and its days agree on the money of a young node.
    """
    lived(office, node)
    totals = office.call("revenue-report")["totals"]
    dashboard = office.call("revenue-dashboard")
    history = office.call("revenue-history")
    worth = office.call("revenue-profitability")["summary"]

    assert dashboard["period"]["gross_revenue_msat"] == totals["earned_msat"]
    assert dashboard["period"]["opex_msat"] == totals["costs_msat"]
    assert dashboard["period"]["volume_msat"] == totals["volume_out_msat"]
    assert dashboard["financial_health"]["net_profit_msat"] == totals["net_msat"]
    assert history["lifetime_net_profit_msat"] == worth["node"]["net_msat"] == totals["net_msat"]
    parts = (history["open_channels"], history["closed_channels_summary"])
    life = sums([*parts, history["without_channel"]])
    assert life["net_msat"] == totals["net_msat"]
    assert worth["total_profit_msat"] == history["open_channels"]["net_msat"]
    assert sum(day["net_profit_msat"] for day in history["days"]) == totals["net_msat"]


def test_a_close_moves_no_money(office: Office, node: FakeNode) -> None:
    """
    When a channel closes, the node's totals change by what closing cost and by nothing else.
    """
    keep(office)
    before = office.call("revenue-report")["totals"]
    close(office, node, OURS, 800_000)
    keep(office, HOUR)
    node.books.forget(OURS)
    keep(office, HOUR)
    keep(office, HOUR)
    after = office.call("revenue-report")

    same = set(ADDED) - {"net_msat", "costs_msat", "close_cost_msat"}
    assert {n: after["totals"][n] for n in same} == {n: before[n] for n in same}
    assert after["totals"]["close_cost_msat"] == before["close_cost_msat"] + 800_000
    assert after["totals"]["net_msat"] == before["net_msat"] - 800_000
    [closed] = [row for row in after["channels"] if not row["open"]]
    assert closed["channel_id"] == OURS


def test_what_belongs_to_no_channel_is_in_the_sums_and_told(office: Office, node: FakeNode) -> None:
    """
    A fee that a forgotten channel earned is the node's all the same, and no channel's.
    """
    row = node.forward(OURS, THEIRS, 10_000_000, office.clock.now() - 30)
    row["out_channel"] = "99x1x0"
    keep(office)
    summary = office.call("revenue-report")
    warnings = office.call("revenue-dashboard")["warnings"]

    assert summary["totals"]["earned_msat"] == fees(node)
    assert summary["without_channel"]["earned_msat"] == row["fee_msat"] > 0
    assert any("only the short channel id is known" in warning for warning in warnings)


def test_a_window_holds_what_happened_in_it(office: Office, node: FakeNode) -> None:
    """
    Forwards of 40 days ago are history, and in a report from before that; the dashboard of the
    last month begins after them.
    """
    keep(office)
    old = fees(node)
    node.forward(THEIRS, OURS, 20_000_000, office.clock.now() + 40 * DAY - 60)
    keep(office, 40 * DAY)
    new = fees(node) - old
    long_ago = office.clock.now() - 50 * DAY

    def earned(**given: Any) -> int:
        return office.call("revenue-report", **given)["totals"]["earned_msat"]

    assert office.call("revenue-dashboard")["period"]["gross_revenue_msat"] == new > 0
    assert office.call("revenue-history")["lifetime_revenue_msat"] == old + new
    assert earned() == new
    assert earned(**{"from": long_ago}) == old + new
    assert earned(**{"from": long_ago, "to": long_ago + 20 * DAY}) == old


# The dashboard -------------------------------------------------------------------------------


def test_the_dashboard_has_what_neighbours_look_for(office: Office, node: FakeNode) -> None:
    """
    The fields that cl-hive and its tools read are there, the number of forwards under both names.
    """
    lived(office, node)
    answer = office.call("revenue-dashboard", window_days=7)
    health, period = answer["financial_health"], answer["period"]

    assert {"tlv_sats", "net_profit_sats", "operating_margin_pct"} <= health.keys()
    assert {"annualized_roc_pct"} <= health.keys()
    assert {"gross_revenue_sats", "opex_sats", "rebalance_cost_sats"} <= period.keys()
    assert {"closure_cost_sats", "volume_sats"} <= period.keys()
    assert period["window_days"] == 7
    assert period["total_forwards"] == period["forward_count"]
    assert period["forward_count"] == sum(row["status"] == "settled" for row in node.forwards)
    assert "error" not in answer


def test_the_total_is_wallet_and_channels_seen_together(office: Office, node: FakeNode) -> None:
    """
    What the node holds is what the wallet and its channels held at the same moment, once a day.
    """
    keep(office)
    onchain = sum(
        o["amount_msat"] for o in node.outputs if o["status"] == "confirmed" and not o["reserved"]
    )
    channels = sum(channel["to_us_msat"] for channel in node.channels)
    health = office.call("revenue-dashboard")["financial_health"]
    assert health["tlv_msat"] == onchain + channels
    assert (health["onchain_msat"], health["channels_now_msat"]) == (onchain, channels)

    node.outputs.clear()
    keep(office, HOUR)
    assert office.call("revenue-dashboard")["financial_health"]["tlv_msat"] == onchain + channels
    keep(office, DAY)
    assert office.call("revenue-dashboard")["financial_health"]["onchain_msat"] == 0


def test_before_the_first_look_all_is_unknown_and_said(office: Office) -> None:
    """
    A plugin that has seen nothing shows null for what it does not know, and says why.
    """
    answer = office.call("revenue-dashboard")
    health = answer["financial_health"]

    assert health["tlv_sats"] is health["onchain_sats"] is health["channels_now_sats"] is None
    assert health["operating_margin_pct"] is health["annualized_roc_pct"] is None
    assert answer["period"]["rebalance_cost_msat"] is None
    text = " ".join(answer["warnings"])
    assert "still being counted" in text
    assert "the wallet holds is unknown" in text
    assert "costs are unknown" in text


def test_bleeders_are_named(office: Office, node: FakeNode) -> None:
    """
    A channel of which refills cost more than it brought is warned of by name, and no other is.
    """
    keep(office)
    assert office.call("revenue-dashboard")["bleeder_count"] == 0

    node.books.pay(OURS, THEIRS, 50_000_000, fee=2_000_000, at=office.clock.now())
    keep(office, HOUR)
    answer = office.call("revenue-dashboard")
    assert (answer["bleeder_count"], answer["bleeders"]) == (1, [THEIRS])
    [warning] = [text for text in answer["warnings"] if "bleeds" in text]
    assert warning.startswith(f"{THEIRS} bleeds: in 30 days refills cost 20")

    keep(office, 32 * DAY)
    assert office.call("revenue-dashboard")["bleeder_count"] == 0


@pytest.mark.parametrize("days", [0, -1, 3651, "7.5", True, "a week"])
def test_a_window_that_cannot_be_is_refused(office: Office, days: object) -> None:
    """
    The sentence names the argument and its value.
    """
    with pytest.raises(CommandError, match=rf"window_days: expected .* got {days!r}"):
        office.call("revenue-dashboard", days)


def test_estimates_are_marked(office: Office, node: FakeNode) -> None:
    """
    Without bookkeeper an opening is an estimate: in its row, in the sums, in the warnings.
    """
    node.books.events.clear()
    keep(office)
    row = next(r for r in office.call("revenue-report")["channels"] if r["channel_id"] == OURS)
    costs = office.call("revenue-report", "costs")

    assert row["estimated"] == ["open_cost"]
    assert costs["opening_costs"]["total_estimated"] is True
    assert costs["closure_costs"]["total_estimated"] is False
    warnings = office.call("revenue-dashboard")["warnings"]
    assert any(text.endswith("sat of the costs are estimates") for text in warnings)


# Reports -------------------------------------------------------------------------------------


def test_csv_has_the_rows_of_the_report(office: Office, node: FakeNode) -> None:
    """
    Read back, each line is a row of the JSON answer, and so are its sums.
    """
    lived(office, node)
    rows = office.call("revenue-report")["channels"]
    text = office.call("revenue-report", format="csv")["csv"]
    read = list(csv.DictReader(text.splitlines(keepends=True)))

    assert [row["channel_id"] for row in read] == [row["channel_id"] for row in rows]
    assert sum(int(row["net_msat"]) for row in read) == sum(row["net_msat"] for row in rows)
    assert set(read[0]) == set(rows[0])


def test_costs_tell_what_each_kind_came_to(office: Office, node: FakeNode) -> None:
    """
    By age and in all, with what such a transaction would cost now; names as neighbours know them.
    """
    lived(office, node)
    report = office.call("revenue-report", "costs")

    assert report["type"] == "costs"
    assert report["closure_costs"]["last_24h_sats"] == report["closure_costs"]["total_sats"] == 900
    assert report["splice_costs"]["last_30d_msat"] == 700_000
    assert report["splice_costs"]["summary"] == {
        "splice_count": 1,
        "splice_in_count": 1,
        "splice_out_count": 0,
        "total_splice_in_sats": 99_300,
        "total_splice_out_sats": 0,
        "total_fees_sats": 700,
    }
    assert report["estimated_defaults"].keys() == {
        "channel_open_sats",
        "channel_close_sats",
        "splice_sats",
    }
    assert report["rebalance_costs"]["total_msat"] == report["totals"]["rebalance_cost_msat"]
    by_channel = {row["channel_id"]: row for row in report["channels"]}
    assert by_channel[THEIRS]["close_cost_msat"] == 900_000
    assert by_channel["201x1x0"]["splice_cost_msat"] == 700_000


def test_a_peer_is_all_its_channels(office: Office, node: FakeNode) -> None:
    """
    One peer's report is the sum of the channels with it; an unknown one is refused in words.
    """
    lived(office, node)
    peer = node.channel(OURS)["peer_id"]
    report = office.call("revenue-report", "peer", peer)
    [row] = [r for r in office.call("revenue-report", "peer")["peers"] if r["peer_id"] == peer]

    assert {r["peer_id"] for r in report["channels"]} == {peer}
    assert sums(report["channels"]) == {n: report["totals"][n] for n in ADDED}
    assert sums([row]) == {n: report["totals"][n] for n in ADDED}
    assert 0 < report["success_pct"] < 100
    assert office.call("revenue-report", "peer", "02" * 33)["status"] == "error"


def test_members_of_the_hive_are_those_with_its_policy(office: Office, node: FakeNode) -> None:
    """
    A peer of which the policy is hive is listed with its money, others are not.
    """
    keep(office)
    peer = node.channel(OURS)["peer_id"]
    assert office.call("revenue-report", "hive")["count"] == 0
    office.call("revenue-policy", "set", peer, "hive")
    report = office.call("revenue-report", "hive")

    assert (report["type"], report["count"]) == ("hive", 1)
    assert report["peers"][0]["peer_id"] == peer


def test_suggestions_are_made_and_never_followed(office: Office, node: FakeNode) -> None:
    """
    A bleeder brings a suggestion with the command for it; once ordered it is suggested no more.
    """
    keep(office)
    node.books.pay(OURS, THEIRS, 50_000_000, fee=2_000_000, at=office.clock.now())
    keep(office, HOUR)
    report = office.call("revenue-report", "policies")
    [suggestion] = report["suggestions"]
    assert (suggestion["channel_id"], suggestion["why"]) == (THEIRS, "bleeder")
    assert (report["total"], office.call("revenue-policy", "list")["count"]) == (0, 0)

    name, _, wish = suggestion["command"].partition(" -k ")
    office.call(name, **dict(word.split("=") for word in wish.split()))
    report = office.call("revenue-report", "policies")
    assert (report["suggestions"], report["total"]) == ([], 1)
    assert report["by_rebalance_mode"] == {"disabled": 1}


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"report_type": "all"}, "report_type: expected one of summary, peer, costs"),
        ({"format": "xml"}, "format: expected one of json, csv, got 'xml'"),
        ({"from": "yesterday"}, "from: expected a day like 2026-07-31"),
        ({"limit": -1}, "limit: expected a whole number"),
        ({"peer_id": "02"}, "peer_id: there is no such argument"),
    ],
)
def test_a_report_that_cannot_be_is_an_answer(
    office: Office, given: dict[str, Any], problem: str
) -> None:
    """
    Neighbours call it, and get status error with the sentence.
    """
    answer = office.call("revenue-report", **given)

    assert answer["status"] == "error"
    assert problem in answer["error"]


# Channels ------------------------------------------------------------------------------------


def test_classes_are_total_and_exclusive(office: Office, node: FakeNode) -> None:
    """
    Every open channel is in one class and one profile, and each list is as its count says.
    """
    lived(office, node)
    answer = office.call("revenue-profitability")
    summary, classes = answer["summary"], answer["channels_by_class"]
    listed = [row["channel_id"] for rows in classes.values() for row in rows]

    assert sorted(listed) == sorted(row["channel_id"] for row in answer["channels"])
    assert len(listed) == summary["total_channels"] == answer["channels_total"] == 7
    assert all(summary[f"{name}_count"] == len(rows) for name, rows in classes.items())
    assert sum(summary["flow_profiles"].values()) == 7
    assert {row["channel_id"]: row["our_fee_ppm"] for row in answer["channels"]}[OURS] == (
        node.fees()[OURS][0]
    )
    assert {"underwater_count", "profitable_count", "zombie_count"} <= summary.keys()
    assert len(office.call("revenue-profitability", limit=2)["channels"]) == 2


def test_one_channel_is_told_in_full(office: Office, node: FakeNode) -> None:
    """
    By its short channel id or its channel id; a closed one too; a stranger is refused.
    """
    lived(office, node)
    answer = office.call("revenue-profitability", OURS)
    told = answer["profitability"]
    rows = [r for r in node.forwards if r["status"] == "settled"]
    out = [row for row in rows if row["out_channel"] == OURS]
    into = [row for row in rows if row["in_channel"] == OURS]

    assert answer["channel_id"] == told["channel_id"] == OURS
    assert told["outbound_flow"]["revenue_earned_msat"] == sum(row["fee_msat"] for row in out)
    assert told["outbound_flow"]["payment_count"] == told["forward_count"] == len(out)
    assert told["inbound_flow"]["contribution_to_other_channels_msat"] == sum(
        row["fee_msat"] for row in into
    )
    channel_id = node.channel(OURS)["channel_id"]
    assert office.call("revenue-profitability", channel_id)["channel_id"] == OURS
    assert office.call("revenue-profitability", THEIRS)["profitability"]["closed_at"]
    with pytest.raises(CommandError, match=r"channel_id: expected a channel .* got '1x1x1'"):
        office.call("revenue-profitability", "1x1x1")


def test_history_goes_on_after_an_absence(office: Office, node: FakeNode) -> None:
    """
    Days on which nobody looked have the sums of their forwards, and null for what they held.
    """
    keep(office)
    node.forward(THEIRS, OURS, 20_000_000, office.clock.now() + 3 * DAY)
    keep(office, 5 * DAY)
    days = office.call("revenue-history")["days"]

    assert len(days) == 6
    assert [day["tlv_sats"] is None for day in days] == [False, True, True, True, True, False]
    assert days[2]["gross_revenue_msat"] == node.forwards[-1]["fee_msat"]
    assert days[2]["forward_count"] == 1
    assert len(office.call("revenue-history", 2)["days"]) == 2


def test_closed_channels_are_listed_with_their_money(office: Office, node: FakeNode) -> None:
    """
    The lifetime P&L of a closed channel stays, in the summary and row by row.
    """
    lived(office, node)
    answer = office.call("revenue-history")
    [row] = answer["closed_channels"]
    summary = answer["closed_channels_summary"]

    assert row["channel_id"] == THEIRS
    assert summary["channel_count"] == 1
    assert summary["total_closure_costs"] == 900
    assert summary["total_net_pnl"] == row["net_sats"]
    assert summary["net_msat"] == row["net_msat"]


def test_a_closed_channel_is_pending_until_the_node_has_done_with_it(
    office: Office, node: FakeNode
) -> None:
    """
    First nobody took note, then the chain has to settle, then it is archived; each is said.
    """
    keep(office)
    assert office.call("revenue-cleanup-closed")["pending"] == []
    close(office, node, OURS, 800_000)
    office.cycle(HOUR)
    [pending] = office.call("revenue-cleanup-closed")["pending"]
    assert (pending["channel_id"], "ONCHAIN: it closes" in pending["why"]) == (OURS, True)

    office.keep_books()
    answer = office.call("revenue-cleanup-closed")
    assert answer["pending"][0]["why"] == "the chain has yet to settle what it held"
    assert (answer["archived"], answer["pending"][0]["how"]) == (0, "mutual")

    node.books.forget(OURS)
    office.cycle(HOUR)
    office.keep_books()
    answer = office.call("revenue-cleanup-closed")
    assert (answer["archived"], answer["pending"], answer["errors"]) == (1, [], [])
    assert answer["channels"][0]["channel_id"] == OURS


def test_a_channel_that_vanished_is_pending(office: Office, node: FakeNode) -> None:
    """
    What no list of the node shows is not called closed at once, and the answer says so.
    """
    keep(office)
    node.channels.remove(node.channel(OURS))
    keep(office, HOUR)
    [pending] = office.call("revenue-cleanup-closed")["pending"]

    assert pending["channel_id"] == OURS
    assert "called closed after a day" in pending["why"]


def test_cleanup_hurries_the_books(office: Office) -> None:
    """
    Asking for it has the node's lists looked through again at once.
    """
    keep(office)
    office.clock.pass_by(120)
    before = office.app.worker.state("books").next_run
    office.call("revenue-cleanup-closed")

    assert office.app.worker.state("books").next_run < before


# Advice --------------------------------------------------------------------------------------


def test_advice_waits_while_the_chain_is_dear(office: Office, node: FakeNode) -> None:
    """
    Above 100 sat/vB, or with no feerate at all, everything on-chain is to wait.
    """
    with pytest.raises(CommandError, match="nothing was seen yet"):
        office.call("revenue-capacity-report")
    keep(office)
    assert office.call("revenue-capacity-report")["mempool_recommendation"] == "PROCEED"
    node.spike(50)
    keep(office, HOUR)
    report = office.call("revenue-capacity-report")
    assert report["mempool_recommendation"] == "HOLD"
    assert report["feerate_sat_vb"] > 100
    assert (report["winners"], report["losers"], report["recommendations"]) == ([], [], [])


def test_a_loser_is_told_with_what_speaks_for_it(office: Office, node: FakeNode) -> None:
    """
    A channel that only ever cost money is advised to close, in a sentence with its numbers.
    """
    keep(office)
    quiet = "202x1x0"
    node.books.open(quiet, like=OURS, fee=3_000_000, at=office.clock.now())
    keep(office, HOUR)
    keep(office, HOUR)
    keep(office, 100 * DAY)
    report = office.call("revenue-capacity-report")
    [row] = [row for row in report["losers"] if row["channel_id"] == quiet]
    [text] = [text for text in report["recommendations"] if text.startswith(f"{quiet}: close it")]

    assert row["amount_msat"] == node.channel(quiet)["to_us_msat"]
    assert "it earned 0 sat and cost 3000 sat" in text
    assert row["reasons"][0] in text


# All of them ---------------------------------------------------------------------------------


def test_reports_ask_the_node_nothing(office: Office, node: FakeNode) -> None:
    """
    Every answer comes from the books and the last look: no call is made, and it can be sent.
    """
    lived(office, node)
    calls = len(node.calls)
    for name, given in REPORTS:
        answer = office.call(name, **given)
        assert json.loads(json.dumps(answer, allow_nan=False)) == answer

    assert len(node.calls) == calls


def test_reports_are_the_same_after_a_restart(office: Office, node: FakeNode) -> None:
    """
    With nothing but the books, the money is what it was.
    """
    lived(office, node)
    before = [office.call(name, **given) for name, given in REPORTS[1:4]]
    history = office.call("revenue-history")
    office.restart()

    assert [office.call(name, **given) for name, given in REPORTS[1:4]] == before
    assert office.call("revenue-history") == history


def test_an_empty_node_has_reports(office: Office, node: FakeNode) -> None:
    """
    Without channels and forwards every report answers, with nothing in it.
    """
    node.channels.clear()
    node.forwards.clear()
    node.books.closed.clear()
    keep(office)
    for name, given in REPORTS:
        if given != {"channel_id": OURS}:
            assert "error" not in office.call(name, **given)
    assert office.call("revenue-report")["channels"] == []
    assert office.call("revenue-report", format="csv")["csv"] == ""
