"""revenue-report: profit and loss by channel, by peer and by kind of cost, for any span of days."""

import csv
import io
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from revops.core.pnl import Pnl, added, pnl_of
from revops.core.policy import Policy, Strategy, in_force
from revops.core.profit import Assessment
from revops.core.reputation import score
from revops.core.suggest import TEXTS, Suggestion, suggestions
from revops.core.units import PeerId
from revops.shell.commands import report_shadow
from revops.shell.commands.command import (
    Action,
    Answer,
    Argument,
    Command,
    CommandError,
    Given,
    text,
)
from revops.shell.commands.money import (
    FROM,
    LIMIT,
    TO,
    earned,
    name_of,
    percent,
    rows_wanted,
    span,
    told,
    window_of,
)
from revops.shell.commands.report_costs import cost_row, costs_by_age, dearest
from revops.shell.readings import Reading

if TYPE_CHECKING:
    from revops.shell.app import App

T = TypeVar("T")

_FORMATS: Final = ("json", "csv")
_FORMULA: Final = ("=", "+", "-", "@", "\t")
"""How a text begins that a spreadsheet would calculate instead of showing."""
_FORMAT: Final = Argument("format", "json, or csv: the rows as one text; json")
_ASKED: Final = (FROM, TO, _FORMAT, LIMIT)
_EXAMPLE: Final = "032b3392899275267a2283a6e19a1f4c69d387d6a09045b49d7f8275c51e19b5d1"


class _Peer(NamedTuple):
    """
    What the channels with one peer did in the window.
    """

    peer_id: PeerId
    open: int
    closed: int
    window: Pnl


def _summary(app: "App", given: Given) -> Answer:
    reading = span(app, given)
    about = {
        "totals": _totals(reading),
        "without_channel": told(pnl_of(reading.ledger.stray_window)),
        "policies": _policy_counts(in_force(app.store.policies().policies, app.clock.now())),
    }
    channels = sorted(reading.assessments, key=_most_net)
    return _answer("summary", reading, given, about, ("channels", channels, channel_row))


def _peer(app: "App", given: Given) -> Answer:
    reading = span(app, given)
    peer_id = given.get("peer_id")
    peers = _by_peer(reading)
    if peer_id is None:
        return _answer("peer", reading, given, {}, ("peers", _ranked(peers), _peer_row))
    if text("peer_id", peer_id) not in peers:
        msg = f"peer_id: expected the node id of a peer we had a channel with, got {peer_id!r}"
        raise CommandError(msg)
    known = app.store.reports.reputations().get(peer_id)
    about = {
        "peer_id": peer_id,
        "totals": told(added(a.window for a in peers[peer_id])),
        "success_pct": percent(score(known, app.clock.now(), app.settings.config)),
    }
    channels = sorted(peers[peer_id], key=_most_net)
    return _answer("peer", reading, given, about, ("channels", channels, channel_row))


def _costs(app: "App", given: Given) -> Answer:
    reading = span(app, given)
    about = {"totals": _totals(reading), **costs_by_age(app, reading)}
    return _answer("costs", reading, given, about, ("channels", dearest(reading), cost_row))


def _hive(app: "App", given: Given) -> Answer:
    reading = span(app, given)
    policies = in_force(app.store.policies().policies, app.clock.now())
    peers = _by_peer(reading)
    members = {
        peer_id: peers.get(peer_id, [])
        for peer_id, policy in policies.items()
        if policy.strategy is Strategy.HIVE
    }
    about = {"count": len(members)}
    return _answer("hive", reading, given, about, ("peers", _ranked(members), _peer_row))


def _policies(app: "App", given: Given) -> Answer:
    now = app.clock.now()
    reading = app.readings.lately(now)
    policies = app.store.policies().policies
    memories = {memory.channel_id: memory for memory in app.cycle.memory.channels}
    about = {
        **_policy_counts(in_force(policies, now)),
        "note": "suggestions only: nobody but you sets a policy",
    }
    found = suggestions(reading.assessments, memories, policies, now)
    return _answer("policies", reading, given, about, ("suggestions", found, _suggestion_row))


# Rows -----------------------------------------------------------------------------------------


def channel_row(assessment: Assessment) -> Answer:
    """
    Return what one channel did in the window.
    """
    account = assessment.account
    return {
        # Neighbours know a channel by its short channel id, and call that its channel id.
        "channel_id": name_of(account),
        "peer_id": account.peer_id,
        "open": account.closed_at is None,
        **earned("capacity", account.capacity_msat),
        "class": assessment.profit_class.value,
        "role": assessment.role.value,
        **told(assessment.window),
        "roc_pct": percent(assessment.window_roc),
    }


def _peer_row(peer: _Peer) -> Answer:
    return {
        "peer_id": peer.peer_id,
        "channels_open": peer.open,
        "channels_closed": peer.closed,
        **told(peer.window),
    }


def _suggestion_row(suggestion: Suggestion) -> Answer:
    account, fee = suggestion.account, suggestion.fee_ppm
    fixed = "" if fee is None else f" strategy=static fee_ppm={fee}"
    return {
        "channel_id": name_of(account),
        "peer_id": account.peer_id,
        "why": suggestion.why.value,
        "text": TEXTS[suggestion.why],
        "command": f"revenue-policy -k action=set peer_id={account.peer_id}"
        f" rebalance=disabled{fixed}",
    }


def _most_net(assessment: Assessment) -> tuple[int, str]:
    return (-assessment.window.net_msat, name_of(assessment.account))


def _ranked(peers: dict[PeerId, list[Assessment]]) -> list[_Peer]:
    found = []
    for peer_id, assessments in peers.items():
        held = sum(assessment.account.closed_at is None for assessment in assessments)
        window = added(assessment.window for assessment in assessments)
        found.append(_Peer(peer_id, held, len(assessments) - held, window))
    return sorted(found, key=lambda peer: (-peer.window.net_msat, peer.peer_id))


def _by_peer(reading: Reading) -> dict[PeerId, list[Assessment]]:
    peers: dict[PeerId, list[Assessment]] = defaultdict(list)
    for assessment in reading.assessments:
        peers[assessment.account.peer_id].append(assessment)
    return dict(peers)


def _totals(reading: Reading) -> Answer:
    period = reading.period
    return {
        **told(period.pnl),
        "operating_margin_pct": percent(period.pnl.operating_margin),
        **earned("capacity", period.capacity_msat),
        "annualized_roc_pct": percent(period.roc),
    }


def _policy_counts(policies: dict[PeerId, Policy]) -> Answer:
    held = policies.values()
    tags = Counter(tag for policy in held for tag in policy.tags)
    return {
        "total": len(policies),
        "by_strategy": _counted(policy.strategy.value for policy in held),
        "by_rebalance_mode": _counted(policy.rebalance.value for policy in held),
        "by_tag": dict(sorted(tags.items())),
    }


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


# The answer -----------------------------------------------------------------------------------


def _answer(
    kind: str,
    reading: Reading,
    given: Given,
    about: Answer,
    listed: tuple[str, Sequence[T], Callable[[T], Answer]],
) -> Answer:
    """
    Return the report *kind* with what it is *about* and its list: a name, what is listed, and
    what makes a row of it.
    """
    name, items, row_of = listed
    form = given.get("format", "json")
    if form not in _FORMATS:
        msg = f"format: expected one of {', '.join(_FORMATS)}, got {form!r}"
        raise CommandError(msg)
    head = {"type": kind, **window_of(reading), "generated_at": reading.ledger.now}
    rows = [row_of(item) for item in items[: rows_wanted(given)]]
    if form == "csv":
        return {**head, "rows": len(rows), "of": len(items), "csv": as_csv(rows)}
    return {**head, **about, f"{name}_total": len(items), name: rows}


def as_csv(rows: Sequence[Answer]) -> str:
    """
    Return *rows* as comma-separated values under a line of names; a list is one value.
    """
    table = io.StringIO()
    if rows:
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow(map(_cell, row.values()))
    return table.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, list):
        value = " ".join(value)
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return str(value).lower() if isinstance(value, bool) else value


def _action(
    name: str, help_: str, run: Callable[["App", Given], Answer], *more: Argument
) -> Action:
    return Action(name=name, help=help_, arguments=(*more, *_ASKED), run=run)


COMMAND = Command(
    name="revenue-report",
    help="Show profit and loss by channel, by peer and by kind of cost, for any span of days.",
    word="report_type",
    actions=(
        _action(
            "summary", "The node, and every channel it had: the largest profit first.", _summary
        ),
        _action(
            "peer",
            "Every peer, or one and the channels with it.",
            _peer,
            Argument("peer_id", "the peer, by its node id; all when it is left out"),
        ),
        _action("costs", "What each kind of cost came to, and which channels had any.", _costs),
        _action("hive", "The peers whose policy is hive.", _hive),
        Action(
            name="policies",
            help="How many policies of each kind are in force, and which others the books of the"
            " last 30 days speak for. They are suggestions: nobody but you sets a policy.",
            arguments=(_FORMAT, LIMIT),
            run=_policies,
        ),
        report_shadow.ACTION,
    ),
    default_action="summary",
    examples=(
        "revenue-report",
        "revenue-report -k report_type=summary from=2026-01-01 to=2026-03-31 format=csv",
        "revenue-report costs",
        "revenue-report policies",
    ),
    # Years of days of a thousand channels take a second to add up.
    slow=True,
    neighbourly=True,
)
