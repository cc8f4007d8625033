"""Any reply: whatever a node or its plugins answer is understood, or refused in a sentence."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import pytest
from contract.recorded import reply as whole_reply
from contract.recorded import with_msat_words
from fake_clboss import FakeClboss
from fake_hive import FakeHive
from faults.oddities import anything, made_odd, unfit
from hypothesis import given
from hypothesis import strategies as st

from revops.adapters.clboss import Clboss
from revops.adapters.cln import Lightningd
from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.adapters.hive import Hive
from revops.adapters.rpc import Call
from revops.adapters.sling import Sling
from revops.core.actions import SetFee
from revops.core.units import Instant, Msat, Ppm, Scid


def reply(name: str) -> Any:
    """
    Return a recorded reply, without more rows than it takes to be one.
    """
    document = whole_reply(name)
    for key, rows in document.items() if isinstance(document, dict) else ():
        document[key] = rows[:ROWS] if isinstance(rows, list) else rows
    return document


ROWS: Final = 3
NOW: Final = Instant(1_795_338_900)
US: Final = reply("getinfo.json")["id"]
CHANNEL: Final = reply("listpeerchannels.json")["channels"][0]
PEER: Final = CHANNEL["peer_id"]
PRICE: Final = SetFee(
    channel_id=CHANNEL["channel_id"],
    scid=Scid(reply("setchannel.json")["channels"][0]["short_channel_id"]),
    peer_id=PEER,
    old_ppm=Ppm(1),
    old_base_msat=Msat(0),
    new_ppm=Ppm(7),
    new_base_msat=Msat(0),
)
WAITED: Final = {"subsystem": "channelmoves", "created": 5}

QUESTIONS: Final[dict[str, tuple[Any, Callable[[Lightningd], Any]]]] = {
    "info": (reply("getinfo.json"), Lightningd.info),
    "channels": (reply("listpeerchannels.json"), lambda node: node.channels(NOW, 900)),
    "feerate": (reply("feerates_perkw.json"), Lightningd.feerate),
    "old feerate": (reply("feerates_perkb.json"), Lightningd.feerate),
    "onchain": (reply("listfunds.json"), Lightningd.onchain),
    "forwards": (reply("listforwards.json"), lambda node: node.forwards("created", 1, 2000)),
    "last forward": (reply("wait_forwards.json"), lambda node: node.last_forward("created")),
    "set fee": (reply("setchannel.json"), lambda node: node.set_fee(PRICE)),
    "moves": (reply("listchannelmoves.json"), lambda node: node.moves(1, 5000)),
    "last move": (WAITED, Lightningd.last_move),
    "payments": (reply("listsendpays.json"), lambda node: node.payments(US, 1, 5000)),
    "pending": (reply("sling/listsendpays_in_flight.json"), lambda node: node.pending_to(US)),
    "arriving": (
        reply("inflight/listpeerchannels.json"),
        lambda node: node.arriving(PEER, CHANNEL["channel_id"]),
    ),
    "one payment": (
        reply("bkpr-listaccountevents.json"),
        lambda node: node.payment_moves("0" * 64),
    ),
    "account": (
        reply("bkpr-listaccountevents_account.json"),
        lambda node: node.account(CHANNEL["channel_id"]),
    ),
    "closing": (
        reply("closing/listpeerchannels_after_sweeps.json"),
        lambda node: node.closing_channels(PEER),
    ),
    "closed": (
        reply("closing/listclosedchannels_mutual_1conf.json"),
        lambda node: node.closed_channels(),
    ),
}
"""What the node is asked, with what it answered once."""
HIVE: Final = FakeHive(US)
HIVE.join()
HIVE.learn(PEER, 120, 0.5)
CLBOSS: Final = FakeClboss()
CLBOSS.unmanage(PEER, "lnfee,balance")
NEIGHBOURS: Final[dict[str, tuple[Any, Callable[[Call], Any]]]] = {
    "membership": (HIVE.answer("hive-status", {}), lambda call: Hive(call).membership()),
    "members": (HIVE.answer("hive-members", {}), lambda call: Hive(call).members()),
    "hints": (
        HIVE.answer("hive-fee-intel-query", {"action": "list"}),
        lambda call: Hive(call).hints(),
    ),
    "contests": (
        HIVE.answer("hive-check-rebalance-conflict", {"peer_id": PEER}),
        lambda call: Hive(call).contests(PEER),
    ),
    "features": ({"help": [{"command": "hive-status"}]}, lambda call: Hive(call).features()),
    "unmanaged": (CLBOSS.answer("clboss-status", {}), lambda call: Clboss(call).unmanaged()),
}
"""What other plugins are asked, with what they answer."""
SLING: Final = {
    "sling-version": {"version": "v4.3.1"},
    "sling-jobsettings": reply("sling/jobsettings_job.json"),
    "listconfigs": reply("sling/listconfigs_timeoutpay.json"),
    "sling-stats": reply("sling/stats_job_running.json"),
}


def answering(answer: Any) -> Lightningd:
    return Lightningd(lambda _method, _params: answer)


@pytest.mark.parametrize("question", QUESTIONS)
@given(st.data())
def test_any_answer_is_understood_or_refused(question: str, data: st.DataObject) -> None:
    """
    What comes of an answer of the node fits into the books; what does not is no answer.
    """
    document, ask = QUESTIONS[question]
    right = st.sampled_from([document, with_msat_words(document)])
    answer = data.draw(right.flatmap(made_odd) | anything)
    with suppress(NoAnswerError, NodeRefusedError):
        assert unfit(ask(answering(answer))) is None


@pytest.mark.parametrize("question", NEIGHBOURS)
@given(st.data())
def test_any_answer_of_a_neighbour_is_understood_or_refused(
    question: str, data: st.DataObject
) -> None:
    """
    What comes of an answer of CLBOSS or cl-hive is fit to be used; what does not is no answer.
    """
    right, ask = NEIGHBOURS[question]
    answer = data.draw(made_odd(right) | anything)
    with suppress(NoAnswerError, NodeRefusedError):
        assert unfit(ask(lambda _method, _params: answer)) is None


@given(st.data())
def test_any_answer_of_sling_is_trouble_or_understood(data: st.DataObject) -> None:
    """
    Whatever sling says, a look at it comes to an end, and what it found can be told.
    """
    answers = {method: data.draw(made_odd(right)) for method, right in SLING.items()}
    found = Sling(lambda method, _params: answers[method], lambda _seconds: None).look()

    assert unfit(found) is None
