"""listforwards: every forward that lightningd showed us is read, as it was."""

import attrs
import pytest
from contract.recorded import names, reply, with_msat_words, without

from revops.adapters.replies import forwards_of
from revops.adapters.wire import WireError
from revops.core.tally import tally

ALL = names("listforwards*.json")


@pytest.mark.parametrize("name", ALL)
def test_forwards_are_read_as_they_are(name: str) -> None:
    """
    In every phase, each forward keeps its channels, amounts, indices and status; times lose
    their fractions.
    """
    rows = reply(name)["forwards"]
    forwards, problems = forwards_of(reply(name))

    assert problems == ()
    for row, forward in zip(rows, forwards, strict=True):
        resolved = row.get("resolved_time")
        assert forward.created_index == row["created_index"]
        assert forward.updated_index == row.get("updated_index")
        assert forward.in_scid == row["in_channel"]
        assert forward.out_scid == row.get("out_channel")
        assert forward.in_msat == row["in_msat"]
        assert forward.out_msat == row.get("out_msat")
        assert forward.fee_msat == row.get("fee_msat")
        assert forward.status == row["status"]
        assert forward.received_at == int(row["received_time"])
        assert forward.resolved_at == (None if resolved is None else int(resolved))


@pytest.mark.parametrize("name", ALL)
def test_v23_05_shows_the_same_but_for_its_indices(name: str) -> None:
    """
    Before v23.11 forwards have no indices, and amounts may be words.
    """
    older = with_msat_words(without(reply(name), {"created_index", "updated_index"}))

    assert forwards_of(older)[0] == tuple(
        attrs.evolve(forward, created_index=None, updated_index=None)
        for forward in forwards_of(reply(name))[0]
    )


@pytest.mark.parametrize("name", ALL)
def test_a_real_node_gives_nothing_to_quarantine(name: str) -> None:
    """
    All that lightningd lists can be counted.
    """
    assert tally(forwards_of(reply(name))[0]).quarantined == ()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("in_msat", "12", "an amount in msat"),
        ("in_msat", "-1msat", "an amount in msat"),
        ("in_msat", 2**64 - 1, "an amount in msat"),
        ("fee_msat", True, "an amount in msat"),
        ("out_msat", 1.0, "an amount in msat"),
        ("status", "lost", "one of offered, settled, failed, local_failed"),
        ("received_time", "2026-11-22", "seconds since 1970"),
        ("received_time", -1, "seconds since 1970"),
        ("resolved_time", float("nan"), "seconds since 1970"),
        ("resolved_time", 1e300, "seconds since 1970"),
        ("created_index", "7", "an integer"),
        ("in_channel", None, "text"),
    ],
)
def test_a_row_of_wrong_types_is_named_and_the_others_are_read(
    key: str, value: object, expected: str
) -> None:
    """
    One row holds what no field of a forward holds: the sentence names field and value.
    """
    broken = reply("listforwards.json")
    broken["forwards"][4][key] = value
    forwards, problems = forwards_of(broken)

    assert len(forwards) == len(broken["forwards"]) - 1
    assert problems == (f"listforwards.forwards[4].{key}: expected {expected}, got {value!r}",)


def test_a_row_without_what_is_needed_is_named() -> None:
    """
    A forward needs the channel it came by, its amount, status and time; each is missed by name.
    """
    forwards, problems = forwards_of({"forwards": [{}, 5]})

    assert forwards == ()
    assert problems == (
        "listforwards.forwards[0].in_channel: is missing",
        "listforwards.forwards[0].in_msat: is missing",
        "listforwards.forwards[0].status: is missing",
        "listforwards.forwards[0].received_time: is missing",
        "listforwards.forwards[1]: expected an object, got 5",
    )


def test_an_absurd_row_of_right_types_is_left_to_the_tally() -> None:
    """
    A forward that pays out more than came in is read; counting quarantines it.
    """
    broken = reply("listforwards_settled.json")
    broken["forwards"][0]["out_msat"] = broken["forwards"][0]["in_msat"] + 1
    forwards, problems = forwards_of(broken)

    assert problems == ()
    assert len(tally(forwards).quarantined) == 1


def test_a_reply_of_another_shape_is_refused_as_a_whole() -> None:
    """
    What is no listforwards reply at all is not taken for a node without forwards.
    """
    with pytest.raises(WireError, match=r"listforwards\.forwards: expected a list, got None"):
        forwards_of({"channels": []})
