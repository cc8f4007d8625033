"""Meanings: what each reason tells an operator, by the stage that gives it."""

from collections.abc import Mapping
from typing import Final

from revops.core.reasons import Code

STAGES: Final[Mapping[str, Mapping[Code, str]]] = {
    "Standing": {
        Code.PASSIVE: "You told revops to leave this peer's channels alone.",
        Code.STATIC: "You chose this price for the peer; nothing is learned.",
        Code.HIVE: "A member of your hive: it pays what members pay.",
        Code.PINNED: "Somebody's own price is left alone for that long.",
        Code.MANUAL_CHANGE: "The price is not the one that revops set: you, or another program.",
        Code.ORDERED: "Your own order, until it runs out.",
        Code.NO_SCID: "The channel is still opening.",
        Code.NOT_NORMAL: "The channel is opening, closing or being spliced.",
        Code.FIRST_CONTACT: "revops meets the channel: it begins where you left off.",
        Code.NEW_CHANNEL: "Nothing is known yet: it begins dear and comes down to what is paid.",
    },
    "Bounds": {
        Code.BOUNDS: "Whatever is learned stays in here.",
        Code.POLICY_BOUNDS: "For this peer, your policy's bounds count in place of the node's.",
        Code.CHAIN_FLOOR: "Cheaper, the channel would not earn back what it costs on-chain.",
        Code.NO_FEERATES: "The on-chain cost is not known, so it is left out. It is not zero.",
        Code.REFILL_FLOOR: "Cheaper, you would sell below what your refills cost you.",
        Code.STALE_CEILING: "Too dear for too long: the price is led down.",
        Code.FLOOR_ABOVE_CEILING: "Costs ask for more than you allow; what you allow counts.",
    },
    "Congestion, Vegas and scarcity": {
        Code.CONGESTED: "The last slots go to those who pay, and a jam costs its maker.",
        Code.CONGESTION_EASES: "It waits a moment before it trusts the calm.",
        Code.VEGAS_SPIKE: "Closing now would be dear, so forwarding gets dearer for a while.",
        Code.VEGAS_DECAY: "The spike is over; prices come back in steps.",
        Code.VEGAS_CALM: "Nothing happens.",
        Code.VEGAS_BLIND: "It does not guess: until it has seen enough, there is no reflex.",
        Code.VEGAS_FLOOR: "What the reflex does to this channel.",
        Code.SCARCITY: "Little is left to sell, so it is sold dearer.",
        Code.AMNESTY: "A new channel that the peer opened is to get its first payments first.",
        Code.MULTIPLIER: "Your policy limits how far scarcity moves the price.",
    },
    "Hill climbing": {
        Code.CLIMB_BLIND: "Without counted forwards, revops keeps the price it has.",
        Code.CLIMB_PAUSED: "While something else sets the price, trade says nothing about it.",
        Code.CLIMB_NOT_LIVE: "Time in which nobody could have paid counts for nothing.",
        Code.CLIMB_WAITING: "It is counting. Patience is the price of knowing.",
        Code.CLIMB_PROBE: "Enough is known of one price: the other is tried.",
        Code.CLIMB_COMPARING: "It is counting at the other price.",
        Code.CLIMB_BETTER: "The trial earned more, beyond chance.",
        Code.CLIMB_WORSE: "The trial earned less, beyond chance.",
        Code.CLIMB_UNDECIDED: "The difference may be chance, so nothing is concluded.",
        Code.CLIMB_NOBODY: "Nobody pays this price.",
        Code.CLIMB_RESTING: "Nobody comes even at the lowest price. Price is not the trouble.",
        Code.CLIMB_WOKE: "Something moved: it looks for the price again.",
        Code.CLIMB_QUIET: "Nobody buys, so a higher price is not tried.",
        Code.CLIMB_NO_ROOM: "Your bounds have decided already.",
    },
    "Rails and gossip": {
        Code.STEP_LIMIT: "Large changes go in steps, so that payers' maps keep up.",
        Code.UNCHANGED: "There is nothing to do.",
        Code.DEAD_BAND: "Too small a change to tell the whole network about.",
        Code.HTLC_MAX: "Payments that are larger would fail; the limit says so beforehand.",
        Code.GOSSIP_CHANNEL: "The channel has used up its updates of the day.",
        Code.GOSSIP_NODE: "The node has used up its updates of the hour; dearer changes go first.",
        Code.PAUSED: "You stopped all actions. It goes on deciding.",
        Code.AUTHORITY: "You have not given it the right to set fees.",
        Code.SET: "It was decided to set this. Whether it was, `outcome` says.",
    },
    "Rebalancing: the node": {
        Code.NO_REBALANCER: "You chose to have no liquidity moved.",
        Code.NO_LIQUIDITY_RIGHT: "You have not given it the right to move liquidity.",
        Code.REBALANCING_PAUSED: "You stopped all actions. It goes on deciding.",
    },
}
