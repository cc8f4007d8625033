"""getinfo, listfunds, feerates, listnodes, setchannel: what is read of each reply."""

import pytest
from contract.recorded import names, reply, with_msat_words

from revops.adapters.replies import aliases_of, feerate_of, node_of, onchain_of, price_of
from revops.adapters.wire import WireError
from revops.core.checks import MOST_MSAT
from revops.core.outcomes import Applied
from revops.core.snapshot import Node

R = "030ef6e39d118f4c078f934029d5ff6f483eddddec467026af4790f55d2c4d0d69"


@pytest.mark.parametrize("name", names("getinfo.json"))
def test_getinfo_says_who_we_are(name: str) -> None:
    """
    In every phase, we are the same node at the height of that phase.
    """
    height = reply(name)["blockheight"]

    assert node_of(reply(name)) == Node(
        node_id=R, alias="bench-R", network="regtest", version="v26.06.6", blockheight=height
    )


def test_getinfo_without_an_id_is_refused() -> None:
    """
    A node that does not say who it is, is none; every problem is told.
    """
    with pytest.raises(WireError) as caught:
        node_of({"alias": "x", "blockheight": -1})

    assert caught.value.problems == (
        "getinfo.id: is missing",
        "getinfo.blockheight: expected an integer ≥ 0, got -1",
    )


@pytest.mark.parametrize("name", names("feerates_perkw.json"))
def test_both_styles_of_feerates_mean_the_same(name: str) -> None:
    """
    Per 1000 weight, or per 1000 vbytes which weigh four times that: one feerate.
    """
    perkw = reply(name)

    assert feerate_of(perkw) == perkw["perkw"]["estimates"][2]["feerate"]
    assert feerate_of(reply(name.replace("perkw", "perkb"))) == feerate_of(perkw)


def test_without_an_estimate_for_12_blocks_the_opening_feerate_tells() -> None:
    """
    Channels are opened at the 12-block estimate; without either, nobody knows.
    """
    assert feerate_of({"perkw": {"opening": 700, "estimates": []}}) == 700
    assert (
        feerate_of({"perkw": {"opening": 700, "estimates": [{"blockcount": 2, "feerate": 9}]}})
        == 700
    )
    assert feerate_of({"perkw": {"estimates": []}, "warning_missing_feerates": "…"}) is None
    assert feerate_of({"perkw": {"opening": 0}}) is None
    assert feerate_of({}) is None


@pytest.mark.parametrize("name", names("listfunds*.json"))
def test_onchain_funds_are_confirmed_and_free(name: str) -> None:
    """
    Outputs that are unconfirmed, spent or reserved are not counted.
    """
    funds = reply(name)
    free = [o for o in funds["outputs"] if o["status"] == "confirmed" and not o["reserved"]]

    assert onchain_of(funds) == sum(output["amount_msat"] for output in free)
    assert onchain_of(with_msat_words(funds)) == onchain_of(funds)


def test_funds_are_not_guessed_from_an_output_that_cannot_be_read() -> None:
    """
    One unreadable amount makes the sum unknown.
    """
    funds = reply("listfunds.json")
    funds["outputs"][1]["amount_msat"] = "many"

    with pytest.raises(WireError, match=r"listfunds\.outputs\[1\]\.amount_msat: expected an amo"):
        onchain_of(funds)


def test_more_than_all_bitcoin_is_no_answer() -> None:
    """
    Funds beyond all that there is, or a feerate that nobody ever paid, are refused and not
    reckoned with.
    """
    funds = reply("listfunds.json")
    funds["outputs"] += [funds["outputs"][0] | {"amount_msat": MOST_MSAT, "status": "confirmed"}]

    with pytest.raises(WireError, match=r"listfunds\.outputs: expected less in all, got "):
        onchain_of(funds)
    with pytest.raises(WireError, match=r"feerates: expected at most 100000000, got "):
        feerate_of({"perkw": {"opening": 10**30}})


@pytest.mark.parametrize("name", names("listnodes.json"))
def test_aliases_are_what_nodes_call_themselves(name: str) -> None:
    """
    Each node that told its alias is found by its id.
    """
    rows = reply(name)["nodes"]

    assert aliases_of(reply(name)) == {row["nodeid"]: row["alias"] for row in rows}


def test_aliases_are_words_of_strangers() -> None:
    """
    Markup stays data, what is no letter is made visible, and what is no alias is passed over.
    """
    rows = [
        {"nodeid": "02a", "alias": "<script>alert(1)</script>"},
        {"nodeid": "02b", "alias": "\ud800x"},
        {"nodeid": "02f", "alias": "one\n\x1b[2Jtwo\u202e"},
        {"nodeid": "03a", "alias": "x" * 10_000},
        {"nodeid": "02c", "alias": 5},
        {"nodeid": "02d"},
        "02e",
    ]

    assert aliases_of({"nodes": rows}) == {
        "02a": "<script>alert(1)</script>",
        "02b": "�x",
        "02f": "one��[2Jtwo�",
        "03a": "x" * 63 + "…",
    }


def test_our_own_name_is_taken_as_anybody_elses() -> None:
    """
    What the node calls itself is shown where theirs are.
    """
    assert node_of({"id": R, "alias": "up\x1b[A\nto\u200bme"}).alias == "up�[A�to�me"


@pytest.mark.parametrize(
    ("name", "applied"),
    [
        ("setchannel.json", Applied(fee_ppm=321, base_fee_msat=0, htlc_max_msat=1980000000)),
        ("setchannel_full.json", Applied(fee_ppm=555, base_fee_msat=10, htlc_max_msat=500000000)),
        ("setchannel_all.json", Applied(fee_ppm=77, base_fee_msat=2, htlc_max_msat=500000000)),
        ("setchannel_back.json", Applied(fee_ppm=100, base_fee_msat=2, htlc_max_msat=1980000000)),
        (
            "setchannel_htlcmax_over_capacity.json",
            Applied(fee_ppm=100, base_fee_msat=2, htlc_max_msat=1980000000),
        ),
    ],
)
def test_setchannel_confirms_what_is_in_force(name: str, applied: Applied) -> None:
    """
    The reply says the price and limit that the channel has now, lowered where it must be.
    """
    assert price_of(reply(name), "150x6x0") == applied
    assert price_of(with_msat_words(reply(name)), "150x6x0") == applied


def test_setchannel_confirms_the_channel_that_was_asked_for() -> None:
    """
    With several channels in the reply, the one that was asked for counts; without it, none.
    """
    two = reply("setchannel_peer_two_channels.json")

    assert price_of(two, "150x8x0").htlc_max_msat == 792000000
    with pytest.raises(WireError, match=r"setchannel\.channels: expected 150x6x0 among them"):
        price_of(two, "150x6x0")


@pytest.mark.parametrize(
    "name", [name for name in names("setchannel*.json") if "channels" in reply(name)]
)
def test_every_confirmation_is_read(name: str) -> None:
    """
    However a setchannel was asked, what it confirms of each channel is what it says.
    """
    for row in reply(name)["channels"]:
        assert price_of(reply(name), row["short_channel_id"]) == Applied(
            fee_ppm=row["fee_proportional_millionths"],
            base_fee_msat=row["fee_base_msat"],
            htlc_max_msat=row["maximum_htlc_out_msat"],
        )
