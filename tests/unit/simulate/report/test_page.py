"""The page about a node: what it says is what was decided and forecast."""

import attrs
from unit.simulate.report.pages import (
    FEWER,
    HOSTILE,
    WARNING,
    Parsed,
    decided,
    lived,
    node,
    parsed,
    report,
)

from revops.adapters.strangers import plain
from revops.core.actions import SetFee, StartRebalance
from revops.core.config import Config, changed_options, configured
from revops.core.decide import decide
from revops.core.rebalance.decide import rebalance
from revops.core.units import Msat
from revops.simulate.forecast.lives import Forecast, Life, Side
from revops.simulate.forecast.sums import levels
from revops.simulate.refills import UNJUDGED
from revops.simulate.report.futures import band, headline
from revops.simulate.report.page import page


def life(seed: int, sats: int) -> Life:
    """
    Return ten days of which the last earned *sats*.
    """
    return Life(
        seed=seed,
        income_msat=(*[Msat(0)] * 9, Msat(sats * 1000)),
        spent_msat=(Msat(0),) * 10,
        updates=(0,) * 10,
        left_msat=Msat(0),
        paths=(),
    )


def sides(**nets: list[int]) -> Forecast:
    """
    Return a forecast in which each side comes to *nets*, future by future.
    """
    return Forecast(
        days=10,
        seeds=tuple(range(len(next(iter(nets.values()))))),
        sides=tuple(
            Side(name=name, options={}, lives=tuple(life(s, n) for s, n in enumerate(sats)))
            for name, sats in nets.items()
        ),
        warnings=(),
    )


def test_the_same_node_is_the_same_page() -> None:
    """
    A page tells of what it is made from, to the byte, and of no clock.
    """
    report.cache_clear()
    once = report()
    report.cache_clear()

    assert report() == once


def test_a_band_runs_through_values_that_came_out() -> None:
    """
    At each place a tenth is below its lower edge and a tenth above the upper one; a single future
    is all of it.
    """
    one = band("name", [[number, 100 - number] for number in range(11)])
    single = band("name", [[7, 3]])

    assert (one.low, one.middle, one.high) == ((1, 91), (5, 95), (9, 99))
    assert single.low == single.middle == single.high == (7, 3)


def test_headline_numbers_are_a_months() -> None:
    """
    What ten days come to counts three times, and sides are compared future by future.
    """
    ahead, behind, lead = headline(sides(mine=[100, 200, 300], theirs=[90, 210, 240]))

    assert (ahead.label, ahead.value) == ("mine: net in a month", "600 sat")
    assert ahead.note == "from 300 (p10) to 900 (p90)"
    assert behind.value == "630 sat"
    assert lead.value == "+30 sat"
    assert lead.note.startswith("a month; from -30 (p10) to +180 (p90)")
    assert lead.note.endswith("better in 2 of 3 futures")
    assert lead.tone == ""


def test_what_is_surely_better_is_called_good_and_the_other_way_bad() -> None:
    """
    Colour is for what nine futures of ten agree in; the number has its sign besides.
    """
    assert headline(sides(mine=[5, 6], theirs=[1, 1]))[-1].tone == "good"
    assert headline(sides(mine=[1, 1], theirs=[5, 6]))[-1].tone == "bad"
    assert headline(sides(mine=[1, 1], theirs=[1, 1]))[-1].value == "0 sat"


def test_every_decision_stands_in_the_table() -> None:
    """
    Each channel has a row with the fee it would get, its first reason, and its whole trail.
    """
    snapshot, table = node(), parsed().table("Every channel")
    plan = decide(snapshot, Config())
    changes = [d.action for d in plan.decisions if isinstance(d.action, SetFee)]
    rows = {row["key"]: row for row in table["rows"]}

    assert len(rows) == len(snapshot.channels)
    assert [row.get("marked", False) for row in table["rows"]] == [True] * len(changes) + [
        False
    ] * (len(rows) - len(changes))
    for action in changes:
        if action.new_ppm != action.old_ppm:
            said = rows[action.scid]["cells"][1]["text"]
            assert said.startswith(f"{action.old_ppm:,} → {action.new_ppm:,} ")
    for decision in plan.decisions:
        (trail,) = rows[decision.scid or decision.channel_id]["trails"]
        assert [step["stage"] for step in trail["steps"]] == [r.code.value for r in decision.trail]


def test_two_configs_stand_side_by_side() -> None:
    """
    Where they differ, both fees, both reasons and both trails are there, and the options too.
    """
    page_of_two = parsed(other=True)
    table = page_of_two.table("Every channel")
    differing = [row for row in table["rows"] if row["cells"][1] != row["cells"][2]]
    options = page_of_two.table("Options that are not at their default")

    assert [c["title"] for c in table["columns"]][1:3] == ["ppm, as set", "ppm, against"]
    assert 0 < len(differing) < len(table["rows"])
    for row in differing:
        assert [trail["title"] for trail in row["trails"]] == ["fee, as set", "fee, against"]
    whys = [row["cells"][3] for row in differing if "below" in row["cells"][3]]
    assert whys
    assert all(why["text"].startswith("as set: ") for why in whys)
    assert all(why["below"].startswith("against: ") for why in whys)
    assert [
        [cell["text"] for cell in row["cells"][:4]] for row in options["rows"] if row["marked"]
    ] == [["min-fee-ppm", "10", "10", "50"], ["max-fee-ppm", "5000", "5000", "300"]]


def test_what_is_short_has_a_row_and_what_is_filled_comes_first() -> None:
    """
    Refills are told with amount, most and cost, refusals with their reason.
    """
    snapshot, rows = node(), parsed().table("Channels that are short")["rows"]
    filled = [row for row in rows if row.get("marked")]
    starts = {
        start.scid: start
        for start in (d.action for d in rebalance(snapshot, Config()).decisions)
        if isinstance(start, StartRebalance)
    }

    assert rows[: len(filled)] == filled
    assert {row["key"] for row in filled} == starts.keys() != set()
    for row in filled:
        start = starts[row["key"]]
        assert row["cells"][1]["text"] == f"{start.amount_msat // 1000:,} sat"
        assert f"≤ {start.max_ppm:,} ppm" in row["cells"][1]["below"]
    assert any("11 times in a row" in row["cells"][3]["text"] for row in rows)


def test_warnings_stand_at_the_top() -> None:
    """
    How far a forecast can be trusted is said before any of its numbers.
    """
    texts = parsed().texts

    assert texts.index(WARNING) < next(at for at, text in enumerate(texts) if "net in" in text)


def test_headings_are_in_order() -> None:
    """
    One title, then sections that the navigation leads to.
    """
    elements = parsed().elements
    heads = [tag for tag, _ in elements if tag in {"h1", "h2", "h3"}]
    parts = [f"#{traits['id']}" for tag, traits in elements if tag == "section"]

    assert heads == ["h1", *["h2"] * len(parts)]
    assert [traits["href"] for tag, traits in elements if tag == "a"] == parts


def test_names_of_channels_are_told_as_they_are() -> None:
    """
    What a peer calls itself is in the data letter by letter, as far as it can be seen.
    """
    names = {row["cells"][0]["text"] for row in parsed(HOSTILE).table("Every channel")["rows"]}

    assert {plain(alias) for alias in HOSTILE} <= names


def test_without_a_forecast_there_is_what_is_decided() -> None:
    """
    A plan alone has its page: no futures, nothing over time.
    """
    snapshot, config = node(), configured(FEWER)
    plans = decided(snapshot, {"as set": config})
    told = Parsed(page(snapshot, plans, None, {"as set": changed_options(config)}))

    assert [block["kind"] for block in told.drawn] == ["table"] * 3
    assert "fees that would change now" in told.texts
    assert not any("futures" in text for text in told.texts)


def test_what_cannot_be_judged_is_said() -> None:
    """
    A snapshot that tells nothing of money has no table of refills, and says why.
    """
    snapshot = attrs.evolve(node(), treasury=None)
    text = page(snapshot, {"as set": (decide(snapshot, Config()), None)}, None, {"as set": {}})

    assert UNJUDGED in Parsed(text).texts


def test_a_node_without_channels_has_a_page() -> None:
    """
    An empty node is no error, with a forecast or without.
    """
    snapshot = attrs.evolve(node(), channels=())
    plans = decided(snapshot, {"as set": Config()})

    for future in (None, lived(snapshot)):
        drawn = Parsed(page(snapshot, plans, future, {"as set": {}})).drawn
        assert next(b for b in drawn if b["title"] == "Every channel")["rows"] == []


def test_a_channel_without_a_short_channel_id_is_there() -> None:
    """
    Until it has one, a channel goes by its id, in the table and over time.
    """
    known = node()
    young = attrs.evolve(known.channels[0], scid=None)
    snapshot = attrs.evolve(known, channels=(young, *known.channels[1:]))
    plans = decided(snapshot, {"as set": Config()})
    told = Parsed(page(snapshot, plans, lived(snapshot), {"as set": {}}))
    chooser = next(block for block in told.drawn if block["kind"] == "chooser")

    assert young.channel_id in {row["key"] for row in told.table("Every channel")["rows"]}
    assert young.channel_id in {item["key"] for item in chooser["items"]}


def test_over_time_those_that_earn_most_come_first() -> None:
    """
    Each channel's charts are quantiles of its lives at the same looks, in whole ppm and percent.
    """
    snapshot = node()
    future = lived(snapshot)
    told = Parsed(page(snapshot, decided(snapshot, {"as set": Config()}), future, {"as set": {}}))
    chooser = next(block for block in told.drawn if block["kind"] == "chooser")
    earned = {
        paths[0].scid: levels([path.earned_msat for path in paths])[1]
        for paths in zip(*(a.paths for a in future.sides[0].lives), strict=True)
    }
    first = chooser["items"][0]
    fee, ours = first["charts"]

    assert [item["key"] for item in chooser["items"]] == sorted(earned, key=lambda s: -earned[s])
    assert [band["name"] for band in fee] == ["as set", "as it is"]
    assert len(fee[0]["low"]) == len(chooser["charts"][0]["x"]) == 41
    assert all(
        low <= middle <= high <= 100
        for low, middle, high in zip(
            ours[0]["low"], ours[0]["middle"], ours[0]["high"], strict=True
        )
    )
