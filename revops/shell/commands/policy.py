"""revenue-policy: what the operator, or a neighbour, wants for one peer."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

import attrs

from revops.core import checks
from revops.core.policy import Fields, Policy, PolicyBook, PolicyRefusedError
from revops.core.units import Instant, PeerId
from revops.shell.commands.command import Answer, Command, CommandError, Params

if TYPE_CHECKING:
    from revops.shell.app import App

Update = tuple[PeerId, Fields | None]

_WHOLE: Final = ("fee_ppm", "min_fee_ppm", "max_fee_ppm")
_FRACTIONS: Final = ("fee_multiplier_min", "fee_multiplier_max", "expires_in_hours")
_FIELDS: Final = ("strategy", "rebalance", *_WHOLE, *_FRACTIONS, "tags")


def run(app: "App", params: Params) -> Answer:
    """
    Answer `revenue-policy`; a refusal is an answer, as neighbours expect it.
    """
    action, rest = params.shift("action")
    answer = _ACTIONS.get(str(action))
    if answer is None:
        problem = f"action: expected one of {', '.join(_ACTIONS)}, got {action!r}"
        return {"status": "error", "error": problem}
    try:
        return answer(app, rest)
    except (CommandError, PolicyRefusedError) as error:
        return {"status": "error", "error": str(error)}


def _list(app: "App", params: Params) -> Answer:
    params.bind()
    return _listed(app.store.policies().policies, app.clock.now())


def _find(app: "App", params: Params) -> Answer:
    tag = params.bind("tag", needed=1)["tag"]
    found = [policy for policy in app.store.policies().policies if tag in policy.tags]
    return {
        "tag": tag,
        "peers": [policy.peer_id for policy in found],
        **_listed(found, app.clock.now()),
    }


def _get(app: "App", params: Params) -> Answer:
    now = app.clock.now()
    peer_id = _peer(params.bind("peer_id", needed=1)["peer_id"])
    return {"policy": _shown(app.store.policies().get(peer_id, now), now)}


def _set(app: "App", params: Params) -> Answer:
    arguments = params.bind("peer_id", *_FIELDS, needed=1)
    peer_id, fields = _peer(arguments.pop("peer_id")), _fields(arguments)
    return _change(app, peer_id, lambda _: fields)


def _delete(app: "App", params: Params) -> Answer:
    peer_id = _peer(params.bind("peer_id", needed=1)["peer_id"])
    if all(policy.peer_id != peer_id for policy in app.store.policies().policies):
        return {"status": "noop", "peer_id": peer_id, "message": "there was no policy"}
    return _change(app, peer_id, lambda _: None)


def _tag(app: "App", params: Params) -> Answer:
    arguments = params.bind("peer_id", "tag", needed=2)
    tag = str(arguments["tag"])
    return _change(app, _peer(arguments["peer_id"]), lambda p: {"tags": (*p.tags, tag)})


def _untag(app: "App", params: Params) -> Answer:
    arguments = params.bind("peer_id", "tag", needed=2)
    tag = str(arguments["tag"])
    return _change(
        app,
        _peer(arguments["peer_id"]),
        lambda p: {"tags": tuple(other for other in p.tags if other != tag)},
    )


def _changes(app: "App", params: Params) -> Answer:
    since = _number("since", params.bind("since").get("since", 0), int)
    changes = [change for change in app.store.policies().changes if change.at > since]
    return {
        "since": since,
        "changes": [attrs.asdict(change) for change in changes],
        "count": len(changes),
        "last_change_timestamp": max((change.at for change in changes), default=since),
    }


def _batch(app: "App", params: Params) -> Answer:
    given = _decoded("updates", params.bind("updates", needed=1)["updates"])
    if not isinstance(given, list):
        msg = f"updates: expected a list of objects, got {given!r}"
        raise CommandError(msg)
    updates = [_update(place, item) for place, item in enumerate(given)]
    book = _save(app, updates)
    now = app.clock.now()
    return {
        "status": "success",
        "updated": len(updates),
        "policies": [_shown(book.get(peer_id, now), now) for peer_id, _ in updates],
    }


def _update(place: int, item: object) -> Update:
    if not isinstance(item, dict):
        msg = f"updates[{place}]: expected an object, got {item!r}"
        raise CommandError(msg)
    try:
        arguments = Params(named=item).bind("peer_id", *_FIELDS, needed=1)
        return _peer(arguments.pop("peer_id")), _fields(arguments)
    except CommandError as error:
        msg = f"updates[{place}].{error}"
        raise CommandError(msg) from None


_ACTIONS: Final[Mapping[str, Callable[["App", Params], Answer]]] = {
    "list": _list,
    "get": _get,
    "set": _set,
    "delete": _delete,
    "find": _find,
    "tag": _tag,
    "untag": _untag,
    "changes": _changes,
    "batch": _batch,
}


def _change(app: "App", peer_id: PeerId, fields: Callable[[Policy], Fields | None]) -> Answer:
    now = app.clock.now()
    current = app.store.policies().get(peer_id, now)
    book = _save(app, [(peer_id, fields(current))])
    policy = book.get(peer_id, now)
    wait = max(0, app.worker.state().next_run - now)
    return {
        "status": "success",
        "peer_id": peer_id,
        "tags": list(policy.tags),
        "policy": _shown(policy, now),
        "message": f"it counts from the next cycle on, in {wait} s",
    }


def _save(app: "App", updates: list[Update]) -> PolicyBook:
    before = app.store.policies()
    book = before.updated(updates, app.clock.now())
    app.store.save_policies(book, before)
    return book


def _fields(arguments: Mapping[str, Any]) -> Fields:
    fields = dict(arguments)
    if not fields:
        msg = f"set: expected at least one of {', '.join(_FIELDS)}"
        raise CommandError(msg)
    for names, kind in ((_WHOLE, int), (_FRACTIONS, float)):
        for name in names:
            if name in fields:
                fields[name] = _number(name, fields[name], kind)
    if "tags" in fields:
        fields["tags"] = _tags(fields["tags"])
    return fields


def _number(name: str, value: Any, kind: type) -> Any:  # noqa: ANN401 -- JSON; the core checks it
    # Neighbours hand numbers over as text too; `none` takes a wish back.
    if not isinstance(value, str):
        return value
    try:
        return None if value == "none" else kind(value)
    except ValueError:
        msg = f"{name}: expected a number, got {value!r}"
        raise CommandError(msg) from None


def _tags(value: object) -> tuple[Any, ...]:
    if isinstance(value, str):
        value = _decoded("tags", value) if value.startswith("[") else value.split(",")
    if not isinstance(value, list):
        msg = f"tags: expected a list of words, got {value!r}"
        raise CommandError(msg)
    return tuple(value)


def _decoded(name: str, value: object) -> object:
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        msg = f"{name}: expected JSON, got {value!r}"
        raise CommandError(msg) from None


def _peer(value: Any) -> PeerId:  # noqa: ANN401 -- JSON
    try:
        return Policy(peer_id=value).peer_id
    except checks.FieldError as error:
        raise CommandError(str(error)) from None


def _listed(policies: Iterable[Policy], now: Instant) -> Answer:
    shown = [_shown(policy, now) for policy in policies]
    return {"policies": shown, "count": len(shown)}


def _shown(policy: Policy, now: Instant) -> Answer:
    return {
        "peer_id": policy.peer_id,
        "strategy": policy.strategy.value,
        "rebalance_mode": policy.rebalance.value,
        "fee_ppm_target": policy.fee_ppm,
        "fee_multiplier_min": policy.fee_multiplier_min,
        "fee_multiplier_max": policy.fee_multiplier_max,
        "min_fee_ppm": policy.min_fee_ppm,
        "max_fee_ppm": policy.max_fee_ppm,
        "tags": list(policy.tags),
        "expires_at": policy.expires_at,
        "is_expired": policy.expires_at is not None and policy.expires_at <= now,
        "updated_at": policy.updated_at,
    }


COMMAND = Command(
    name="revenue-policy",
    usage="action [peer_id] [strategy] [rebalance] [fee_ppm] [min_fee_ppm] [max_fee_ppm]"
    " [fee_multiplier_min] [fee_multiplier_max] [expires_in_hours] [tags] [tag] [since] [updates]",
    help="List, get, set, delete, find, tag or untag the policies of peers, list their changes,"
    " or change many at once (batch).",
    run=run,
)
