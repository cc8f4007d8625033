"""The RPC socket: a refusal is a refusal, and everything else is no answer."""

import logging
from pathlib import Path

import pytest
from contract.recorded import names, reply
from contract.rpc_socket import Answer, error, raw, result, serving

from revops.adapters.cln import connect
from revops.adapters.errors import NoAnswerError, NodeRefusedError

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
    with serving(path, None), pytest.raises(NoAnswerError, match="TimeoutError"):
        connect(str(path), timeout_s=0.05)("getinfo", {})


def test_without_a_lightningd_there_is_no_answer(path: Path) -> None:
    """
    Nobody listens: the sentence names the call.
    """
    with pytest.raises(NoAnswerError, match="getinfo: no answer from lightningd: FileNotFound"):
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


def test_replies_are_not_logged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """
    Replies hold preimages; the client's own debug log of them stays off.
    """
    caplog.set_level(logging.DEBUG)
    with serving(path, result({"preimage": "s3cret"})):
        connect(str(path))("listsendpays", {})

    assert "s3cret" not in caplog.text
