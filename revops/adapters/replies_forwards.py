"""Replies about forwards: fast for millions of rows as they should be, strict for any other."""

import functools
from typing import Any, Final, Literal

import attrs

from revops.adapters.errors import WireError
from revops.adapters.reading import HOOKS, LAST, LATEST, rows_of
from revops.adapters.wire_reader import Reader
from revops.core import checks
from revops.core.checks import MOST_MSAT
from revops.core.tally import Forward, Misfit, Status
from revops.core.units import Instant, Msat, Scid

_STATUSES: Final = frozenset(("offered", "settled", "failed", "local_failed"))
_TIMES: Final = (float, int)
_forward: Final = functools.partial(tuple.__new__, Forward)
"""Makes one of all its fields, in a third of the time that Forward itself takes."""


@attrs.frozen(kw_only=True)
class _Row:
    """
    A row of the list; the fields are those of a Forward, in their order.
    """

    created_index: int | None = attrs.field(validator=checks.whole(optional=True))
    updated_index: int | None = attrs.field(validator=checks.whole(optional=True))
    in_scid: Scid
    out_scid: Scid | None
    in_msat: Msat
    out_msat: Msat | None
    fee_msat: Msat | None
    status: Status
    received_at: Instant
    resolved_at: Instant | None


@attrs.frozen(kw_only=True)
class _Waited:
    created: int | None = attrs.field(validator=checks.whole(optional=True))
    updated: int | None = attrs.field(validator=checks.whole(optional=True))


_reader: Final = Reader(
    lenient=True,
    names={
        "in_scid": "in_channel",
        "out_scid": "out_channel",
        "received_at": "received_time",
        "resolved_at": "resolved_time",
    },
    hooks=HOOKS,
)


def forwards_of(reply: object) -> tuple[tuple[Forward, ...], tuple[Misfit, ...]]:
    """
    Return the forwards of a `listforwards` reply, and the rows that cannot be read.

    Raises:
        WireError: It is no such reply.
    """
    forwards: list[Forward] = []
    misfits: list[Misfit] = []
    for index, row in enumerate(rows_of(reply, "listforwards", "forwards")):
        forward = plain(row)
        if forward is None:
            try:
                forward = strict(row, f"listforwards.forwards[{index}]")
            except WireError as error:
                misfits.append(_misfit(row, error))
                continue
        forwards.append(forward)
    return tuple(forwards), tuple(misfits)


def plain(row: Any) -> Forward | None:  # noqa: ANN401 -- a JSON value
    """
    Return what `strict` makes of *row*, if it is as lightningd writes them since v23.11; `None`
    for any other.
    """
    try:
        get = row.get
        created, updated = get("created_index"), get("updated_index")
        enters, leaves = row["in_channel"], get("out_channel")
        in_msat, out_msat, fee_msat = row["in_msat"], get("out_msat"), get("fee_msat")
        status, received, resolved = row["status"], row["received_time"], get("resolved_time")
        if (
            (type(created) is int and 0 <= created <= LAST)
            and (updated is None or (type(updated) is int and 0 <= updated <= LAST))
            and (type(enters) is str and enters.isascii())
            and (leaves is None or (type(leaves) is str and leaves.isascii()))
            and (type(in_msat) is int and 0 <= in_msat <= MOST_MSAT)
            and (out_msat is None or (type(out_msat) is int and 0 <= out_msat <= MOST_MSAT))
            and (fee_msat is None or (type(fee_msat) is int and 0 <= fee_msat <= MOST_MSAT))
            and (type(status) is str and status in _STATUSES)
            and (type(received) in _TIMES and 0 <= received < LATEST)
            and (resolved is None or (type(resolved) in _TIMES and 0 <= resolved < LATEST))
        ):
            ended = None if resolved is None else int(resolved)
            places, amounts = (created, updated, enters, leaves), (in_msat, out_msat, fee_msat)
            return _forward((*places, *amounts, status, int(received), ended))
    except (AttributeError, KeyError, TypeError):
        pass
    return None


def strict(row: object, path: str) -> Forward:
    """
    Return the forward that *row* shows, which stands at *path*.

    Raises:
        WireError: It shows none; a sentence for each thing that is wrong with it.
    """
    return Forward(*attrs.astuple(_reader.read(row, _Row, path), recurse=False))


def _misfit(row: object, error: WireError) -> Misfit:
    def place(name: str) -> int | None:
        value = row.get(name) if type(row) is dict else None
        return value if type(value) is int and 0 <= value <= LAST else None

    created = place("created_index")
    why = f"forward {created or '?'}: {'; '.join(error.problems)}"
    return Misfit(created, place("updated_index"), why)


def last_of(reply: object, index: Literal["created", "updated"]) -> int:
    """
    Return how far a `wait` reply says that *index* goes.

    Raises:
        WireError: It does not say.
    """
    waited = _reader.read(reply, _Waited, "wait")
    last = waited.created if index == "created" else waited.updated
    if last is None:
        raise WireError((f"wait.{index}: is missing",))
    return last
