"""listforwards: every forward that lightningd showed us is read, as it was."""

import pytest
from contract.recorded import names, reply, with_msat_words, without

from revops.adapters.replies_forwards import forwards_of, plain, strict
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
    forwards, misfits = forwards_of(reply(name))

    assert misfits == ()
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
        forward._replace(created_index=None, updated_index=None)
        for forward in forwards_of(reply(name))[0]
    )


@pytest.mark.parametrize("name", ALL)
def test_a_real_node_gives_nothing_to_quarantine(name: str) -> None:
    """
    All that lightningd lists can be counted.
    """
    assert tally(forwards_of(reply(name))[0]).misfits == ()


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
        ("created_index", "7", "an integer ≥ 0"),
        ("updated_index", 2**63, "an integer ≥ 0"),
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
    row = broken["forwards"][4]
    row[key] = value
    forwards, (misfit,) = forwards_of(broken)

    assert len(forwards) == len(broken["forwards"]) - 1
    number = row["created_index"] if key != "created_index" else None
    assert misfit[0] == number
    assert misfit.why == (
        f"forward {number or '?'}: listforwards.forwards[4].{key}: expected {expected},"
        f" got {value!r}"
    )


def test_a_row_without_what_is_needed_is_named() -> None:
    """
    A forward needs the channel it came by, its amount, status and time; each is missed by name.
    """
    forwards, misfits = forwards_of({"forwards": [{"created_index": 7}, 5]})

    assert forwards == ()
    assert [misfit.why for misfit in misfits] == [
        "forward 7: "
        + "; ".join(
            f"listforwards.forwards[0].{key}: is missing"
            for key in ("in_channel", "in_msat", "status", "received_time")
        ),
        "forward ?: listforwards.forwards[1]: expected an object, got 5",
    ]
    assert misfits[0].created_index == 7


@pytest.mark.parametrize("name", ALL)
def test_what_a_real_node_lists_is_read_fast(name: str) -> None:
    """
    No recorded row needs a second look, and a second look would show the same.
    """
    for row in reply(name)["forwards"]:
        assert plain(row) == strict(row, "row")
        assert plain({**row, "in_msat": f"{row['in_msat']}msat"}) is None


def test_an_absurd_row_of_right_types_is_left_to_the_tally() -> None:
    """
    A forward that pays out more than came in is read; counting quarantines it.
    """
    broken = reply("listforwards_settled.json")
    broken["forwards"][0]["out_msat"] = broken["forwards"][0]["in_msat"] + 1
    forwards, misfits = forwards_of(broken)

    assert misfits == ()
    assert len(tally(forwards).misfits) == 1


def test_a_reply_of_another_shape_is_refused_as_a_whole() -> None:
    """
    What is no listforwards reply at all is not taken for a node without forwards.
    """
    with pytest.raises(WireError, match=r"listforwards\.forwards: expected a list, got None"):
        forwards_of({"channels": []})
