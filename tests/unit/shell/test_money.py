"""Money: which window is meant, what is read anew, and how amounts are shown."""

import csv
import io
from contextlib import closing
from types import SimpleNamespace

import attrs
import pytest
from fakes import FakeClock
from unit.adapters.store_examples import NOW, channel, forward, scid, take

from revops.adapters.store import Store
from revops.core.ledger import NOTHING, Cost
from revops.core.pnl import Total, pnl_of
from revops.core.units import DAY
from revops.shell.commands.command import CommandError
from revops.shell.commands.money import day_name, earned, span, spent, told, window_of
from revops.shell.commands.report import as_csv
from revops.shell.readings import Readings

TODAY = NOW // DAY


@pytest.fixture
def app(tmp_path):
    """
    Return new books that know two channels, and a clock.
    """
    with closing(Store.open(tmp_path / "books.db")) as store:
        both = [channel(1), channel(2)]
        store.know_channels(both, NOW)
        store.costs.see(both, NOW)
        yield SimpleNamespace(store=store, clock=FakeClock(NOW), readings=Readings(store))


def window(app, **given):
    """
    Return the first and the last day of the window that is asked for.
    """
    shown = window_of(span(app, given))
    return shown["from"], shown["to"]


def test_a_window_is_whole_days(app):
    """Days are asked for by date or by any second of them; without any, it is the last 30."""
    last = day_name(TODAY)
    assert window(app) == (day_name(TODAY - 30), last)
    assert window(app, **{"from": day_name(TODAY - 3)}) == (day_name(TODAY - 3), last)
    assert window(app, **{"from": (TODAY - 3) * DAY + 77}) == (day_name(TODAY - 3), last)
    assert window(app, **{"from": str((TODAY - 3) * DAY)}) == (day_name(TODAY - 3), last)
    assert window(app, to=day_name(TODAY - 1)) == (day_name(TODAY - 31), day_name(TODAY - 1))
    assert window(app, to="2999-12-31") == (day_name(TODAY - 30), last)
    assert window(app, **{"from": "1970-01-01", "to": "1970-01-01"}) == ("1970-01-01",) * 2


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"from": "31.07.2026"}, "from: expected a day like 2026-07-31, .* got '31.07.2026'"),
        ({"from": "2026-02-30"}, "from: day is out of range for month, got '2026-02-30'"),
        ({"to": -1}, "to: expected a day like"),
        ({"to": True}, "to: expected a day like"),
        ({"to": "1969-12-31"}, "to: expected a day like"),
        ({"from": 1 << 40}, "from: expected a day like"),
        ({"from": "2024-10-04", "to": "2024-10-03"}, r"from: expected no day after 2024-10-03"),
    ],
)
def test_a_day_that_cannot_be_is_named(app, given, problem):
    """Whatever is no day, or a window that ends before it begins, is told with its value."""
    with pytest.raises(CommandError, match=problem):
        span(app, given)


def test_the_days_of_a_window_count_whole(app):
    """A forward of the first and of the last day is in, one of the day before is not."""
    times = [(TODAY - 30) * DAY, (TODAY - 30) * DAY - 1, NOW]
    take(app.store, [forward(index, at=at) for index, at in enumerate(times)])

    assert app.readings.lately(NOW).period.pnl.out_count == 2
    assert app.readings.lately(NOW, 31).period.pnl.out_count == 3
    assert span(app, {"to": day_name(TODAY - 1)}).period.pnl.out_count == 2


def test_books_are_read_once_until_they_are_renewed(app):
    """Whoever asks gets the same reading; the next renewal reads the windows asked for anew."""
    readings = app.readings
    first, week = readings.lately(NOW), readings.lately(NOW, 7)
    take(app.store, [forward(1)])
    assert readings.lately(NOW + 1) is first
    readings.renew(NOW)
    assert readings.lately(NOW).lifetime.out_count == 1
    assert week.period.pnl.out_count == 0
    assert readings.lately(NOW, 7).period.pnl.out_count == 1
    assert readings.lately(NOW + DAY).ledger.now == NOW + DAY


def test_a_few_windows_are_kept_ready(app):
    """The usual ones always are, and so are those that were asked for last."""
    for days in (1, 2, 3, 4, 5):
        app.readings.lately(NOW, days)
    app.readings.renew(NOW)
    take(app.store, [forward(1)])

    assert not any(app.readings.lately(NOW, days).lifetime.out_count for days in (30, 7, 4, 5))
    assert app.readings.lately(NOW, 3).lifetime.out_count == 1


def test_many_windows_are_read_and_not_kept(app):
    """Somebody who asks for every day of a year gets it, and fills no memory with it."""
    readings = [app.readings.of(NOW, day, day) for day in range(TODAY - 365, TODAY)]
    again = [app.readings.of(NOW, day, day) for day in range(TODAY - 365, TODAY)]

    assert [r.ledger.start // DAY for r in readings] == list(range(TODAY - 365, TODAY))
    assert sum(one is other for one, other in zip(readings, again, strict=True)) < 20


def test_amounts_are_shown_twice():
    """Sats are rounded against us, msat are exact; what is unknown is null."""
    assert earned("net", 1999) == {"net_sats": 1, "net_msat": 1999}
    assert earned("net", -1) == {"net_sats": -1, "net_msat": -1}
    assert earned("tlv", None) == {"tlv_sats": None, "tlv_msat": None}
    assert spent("cost", Total(known_msat=1001)) == {"cost_sats": 2, "cost_msat": 1001}
    assert spent("cost", Total(unknown=1)) == {"cost_sats": None, "cost_msat": None}
    assert spent("cost", Total(known_msat=5, unknown=1)) == {"cost_sats": 1, "cost_msat": 5}


def test_what_is_estimated_or_unknown_is_named():
    """Each cost that nobody can tell, or that is an estimate, stands in a list of its own."""
    shown = told(
        pnl_of(
            attrs.evolve(
                NOTHING,
                open_cost=Cost(amount_msat=1000, estimated=True),
                close_cost=None,
                refill_cost=None,
            )
        )
    )
    assert (shown["estimated"], shown["unknown"]) == (
        ["open_cost"],
        ["close_cost", "rebalance_cost"],
    )
    assert (shown["costs_sats"], shown["close_cost_sats"], shown["splice_cost_msat"]) == (
        1,
        None,
        0,
    )


def test_csv_has_a_line_a_row():
    """Whatever a value holds, a reader of CSV gets it back; a list is one value."""
    rows = [
        {"channel_id": scid(1), "unknown": ["a", "b"], "net_msat": -5, "open": True},
        {
            "channel_id": 'a "quoted", one\nof two lines',
            "unknown": [],
            "net_msat": None,
            "open": False,
        },
    ]
    read = list(csv.DictReader(as_csv(rows).splitlines(keepends=True)))

    assert read[0] == {"channel_id": scid(1), "unknown": "a b", "net_msat": "-5", "open": "true"}
    assert read[1]["channel_id"] == 'a "quoted", one\nof two lines'
    assert (read[1]["unknown"], read[1]["net_msat"], read[1]["open"]) == ("", "", "false")
    assert as_csv([]) == ""


@pytest.mark.parametrize("words", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", ["=1", "x"]])
def test_no_text_is_a_formula(words):
    """A spreadsheet shows the text, and calculates nothing; numbers stay numbers."""
    text = " ".join(words) if isinstance(words, list) else words
    page = io.StringIO(as_csv([{"peer": words, "net_msat": -1}]), newline="")
    (row,) = csv.DictReader(page)

    assert row == {"peer": f"'{text}", "net_msat": "-1"}
