"""The RPC socket: a refusal is a refusal, and everything else is no answer."""

import logging
import socket
import time
from pathlib import Path

import pytest
from contract.recorded import names, reply
from contract.rpc_socket import Answer, error, queueing, raw, result, serving

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.adapters.rpc import connect

ERRORS = [name for name in names("*err*.json") if "code" in reply(name)]


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    return tmp_path / "lightning-rpc"


def test_a_call_brings_back_what_lightningd_answered(path: Path) -> None:
    """
    Method and parameters go out by name, the result comes back as it is.
    """
    answer = reply("listpeerchannels.json")
    with serving(path, result(answer)) as requests:
        assert connect(str(path))("listpeerchannels", {"id": "02ab"}) == answer

    (request,) = requests
    assert (request["method"], request["params"]) == ("listpeerchannels", {"id": "02ab"})


@pytest.mark.parametrize("name", [*ERRORS, "setchannel_htlcmin_gt_max.json"])
def test_a_recorded_error_is_a_refusal(name: str, path: Path) -> None:
    """
    Where lightningd answered with an error, its code and message are kept.
    """
    recorded = reply(name)
    with serving(path, error(recorded)), pytest.raises(NodeRefusedError) as caught:
        connect(str(path))("setchannel", {})

    refusal = caught.value
    assert (refusal.method, refusal.code) == ("setchannel", recorded["code"])
    assert str(refusal) == f"setchannel: {recorded['message']}"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(raw(b""), id="closed without a word"),
        pytest.param(raw(b'{"jsonrpc":"2.0","id":"x"'), id="closed in the middle"),
        pytest.param(raw(b'{"jsonrpc":"2.0","id":"revops:setchannel"\n\n'), id="half a JSON"),
        pytest.param(raw(b"not json\n\n"), id="no JSON"),
        pytest.param(raw(b"\xff\xfe\n\n"), id="no text"),
        pytest.param(raw(b"[]\n\n"), id="no object"),
        pytest.param(raw(b"[" * 100_000 + b"\n\n"), id="endlessly nested"),
        pytest.param(raw(b'{"jsonrpc":"2.0","id":"other","result":{}}\n\n'), id="of another call"),
        pytest.param(error("something"), id="an error without code and message"),
        pytest.param(error({"code": -1}), id="an error without a message"),
        pytest.param(lambda request: b'{"id":"%s"}\n\n' % request["id"].encode(), id="no result"),
    ],
)
def test_what_cannot_be_read_is_no_answer(answer: Answer, path: Path) -> None:
    """
    A lost connection and garbage leave open what happened: they are not refusals.
    """
    with (
        serving(path, answer),
        pytest.raises(NoAnswerError, match="setchannel: no answer from lightningd"),
    ):
        connect(str(path))("setchannel", {})


def test_a_lightningd_that_hangs_is_given_up(path: Path) -> None:
    """
    A call waits as long as it was told to, and then there is no answer.
    """
    with (
        serving(path, None),
        pytest.raises(NoAnswerError, match=r"not within 0\.05 s \(rpc-timeout-seconds\)"),
    ):
        connect(str(path), timeout_s=0.05)("getinfo", {})


@pytest.mark.parametrize("chunk", [1, 7])
def test_an_answer_that_drips_is_given_up(path: Path, chunk: int) -> None:
    """
    The time to answer is one, not a new one with every byte.
    """
    began = time.monotonic()
    with (
        serving(path, result({"text": "x" * 1000}), chunk=chunk),
        pytest.raises(NoAnswerError, match="not within"),
    ):
        connect(str(path), timeout_s=0.2)("getinfo", {})

    assert time.monotonic() - began < 2


def test_a_full_queue_is_given_up(path: Path) -> None:
    """
    The time in which lightningd does not even accept us counts too.
    """
    with queueing(path, until_s=60), pytest.raises(NoAnswerError, match="not within"):
        connect(str(path), timeout_s=0.2)("getinfo", {})


def test_a_question_that_is_not_read_is_given_up(path: Path) -> None:
    """
    A question too long for the socket's buffer waits for lightningd to read it; not for ever.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as deaf:
        deaf.bind(str(path))
        deaf.listen()
        began = time.monotonic()
        with pytest.raises(NoAnswerError, match="not within"):
            connect(str(path), timeout_s=0.2)("datastore", {"string": "x" * 5_000_000})

    assert time.monotonic() - began < 2


def test_a_queue_that_moves_on_is_waited_in(path: Path) -> None:
    """
    Lightningd may be busy for a moment: that is no failure.
    """
    with queueing(path, until_s=0.2):
        assert connect(str(path), timeout_s=10)("getinfo", {}) == {}


def test_forwards_that_come_all_at_once_are_given_more_time(path: Path) -> None:
    """
    Where a list has no pages it takes lightningd longer, and its caller waits eightfold.
    """
    with serving(path, result({"forwards": []}), chunk=4):
        assert connect(str(path), timeout_s=0.1)("listforwards", {}) == {"forwards": []}
        with pytest.raises(NoAnswerError):
            connect(str(path), timeout_s=0.1)("listforwards", {"index": "created"})


def test_a_giant_answer_takes_no_more_than_its_share_of_time(path: Path) -> None:
    """
    An answer of four times the size takes about four times the processor, not sixteen: each byte
    is looked at once, in however many pieces it comes.
    """
    spent = []
    for megabytes in (10, 40):
        text = "x" * (megabytes * 1_000_000)
        with serving(path, result(text)):
            before = time.process_time()
            assert connect(str(path))("listpeerchannels", {}) == text
            spent.append(time.process_time() - before)
        path.unlink()

    assert spent[1] < 8 * spent[0]


def test_a_path_too_long_for_a_socket_is_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A lightning-dir may lie deep; lightningd starts the plugin in it.
    """
    deep = tmp_path / ("x" * 120)
    deep.mkdir()
    monkeypatch.chdir(deep)
    with serving(Path("lightning-rpc"), result({})):
        assert connect(str(deep / "lightning-rpc"))("getinfo", {}) == {}


def test_without_a_lightningd_there_is_no_answer(path: Path) -> None:
    """
    Nobody listens: the sentence names the call.
    """
    with pytest.raises(
        NoAnswerError, match="getinfo: no answer from lightningd: No such file or directory"
    ):
        connect(str(path))("getinfo", {})


@pytest.mark.parametrize("answer", [error({"code": 1, "message": "no"}), raw(b"no json\n\n")])
def test_secrets_reach_neither_errors_nor_logs(
    answer: Answer, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Neither what was sent nor what came back is logged or repeated in an error.
    """
    caplog.set_level(logging.DEBUG)
    with (
        serving(path, answer),
        pytest.raises((NodeRefusedError, NoAnswerError)) as caught,
    ):
        connect(str(path))("pay", {"rune": "s3cret"})

    assert "s3cret" not in f"{caught.value!r} {caught.value.__cause__!r} {caplog.text}"


def test_a_refusal_is_repeated_on_one_line_and_without_secrets(path: Path) -> None:
    """
    A node quotes what it refuses, and other plugins say what they like.
    """
    invoice, said = "lnbcrt1" + "q" * 300, "no:\n\x1b[2J" + "x " * 5000
    with (
        serving(path, error({"code": -1, "message": f"bad token '{invoice}' {said}"})),
        pytest.raises(NodeRefusedError) as caught,
    ):
        connect(str(path))("setchannel", {})

    assert caught.value.message.startswith(r"bad token '(307 letters left out)' no:\n\x1b[2Jx x ")
    assert len(caught.value.message) < 1100


def test_replies_are_not_logged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    Replies hold preimages; the client's own debug log of them stays off.
    """
    caplog.set_level(logging.DEBUG)
    with serving(path, result({"preimage": "s3cret"})):
        connect(str(path))("listsendpays", {})

    assert "s3cret" not in caplog.text
