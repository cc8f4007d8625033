"""Options in the real process: the newest explicit setting wins, whatever ends the process."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest
from e2e.fake_lightningd import FakeLightningd
from e2e.office import Office
from fakes import RpcRefusalError

from revops.adapters.errors import StoreError
from revops.adapters.store.settings import peek
from revops.core.config import OPTIONS, Config
from revops.core.presets import PRESETS

MIN = "revenue-ops-min-fee-ppm"
MAX = "revenue-ops-max-fee-ppm"
GONE = ", set by revenue-config, is no longer in force"


def config(lightningd: FakeLightningd, *positional: Any, **named: Any) -> Any:
    """
    Call `revenue-config`.
    """
    return lightningd.call("revenue-config", *positional, **named)


def shown(lightningd: FakeLightningd, key: str = "min-fee-ppm") -> tuple[Any, str]:
    """
    Return the value of an option, and where it comes from.
    """
    told = config(lightningd, "get", key)
    return told["value"], told["source"]


def restart(lightningd: FakeLightningd) -> None:
    """
    End the plugin and start it.
    """
    lightningd.shutdown()
    lightningd.start()


@pytest.mark.parametrize("ended", ["shutdown", "kill"])
def test_what_revenue_config_set_outlives_the_process(
    lightningd: FakeLightningd, ended: str
) -> None:
    """
    A change counts at once, and after a restart, even if the plugin is killed the moment it has
    answered.
    """
    lightningd.start()
    answer = config(lightningd, "set", "min-fee-ppm", 30)
    assert (answer["status"], answer["old_value"], answer["new_value"]) == ("success", 10, 30)
    assert lightningd.call("revenue-status")["config"]["fee_range_ppm"] == [30, 5000]

    getattr(lightningd, ended)()
    lightningd.start()

    assert shown(lightningd) == (30, "revenue-config")


def test_the_last_to_speak_is_heard(lightningd: FakeLightningd) -> None:
    """
    Be it setconfig or revenue-config, the later one counts, before and after a restart; reset goes
    back to what lightningd has.
    """
    lightningd.start()
    config(lightningd, "set", "min-fee-ppm", 30)
    lightningd.setconfig(MIN, "20")
    assert shown(lightningd) == (20, "setconfig")
    restart(lightningd)
    assert shown(lightningd) == (20, "setconfig")

    config(lightningd, "set", "min-fee-ppm", 40)
    restart(lightningd)
    assert shown(lightningd) == (40, "revenue-config")

    assert config(lightningd, "reset", "min-fee-ppm")["new_value"] == 20
    restart(lightningd)
    assert shown(lightningd) == (20, "config file")


def test_an_edited_file_is_newer(lightningd: FakeLightningd) -> None:
    """
    What was set while revops ran gives way to a line that was edited later, and the log says so;
    what is not in the file stays.
    """
    lightningd.config = {MIN: "15"}
    lightningd.start()
    assert shown(lightningd) == (15, "config file")
    config(lightningd, "set", "min-fee-ppm", 30)
    config(lightningd, "set", "max-fee-ppm", 900)
    lightningd.shutdown()
    lightningd.config[MIN] = "25"
    lightningd.start()

    assert shown(lightningd) == (25, "config file")
    assert shown(lightningd, "max-fee-ppm") == (900, "revenue-config")
    [told] = lightningd.logged("info")
    assert told == f"min-fee-ppm=30{GONE}: lightningd has 25 now and had 15"
    restart(lightningd)
    assert len(lightningd.logged("info")) == 1


def test_a_transient_change_ends_with_the_process(lightningd: FakeLightningd) -> None:
    """
    What lightningd does not write to its file is gone after a restart, and nothing else is.
    """
    lightningd.config = {MIN: "15"}
    lightningd.start()
    lightningd.setconfig(MIN, "20", transient=True)
    lightningd.setconfig(MAX, "900")
    assert shown(lightningd) == (20, "setconfig")
    restart(lightningd)

    assert shown(lightningd) == (15, "config file")
    assert shown(lightningd, "max-fee-ppm") == (900, "setconfig")


def test_a_file_that_contradicts_an_older_wish_wins(lightningd: FakeLightningd) -> None:
    """
    The plugin starts by the file, and tells which wish had to go.
    """
    lightningd.start()
    config(lightningd, "set", "max-fee-ppm", 50)
    lightningd.shutdown()
    lightningd.config[MIN] = "100"
    lightningd.start()

    assert shown(lightningd, "max-fee-ppm") == (5000, "default")
    [told] = lightningd.logged("info")
    assert told == f"max-fee-ppm=50{GONE}: min-fee-ppm 100 is above max-fee-ppm 50"


def test_an_idle_plugin_is_mended_by_setconfig_one_option_at_a_time(
    lightningd: FakeLightningd,
) -> None:
    """
    With two options that cannot be, each is mended by itself, the commands say what is still
    wrong, and what was mended is remembered when the books are open at last.
    """
    lightningd.config = {"revenue-ops-kelly-fraction": "1.5", "revenue-ops-vegas-decay": "7"}
    lightningd.start()
    with pytest.raises(RpcRefusalError, match=r"vegas-decay: .*; kelly-fraction: "):
        config(lightningd)

    lightningd.setconfig("revenue-ops-kelly-fraction", "0.5")
    with pytest.raises(RpcRefusalError, match="does not run: vegas-decay: expected"):
        config(lightningd)
    lightningd.setconfig("revenue-ops-vegas-decay", "0.9")

    assert shown(lightningd, "vegas-decay") == (0.9, "setconfig")
    restart(lightningd)
    assert shown(lightningd, "kelly-fraction") == (0.5, "setconfig")
    assert shown(lightningd, "vegas-decay") == (0.9, "setconfig")


def test_what_cannot_be_is_refused_and_nothing_changes(lightningd: FakeLightningd) -> None:
    """
    Neighbours get a refusal as an answer, with a sentence that names field and value; the old
    value and its source stay. A flag without a value is refused like any other.
    """
    lightningd.start()
    config(lightningd, "set", "min_fee_ppm", 30)
    before = config(lightningd)

    for arguments, sentence in (
        (("set", "dry-run", "yes"), "dry-run: expected true or false, got 'yes'"),
        (("set", "max-fee-ppm", 20), "min-fee-ppm 30 is above max-fee-ppm 20"),
        (("set", "fee-interval", 1.5), "fee-interval: expected a whole number from 60 to 604800"),
        (("set", "fee-interval", [600]), "fee-interval: expected a whole number"),
        (("set", "db-path", "x.db"), "db-path: it is fixed while revops runs"),
        (("set", "min-fee-ppm"), "value: it is missing"),
        (("set", 7, 7), "key: expected the name of an option, got 7"),
        (("get", "colour"), "key: colour: there is no such option"),
        (("reset", "colour"), "key: colour: there is no such option"),
        (("preset", "huge"), "preset: expected one of small, balanced, aggressive, got 'huge'"),
        (("preset", "small", "perhaps"), "apply: expected true or false, got 'perhaps'"),
        (("forget",), "action: expected one of get, set, reset"),
    ):
        answer = config(lightningd, *arguments)
        assert answer["status"] == "error"
        assert answer["error"].startswith(sentence)
    with pytest.raises(RpcRefusalError, match="dry-run: expected true or false, got nothing"):
        lightningd.setconfig("revenue-ops-dry-run", None)

    assert config(lightningd) == before


def test_every_option_is_shown_with_all_there_is_to_know(lightningd: FakeLightningd) -> None:
    """
    Without arguments all options come, sorted, also by name alone as an earlier cl-revenue-ops
    answered; with a key it is echoed as it was asked for.
    """
    lightningd.start()
    answer = config(lightningd)
    rows = {row["key"]: row for row in answer["options"]}

    assert list(rows) == sorted(OPTIONS)
    assert answer["config"] == {key: row["value"] for key, row in rows.items()}
    assert answer["config"]["base_fee_msat"] == 0
    assert answer["config"]["db_path"] == "default"
    assert rows["min_fee_ppm"] == {
        "key": "min_fee_ppm",
        "option": "revenue-ops-min-fee-ppm",
        "value": 10,
        "source": "default",
        "set_at": None,
        "default": 10,
        "given_by_lightningd": "10",
        "takes": "a whole number from 0 to 100000",
        "low": 0,
        "high": 100_000,
        "choices": [],
        "unit": "ppm",
        "help": OPTIONS["min_fee_ppm"].help,
        "dynamic": True,
    }
    for key in ("min_fee_ppm", "min-fee-ppm", "revenue-ops-min-fee-ppm"):
        assert config(lightningd, action="get", key=key) == {
            **rows["min_fee_ppm"],
            "key": key,
            "version": answer["version"],
        }
    assert config(lightningd, "get", "enable_vegas_reflex")["option"] == "revenue-ops-vegas-reflex"
    mutable = config(lightningd, "list-mutable")
    assert mutable["mutable_keys"] == sorted(set(OPTIONS) - {"db_path"})
    assert mutable["count"] == len(OPTIONS) - 1


# Presets, and what else needs no process ----------------------------------------------------


def test_a_preset_is_shown_before_it_is_applied(office: Office) -> None:
    """
    Without apply only the differences are answered; with it they are all in force, and then there
    are none left.
    """
    office.call("revenue-config", "set", "min-fee-ppm", 30)
    preview = office.call("revenue-config", "preset", "small")

    assert (preview["status"], preview["applied"]) == ("preview", False)
    [change] = [c for c in preview["changes"] if c["key"] == "min_fee_ppm"]
    assert change["now"] == 30
    assert change["would_be"] == 25
    assert change["source"] == "revenue-config"
    assert office.settings.config == Config(min_fee_ppm=30)

    applied = office.call("revenue-config", "preset", "small", "true")
    assert applied["changes"] == preview["changes"]
    assert office.call("revenue-config", "preset", "small")["changes"] == []
    listed = office.call("revenue-config", "presets")["presets"]
    assert [preset["name"] for preset in listed if preset["in_force"]] == ["small"]
    for name in PRESETS:
        office.call("revenue-config", "preset", name, apply=True)
    assert office.call("revenue-config", "get", "min_fee_ppm")["value"] == 1


def test_a_preset_that_cannot_be_written_down_changes_nothing(office: Office) -> None:
    """
    All or nothing: no option is changed in memory that is not changed in the books.
    """
    before = office.settings.config
    with closing(sqlite3.connect(office.app.store.path)) as books:
        books.execute(
            "CREATE TRIGGER full BEFORE INSERT ON config WHEN NEW.option = 'max-fee-ppm'"
            " BEGIN SELECT RAISE(ABORT, 'disk is full'); END"
        )

    with pytest.raises(StoreError, match="make room on the disk"):
        office.call("revenue-config", "preset", "small", apply=True)
    assert office.settings.config is before
    assert peek(office.app.store.path) == ()


def test_an_interval_counts_at_once(office: Office) -> None:
    """
    A change brings the next run nearer, or puts it off, and wakes the worker to see that.
    """
    worker = office.app.worker
    office.cycle()
    for change, seconds in ((("set", "fee-interval", 60), 60), (("reset", "fee-interval"), 1800)):
        worker._loops["fees"].bell.clear()
        office.call("revenue-config", *change)

        assert worker._loops["fees"].bell.is_set()
        assert abs(worker.state("fees").next_run - office.clock.now() - seconds) <= seconds / 10


def test_reset_leaves_alone_what_others_set(office: Office) -> None:
    """
    What setconfig or the file set is theirs: reset says so and changes nothing.
    """
    office.configure(min_fee_ppm="30")
    answer = office.call("revenue-config", "reset", "min_fee_ppm")

    assert answer["new_value"] == 30
    assert answer["message"] == "it was not set by revenue-config; its value is by setconfig"
    assert json.loads(json.dumps(office.call("revenue-config"))) == office.call("revenue-config")
