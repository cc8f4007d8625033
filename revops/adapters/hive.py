"""cl-hive, the plugin of those who route together, asked through a call: what it says is advice."""

from typing import Final, TypeVar

import attrs

from revops.adapters.errors import NoAnswerError, NodeRefusedError, WireError
from revops.adapters.reading import readable, rows_of
from revops.adapters.rpc import Call
from revops.adapters.strangers import name
from revops.adapters.wire_reader import Reader, problem_at
from revops.core import checks
from revops.core.hive import FeeObservation, Health, Liquidity, PeriodCosts, Report
from revops.core.snapshot import HiveHint
from revops.core.units import PeerId, nearest_ppm

T = TypeVar("T")

PATIENCE_S: Final = 5
"""How long an answer is waited for: nothing that it says is worth more."""
FAILURES: Final = 3
REST_S: Final = 60
"""After so many calls without an answer it is left alone for so long."""
_UNKNOWN_METHOD: Final = -32601
_PREFIX: Final = "hive-"
_reader: Final = Reader(lenient=True)
_METHODS: Final[dict[type[Report], str]] = {
    FeeObservation: "hive-report-fee-observation",
    Health: "hive-report-health",
    Liquidity: "hive-report-liquidity-state",
    PeriodCosts: "hive-report-period-costs",
}


def _word(text: str | None) -> str | None:
    return text and name(text)


USED: Final = (
    "hive-check-rebalance-conflict",
    "hive-fee-intel-query",
    "hive-members",
    *sorted(_METHODS.values()),
    "hive-status",
)


def patience(method: str, others: int) -> int:
    """
    Return for how many seconds an answer to *method* is waited for, where those of *others* than
    cl-hive may take so long.
    """
    return min(others, PATIENCE_S) if method.startswith(_PREFIX) else others


def method_of(report: Report) -> str:
    """
    Return the method that takes *report*.
    """
    return _METHODS[type(report)]


@attrs.frozen(kw_only=True)
class Membership:
    """
    What cl-hive says of itself and of us.

    Attributes:
        status: "active", or "no_members".
        mode: How it is governed.
        tier: Ours: "member" or "neophyte"; `None` for a node that is in no hive.
    """

    status: str
    mode: str | None
    tier: str | None
    joined_at: int | None
    version: str | None


@attrs.frozen(kw_only=True)
class Member:
    """
    A node in our hive; only a `tier` of "member" is charged nothing.
    """

    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    tier: str = attrs.field(converter=name)


@attrs.frozen(kw_only=True)
class _Own:
    tier: str | None = attrs.field(converter=_word)
    joined_at: int | None


@attrs.frozen(kw_only=True)
class _Status:
    status: str = attrs.field(converter=name)
    governance_mode: str | None = attrs.field(converter=_word)
    membership: _Own | None
    version: str | None = attrs.field(converter=_word)


@attrs.frozen(kw_only=True)
class _Profile:
    peer_id: PeerId = attrs.field(validator=checks.hexadecimal(66))
    optimal_fee_estimate: float
    confidence: float = attrs.field(validator=checks.number(0, 1))


@attrs.frozen(kw_only=True)
class _Conflict:
    conflict: bool


class Hive:
    """
    cl-hive; whatever it is asked may be a NodeRefusedError, also where it says no within an
    answer, or a NoAnswerError.
    """

    def __init__(self, call: Call) -> None:
        self._call = call

    def membership(self) -> Membership | None:
        """
        Return what it says of itself and of us; `None` when it is not there.
        """
        try:
            reply = self._ask("hive-status", {})
        except NodeRefusedError as error:
            if error.code == _UNKNOWN_METHOD:
                return None
            raise
        found = _read(reply, _Status, "hive-status")
        own = found.membership or _Own(tier=None, joined_at=None)
        return Membership(
            status=found.status,
            mode=found.governance_mode,
            tier=own.tier,
            joined_at=own.joined_at,
            version=found.version,
        )

    def features(self) -> dict[str, bool]:
        """
        Return the methods that revops calls, and whether it has them.
        """
        rows = _rows(self._call("help", {}), "help", "help")
        names = {str(row.get("command")).split(" ")[0] for row in rows if type(row) is dict}
        return {method: method in names for method in USED}

    def members(self) -> tuple[Member, ...]:
        """
        Return who is in our hive, us included; rows that cannot be read are left out.
        """
        rows = _rows(self._ask("hive-members", {}), "hive-members", "members")
        members, _ = readable(rows, "hive-members", lambda row, p: _reader.read(row, Member, p))
        return tuple(sorted(members, key=lambda member: member.peer_id))

    def hints(self) -> dict[PeerId, HiveHint]:
        """
        Return what it knows of the fees toward peers, the hundred that it tells at once; rows
        that cannot be read are left out.
        """
        method = "hive-fee-intel-query"
        rows = _rows(self._ask(method, {"action": "list"}), method, "peers")
        profiles, _ = readable(rows, method, lambda row, p: _reader.read(row, _Profile, p))
        return {
            profile.peer_id: HiveHint(
                fee_ppm=nearest_ppm(profile.optimal_fee_estimate), confidence=profile.confidence
            )
            for profile in profiles
            # It says 0 for what it does not know.
            if profile.optimal_fee_estimate > 0
        }

    def contests(self, peer_id: PeerId) -> bool:
        """
        Say whether another member fills channels of *peer_id* now.
        """
        method = "hive-check-rebalance-conflict"
        return _read(self._ask(method, {"peer_id": peer_id}), _Conflict, method).conflict

    def tell(self, report: Report) -> None:
        """
        Hand *report* over.
        """
        self._ask(method_of(report), attrs.asdict(report))

    def _ask(self, method: str, params: dict[str, object]) -> object:
        reply = self._call(method, params)
        if type(reply) is dict and "error" in reply:
            raise NodeRefusedError(method, None, problem_at("error", str(reply["error"])))
        return reply


def _read(reply: object, kind: type[T], method: str) -> T:
    try:
        return _reader.read(reply, kind, method)
    except WireError as error:
        raise NoAnswerError(str(error)) from None


def _rows(reply: object, method: str, key: str) -> list[object]:
    try:
        return rows_of(reply, method, key)
    except WireError as error:
        raise NoAnswerError(str(error)) from None
