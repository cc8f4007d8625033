"""Notifications as lightningd sends them, and as it never would: they ring, and do no harm."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from e2e.office import Office
from fakes import RECORDINGS

from revops.shell.notifications import Notifications

DAY = 86_400
HALF_HOUR = 1800
RECORDED = [
    json.loads(line)
    for line in (RECORDINGS / "notifications.jsonl").read_text(encoding="utf-8").splitlines()
]
CHANGES = [message for message in RECORDED if message["method"] == "channel_state_changed"]
ABSURD = (
    *(None, [], "x", 5, {}, {"id": {}}, {"id": "x"}, {"id": None}, {"block": None}),
    *({"height": "x"}, {"height": -1}, {"height": 2**70}, {"height": 5.0}, {"height": True}),
    *({"new_state": []}, {"old_state": {}}, {"in_channel": "\ud800", "preimage": "s3cret"}),
)
TOPICS = sorted({message["method"] for message in RECORDED} | {"forward_event"})


class Wire:
    """
    What passes an office its notifications, as pyln does.
    """

    def __init__(self, office: Office) -> None:
        self.logs: list[tuple[str, str]] = []
        self.heard: dict[str, Callable[..., None]] = {}
        self.notifications = Notifications(lambda line, level: self.logs.append((level, line)))
        self.notifications.subscribe(self.heard.__setitem__)
        self.worker = office.app.worker
        self.observer = office.app.cycle.observer

    def send(self, method: str, params: Any) -> None:
        """
        Send a notification: *params* by name, or in a row.
        """
        if isinstance(params, dict):
            self.heard[method](**params)
        else:
            self.heard[method](*params)

    def hurries(self) -> bool:
        """
        Say whether a run is due sooner than it was to be.
        """
        return self.worker._loops["fees"].due_in() <= 60


@pytest.fixture
def wire(office: Office) -> Iterator[Wire]:
    """
    The wire to an office whose first cycle is over.
    """
    office.cycle()
    wire = Wire(office)
    wire.notifications.serve(office.app)
    yield wire
    office.cycle(after_s=HALF_HOUR)
    assert office.app.worker.state("fees").last_ok == office.clock.now()


def named(message: dict[str, Any]) -> str:
    """
    Return which change of state a message tells of.
    """
    told = message["params"]["channel_state_changed"]
    return f"{told.get('old_state')}-{told['new_state']}"


def test_a_channel_that_begins_or_ends_to_carry_payments_hurries_the_cycle(
    wire: Wire, office: Office
) -> None:
    """
    To and from CHANNELD_NORMAL there is something to price; other changes wait for the interval.
    """
    for message in CHANGES:
        wire.send(message["method"], message["params"])
        assert wire.hurries() == ("CHANNELD_NORMAL" in named(message))
        if wire.hurries():
            office.cycle(after_s=HALF_HOUR)

    assert wire.logs == []


def test_everything_that_was_recorded_is_understood(wire: Wire) -> None:
    """
    What a real node told while channels opened, closed and were spliced and peers came and went
    leaves no line in the log; the last block is the height of the next cycle.
    """
    for message in RECORDED:
        wire.send(message["method"], message["params"])
    blocks = [m["params"]["block_added"]["height"] for m in RECORDED if "block" in m["method"]]

    assert wire.logs == []
    assert wire.observer.blockheight == blocks[-1]
    assert wire.hurries()


def test_an_opened_channel_hurries_the_cycle(wire: Wire) -> None:
    """
    A channel that was just opened is looked at soon.
    """
    wire.send("channel_opened", {"channel_opened": {"channel_ready": True}})

    assert wire.hurries()


def test_a_block_told_the_old_way_is_a_block(wire: Wire) -> None:
    """
    Before v23.11 what was told stood below another name.
    """
    wire.send("block_added", {"block": {"hash": "00" * 32, "height": 700_000}})

    assert wire.observer.blockheight == 700_000


@pytest.mark.parametrize("wrapped", [True, False])
def test_peers_that_come_and_go_are_heard(wire: Wire, office: Office, *, wrapped: bool) -> None:
    """
    What is told of a peer stands below the topic's name or beside it; the moment it came or went
    is known to the second.
    """
    peer = office.node.channels[0]["peer_id"]

    def tell(topic: str, after_s: int) -> None:
        office.clock.pass_by(after_s)
        told = {"id": peer}
        wire.send(topic, {topic: told} if wrapped else told)

    today = office.clock.now() // DAY
    tell("disconnect", after_s=100)
    tell("connect", after_s=200)
    office.cycle(after_s=1500)

    assert wire.logs == []
    assert office.app.store.uptime(today, today)[peer] == (1800, 1600)


def test_a_channel_tells_how_reliable_its_peer_is(wire: Wire, office: Office) -> None:
    """
    Once a peer was watched for a day, the snapshot has the share of the time that it was there;
    before that, nobody knows.
    """
    peer = office.node.channels[0]["peer_id"]

    def uptime(of: str) -> float | None:
        channels = office.app.cycle.last.snapshot.channels
        return next(channel.peer_uptime for channel in channels if channel.peer_id == of)

    office.configure(fee_interval="21600")
    for _ in range(3):
        office.cycle(after_s=DAY // 4)
    assert uptime(peer) is None
    wire.send("disconnect", {"disconnect": {"id": peer}})
    office.clock.pass_by(DAY // 8)
    wire.send("connect", {"connect": {"id": peer}})
    office.cycle(after_s=DAY // 8)

    assert uptime(peer) == pytest.approx(7 / 8)
    assert uptime(office.node.channels[-1]["peer_id"]) == 1


@pytest.mark.parametrize("topic", TOPICS)
def test_what_cannot_be_read_does_no_harm(wire: Wire, topic: str) -> None:
    """
    Whatever comes, in whatever place: no error, at most a line at debug level that repeats nothing
    of it, and the next cycle works as ever.
    """
    height = wire.observer.blockheight
    for told in ABSURD:
        for params in ({topic: told}, {topic: told, "payload": told}, [told], {"origin": "x"}):
            wire.send(topic, params)
        if isinstance(told, dict):
            wire.send(topic, told)

    assert {level for level, _ in wire.logs} <= {"debug"}
    assert not any("s3cret" in line for _, line in wire.logs)
    assert wire.observer.blockheight == height


def test_before_the_plugin_works_only_the_height_is_kept(office: Office) -> None:
    """
    Notifications that come too early are lost without harm: the lists are the truth.
    """
    wire = Wire(office)
    for message in RECORDED:
        wire.send(message["method"], message["params"])
    assert wire.observer.blockheight is None
    wire.notifications.serve(office.app)

    assert wire.observer.blockheight == RECORDED[-1]["params"]["block_added"]["height"]
    assert wire.logs == []


def test_a_stall_is_told_when_a_block_comes(wire: Wire, office: Office) -> None:
    """
    The thread that hears of blocks is alive when the worker hangs, and says so, once.
    """
    for _ in range(5):
        office.clock.pass_by(2 * HALF_HOUR)
        wire.send("block_added", {"block_added": {"height": 200}})
    stalls = [line for line in office.logs if "fees: no run has succeeded" in line[1]]

    assert stalls == [("broken", "fees: no run has succeeded for three intervals")]
