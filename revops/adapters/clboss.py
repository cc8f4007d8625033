"""CLBOSS, the plugin that manages nodes by itself, asked what it leaves alone, and told."""

import re
from collections.abc import Mapping
from typing import Final

from revops.adapters.errors import NoAnswerError, NodeRefusedError
from revops.adapters.rpc import Call
from revops.adapters.wire_reader import problem_at, wrong
from revops.core.clboss import Tags, tags_of, text_of
from revops.core.units import PeerId

PATIENCE_S: Final = 5
_UNKNOWN_METHOD: Final = -32601
_NODE_ID: Final = re.compile("0[23][0-9a-f]{64}")


def patience(method: str, others: int) -> int:
    """
    Return for how many seconds an answer to *method* is waited for, where those of *others* than
    CLBOSS may take so long. It answers from its own database: when that takes longer it hangs, and
    prices do not wait for it.
    """
    return min(others, PATIENCE_S) if method.startswith("clboss-") else others


class Clboss:
    """
    CLBOSS: of each peer it leaves alone what the tags of that peer say, in all its channels.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def unmanaged(self) -> Mapping[PeerId, Tags] | None:
        """
        Return what it leaves alone of which peers; `None` when it is not there.

        Raises:
            NodeRefusedError, NoAnswerError: It did not tell, as while it starts.
        """
        try:
            return _unmanaged_of(self._call("clboss-status", {}))
        except NodeRefusedError as error:
            if error.code == _UNKNOWN_METHOD:
                return None
            raise

    def unmanage(self, peer_id: PeerId, tags: Tags) -> None:
        """
        Have it leave *tags* alone of *peer_id*, and nothing else: what it left alone before counts
        no more.

        Raises:
            NodeRefusedError: It said no: nothing happened.
            NoAnswerError: Nobody knows; a NotAskedError says that nothing happened.
        """
        self._call("clboss-unmanage", {"nodeid": peer_id, "tags": text_of(tags)})


def _unmanaged_of(reply: object) -> dict[PeerId, Tags]:
    rows = reply.get("unmanaged") if type(reply) is dict else None
    if type(rows) is not dict:
        raise NoAnswerError(problem_at("clboss-status.unmanaged", str(wrong(rows, "an object"))))
    # Beside the peers there is a comment, and there may be more.
    peers = {name: text for name, text in rows.items() if _NODE_ID.fullmatch(name)}
    for name, text in peers.items():
        if type(text) is not str or not text.isprintable():
            # To overwrite what cannot be read would lose it.
            path = f"clboss-status.unmanaged.{name}"
            raise NoAnswerError(problem_at(path, str(wrong(text, "tags"))))
    return {PeerId(name): tags_of(text) for name, text in peers.items()}
