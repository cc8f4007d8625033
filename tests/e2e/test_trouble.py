"""Whatever a node does - hang, babble, restart, splice, close - the plugin lives and says so."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from e2e.fake_lightningd import FakeLightningd
from e2e.office import Office
from e2e.rpc_socket import RpcSocket
from fakes import FakeNode, RpcRefusalError, recorded

from revops.adapters.breaker import CircuitState
from revops.core import Code

HALF_HOUR = 1800
MINUTE = 60
SPLICED = "150x7x0"
METHODS = ("getinfo", "listpeerchannels", "feerates", "listforwards", "setchannel")
LATER = (
    "splice/listpeerchannels_pending",
    "splice/listpeerchannels_1conf",
    "closing/listpeerchannels_mutual_unconfirmed",
    "closing/listpeerchannels_mutual_1conf",
    "closing/listpeerchannels_unilateral_unconfirmed",
    "closing/listpeerchannels_unilateral_1conf",
    "closing/listpeerchannels_after_sweeps",
    "after_close/listpeerchannels",
)
"""What the recorded node's channels became, one after the other."""
PRICES = (
    "fee_base_msat",
    "fee_proportional_millionths",
    "minimum_htlc_out_msat",
    "maximum_htlc_out_msat",
)


def circuit(office: Office, group: str) -> CircuitState:
    """
    Return what is told of a group of calls.
    """
    return next(state for state in office.app.breaker.states() if state.group == group)


def tracebacks(logs: list[tuple[str, str]]) -> list[str]:
    """
    Return what was logged that nobody foresaw.
    """
    return [line for _, line in logs if "Traceback" in line]


# A node that hangs ---------------------------------------------------------------------------


def test_while_lightningd_hangs_the_plugin_answers_and_says_what_rests(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    Commands answer at once while a call waits, and after it was given up; the status shows what
    rests, why and until when, and the end does not wait for anything.
    """
    node.before["listpeerchannels"] = node.never_answer
    lightningd.config = {"revenue-ops-rpc-timeout-seconds": "1"}
    lightningd.start()
    lightningd.block()
    lightningd.wait_for(lambda: node.called("listpeerchannels"))
    began = time.monotonic()
    status = lightningd.call("revenue-status")
    took = time.monotonic() - began

    def resting() -> dict[str, Any] | None:
        groups = lightningd.call("revenue-status")["rpc"]
        return next((g for g in groups if g["group"] == "node" and g["state"] == "open"), None)

    group = lightningd.wait_for(resting)

    assert took < 0.5
    assert status["loops"][0]["running_since"] is not None
    assert group["last_error"] == (
        "listpeerchannels: no answer from lightningd: not within 1 s (rpc-timeout-seconds)"
    )
    assert 50 < group["retry_at"] - group["since"] <= 60
    assert lightningd.shutdown() < 2.0
    node.let_go()


def test_what_rested_is_asked_again_and_the_cycle_goes_on(office: Office, node: FakeNode) -> None:
    """
    A call without an answer costs one time-out, not one for every cycle; when the rest is over one
    call is tried, and its answer sets everything going again.
    """
    office.cycle()
    node.before["listpeerchannels"] = node.never_answer
    office.cycle(after_s=HALF_HOUR)
    asked = len(node.called("listpeerchannels"))
    assert circuit(office, "node").state == "open"

    office.cycle(after_s=MINUTE // 2)
    assert len(node.called("listpeerchannels")) == asked
    assert "not asked for another 30 s" in office.app.worker.state("fees").last_error

    node.let_go()
    node.before.clear()
    office.cycle(after_s=MINUTE // 2)

    assert circuit(office, "node").state == "closed"
    assert office.app.worker.state("fees").last_ok == office.clock.now()
    assert tracebacks(office.logs) == []


def test_a_fee_that_was_not_asked_for_is_refused_and_not_unknown(
    office: Office, node: FakeNode
) -> None:
    """
    While setchannel rests nothing is sent, so nothing can have happened.
    """
    office.configure(rpc_circuit_breaker_seconds="3600")
    node.after["setchannel"] = node.never_answer
    node.let_go()
    office.cycle()
    node.after.clear()
    office.cycle(after_s=MINUTE)
    outcomes = {entry.action.scid: outcome for entry, outcome in office.app.cycle.last.done}

    assert len(node.called("setchannel")) == 1
    assert outcomes
    assert {type(outcome).__name__ for outcome in outcomes.values()} == {"Refused"}
    assert all("calls of group fees rest" in outcome.error for outcome in outcomes.values())


def test_a_node_that_is_not_ready_has_its_counters_all_the_same(
    office: Office, node: FakeNode
) -> None:
    """
    That listforwards was refused once does not make a node one of before v23.11, of which all
    forwards would have to be read at once.
    """

    def not_ready() -> None:
        raise RpcRefusalError(-1, "not ready")

    node.before["listforwards"] = not_ready
    office.cycle()
    node.before.clear()
    office.cycle(after_s=HALF_HOUR)

    assert office.app.cycle.last.problems == ()
    assert all("index" in call for call in node.called("listforwards"))


# A node that babbles -------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS)
def test_garbage_is_told_and_forgotten(office: Office, node: FakeNode, method: str) -> None:
    """
    Whatever comes as the result of a call: nothing that nobody foresaw is logged, and as soon as
    the node talks sense the cycle does what it does.
    """
    rubbish: tuple[Any, ...] = (
        *(None, [], {}, "x", 5, 1e999, [[]], {"channels": 5}, {"channels": [None, 5, {}]}),
        *({"forwards": {}}, {"forwards": [None, {"status": []}]}, {"perkw": []}, {"id": "02"}),
        {"channels": [{"peer_id": "\ud800", "state": [], "channel_id": None}]},
    )
    for answer in rubbish:
        node.garbage[method] = lambda _reply, answer=answer: answer
        office.cycle(after_s=HALF_HOUR)
    node.garbage.clear()
    office.cycle(after_s=HALF_HOUR)

    assert tracebacks(office.logs) == []
    assert office.app.worker.state("fees").last_ok == office.clock.now()
    assert len(office.app.cycle.last.snapshot.channels) == len(node.channels)


# A node that restarts ------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["listpeerchannels", "feerates", "listforwards", "setchannel"])
def test_a_node_that_restarts_in_the_middle_of_a_cycle_is_found_again(
    office: Office, node: FakeNode, method: str
) -> None:
    """
    The socket is gone after a call, and back some cycles later: what was learned is kept, and all
    fees are set that were to be.
    """

    def go_away() -> None:
        office._rpc.unlink(missing_ok=True)

    node.after[method] = go_away
    for _ in range(3):
        office.cycle(after_s=MINUTE)
    node.after.clear()
    office._socket.close()
    office._socket = RpcSocket(office._rpc, node)
    office.cycle(after_s=MINUTE)

    assert office.app.worker.state("fees").last_ok == office.clock.now()
    assert office.app.cycle.last.problems == ()
    assert {call["id"] for call in node.called("setchannel")} == set(node.fees())
    assert tracebacks(office.logs) == []
    assert not any(Code.MANUAL_CHANGE in office.codes(scid) for scid in node.fees())


# Channels that change ------------------------------------------------------------------------


def moves_on(node: FakeNode, phase: str) -> Callable[[], None]:
    """
    Return what makes the node's channels those of a later *phase*, at the prices set since.
    """

    def move() -> None:
        prices = {c["channel_id"]: {name: c[name] for name in PRICES} for c in node.channels}
        node.channels = [
            channel | prices.get(channel["channel_id"], {})
            for channel in recorded(phase)["channels"]
        ]
        for channel in node.channels:
            # Nothing is announced of those that close.
            with suppress(KeyError):
                channel["updates"]["local"] |= {
                    "fee_base_msat": channel["fee_base_msat"],
                    "fee_proportional_millionths": channel["fee_proportional_millionths"],
                }

    return move


def test_splices_and_closings_in_the_middle_of_cycles_stop_nothing(
    office: Office, node: FakeNode
) -> None:
    """
    A life of channels that are spliced and closed after they were listed and before they are
    priced: every cycle ends well, what is closing is not priced any more, and what was spliced
    keeps its memory under its new short channel id.
    """
    spliced = node.channel(SPLICED)["channel_id"]
    for phase in LATER:
        node.after["feerates"] = moves_on(node, phase)
        office.cycle(after_s=HALF_HOUR)
        assert office.app.worker.state("fees").last_ok == office.clock.now()
    node.after.clear()
    sets = len(node.called("setchannel"))
    office.cycle(after_s=HALF_HOUR)
    open_now = {c["short_channel_id"] for c in node.channels if c["state"] == "CHANNELD_NORMAL"}
    learned = {memory.channel_id for memory in office.app.cycle.memory.channels}

    assert "163x1x1" in open_now
    assert spliced in learned
    assert Code.FIRST_CONTACT not in office.codes("163x1x1")
    assert {call["id"] for call in node.called("setchannel")[sets:]} <= open_now
    assert tracebacks(office.logs) == []


# Life of the process -------------------------------------------------------------------------


def test_it_is_stopped_and_started_while_lightningd_runs(
    lightningd: FakeLightningd, node: FakeNode
) -> None:
    """
    `plugin start` and `plugin stop`, again and again, leave everything in order.
    """
    for _ in range(3):
        assert lightningd.start(startup=False) is None
        assert lightningd.first_cycle()["loops"][0]["last_error"] is None
        assert lightningd.shutdown() < 2.0

    assert len(node.called("setchannel")) == len(node.channels)
    assert lightningd.stderr == ""


def test_a_flood_of_notifications_is_swallowed(lightningd: FakeLightningd, node: FakeNode) -> None:
    """
    A thousand notifications in a burst, garbage among them, start no thousand cycles, hold no
    command up and leave no traceback.
    """
    peer = node.channels[0]["peer_id"]
    burst: tuple[tuple[str, Any], ...] = (
        ("channel_opened", {"id": peer}),
        ("channel_state_changed", {"old_state": "CHANNELD_NORMAL", "new_state": "ONCHAIN"}),
        ("connect", {"id": peer}),
        ("disconnect", {"id": peer}),
        ("forward_event", node.forwards[0]),
        ("block_added", {"height": 200}),
        ("channel_state_changed", None),
        ("connect", {"id": {"plugin": []}}),
        ("forward_event", ["x"]),
        ("block_added", {}),
    )
    lightningd.start()
    lightningd.first_cycle()
    cycles = len(node.called("listpeerchannels"))
    for _ in range(100):
        for topic, told in burst:
            lightningd.notify(topic, told)
    for params in ({}, [], [1, 2], {"request": 1, "plugin": 2, "self": 3}):
        for topic, _ in burst:
            lightningd._send({"jsonrpc": "2.0", "method": topic, "params": params})
    began = time.monotonic()
    status = lightningd.call("revenue-status")

    assert time.monotonic() - began < 2.0
    assert status["last_cycle"]["channels"] == len(node.channels)
    assert len(node.called("listpeerchannels")) == cycles
    assert tracebacks(lightningd.logs) == []
    assert lightningd.stderr == ""
