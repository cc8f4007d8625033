"""`simulate PATH --days N`: configs in the same futures, for people, machines and browsers."""

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result
from unit.simulate.forecast.nodes import node, truths

from revops.adapters.wire import write_snapshot
from revops.simulate.__main__ import app

DAYS = ("--days", "2", "--runs", "2", "--jobs", "1")


@pytest.fixture(name="path", scope="module")
def _path(tmp_path_factory: pytest.TempPathFactory) -> str:
    file = tmp_path_factory.mktemp("node") / "snapshot.json"
    file.write_text(write_snapshot(node(truths(1, 4), 1)), encoding="utf-8")
    return str(file)


def simulate(*words: str) -> Result:
    return CliRunner().invoke(app, words)


def test_the_future_stands_beside_that_of_the_node_as_it_is(path: str) -> None:
    """
    First how much more is earned than if nobody did anything, then what either is made of, then
    how far to trust it.
    """
    answer = simulate(path, *DAYS)
    lines = answer.stdout.splitlines()

    assert answer.exit_code == 0
    assert answer.stderr == ""
    assert lines[0] == "2 days from now, 2 futures from seed 0 on"
    assert lines[1].startswith("as set, compared with as it is: ")
    assert "better in " in lines[1]
    for words in ("fees earned", "refills cost", "liquidity gained", "net a day", "updates per"):
        assert [line for line in lines if words in line]
    assert "nobody refills channels here" in answer.stdout
    assert "No promise." in answer.stdout


def test_two_configs_live_through_the_same_futures(path: str) -> None:
    """
    With --against the difference between the two comes first.
    """
    lines = simulate(path, *DAYS, "--against", "max-fee-ppm=20").stdout.splitlines()

    assert lines[0] == "against: max-fee-ppm=20"
    assert [line.partition(":")[0] for line in lines[2:5]] == [
        "as set, compared with against",
        "as set, compared with as it is",
        "against, compared with as it is",
    ]


def test_equal_configs_earn_the_same(path: str) -> None:
    """
    All sides meet the same luck: what does not differ earns not a sat more.
    """
    told = json.loads(simulate(path, *DAYS, "--json", "--against", "max-fee-ppm=5000").stdout)
    first, *_ = told["forecast"]["differences"]

    assert first["more_sats_a_month"] == {"p10": 0, "p50": 0, "p90": 0}
    assert first["better"] == 0


def test_machines_are_told_the_plan_and_the_future(path: str) -> None:
    """
    The object of the plan has a forecast beside it, in which every sum can be added up again.
    """
    told = json.loads(simulate(path, *DAYS, "--json", "--set", "min-fee-ppm=25").stdout)
    forecast = told["forecast"]
    mine, still = forecast["sides"]

    assert len(told["decisions"]) == 4
    assert (forecast["days"], forecast["seeds"]) == (2, [0, 1])
    assert (mine["name"], mine["options"]) == ("as set", {"min-fee-ppm": "25"})
    assert (still["name"], still["options"]) == ("as it is", {})
    for life in (*mine["lives"], *still["lives"]):
        channels = life["channels"]
        assert sum(life["income_msat"]) == sum(one["earned_msat"] for one in channels)
        assert sum(life["updates"]) == sum(one["updates"] for one in channels)
        spent = sum(life["income_msat"]) - sum(life["spent_msat"])
        assert life["net_msat"] == spent + life["left_msat"]
    assert set(mine["sums"]["net_sats_a_day"]) == {"p10", "p50", "p90"}


def test_processes_answer_as_one_does_and_seeds_decide(path: str) -> None:
    """
    The same bytes however many work at it; another seed draws other futures.
    """
    command = [sys.executable, "-m", "revops.simulate", path, *DAYS[:-1]]
    runs = [
        subprocess.run([*command, *words], capture_output=True, check=True)
        for words in (("1",), ("2",), ("1", "--seed", "5"))
    ]
    one, two, other = (run.stdout for run in runs)

    assert one == two
    assert b"\x1b" not in one
    assert [run.stderr for run in runs] == [b"", b"", b""]
    assert one != other
    assert b"from seed 5 on" in other


def test_ten_futures_say_where_the_mean_is(path: str) -> None:
    """
    Few futures tell of no mean, ten do.
    """
    words = ("--days", "1", "--jobs", "1", "--runs")

    assert "(95 %)" not in simulate(path, *words, "9").stdout
    assert "(95 %)" in simulate(path, *words, "10").stdout


def test_the_report_is_written_beside_the_answer(path: str, tmp_path: Path) -> None:
    """
    --html writes one page about the plan and the future for the owner's eyes, and says where.
    """
    file = tmp_path / "report.html"
    answer = simulate(path, *DAYS, "--html", str(file))

    assert answer.stdout.splitlines()[-1] == f"the whole report: {file}"
    assert "futures" in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(simulate(path, "--json", "--html", str(file)).stdout)["decisions"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--days", "0"), "--days: expected a whole number from 1 to 365, got 0"),
        (("--days", "366"), "--days: expected a whole number from 1 to 365, got 366"),
        (("--days", "1", "--runs", "0"), "--runs: expected a whole number from 1 to 1000, got 0"),
        (("--days", "1", "--seed", "-1"), "--seed: expected a whole number from 0 to "),
        (("--days", "soon"), "Invalid value for '--days'"),
        (("--runs", "3"), "--runs, --seed, --jobs: these are about the future, say --days"),
        (("--seed", "0"), "--runs, --seed, --jobs: these are about the future, say --days"),
        (("--days", "1", "--explain", "700000x0x0"), "leave --days and --html away"),
        (("--json", "--against", "max-fee-ppm=90"), "--json shows one plan"),
        (("--html", "/nowhere/report.html"), "/nowhere/report.html"),
    ],
)
def test_bad_input_is_named_and_exits_with_2(
    path: str, words: tuple[str, ...], sentence: str
) -> None:
    """
    Whoever asked wrongly reads a sentence with the field and the value, before anything is drawn.
    """
    answer = simulate(path, *words)
    said = " ".join(answer.stderr.replace("│", " ").split())

    assert answer.exit_code == 2
    assert sentence in said
    assert answer.stdout == ""
