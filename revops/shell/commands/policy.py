"""revenue-policy: what the operator, or a neighbour, wants for one peer."""

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final

import attrs

from revops.core import checks
from revops.core.policy import Fields, Policy, PolicyBook, PolicyRefusedError
from revops.core.units import MINUTE, Instant, PeerId
from revops.shell.commands.command import (
    Action,
    Answer,
    Argument,
    Command,
    CommandError,
    Given,
    Params,
    bound,
    text,
    whole,
)

if TYPE_CHECKING:
    from revops.shell.app import App

Update = tuple[PeerId, Fields | None]

_LATEST: Final = 1 << 40
_WHOLE: Final = ("fee_ppm", "min_fee_ppm", "max_fee_ppm")
_FRACTIONS: Final = ("fee_multiplier_min", "fee_multiplier_max", "expires_in_hours")
_PEER: Final = Argument("peer_id", "the peer, by its node id", needed=True)
_EXAMPLE: Final = "032b3392899275267a2283a6e19a1f4c69d387d6a09045b49d7f8275c51e19b5d1"
_TAG: Final = Argument("tag", "a word of your own", needed=True)
_WISHES: Final = (
    Argument("strategy", "dynamic, static (needs fee_ppm), passive (hands off) or hive"),
    Argument("rebalance", "enabled, disabled, source_only (drained only) or sink_only"),
    Argument("fee_ppm", "the fee of a static policy; none takes it back"),
    Argument("min_fee_ppm", "in place of min-fee-ppm; none takes it back"),
    Argument("max_fee_ppm", "in place of max-fee-ppm; none takes it back"),
    Argument("fee_multiplier_min", "0.1 to 5: least factor on the learned fee"),
    Argument("fee_multiplier_max", "0.1 to 5: largest factor on the learned fee"),
    Argument("expires_in_hours", "up to 720; the policy then reverts by itself"),
    Argument("tags", "words of your own, with commas or as a JSON list"),
)


def _list(app: "App", given: Given) -> Answer:
    del given
    return _listed(app.store.policies().policies, app.clock.now())


def _find(app: "App", given: Given) -> Answer:
    tag = text("tag", given["tag"])
    found = [policy for policy in app.store.policies().policies if tag in policy.tags]
    return {
        "tag": tag,
        "peers": [policy.peer_id for policy in found],
        **_listed(found, app.clock.now()),
    }


def _get(app: "App", given: Given) -> Answer:
    now = app.clock.now()
    peer_id = _peer(given["peer_id"])
    return {"policy": _shown(app.store.policies().get(peer_id, now), now)}


def _set(app: "App", given: Given) -> Answer:
    peer_id, fields = _wish(given)
    return _change(app, peer_id, lambda _: fields)


def _delete(app: "App", given: Given) -> Answer:
    peer_id = _peer(given["peer_id"])
    if all(policy.peer_id != peer_id for policy in app.store.policies().policies):
        return {"status": "noop", "peer_id": peer_id, "message": "there was no policy"}
    return _change(app, peer_id, lambda _: None)


def _tag(app: "App", given: Given) -> Answer:
    tag = text("tag", given["tag"])
    return _change(app, _peer(given["peer_id"]), lambda p: {"tags": (*p.tags, tag)})


def _untag(app: "App", given: Given) -> Answer:
    tag = text("tag", given["tag"])
    return _change(
        app,
        _peer(given["peer_id"]),
        lambda p: {"tags": tuple(other for other in p.tags if other != tag)},
    )


def _changes(app: "App", given: Given) -> Answer:
    since = whole("since", given.get("since", 0), 0, _LATEST)
    changes = app.store.policies(Instant(since)).changes
    return {
        "since": since,
        "changes": [attrs.asdict(change) for change in changes],
        "count": len(changes),
        "last_change_timestamp": max((change.at for change in changes), default=since),
    }


def _batch(app: "App", given: Given) -> Answer:
    items = _decoded("updates", given["updates"])
    if not isinstance(items, list):
        msg = f"updates: expected a list of objects, got {items!r}"
        raise CommandError(msg)
    updates = [_update(place, item) for place, item in enumerate(items)]
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
        return _wish(bound(Params(named=item), (_PEER, *_WISHES)))
    except CommandError as error:
        msg = f"updates[{place}].{error}"
        raise CommandError(msg) from None


def _wish(given: Given) -> tuple[PeerId, Fields]:
    wishes = {name: value for name, value in given.items() if name != _PEER.name}
    return _peer(given[_PEER.name]), _fields(wishes)


def _change(app: "App", peer_id: PeerId, fields: Callable[[Policy], Fields | None]) -> Answer:
    now = app.clock.now()
    current = app.store.policies().get(peer_id, now)
    book = _save(app, [(peer_id, fields(current))])
    policy = book.get(peer_id, now)
    wait = max(0, app.worker.state("fees").next_run - now)
    return {
        "status": "success",
        "peer_id": peer_id,
        "tags": list(policy.tags),
        "policy": _shown(policy, now),
        "message": f"it counts from the next cycle on, in {wait} s",
    }


def _save(app: "App", updates: list[Update]) -> PolicyBook:
    now = app.clock.now()
    before = app.store.policies(Instant(now - MINUTE))
    try:
        book = before.updated(updates, now)
    except PolicyRefusedError as error:
        raise CommandError(str(error)) from None
    app.store.save_policies(book, before)
    return book


def _fields(arguments: Given) -> Fields:
    fields = dict(arguments)
    if not fields:
        msg = f"set: expected at least one of {', '.join(a.name for a in _WISHES)}"
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
    help="Show or change what you want for one peer: it counts from the next cycle on.",
    actions=(
        Action(name="list", help="Every policy.", run=_list),
        Action(name="get", help="The policy of a peer.", arguments=(_PEER,), run=_get),
        Action(
            name="set",
            help="Change the fields that are given; at least one.",
            arguments=(_PEER, *_WISHES),
            run=_set,
        ),
        Action(name="delete", help="Back to the default.", arguments=(_PEER,), run=_delete),
        Action(name="find", help="The policies with a tag.", arguments=(_TAG,), run=_find),
        Action(name="tag", help="Add a tag.", arguments=(_PEER, _TAG), run=_tag),
        Action(name="untag", help="Take a tag away.", arguments=(_PEER, _TAG), run=_untag),
        Action(
            name="changes",
            help="Which policies changed since then.",
            arguments=(Argument("since", "seconds since the epoch; 0 for all"),),
            run=_changes,
        ),
        Action(
            name="batch",
            help="Change up to 100 at once, all or nothing.",
            arguments=(Argument("updates", "a JSON list of objects as set takes", needed=True),),
            run=_batch,
        ),
    ),
    examples=(
        "revenue-policy list",
        f"revenue-policy -k action=set peer_id={_EXAMPLE} strategy=static fee_ppm=250",
        f"revenue-policy tag {_EXAMPLE} exchange",
        f"revenue-policy get {_EXAMPLE}",
        "revenue-policy changes 1790000000",
        f"revenue-policy delete {_EXAMPLE}",
    ),
    neighbourly=True,
)
