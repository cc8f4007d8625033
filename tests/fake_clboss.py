"""CLBOSS with state: it keeps tags as v0.16 does, replaces them all, and refuses as that does."""

from typing import Any

METHODS = ("clboss-status", "clboss-unmanage")
TAGS = ("balance", "close", "lnfee", "open")
_COMMENT = "Use 'clboss-unmanage' to disable management of some nodes."
_NOT_OPEN = "the database is not open"
_NO_NODE = "no node id"


class ClbossRefusalError(Exception):
    """
    An error reply, which blames the parameters whatever is wrong.
    """

    def __init__(self, problem: str) -> None:
        super().__init__(f"Parameter error: {problem}")


class FakeClboss:
    """
    The plugin CLBOSS, on a node.

    Attributes:
        there: Whether lightningd knows it; as most nodes do not, most tests have none.
        ready: Whether its database is open, without which it knows nothing.
        tags: What it leaves alone of which node; it outlives every restart.
        told: Every change, as (node, tags as they were sent).
    """

    def __init__(self) -> None:
        self.there = False
        self.ready = True
        self.tags: dict[str, set[str]] = {}
        self.told: list[tuple[str, str]] = []

    def answer(self, method: str, params: Any) -> Any:
        """
        Return the reply to a call; raise what comes instead.
        """
        if not self.ready:
            raise ClbossRefusalError(_NOT_OPEN)
        if method == "clboss-unmanage":
            given = params.values() if isinstance(params, dict) else params
            return self.unmanage(*given)
        rows = {node: ", ".join(sorted(tags)) for node, tags in sorted(self.tags.items()) if tags}
        return {
            "info": {"version": "v0.16.3"},
            "unmanaged": {"comment": _COMMENT, **rows},
            "lnfee": {},
        }

    def unmanage(self, nodeid: str, tags: str) -> dict[str, Any]:
        """
        Leave *tags* of a node alone, and nothing else.
        """
        if len(nodeid) != 66 or nodeid[:2] not in ("02", "03"):
            raise ClbossRefusalError(_NO_NODE)
        split = {tag for tag in tags.split(",") if tag}
        if unknown := sorted(split.difference(TAGS)):
            problem = f"Unknown tag: {unknown[0]}"
            raise ClbossRefusalError(problem)
        self.told.append((nodeid, tags))
        self.tags[nodeid] = split
        return {}
