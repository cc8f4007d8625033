"""Reasons: why, as a code and typed facts; the sentence is rendered from one table."""

import enum
from collections.abc import Mapping
from typing import Final

import attrs

from revops.core.units import Ppm

Fact = int | float | str | bool
Facts = Mapping[str, Fact]


class Code(str, enum.Enum):
    """
    Every reason there is. The values are public: stored, counted, documented.
    """

    # Standing
    PASSIVE = "passive"
    STATIC = "static"
    HIVE = "hive"
    PINNED = "pinned"
    MANUAL_CHANGE = "manual_change"
    ORDERED = "ordered"
    NO_SCID = "no_scid"
    NOT_NORMAL = "not_normal"
    FIRST_CONTACT = "first_contact"
    NEW_CHANNEL = "new_channel"
    # Bounds
    BOUNDS = "bounds"
    POLICY_BOUNDS = "policy_bounds"
    CHAIN_FLOOR = "chain_floor"
    NO_FEERATES = "no_feerates"
    REFILL_FLOOR = "refill_floor"
    STALE_CEILING = "stale_ceiling"
    FLOOR_ABOVE_CEILING = "floor_above_ceiling"
    # Congestion, Vegas, scarcity
    CONGESTED = "congested"
    CONGESTION_EASES = "congestion_eases"
    VEGAS_SPIKE = "vegas_spike"
    VEGAS_DECAY = "vegas_decay"
    VEGAS_CALM = "vegas_calm"
    VEGAS_BLIND = "vegas_blind"
    VEGAS_FLOOR = "vegas_floor"
    SCARCITY = "scarcity"
    AMNESTY = "amnesty"
    MULTIPLIER = "multiplier"
    # Hill climbing
    CLIMB_BLIND = "climb_blind"
    CLIMB_PAUSED = "climb_paused"
    CLIMB_NOT_LIVE = "climb_not_live"
    CLIMB_WAITING = "climb_waiting"
    CLIMB_PROBE = "climb_probe"
    CLIMB_COMPARING = "climb_comparing"
    CLIMB_BETTER = "climb_better"
    CLIMB_WORSE = "climb_worse"
    CLIMB_UNDECIDED = "climb_undecided"
    CLIMB_NOBODY = "climb_nobody"
    CLIMB_RESTING = "climb_resting"
    CLIMB_WOKE = "climb_woke"
    CLIMB_QUIET = "climb_quiet"
    CLIMB_NO_ROOM = "climb_no_room"
    # Rails
    STEP_LIMIT = "step_limit"
    UNCHANGED = "unchanged"
    DEAD_BAND = "dead_band"
    HTLC_MAX = "htlc_max"
    GOSSIP_CHANNEL = "gossip_channel"
    GOSSIP_NODE = "gossip_node"
    PAUSED = "paused"
    AUTHORITY = "authority"
    SET = "set"
    # Rebalancing: the node
    NO_REBALANCER = "no_rebalancer"
    NO_LIQUIDITY_RIGHT = "no_liquidity_right"
    REBALANCING_PAUSED = "rebalancing_paused"
    # Rebalances that run
    JOB_OVER = "job_over"
    JOB_STOPPING = "job_stopping"
    JOB_DONE = "job_done"
    JOB_STUCK = "job_stuck"
    JOB_UNWANTED = "job_unwanted"
    JOB_OVERCHARGED = "job_overcharged"
    JOB_LEAKS = "job_leaks"
    JOB_EXPIRED = "job_expired"
    JOB_NO_ROUTE = "job_no_route"
    JOB_TOO_EXPENSIVE = "job_too_expensive"


@attrs.frozen
class Reason:
    """
    One step of a trail.

    Attributes:
        facts: Names and values, in the order given; what the sentence is made of.
        before, after: The price before and after the stage; `None` for a reason about the node.
    """

    code: Code
    facts: tuple[tuple[str, Fact], ...] = ()
    before: Ppm | None = None
    after: Ppm | None = None


def because(
    code: Code, before: Ppm | None = None, after: Ppm | None = None, **facts: Fact
) -> Reason:
    """
    Return a Reason with *facts* as they are named.
    """
    return Reason(code, tuple(facts.items()), before, after)


SENTENCES: Final[dict[Code, str]] = {
    Code.PASSIVE: "the peer's policy is passive: hands off",
    Code.STATIC: "the peer's policy sets {fee_ppm} ppm",
    Code.HIVE: "the peer's policy is hive: hive-fee-ppm {fee_ppm}, no base fee",
    Code.PINNED: "somebody set {fee_ppm} ppm; it stays for another {hours:.1f} h",
    Code.MANUAL_CHANGE: "somebody changed the fee from {known_ppm} to {fee_ppm} ppm: revops yields"
    " for {hours} h",
    Code.ORDERED: "the operator set {fee_ppm} ppm by a command; it stays for another {hours:.1f} h",
    Code.NO_SCID: "the channel has no short channel id yet",
    Code.NOT_NORMAL: "the channel is in state {state}: fees can be set in CHANNELD_NORMAL only",
    Code.FIRST_CONTACT: "first contact: learning starts from the fee that is in force",
    Code.NEW_CHANNEL: "a new channel: it starts at the {source} price of {fee_ppm} ppm and comes"
    " down until payments come",
    Code.BOUNDS: "within {floor} to {ceiling} ppm (min-fee-ppm, max-fee-ppm)",
    Code.POLICY_BOUNDS: "the peer's policy replaces the bounds: {floor} to {ceiling} ppm",
    Code.CHAIN_FLOOR: "opening and closing cost {cost_msat} msat at {perkw} perkw; over"
    " {volume_msat} msat expected to leave, that needs {floor} ppm",
    Code.NO_FEERATES: "the node gave no feerates: on-chain costs put no floor under the fee",
    Code.REFILL_FLOOR: "{count} refills cost {cost_ppm} ppm; the floor is {floor} ppm",
    Code.STALE_CEILING: "nothing left for {days:.1f} days at {fee_ppm} ppm: the ceiling comes down"
    " to {ceiling} ppm",
    Code.FLOOR_ABOVE_CEILING: "the floor of {floor} ppm is above the ceiling of {ceiling} ppm: the"
    " ceiling wins",
    Code.CONGESTED: "{used} of {slots} HTLC slots are in use (htlc-congestion-threshold"
    " {threshold}): the ceiling of {ceiling} ppm at once",
    Code.CONGESTION_EASES: "slots are free again, {calm} of {needed} quiet cycles: still at the"
    " ceiling",
    Code.VEGAS_SPIKE: "on-chain fees are {ratio:.2f} times their 24 h median of {median} perkw:"
    " the reflex is at {intensity:.2f}",
    Code.VEGAS_DECAY: "on-chain fees are back at {ratio:.2f} times their median: the reflex fades"
    " to {intensity:.2f} (vegas-decay)",
    Code.VEGAS_CALM: "on-chain fees are {ratio:.2f} times their 24 h median: no reflex",
    Code.VEGAS_BLIND: "{samples} feerate samples in 24 h are too few to call anything a spike;"
    " {needed} are needed",
    Code.VEGAS_FLOOR: "on-chain fees spike (vegas-reflex): the floor rises {factor:.2f} times, to"
    " {floor} ppm",
    Code.SCARCITY: "{share:.1%} of the capacity with this peer is ours, below scarcity-threshold"
    " {threshold}: {factor:.2f} times the price",
    Code.AMNESTY: "{share:.1%} of the capacity with this peer is ours, but it opened the channel"
    " and {out_count} payments have left: no scarcity price for {days:.1f} more days",
    Code.MULTIPLIER: "the peer's policy keeps the factor between {low} and {high}: {factor:.2f}",
    Code.CLIMB_BLIND: "the books could not be read: nothing is learned, {base_ppm} ppm stays",
    Code.CLIMB_PAUSED: "prices set by {by} teach nothing: the learned {base_ppm} ppm stays",
    Code.CLIMB_NOT_LIVE: "{why}: this time says nothing about the price",
    Code.CLIMB_WAITING: "{count} forwards in {live_h:.1f} live hours at {fee_ppm} ppm; the window"
    " closes at {need_count} forwards or {need_h:.0f} h, not before {least_h:.0f} h",
    Code.CLIMB_PROBE: "{count} forwards in {live_h:.1f} live hours at {base_ppm} ppm: now the same"
    " time at {fee_ppm} ppm",
    Code.CLIMB_COMPARING: "{count} forwards in {live_h:.1f} live hours at {fee_ppm} ppm; after"
    " {need_h:.1f} h they are compared with those at {base_ppm} ppm",
    Code.CLIMB_BETTER: "{fee_ppm} ppm earned more than {base_ppm} ppm (ln ratio {gain:+.2f},"
    " error {error:.2f}): it is the new base",
    Code.CLIMB_WORSE: "{fee_ppm} ppm earned less than {base_ppm} ppm (ln ratio {gain:+.2f}, error"
    " {error:.2f}): back, and the other way next",
    Code.CLIMB_UNDECIDED: "{fee_ppm} ppm and {base_ppm} ppm cannot be told apart (ln ratio"
    " {gain:+.2f}, error {error:.2f}): back, and the other way next",
    Code.CLIMB_NOBODY: "nobody came in {live_h:.1f} live hours at {fee_ppm} ppm: cheaper",
    Code.CLIMB_RESTING: "nobody came at the floor of {fee_ppm} ppm: no gradient to climb until a"
    " payment comes",
    Code.CLIMB_WOKE: "the channel wakes ({by}): the search goes on from {base_ppm} ppm",
    Code.CLIMB_NO_ROOM: "the bounds of {floor} to {ceiling} ppm leave no other price to try",
    Code.CLIMB_QUIET: "nothing left for {days:.1f} days: the fee does not rise",
    Code.STEP_LIMIT: "on the way to {wanted_ppm} ppm, at most {step_ppm} ppm a cycle",
    Code.UNCHANGED: "it is in force already",
    Code.DEAD_BAND: "{wanted_ppm} ppm is within {band_ppm} ppm of what is in force: not worth an"
    " update",
    Code.HTLC_MAX: "htlc_maximum_msat should be {htlc_max_msat} (htlc-max)",
    Code.GOSSIP_CHANNEL: "{wanted_ppm} ppm waits: {count} updates in 24 h are made"
    " (max-fee-updates-per-day); the next may go in {minutes} min",
    Code.GOSSIP_NODE: "{wanted_ppm} ppm waits at place {place}: the node's updates of this hour are"
    " made (max-node-updates-per-hour); about {minutes} min",
    Code.PAUSED: "paused is set: {wanted_ppm} ppm is not set",
    Code.AUTHORITY: "authority is {authority}: {wanted_ppm} ppm is not set",
    Code.SET: "set {fee_ppm} ppm, base {base_fee_msat} msat",
    Code.NO_REBALANCER: "rebalancer is none: no liquidity is moved",
    Code.NO_LIQUIDITY_RIGHT: "authority is {authority}: liquidity is not moved; it has to be"
    " liquidity",
    Code.REBALANCING_PAUSED: "paused is set: no rebalance is started",
    Code.JOB_OVER: "nobody works on it any more: {moved_msat} of {amount_msat} msat arrived, for"
    " {fee_msat} msat",
    Code.JOB_STOPPING: "it was told to end ({cause}) and is still listed: {moved_msat} of"
    " {amount_msat} msat arrived, for {fee_msat} msat",
    Code.JOB_DONE: "all of the {amount_msat} msat arrived, for {fee_msat} msat",
    Code.JOB_STUCK: "the rebalancer says {words}: it is ended with {moved_msat} of {amount_msat}"
    " msat, for {fee_msat} msat",
    Code.JOB_UNWANTED: "{said}: it is ended with {moved_msat} of {amount_msat} msat, for"
    " {fee_msat} msat",
    Code.JOB_OVERCHARGED: "{fee_msat} msat were paid for {moved_msat} msat that arrived, more than"
    " the {planned_ppm} ppm it was told: it is ended",
    Code.JOB_LEAKS: "{moved_msat} of {amount_msat} msat arrived for {fee_msat} msat, but the"
    " channel holds {to_us_msat} msat, no more than before: it is ended",
    Code.JOB_EXPIRED: "{hours} h are over: it is ended with {moved_msat} of {amount_msat} msat, for"
    " {fee_msat} msat",
    Code.JOB_NO_ROUTE: "no route for {minutes} min: it is ended with {moved_msat} of {amount_msat}"
    " msat, for {fee_msat} msat",
    Code.JOB_TOO_EXPENSIVE: "no route that is cheap enough for {minutes} min (rebalance-max-ppm is"
    " the most): it is ended with {moved_msat} of {amount_msat} msat, for {fee_msat} msat",
}
"""The sentence for each code. A refusal names the option that would change it."""


def sentence(reason: Reason) -> str:
    """
    Return *reason* in words, with the price it made.
    """
    words = SENTENCES[reason.code].format(**dict(reason.facts))
    if reason.before is not None and reason.after is not None and reason.before != reason.after:
        return f"{words} ({reason.before} → {reason.after} ppm)"
    return words
