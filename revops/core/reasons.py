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
    BALANCE = "balance"
    # Belief
    BELIEF = "belief"
    BELIEF_STANDS = "belief_stands"
    BELIEF_BLIND = "belief_blind"
    BELIEF_NOT_LIVE = "belief_not_live"
    BELIEF_NOBODY = "belief_nobody"
    BELIEF_RESTING = "belief_resting"
    HIVE_HINT = "hive_hint"
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
    ENGINE_TROUBLE = "engine_trouble"
    ENGINE_ABSENT = "engine_absent"
    ENGINE_OLD = "engine_old"
    SPENDING_UNKNOWN = "spending_unknown"
    RESERVE_UNKNOWN = "reserve_unknown"
    RESERVE_LOW = "reserve_low"
    BUDGET = "budget"
    BUDGET_SPENT = "budget_spent"
    JOBS_FULL = "jobs_full"
    ONE_AT_A_TIME = "one_at_a_time"
    LOSING = "losing"
    PROFIT_UNKNOWN = "profit_unknown"
    # Rebalancing: the channel
    NOT_CARRYING = "not_carrying"
    SHORT = "short"
    NOT_SHORT = "not_short"
    CAN_GIVE = "can_give"
    GIVES = "gives"
    ENGAGED = "engaged"
    FILL_FORBIDDEN = "fill_forbidden"
    DRAIN_FORBIDDEN = "drain_forbidden"
    FILLS_ITSELF = "fills_itself"
    FLOW_UNKNOWN = "flow_unknown"
    NEVER_LIVE = "never_live"
    NO_OUTFLOW = "no_outflow"
    OFFLINE = "offline"
    UPTIME_UNKNOWN = "uptime_unknown"
    UPTIME_LOW = "uptime_low"
    SLOTS_UNKNOWN = "slots_unknown"
    SLOTS_BUSY = "slots_busy"
    STILL_CONGESTED = "still_congested"
    FOREIGN_JOB = "foreign_job"
    COOLING_DOWN = "cooling_down"
    FUTILE = "futile"
    CONTESTED = "contested"
    PRICE_CLOSES_GAP = "price_closes_gap"
    ROUTE_COST_UNKNOWN = "route_cost_unknown"
    WANTED = "wanted"
    COVERED = "covered"
    TOO_LITTLE = "too_little"
    SIBLING = "sibling"
    KELLY = "kelly"
    PAIR = "pair"
    NO_SOURCE = "no_source"
    NO_RETURN = "no_return"
    EARNS_TOO_LITTLE = "earns_too_little"
    DEARER_THAN_ALLOWED = "dearer_than_allowed"
    DEARER_THAN_SOLD = "dearer_than_sold"
    SOURCES_TAKEN = "sources_taken"
    OUTBID = "outbid"
    BUDGET_SHORT = "budget_short"
    REFILL = "refill"
    # Rebalancing: what the operator orders
    REFILL_ORDERED = "refill_ordered"
    NO_ROOM = "no_room"
    CANNOT_GIVE = "cannot_give"
    FEE_TOO_LOW = "fee_too_low"
    # Rebalances that run
    JOB_OVER = "job_over"
    JOB_STOPPING = "job_stopping"
    JOB_DONE = "job_done"
    JOB_STUCK = "job_stuck"
    JOB_UNWANTED = "job_unwanted"
    JOB_OVERCHARGED = "job_overcharged"
    JOB_LEAKS = "job_leaks"
    JOB_HANGS = "job_hangs"
    JOB_EXPIRED = "job_expired"
    JOB_NO_ROUTE = "job_no_route"
    JOB_TOO_EXPENSIVE = "job_too_expensive"


@attrs.frozen(slots=False)
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
    " {volume_msat} msat expected to leave: the floor is {floor} ppm",
    Code.NO_FEERATES: "the node gave no feerates: on-chain costs put no floor under the fee",
    Code.REFILL_FLOOR: "{count} refills cost {cost_ppm} ppm; the floor is {floor} ppm",
    Code.STALE_CEILING: "nothing left for {days:.1f} days: the ceiling comes down to {ceiling} ppm",
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
    Code.BALANCE: "{share:.1%} of the capacity with this peer is ours, and {entry:.1%} where"
    " payments come in: {factor:.2f} times the learned price (balance-factor)",
    Code.BELIEF: "{count:.0f} forwards in {days:.1f} live days at {prices} prices: most is expected"
    " at {base_ppm} ppm, with {per_day:.1f} forwards a day",
    Code.HIVE_HINT: "members of our hive think that {fee_ppm} ppm toward this peer earns most, and"
    " are {confidence:.0%} sure: what is believed leans that way",
    Code.BELIEF_STANDS: "{count} forwards since it was judged last: {base_ppm} ppm stands",
    Code.BELIEF_BLIND: "the books could not be read: nothing is learned, {base_ppm} ppm stays",
    Code.BELIEF_NOT_LIVE: "{why}: this time says nothing about the price",
    Code.BELIEF_NOBODY: "nobody came in {live_h:.0f} live hours: down to {base_ppm} ppm",
    Code.BELIEF_RESTING: "nobody came at the floor of {fee_ppm} ppm: it stays until a payment"
    " comes",
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
    Code.ENGINE_TROUBLE: "sling cannot be used: {why}",
    Code.ENGINE_ABSENT: "sling is not there: nothing can be moved",
    Code.ENGINE_OLD: "sling is {version}, and {needed} or later is trusted with money"
    " (sling-min-version)",
    Code.SPENDING_UNKNOWN: "the books do not tell what rebalancing has cost: nothing more is spent",
    Code.RESERVE_UNKNOWN: "what is on-chain is not known: nobody can tell that min-wallet-reserve"
    " {needed_sats} sat is left",
    Code.RESERVE_LOW: "{have_sats} sat are left on-chain and in channels, of min-wallet-reserve"
    " {needed_sats}",
    Code.BUDGET: "{room_sats} sat may be reserved: {day_sats} of {most_day_sats} sat are spent in"
    " 24 h, {week_sats} of {most_week_sats} in 7 days (daily-budget-sats, weekly-budget-sats),"
    " {held_sats} are held",
    Code.BUDGET_SPENT: "nothing may be reserved: {day_sats} of {most_day_sats} sat are spent in"
    " 24 h, {week_sats} of {most_week_sats} in 7 days (daily-budget-sats, weekly-budget-sats),"
    " {held_sats} are held",
    Code.JOBS_FULL: "{running} rebalances run, and max-concurrent-jobs is {most}",
    Code.ONE_AT_A_TIME: "a rebalance runs, and this node does not list what moves in its"
    " channels: the cost of two could not be told apart",
    Code.LOSING: "refills of 7 days cost {cost_sats} sat, more than the {revenue_sats} sat earned"
    " and than a day's budget: {times} times rebalance-min-profit is asked for",
    Code.PROFIT_UNKNOWN: "what 7 days of refills cost, or what was earned, is not known: {times}"
    " times rebalance-min-profit is asked for",
    Code.NOT_CARRYING: "the channel is in state {state}: liquidity moves in CHANNELD_NORMAL only",
    Code.SHORT: "{share:.1%} of the capacity with this peer is ours, below"
    " low-liquidity-threshold {threshold}",
    Code.NOT_SHORT: "{share:.1%} of the capacity with this peer is ours: it is short below"
    " low-liquidity-threshold {threshold}",
    Code.CAN_GIVE: "it can give {spare_sats} sat: {target_sats} sat with this peer should be"
    " ours, at {price_ppm} ppm",
    Code.GIVES: "it gives up to {amount_sats} sat to {target}",
    Code.ENGAGED: "rebalance {rebalance_id} fills or drains a channel of this peer",
    Code.FILL_FORBIDDEN: "the peer's policy is rebalance {mode}: its channels are not filled",
    Code.DRAIN_FORBIDDEN: "the peer's policy is rebalance {mode}: its channels do not give",
    Code.FILLS_ITSELF: "more comes in than leaves: it fills by itself",
    Code.FLOW_UNKNOWN: "the books could not be read: what would leave is unknown",
    Code.NEVER_LIVE: "whenever it was looked at, it could carry nothing away: what would leave is"
    " unknown",
    Code.NO_OUTFLOW: "nothing left in {days:.1f} days: no refill is worth anything",
    Code.OFFLINE: "the peer is not connected",
    Code.UPTIME_UNKNOWN: "the peer has not been watched for a day: {needed:.0%} of the time is"
    " asked for",
    Code.UPTIME_LOW: "the peer was connected for {uptime:.1%} of the last week: {needed:.0%} is"
    " asked for",
    Code.SLOTS_UNKNOWN: "lightningd does not say how many HTLC slots there are",
    Code.SLOTS_BUSY: "{used} of {slots} HTLC slots are in use: less than {share:.0%} is asked for"
    " (htlc-congestion-threshold, half at most)",
    Code.STILL_CONGESTED: "it was congested, and slots have not been free for long enough",
    Code.FOREIGN_JOB: "sling has a job on this channel that is not ours",
    Code.COOLING_DOWN: "it was refilled lately and rests for {hours:.1f} h more"
    " (rebalance-cooldown-hours)",
    Code.CONTESTED: "another member of our hive fills channels of this peer now: it comes first",
    Code.FUTILE: "{failures} times in a row nothing could be moved to this peer"
    " (futility-failures): it rests for {hours:.1f} h more (futility-cooldown-hours)",
    Code.PRICE_CLOSES_GAP: "at {price_ppm} ppm {out_sats} sat would leave in a day, at"
    " {scarce_ppm} ppm {kept_sats}, and {in_sats} come in: the price closes the gap for nothing"
    " (scarcity-pricing)",
    Code.ROUTE_COST_UNKNOWN: "the peer has announced no fee toward us, and nothing was refilled"
    " by it: what a route costs is unknown",
    Code.WANTED: "{target_sats} sat with this peer should be ours, {to_us_sats} are: {out_sats}"
    " would leave in a day at {price_ppm} ppm, {in_sats} come in",
    Code.COVERED: "{target_sats} sat are enough for what is expected, and {to_us_sats} are there",
    Code.TOO_LITTLE: "{most_sats} sat can be added, and no less than {least_sats} are moved"
    " (rebalance-min-amount)",
    Code.SIBLING: "{scid}, with the same peer, is the one to fill",
    Code.KELLY: "a refill is sold with a chance of {chance:.0%}: {stake_msat} msat may be staked"
    " on that, {needed_msat} are needed (enable-kelly, kelly-fraction)",
    Code.PAIR: "{amount_sats} sat in {count} payments from {source}: {chance:.2f} x (gain"
    " {gain_msat} - loss {loss_msat} - cost {cost_msat}) - {attempt_msat} = {ev_msat} msat,"
    " {least_msat} are asked for (rebalance-min-profit); a route is expected at {cost_ppm} ppm"
    " and pays up to {max_ppm}",
    Code.NO_SOURCE: "no channel can give enough",
    Code.NO_RETURN: "who could give to it was filled from here within 7 days: nothing goes back",
    Code.EARNS_TOO_LITTLE: "an expected {ev_msat} msat is less than {least_msat}"
    " (rebalance-min-profit)",
    Code.DEARER_THAN_ALLOWED: "a route is expected at {cost_ppm} ppm, and rebalance-max-ppm is"
    " {max_ppm}",
    Code.DEARER_THAN_SOLD: "a route is expected at {cost_ppm} ppm: more than {max_ppm}, nine"
    " tenths of what the channel charges",
    Code.SOURCES_TAKEN: "who could give to it gives to a refill that is worth more",
    Code.OUTBID: "refills that are worth more take the {slots} places there are"
    " (max-concurrent-jobs)",
    Code.BUDGET_SHORT: "{reserve_sats} sat would have to be reserved, and {room_sats} are left"
    " (daily-budget-sats, weekly-budget-sats)",
    Code.REFILL: "filled with {amount_sats} sat from {sources}, at {max_ppm} ppm at most:"
    " {reserve_sats} sat are reserved",
    Code.REFILL_ORDERED: "the operator ordered {amount_sats} sat, {terms}",
    Code.NO_ROOM: "{amount_sats} sat are ordered, and {most_sats} is the most that can come in",
    Code.CANNOT_GIVE: "{scid} can spare {spare_sats} of the {needed_sats} sat that it takes, and"
    " its htlc_maximum of {htlc_max_sats} sat has to be twice a payment of {chunk_sats}",
    Code.FEE_TOO_LOW: "a route takes {cost_ppm} ppm, for which max_fee_sats {fee_sats} is not"
    " enough: with {needed_sats} it would begin",
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
    Code.JOB_HANGS: "a payment of its size is under way for {seconds} s: it is ended with"
    " {moved_msat} of {amount_msat} msat, for {fee_msat} msat, before sling makes another instead",
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
