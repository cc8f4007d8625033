"""Secrets: whatever the node answers, nothing that revops writes has an invoice or a key in it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from e2e.everything import Every, answers, refusing
from e2e.fake_lightningd import FakeLightningd
from e2e.office import Office
from e2e.scraping import fetch, free_port
from e2e.thirsty import HOUR, TARGET, Ledger
from fakes import FakeNode
from typer.testing import CliRunner

from revops.simulate.__main__ import app as simulate

SECRETS = {
    "payment_preimage": "5ec2e7" + "1f" * 29,
    "preimage": "5ec2e7" + "2f" * 29,
    "payment_secret": "5ec2e7" + "3f" * 29,
    "bolt11": "lnbcrt1m1p5ec2e7sp5" + "zyg3" * 60,
    "bolt12": "lni1qqg5ec2e7" + "q0zyg3" * 40,
    "rune": "5ec2e7-jMiDpY2U0o3W1oFowar36RFGpWloPbW9-RuZdo9MyZpZD0wMjRiOW",
}
MARK = "5ec2e7"
"""Each secret has it near its beginning, and nothing else does."""
WORDS = ("label", "description", "msg", "string", "message")
"""Where lightningd writes what the operator or a payer said: an invoice, why not."""
REFUSAL = f"invalid token '{SECRETS['bolt11']}', {SECRETS['preimage']}, {SECRETS['rune']}"


def salted(value: Any) -> Any:
    """
    Return *value* with secrets in every object of it.
    """
    if isinstance(value, list):
        return [salted(item) for item in value]
    if not isinstance(value, dict):
        return value
    found = {name: salted(item) for name, item in value.items()}
    # A map of names to objects has no fields of its own.
    if all(isinstance(item, dict) for item in value.values()):
        return found
    return {**dict.fromkeys(WORDS, SECRETS["bolt11"]), **SECRETS, **found}


def mixed_up(reply: Any) -> Any:
    """
    Return *reply* with secrets where rows should be, or for an answer.
    """
    if not isinstance(reply, dict):
        return list(SECRETS.values())
    return {name: list(SECRETS.values()) for name in reply}


def files(directory: Path) -> Iterator[tuple[str, bytes]]:
    """
    Return every file in *directory* that can be read.
    """
    for path in directory.rglob("*"):
        if path.is_file():
            yield path.name, path.read_bytes()


def has_secret(written: bytes) -> bool:
    """
    Say whether a part of any secret is in *written*, as text or as the bytes that it means.
    """
    return MARK.encode() in written or bytes.fromhex(MARK) in written


def test_no_secret_is_in_anything_that_revops_writes(
    thirsty: Office, ledger: Ledger, tmp_path: Path
) -> None:
    """
    Neither in answers, logs, metrics and books nor in what is saved and reported; whether the
    node and other plugins tell secrets beside what they are asked, in its place, or as the reason
    for a refusal; while a refill is paid, and after it.
    """
    node = thirsty.node
    peer_id = node.channel(TARGET)["peer_id"]
    node.clboss.there = True
    node.hive.join()
    thirsty.configure(prometheus_port=str(free_port()), prometheus="true")
    said: list[Any] = []
    for answer in (salted, mixed_up, refusing(REFUSAL), salted):
        node.garbage = Every(answer)
        thirsty.live(HOUR // 2)
        for loop in thirsty.app.worker._loops:
            thirsty.app.worker.run_once(loop)
        said += answers(thirsty.call, peer_id)
    snapshot = tmp_path / "now.json"
    shown = CliRunner().invoke(simulate, [str(snapshot), "--html", str(tmp_path / "page.html")])
    raw = tmp_path / "raw"
    raw.mkdir()
    for method in ("getinfo", "listpeerchannels", "listforwards", "listfunds"):
        reply = json.dumps(node.answer(method, {}))
        assert has_secret(reply.encode())
        (raw / f"{method}.json").write_text(reply)
    from_raw = CliRunner().invoke(simulate, [str(raw)])
    for path in raw.iterdir():
        path.unlink()

    assert ledger.paid, "no refill was paid while secrets were told"
    assert (shown.exit_code, from_raw.exit_code) == (0, 0)
    written = dict(files(tmp_path)) | {"answers": json.dumps(said).encode()}
    written["metrics"] = fetch(thirsty.app.exporter.url)
    thirsty.configure(prometheus="false")
    thirsty.app.exporter.follow()
    written["logs"] = "\n".join(line for _, line in thirsty.logs).encode()
    written["simulated"] = (shown.output + from_raw.output).encode()
    assert {"now.json", "page.html", "revenue_ops.db", "revenue_ops.db-wal"} <= written.keys()
    assert [name for name, content in written.items() if has_secret(content)] == []


def test_no_secret_leaves_the_process(lightningd: FakeLightningd, node: FakeNode) -> None:
    """
    What lightningd tells unasked has preimages in it too; none of that is logged, answered or
    written, not even into the WAL that a power cut leaves behind.
    """
    node.garbage = Every(salted)
    lightningd.config = {"revenue-ops-authority": "liquidity"}
    lightningd.start()
    lightningd.first_cycle()
    forward = node.forwards[0]
    for topic in lightningd.manifest["subscriptions"]:
        if topic != "shutdown":
            lightningd.notify(topic, salted(forward))
            lightningd.notify(topic, salted({"id": forward, "height": SECRETS["rune"]}))
            lightningd.notify(topic, SECRETS)
    said = json.dumps(list(answers(lightningd.call, node.channels[0]["peer_id"])))
    lightningd.kill()
    told = "\n".join([said, *(line for _, line in lightningd.logs), lightningd.stderr])
    written = dict(files(lightningd.directory)) | {"told": told.encode()}

    assert written["revenue_ops.db-wal"]
    assert [name for name, content in written.items() if has_secret(content)] == []
