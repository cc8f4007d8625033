"""Any text: files, rows of the books and options are read whole, or refused in a sentence."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from faults.oddities import anything, leaves, made_odd, unfit
from hypothesis import given
from hypothesis import strategies as st
from property.strategies import channel_memories, memories

from revops.adapters import wire
from revops.adapters.errors import WireError
from revops.core.actions import SetFee
from revops.core.config import OPTIONS
from revops.core.option import ConfigError
from revops.core.reasons import Code, Reason
from revops.core.units import ChannelId, Instant, Msat, PeerId, Ppm, Scid
from revops.shell.options import Settings

EXAMPLE: Final = Path(__file__).resolve().parents[2] / "examples" / "regtest.json"
SNAPSHOT: Final = json.loads(EXAMPLE.read_text(encoding="utf-8"))
SET_FEE: Final = SetFee(
    channel_id=ChannelId("ab" * 32),
    scid=Scid("1x1x1"),
    peer_id=PeerId("02" + "cd" * 32),
    old_ppm=Ppm(1),
    old_base_msat=Msat(0),
    new_ppm=Ppm(2),
    new_base_msat=Msat(0),
)
TRAIL: Final = (Reason(Code.FIRST_CONTACT, (("ppm", 5),)),)
ROWS: Final[dict[str, tuple[st.SearchStrategy[str], Callable[[str], Any]]]] = {
    "action": (
        st.just(wire.write_action(SET_FEE)),
        wire.read_action,
    ),
    "trail": (st.just(wire.write_trail(TRAIL)), wire.read_trail),
    "memory of a channel": (
        channel_memories().map(wire.write_channel_memory),
        wire.read_channel_memory,
    ),
    "memory of the node": (memories().map(wire.write_node_memory), wire.read_node_memory),
}


def written(value: Any) -> str:
    return json.dumps(value)  # with NaN and half characters, as others write them


@given(made_odd(SNAPSHOT).map(written) | anything.map(written))
def test_any_snapshot_is_read_or_refused(text: str) -> None:
    """
    What is read of a file can be written and read again; all else is a WireError.
    """
    with suppress(WireError):
        snapshot, config = wire.read_snapshot(text)
        assert wire.read_snapshot(wire.write_snapshot(snapshot, config)) == (snapshot, config)


@given(st.binary(max_size=50), st.integers(0, 400), st.integers(0, 50))
def test_any_bytes_are_refused(noise: bytes, start: int, length: int) -> None:
    """
    A file of which bytes were lost or changed is no snapshot, or another one; never a surprise.
    """
    text = EXAMPLE.read_bytes()
    with suppress(WireError):
        wire.read_snapshot(text[:start] + noise + text[start + length :])


@pytest.mark.parametrize("kind", ROWS)
@given(st.data())
def test_any_row_is_read_or_refused(kind: str, data: st.DataObject) -> None:
    """
    Whatever stands in a row of the books is understood, or a WireError.
    """
    right, read = ROWS[kind]
    document = json.loads(data.draw(right))
    text = written(data.draw(made_odd(document) | anything))
    with suppress(WireError):
        assert unfit(read(text)) is None


@given(st.dictionaries(st.sampled_from([*OPTIONS]), leaves | anything, max_size=4))
def test_any_option_is_taken_or_refused(values: dict[str, Any]) -> None:
    """
    Whatever an option is to be, the Config in force is whole: changed or as it was.
    """
    settings = Settings()
    in_force = settings.config
    with suppress(ConfigError):
        settings.change(values, "setconfig", Instant(0))
        in_force = settings.config

    assert settings.config is in_force
    assert settings.problems() == ()
