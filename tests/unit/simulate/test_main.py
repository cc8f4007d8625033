"""`python -m revops.simulate`: one question, one answer, and exit codes that tell whose fault."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from revops.core.presets import PRESETS
from revops.simulate.__main__ import app

EXAMPLES = Path(__file__).resolve().parents[3] / "examples"
FORTY = str(EXAMPLES / "forty.json")
REGTEST = str(EXAMPLES / "regtest")
DRAINED = "851370x470x1"


def simulate(*words: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, words, input=stdin)


def rows_about(name: str, page: str) -> list[str]:
    return [line for line in page.splitlines() if name in line]


def test_every_channel_is_shown_with_old_and_new_fee() -> None:
    """
    Each of the 40 channels has its row, and the totals stand below.
    """
    answer = simulate(FORTY)

    assert answer.exit_code == 0
    assert answer.stderr == ""
    assert "700 → " in rows_about("The Drained Well", answer.stdout)[0]
    assert len(rows_about("Tandem Bakery", answer.stdout)) == 2
    assert rows_about("40 channels, ", answer.stdout)


def test_changes_come_before_what_stays() -> None:
    """
    The eye finds what is going to happen at the top.
    """
    page, _, _ = simulate(FORTY).stdout.partition("would be filled")
    fees = [line[:70] for line in page.splitlines() if "█" in line or "░" in line]
    changes = ["→" in line for line in fees]

    assert len(changes) == 40
    assert changes == sorted(changes, reverse=True)


def test_what_is_piped_fits_a_fixed_width_and_has_no_colour() -> None:
    """
    Without a terminal the page is 120 columns wide, whatever the environment says.
    """
    run = subprocess.run(
        [sys.executable, "-m", "revops.simulate", FORTY],
        env={"COLUMNS": "40", "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        check=True,
    )
    page = run.stdout.decode()

    assert "\x1b" not in page
    assert {len(line) for line in page.splitlines()} >= {120}
    assert max(len(line) for line in page.splitlines()) == 120


def test_raw_replies_are_taken_as_they_are() -> None:
    """
    A directory of recorded replies is answered like a snapshot.
    """
    answer = simulate(REGTEST)

    assert answer.exit_code == 0
    assert rows_about("7 channels, ", answer.stdout)
    assert "taken for granted: a sling" in answer.stdout


def test_raw_replies_and_their_snapshot_give_the_same_plan() -> None:
    """
    The snapshot that the example directory was turned into decides to the same bytes.
    """
    plan = simulate(REGTEST, "--json").stdout

    assert plan == simulate(f"{REGTEST}.json", "--json").stdout


def test_a_snapshot_comes_through_a_pipe() -> None:
    """
    A dash reads standard input.
    """
    piped = simulate("-", "--json", stdin=Path(FORTY).read_bytes())

    assert piped.stdout == simulate(FORTY, "--json").stdout


def test_json_is_the_plan_alone() -> None:
    """
    For machines there is one JSON object with a decision for each channel, and nothing else.
    """
    plan = json.loads(simulate(FORTY, "--json").stdout)

    assert len(plan["decisions"]) == 40
    assert {decision["action"]["do"] for decision in plan["decisions"]} == {"set_fee", "hold"}


def test_refills_are_shown_with_their_terms_and_refusals_with_their_reasons() -> None:
    """
    What would be filled stands there with everything that its value is made of; what is short and
    is not, with the reason; the money there is for it below.
    """
    answer = simulate(FORTY)
    _, _, page = answer.stdout.partition("would be filled")
    filled, _, refused = page.partition("short, and not filled")

    assert "165 ≤ 702" in rows_about("Last Year's Deal", filled)[0]
    assert "11 times in a row" in rows_about("The Drained Well", refused)[0]
    assert rows_about("money: ", refused)
    assert re.search(r"^\d refills would start: [\d,]+ sat for about ", refused, re.MULTILINE)


def test_machines_are_told_of_refills_too() -> None:
    """
    A decision for each channel, the start with all that it would ask for, and the limits.
    """
    told = json.loads(simulate(FORTY, "--json").stdout)
    starts = [d["action"] for d in told["rebalances"] if d["action"]["do"] == "start_rebalance"]

    assert len(told["rebalances"]) == 40
    assert {a["scid"] for a in starts} >= {"901562x1062x2", "845096x396x2"}
    assert all(a["max_fee_msat"] > a["expected_fee_msat"] > 0 for a in starts)
    assert told["rebalance_limits"]["day_msat"] == 5_000_000


def test_explain_tells_of_the_refill_as_well() -> None:
    """
    After the trail of the price stands that of the refill.
    """
    filled = simulate(FORTY, "--explain", "845096x396x2").stdout
    refused = simulate(FORTY, "--explain", DRAINED).stdout

    assert filled.splitlines()[-1] == "fill it"
    assert [word for word in ("short", "wanted", "pair", "refill") if f"  {word}  " in filled]
    assert refused.splitlines()[-1] == "do not fill it"
    assert "futile" in refused


def test_two_configs_may_fill_differently() -> None:
    """
    Below the prices stands what either would fill, and where they differ why.
    """
    page = simulate(FORTY, "--against", "rebalance-max-ppm=100").stdout

    assert re.search(r"^as set: \d refills would start: ", page, re.MULTILINE)
    assert "against: 0 refills would start" in page
    assert rows_about("Riverbend Exchange", page.partition("decided differently")[2])


def test_a_snapshot_without_a_treasury_says_so(tmp_path: Path) -> None:
    """
    Where nothing is known of money, no refill is judged; prices are.
    """
    document = json.loads(Path(FORTY).read_text(encoding="utf-8"))
    del document["treasury"]
    file = tmp_path / "snapshot.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    told = json.loads(simulate(str(file), "--json").stdout)

    assert (told["rebalances"], len(told["decisions"])) == (None, 40)
    for words in ((), ("--against", "max-fee-ppm=800")):
        assert "no treasury in this snapshot" in simulate(str(file), *words).stdout
    assert "do not fill it" not in simulate(str(file), "--explain", DRAINED).stdout


def test_the_default_command_may_be_named() -> None:
    """
    `plan PATH` and `PATH` are the same.
    """
    assert simulate("plan", FORTY).stdout == simulate(FORTY).stdout


def test_options_are_changed_by_file_and_by_hand(tmp_path: Path) -> None:
    """
    --set has the last word over --config, and both over the snapshot.
    """
    file = tmp_path / "config"
    file.write_text("revenue-ops-max-fee-ppm=450\nrevenue-ops-min-fee-ppm=400\n", encoding="utf-8")
    answer = simulate(
        FORTY, "--config", str(file), "--set", "min-fee-ppm=440", "--explain", "820000x100x0"
    )

    assert answer.exit_code == 0
    assert "within 440 to 450 ppm" in answer.stdout


def test_two_configs_stand_side_by_side_and_differences_first() -> None:
    """
    --against decides once more with its changes; rows that differ come first and are counted.
    """
    answer = simulate(FORTY, "--against", "max-fee-ppm=900", "--against", "vegas-decay=0.5")
    lines = answer.stdout.splitlines()
    first = next(line for line in lines if "x" in line and "█" in line)

    assert lines[0] == "against: max-fee-ppm=900, vegas-decay=0.5"
    assert rows_about("of 40 channels are decided differently", answer.stdout)
    assert "as set: " in first
    assert "900" in rows_about("The Drained Well", answer.stdout)[0]


def test_explain_tells_the_whole_trail() -> None:
    """
    Every stage that had a say stands there with the price before and after, and its sentence.
    """
    answer = simulate(FORTY, "--explain", DRAINED)

    assert answer.exit_code == 0
    assert [stage for stage in ("bounds", "scarcity", "climb_paused") if stage in answer.stdout]
    assert "350 → 1" in answer.stdout
    assert rows_about("set 1", answer.stdout)


def test_explain_against_tells_both_trails() -> None:
    """
    With a second config, both trails stand below each other.
    """
    answer = simulate(FORTY, "--explain", DRAINED, "--against", "scarcity-pricing=false")

    assert answer.stdout.count("The Drained Well") == 2
    assert "─ against ─" in answer.stdout


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((FORTY, "--set", "min-fee-ppm=yes"), "min-fee-ppm: expected a whole number"),
        ((FORTY, "--set", "min-fee-ppm=9000"), "min-fee-ppm 9000 is above max-fee-ppm 5000"),
        ((FORTY, "--set", "min-fee"), "expected option=value, got 'min-fee'"),
        ((FORTY, "--against", "colour=red"), "colour: there is no such option"),
        ((FORTY, "--explain", "1x2x3"), "there is no channel '1x2x3'"),
        ((FORTY, "--json", "--explain", DRAINED), "--json shows the plan alone"),
        ((FORTY, "--now", "7"), "a snapshot knows when it was taken"),
        ((FORTY, "--config", "/nowhere/config"), "/nowhere/config"),
        (("/nowhere/snapshot.json",), "/nowhere/snapshot.json"),
        ((str(EXAMPLES),), "there is no listpeerchannels.json"),
        ((REGTEST, "--now", "-1"), "now"),
        ((), "PATH"),
    ],
)
def test_bad_input_is_named_and_exits_with_2(words: tuple[str, ...], sentence: str) -> None:
    """
    Whoever asked wrongly reads one sentence about it on standard error; nothing is answered.
    """
    answer = simulate(*words)
    said = " ".join(answer.stderr.replace("│", " ").split())

    assert answer.exit_code == 2
    assert sentence in said
    assert answer.stdout == ""


def test_every_problem_of_a_snapshot_is_named_with_its_path(tmp_path: Path) -> None:
    """
    Wrong fields are named by JSON path, all at once.
    """
    document = json.loads(Path(FORTY).read_text(encoding="utf-8"))
    document["channels"][3]["to_us_msat"] = "5k"
    document["channels"][5]["colour"] = "red"
    document["seed"] = -1
    file = tmp_path / "snapshot.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    answer = simulate(str(file))

    assert answer.exit_code == 2
    assert "$.channels[3].to_us_msat: expected an integer" in answer.stderr
    assert "$.channels[5].colour: there is no such field" in answer.stderr
    assert "$.seed: expected an integer" in answer.stderr


def test_what_was_left_out_is_said_beside_the_answer(tmp_path: Path) -> None:
    """
    A reply with one absurd channel is answered for the others, with a warning on standard error.
    """
    reply = json.loads((Path(REGTEST) / "listpeerchannels.json").read_text(encoding="utf-8"))
    reply["channels"][0]["to_us_msat"] = -1
    (tmp_path / "listpeerchannels.json").write_text(json.dumps(reply), encoding="utf-8")
    answer = simulate(str(tmp_path))

    assert answer.exit_code == 0
    assert answer.stderr.startswith("left out: ")
    assert rows_about("6 channels, ", answer.stdout)


def test_the_command_runs_as_a_module() -> None:
    """
    The process ends with the exit code that the question deserves.
    """
    command = [sys.executable, "-m", "revops.simulate", "/nowhere"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)

    assert (run.returncode, run.stdout) == (2, "")
    assert run.stderr == "/nowhere: No such file or directory\n"


def test_a_preset_is_tried_like_its_options() -> None:
    """
    `--preset` decides as the same options set one by one would, and `--set` changes it further.
    """
    texts = PRESETS["aggressive"].texts()
    pairs = [word for name, text in texts.items() for word in ("--set", f"{name}={text}")]
    tried = simulate(FORTY, "--json", "--preset", "aggressive")

    assert tried.exit_code == 0
    assert tried.stdout == simulate(FORTY, "--json", *pairs).stdout
    assert tried.stdout != simulate(FORTY, "--json").stdout
    assert (
        simulate(FORTY, "--json", "--preset", "aggressive", "--set", "max-fee-ppm=90").stdout
        == simulate(FORTY, "--json", *pairs, "--set", "max-fee-ppm=90").stdout
    )


def test_an_unknown_preset_is_bad_input() -> None:
    """
    A wrong name is answered with the right ones, and exit code 2.
    """
    answer = simulate(FORTY, "--preset", "huge")

    assert answer.exit_code == 2
    assert answer.stderr == "preset: expected one of small, balanced, aggressive, got 'huge'\n"
