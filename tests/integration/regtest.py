"""Three real nodes in a line, and the plugin on the one in the middle."""

import importlib.util
import itertools
import shutil
from pathlib import Path
from typing import Any, ClassVar

from pyln.client import RpcError

PLUGIN = Path(__file__).resolve().parents[2] / "cl-revenue-ops.py"
NOBODY_PAYS_THAT = 1_000_000
PROGRAMS = ("lightningd", "bitcoind", "bitcoin-cli")


def missing() -> list[str]:
    """
    Return what is not here of all that real nodes need.
    """
    programs = [f"{name} on the PATH" for name in PROGRAMS if shutil.which(name) is None]
    return programs + ["the extra `integration`"] * (not _is_there("pyln.testing"))


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


class Line:
    """
    l1 — l2 — l3 with announced channels of a million sat, all of it on the left side.

    Attributes:
        left, right: The short channel ids of l2's two channels.
    """

    elsewhere: ClassVar[dict[str, int]] = {}
    """What else l1 and l3 are started with."""

    def __init__(self, node_factory: Any, **options: object) -> None:
        from pyln.testing import utils  # noqa: PLC0415 -- it is an extra

        self.until = utils.wait_for
        # Its gRPC server is of no use here, and a node that was restarted reconnects.
        plain = {"disable-plugin": "cln-grpc", "may_reconnect": True}
        self.l1, self.l2, self.l3 = nodes = node_factory.get_nodes(
            3, opts=[plain | self.elsewhere, {**plain, "start": False}, plain | self.elsewhere]
        )
        self.bitcoind = node_factory.bitcoind
        self.configure(**options)
        self.l2.start()
        node_factory.join_nodes(nodes, wait_for_announce=True)
        self.left = self.l2.get_channel_scid(self.l1)
        self.right = self.l2.get_channel_scid(self.l3)
        self._labels = (f"payment {number}" for number in itertools.count())

    def configure(self, **options: object) -> None:
        """
        Write l2's config file.
        """
        named = {f"revenue-ops-{name.replace('_', '-')}": text for name, text in options.items()}
        lines = [f"{name}={value}\n" for name, value in ({"plugin": PLUGIN} | named).items()]
        Path(self.l2.daemon.lightning_dir, "config").write_text("".join(lines), encoding="utf-8")

    def ask(self, command: str, *positional: object, **named: object) -> Any:
        """
        Call a command of l2; on a busy machine the plugin may ask to be asked again.
        """
        while True:
            try:
                return self.l2.rpc.call(command, list(positional) or named)
            except RpcError as error:
                if "it is starting" not in str(error):
                    raise

    def price(self, scid: str) -> tuple[int, int]:
        """
        Return ppm and base that l2 charges on a channel.
        """
        (channel,) = self.l2.rpc.listpeerchannels(short_channel_id=scid)["channels"]
        return channel["fee_proportional_millionths"], channel["fee_base_msat"]

    def prices(self) -> dict[str, tuple[int, int]]:
        """
        Return ppm and base that l2 charges on both channels.
        """
        return {scid: self.price(scid) for scid in (self.left, self.right)}

    def settings(self) -> dict[str, tuple[int, int, int]]:
        """
        Return ppm, base and htlc_maximum of both channels.
        """
        return {
            channel["short_channel_id"]: (
                channel["fee_proportional_millionths"],
                channel["fee_base_msat"],
                channel["maximum_htlc_out_msat"],
            )
            for channel in self.l2.rpc.listpeerchannels()["channels"]
        }

    def heard(self, scid: str) -> tuple[int, int]:
        """
        Return ppm and base that l1 has heard l2 charges on a channel.
        """
        channels = self.l1.rpc.listchannels(source=self.l2.info["id"])["channels"]
        (channel,) = (c for c in channels if c["short_channel_id"] == scid)
        return channel["fee_per_millionth"], channel["base_fee_millisatoshi"]

    def pay(self, sats: int) -> None:
        """
        Let l1 pay l3 through l2.
        """
        label = next(self._labels)
        invoice = self.l3.rpc.invoice(sats * 1000, label, label)["bolt11"]
        self.l1.rpc.xpay(invoice)
        # What is still under way congests, and a forward is counted once it has ended.
        self.l2.wait_for_htlcs()

    def restart_plugin(self) -> None:
        """
        Stop the plugin and start it again while l2 runs.
        """
        self.l2.rpc.plugin_stop(str(PLUGIN))
        self.l2.rpc.plugin_start(str(PLUGIN))

    def cycle(self) -> dict[str, Any]:
        """
        Mine a block, which starts the first cycle of a plugin, and return its status after it.
        What waits to be mined goes on waiting.
        """
        self.bitcoind.generate_block(1, needfeerate=NOBODY_PAYS_THAT)
        self.until(lambda: self.ask("revenue-status")["last_cycle"])
        return self.ask("revenue-status")

    def fresh_cycle(self) -> dict[str, Any]:
        """
        Run a cycle at once, which takes a plugin that has just started.
        """
        self.restart_plugin()
        return self.cycle()

    def kill_plugin(self) -> None:
        """
        End the plugin as a power cut would, and start it again.
        """
        import psutil  # noqa: PLC0415 -- it comes with pyln-testing

        children = psutil.Process(self.l2.daemon.proc.pid).children()
        (process,) = (child for child in children if str(PLUGIN) in child.cmdline())
        process.kill()
        self.until(lambda: str(PLUGIN) not in self._plugins())
        self.l2.rpc.plugin_start(str(PLUGIN))

    def _plugins(self) -> set[str]:
        return {plugin["name"] for plugin in self.l2.rpc.plugin_list()["plugins"]}
