"""Beside CLBOSS: it leaves alone what revops does, and no tag of its operator's is ever lost."""

from collections.abc import Callable
from typing import Any

import pytest
from e2e.left_alone import peers, tags
from e2e.office import Office
from fakes import FakeNode, HangUpError, RpcRefusalError

from revops.shell.commands.command import CommandError

HALF_HOUR = 1800
OURS = {"lnfee", "balance"}
STRANGER = "03" + "cd" * 32


@pytest.fixture
def node(node: FakeNode) -> FakeNode:
    """
    The recorded node, with CLBOSS on it.
    """
    node.clboss.there = True
    return node


def all_ours(node: FakeNode) -> dict[str, set[str]]:
    """
    Return what CLBOSS leaves alone where revops does everything and the operator said nothing.
    """
    return dict.fromkeys(peers(node), OURS)


def asked(node: FakeNode) -> list[str]:
    """
    Return the calls of CLBOSS's methods.
    """
    return [method for method, _ in node.calls if method.startswith("clboss-")]


def note(office: Office) -> Any:
    """
    Return what the status says is wrong with CLBOSS.
    """
    return office.call("revenue-status")["neighbours"]["clboss"]["note"]


def hang_up() -> None:
    """
    End a call without an answer.
    """
    raise HangUpError


# What a cycle does ---------------------------------------------------------------------------


def test_clboss_lets_go_of_every_peer_before_the_first_price(
    office: Office, node: FakeNode
) -> None:
    """
    Every peer is told once, with the operator's own tags beside ours, before any fee is set; the
    cycles after that ask once and tell nothing.
    """
    first, *_ = peers(node)
    node.clboss.unmanage(first, "open,close")
    office.cycle()
    methods = [method for method, _ in node.calls]
    assert tags(node) == all_ours(node) | {first: OURS | {"open", "close"}}
    assert methods.index("setchannel") > max(
        at for at, method in enumerate(methods) if method == "clboss-unmanage"
    )
    node.calls.clear()
    office.cycle(after_s=HALF_HOUR)

    assert asked(node) == ["clboss-status"]


def test_refills_are_claimed_only_where_revops_may_refill(office: Office, node: FakeNode) -> None:
    """
    With authority fees CLBOSS goes on rebalancing; a peer that is not refilled is left to it in
    that, and a passive one altogether, again too.
    """
    one, other, third, *_ = peers(node)
    office.configure(authority="fees")
    office.cycle()
    assert set(map(frozenset, tags(node).values())) == {frozenset({"lnfee"})}
    office.configure(authority="liquidity")
    office.call("revenue-policy", "set", peer_id=one, rebalance="disabled")
    office.call("revenue-policy", "set", peer_id=other, strategy="passive")
    office.cycle(after_s=HALF_HOUR)

    assert tags(node)[one] == {"lnfee"}
    assert other not in tags(node)
    assert tags(node)[third] == OURS


@pytest.mark.parametrize(
    "option", [{"dry_run": "true"}, {"paused": "true"}, {"authority": "observe"}]
)
def test_who_may_do_nothing_tells_clboss_nothing(
    office: Office, node: FakeNode, option: dict[str, str]
) -> None:
    """
    Where revops prices nothing by itself, CLBOSS is neither told nor asked.
    """
    office.configure(**option)
    office.cycle()

    assert asked(node) == []
    assert tags(node) == {}


def test_switched_off_all_is_given_back_and_nobody_asks_any_more(
    office: Office, node: FakeNode
) -> None:
    """
    clboss-enabled=false leaves the operator's tags, and then asks nothing.
    """
    first, *_ = peers(node)
    node.clboss.unmanage(first, "balance,close")
    office.cycle()
    office.configure(clboss_enabled="false")
    office.cycle(after_s=HALF_HOUR)
    assert tags(node) == {first: {"balance", "close"}}
    node.calls.clear()
    office.cycle(after_s=HALF_HOUR)

    assert asked(node) == []
    assert office.call("revenue-list-ignored")["count"] == 0


def test_what_is_lost_is_claimed_again_and_what_the_operator_changed_stays(
    office: Office, node: FakeNode
) -> None:
    """
    The operator's command replaces all tags, ours too: the next cycle adds ours to what he said,
    and that is what comes back in the end.
    """
    one, other, *_ = peers(node)
    office.cycle()
    node.clboss.unmanage(one, "close")
    node.clboss.unmanage(other, "")
    office.cycle(after_s=HALF_HOUR)
    assert tags(node) == all_ours(node) | {one: OURS | {"close"}}
    office.app.keeper.release()

    assert tags(node) == {one: {"close"}}


def test_a_new_peer_is_claimed_in_the_cycle_that_first_sees_it(
    office: Office, node: FakeNode
) -> None:
    """
    A peer that comes is claimed, and one whose last channel went is given back.
    """
    gone = peers(node)[0]
    kept = [channel for channel in node.channels if channel["peer_id"] != gone]
    came, node.channels[:] = [c for c in node.channels if c["peer_id"] == gone], kept
    office.cycle()
    assert gone not in tags(node)
    node.channels += came
    office.cycle(after_s=HALF_HOUR)
    assert tags(node)[gone] == OURS
    node.channels[:] = kept
    office.cycle(after_s=HALF_HOUR)

    assert gone not in tags(node)


def test_money_is_moved_only_where_clboss_lets_go(thirsty: Office) -> None:
    """
    A money cycle claims its peers before sling is asked, if no pricing has come before it.
    """
    node = thirsty.node
    node.clboss.tags.clear()
    node.calls.clear()
    thirsty.move(after_s=HALF_HOUR)
    methods = [method for method, _ in node.calls]

    assert tags(node) == all_ours(node)
    assert methods.index("clboss-unmanage") < methods.index("sling-once")


# When CLBOSS is not as it should be ----------------------------------------------------------


def test_without_clboss_nothing_changes(office: Office, node: FakeNode) -> None:
    """
    It is looked for once in ten minutes and not missed: no trouble, no line in the log above debug;
    when it comes, it is told in the next cycle.
    """
    node.clboss.there = False
    office.cycle()
    office.cycle(after_s=60)
    status = office.call("revenue-status")
    assert asked(node) == ["clboss-status"]
    assert status["troubles"] == []
    assert status["neighbours"]["clboss"]["there"] is False
    assert "CLBOSS" not in str(office.logs)
    assert office.call("revenue-clboss-status")["clboss_available"] is False
    node.clboss.there = True
    office.cycle(after_s=HALF_HOUR)
    assert tags(node) == all_ours(node)
    node.clboss.there = False
    office.cycle(after_s=HALF_HOUR)
    office.app.keeper.release()

    assert office.call("revenue-list-ignored")["count"] == len(peers(node))
    assert "clboss" not in str(office.call("revenue-status")["troubles"]).lower()


@pytest.mark.parametrize(
    "break_it",
    [
        lambda node: setattr(node.clboss, "ready", False),
        lambda node: node.before.update({"clboss-status": hang_up}),
        lambda node: node.garbage.update({"clboss-status": lambda _: {"unmanaged": []}}),
        lambda node: node.garbage.update({"clboss-status": lambda _: "soon"}),
        lambda node: node.garbage.update(
            {"clboss-status": lambda _: {"unmanaged": {STRANGER: ["lnfee"]}}}
        ),
        lambda node: node.before.update({"clboss-unmanage": hang_up}),
    ],
)
def test_a_clboss_that_does_not_answer_keeps_no_price(
    office: Office, node: FakeNode, break_it: Callable[[FakeNode], None]
) -> None:
    """
    It starts, hangs up or babbles: the cycle is a good one, the status has a note, and when it
    answers again it is told.
    """
    break_it(node)
    office.cycle()
    assert len(node.called("setchannel")) == len(node.channels)
    assert tags(node) == {}
    assert "clboss" in note(office) or "not open" in note(office)
    assert office.call("revenue-status")["troubles"] == []
    node.clboss.ready = True
    node.before.clear()
    node.garbage.clear()
    office.cycle(after_s=HALF_HOUR)

    assert tags(node) == all_ours(node)
    assert note(office) is None


def test_a_hanging_clboss_costs_a_cycle_one_call(office: Office, node: FakeNode) -> None:
    """
    After one call without an answer no other is made, in this cycle or in the rest after it.
    """
    node.before["clboss-unmanage"] = hang_up
    office.cycle()
    assert asked(node) == ["clboss-status", "clboss-unmanage"]
    office.cycle(after_s=59)
    assert asked(node) == ["clboss-status", "clboss-unmanage"]
    assert "calls of group clboss rest" in note(office)


def test_one_peer_that_is_refused_keeps_no_other(office: Office, node: FakeNode) -> None:
    """
    A tag of the operator's that CLBOSS shows and does not take is not dropped to please it: that
    peer stays as it is, all others are told.
    """
    odd, *others = peers(node)
    node.clboss.tags[odd] = {"lnfee", "splice"}
    office.cycle()

    assert tags(node) == dict.fromkeys(others, OURS) | {odd: {"lnfee", "splice"}}
    assert note(office) == "1 peers: clboss-unmanage: Parameter error: Unknown tag: splice"
    rows = office.call("revenue-clboss-status")["unmanaged_peers"]
    row = next(row for row in rows if row["peer_id"] == odd)
    assert row["will_restore"] == ["lnfee", "splice"]
    assert row["our_tags"] == []


# Orders --------------------------------------------------------------------------------------


def test_ignore_and_unignore_leave_everything_as_it_was(office: Office, node: FakeNode) -> None:
    """
    What is ordered about a stranger is told at once, kept through a restart and a cycle, and taken
    back with nothing left of it.
    """
    node.clboss.unmanage(STRANGER, "balance")
    office.cycle()
    before = tags(node)
    answer = office.call("revenue-ignore", STRANGER, "open, close")
    assert answer["status"] == "success"
    assert answer["will_restore"] == ["balance"]
    assert tags(node)[STRANGER] == {"balance", "open", "close"}
    node.clboss.unmanage(STRANGER, "balance")
    office.restart()
    office.cycle(after_s=HALF_HOUR)
    assert tags(node)[STRANGER] == {"balance", "open", "close"}
    [row] = [r for r in office.call("revenue-list-ignored")["ignored_peers"] if r["ordered"]]
    assert row["reason"] == "ordered with revenue-ignore"
    office.call("revenue-unignore", STRANGER)

    assert tags(node) == before


def test_an_order_is_kept_where_revops_has_nothing_to_do(office: Office, node: FakeNode) -> None:
    """
    On a node without channels, under authority observe, an order is told at once all the same, and
    again when revops may act; nothing is claimed beside it, nor anything once revops stops.
    """
    node.channels.clear()
    office.configure(authority="observe")
    office.cycle()
    assert office.call("revenue-ignore", STRANGER, "close")["status"] == "success"
    assert tags(node) == {STRANGER: {"close"}}
    node.clboss.unmanage(STRANGER, "")
    office.configure(authority="fees")
    office.cycle(after_s=HALF_HOUR)
    assert tags(node) == {STRANGER: {"close"}}
    office.app.keeper.release()
    assert tags(node) == {}
    office.cycle(after_s=HALF_HOUR)
    answer = office.call("revenue-ignore", STRANGER, "open")

    assert (tags(node), answer["status"]) == ({}, "pending")
    assert "revops is stopping" in answer["message"]


def test_a_slow_clboss_is_told_the_rest_in_the_next_cycle(office: Office, node: FakeNode) -> None:
    """
    A cycle does not go on telling for longer than half a minute, however many peers there are.
    """
    node.before["clboss-unmanage"] = lambda: office.clock.pass_by(31)
    office.cycle()
    assert len(tags(node)) == 1
    assert len(node.called("setchannel")) == len(node.channels)
    assert "takes long" in note(office)
    node.before.clear()
    office.cycle(after_s=HALF_HOUR)

    assert tags(node) == all_ours(node)


def test_what_is_remanaged_is_not_claimed_again(office: Office, node: FakeNode) -> None:
    """
    One side of a peer, or all of it, or everybody: CLBOSS has it back but for the operator's own
    tags, the answer says that revops goes on too, and cycles do not take it back.
    """
    one, other, *others = peers(node)
    node.clboss.unmanage(one, "balance,close")
    office.cycle()
    answer = office.call("revenue-remanage", one)
    assert answer["success"] is True
    assert "strategy=passive" in answer["warning"]
    office.call("revenue-remanage", other, "balance")
    office.cycle(after_s=HALF_HOUR)
    assert tags(node) == dict.fromkeys(others, OURS) | {
        one: {"balance", "close"},
        other: {"lnfee"},
    }
    answer = office.call("revenue-remanage", "all")
    assert answer["count"] == len(peers(node))
    office.cycle(after_s=HALF_HOUR)
    assert tags(node) == {one: {"balance", "close"}}
    office.call("revenue-unignore", one)

    assert tags(node) == {one: OURS | {"close"}}


def test_a_passive_peer_that_is_remanaged_draws_no_warning(office: Office, node: FakeNode) -> None:
    """
    Where revops does nothing there is no rivalry.
    """
    one, *_ = peers(node)
    office.call("revenue-policy", "set", peer_id=one, strategy="passive")
    office.cycle()

    assert office.call("revenue-remanage", one)["warning"] is None


@pytest.mark.parametrize(
    ("prevent", "why"),
    [
        (lambda office: office.configure(dry_run="true"), "dry-run is set"),
        (lambda office: office.configure(paused="true"), "paused is set"),
        (lambda office: office.configure(clboss_enabled="false"), "clboss-enabled is false"),
        (lambda office: setattr(office.node.clboss, "there", False), "CLBOSS is not there"),
        (lambda office: office.node.before.update({"clboss-status": hang_up}), "clboss-status"),
    ],
)
def test_an_order_that_cannot_be_told_yet_is_kept(
    office: Office, node: FakeNode, prevent: Callable[[Office], None], why: str
) -> None:
    """
    It is pending and says why, and is told when that is over.
    """
    prevent(office)
    answer = office.call("revenue-ignore", STRANGER)
    assert (answer["status"], answer["success"]) == ("pending", False)
    assert why in answer["message"]
    assert tags(node) == {}
    office.configure(dry_run="false", paused="false", clboss_enabled="true")
    node.before.clear()
    node.clboss.there = True
    office.cycle(after_s=HALF_HOUR)

    assert tags(node)[STRANGER] == OURS


@pytest.mark.parametrize(
    ("command", "arguments", "sentence"),
    [
        ("revenue-ignore", ("02ab",), "peer_id: expected 66"),
        ("revenue-ignore", (STRANGER, "manual"), "tags: expected some of balance, close, lnfee"),
        ("revenue-ignore", (STRANGER, " , "), "tags: expected some of"),
        ("revenue-ignore", (STRANGER, ["lnfee", 5]), "tags: expected some of"),
        ("revenue-ignore", (STRANGER, {"a": 1}), "tags: expected text"),
        ("revenue-unignore", ("all",), "peer_id: expected 66"),
        ("revenue-remanage", ("everybody",), "peer_id: expected 66"),
        ("revenue-remanage", ("all", "fees"), "tag: expected some of"),
        ("revenue-list-ignored", (-1,), "limit: expected a whole number"),
    ],
)
def test_wrong_orders_change_nothing(
    office: Office, node: FakeNode, command: str, arguments: tuple[Any, ...], sentence: str
) -> None:
    """
    A word that is no tag, as the predecessor took for a reason, names what is meant and the way to
    have revops itself leave a peer alone.
    """
    with pytest.raises(CommandError, match=sentence):
        office.call(command, *arguments)

    assert node.clboss.told == []
    assert office.call("revenue-list-ignored")["count"] == 0


def test_the_answer_shows_clboss_beside_the_books(office: Office, node: FakeNode) -> None:
    """
    A row for each peer with what CLBOSS says now, what of it is ours and what is left in the end,
    and that all of it holds for a peer's channels together.
    """
    one, *_ = peers(node)
    node.clboss.unmanage(one, "close")
    node.clboss.unmanage(STRANGER, "open")
    office.cycle()
    node.clboss.unmanage(one, "close,open")
    answer = office.call("revenue-clboss-status", 1)
    assert answer["clboss_available"] is True
    assert "not channels" in answer["granularity"]
    assert answer["count"] == len(peers(node)) + 1
    assert len(answer["unmanaged_peers"]) == 1
    rows = {r["peer_id"]: r for r in office.call("revenue-clboss-status")["unmanaged_peers"]}

    assert rows[one]["clboss_tags"] == ["close", "open"]
    assert rows[one]["our_tags"] == ["balance", "lnfee"]
    assert rows[one]["will_restore"] == ["close", "open"]
    assert set(rows[one]["channels"]) == {
        c["short_channel_id"] for c in node.channels if c["peer_id"] == one
    }
    assert rows[STRANGER]["our_tags"] == rows[STRANGER]["channels"] == []


def test_refusals_of_lightningd_are_not_of_clboss(office: Office, node: FakeNode) -> None:
    """
    A plugin that ends under a call is no reason to think that it was never there.
    """

    def ended() -> None:
        raise RpcRefusalError(-4, "Plugin terminated before replying to RPC call.")

    node.before["clboss-status"] = ended
    office.cycle()

    assert office.call("revenue-status")["neighbours"]["clboss"]["there"] is True
    assert "terminated" in note(office)
