"""Units: what a number means, and roundings named by who loses the remainder."""

import math
from collections.abc import Sequence
from typing import Final, NewType

Msat = NewType("Msat", int)
"""Millisatoshi: the one unit of money inside. Signed; fields that may not be negative say so."""
Ppm = NewType("Ppm", int)
"""Millionths of the forwarded amount: the proportional part of a routing fee."""
Instant = NewType("Instant", int)
"""Seconds since the Unix epoch, UTC."""
Scid = NewType("Scid", str)
"""Short channel id, `BLOCKxTXxOUT`: what pricing acts on. A splice changes it."""
ChannelId = NewType("ChannelId", str)
"""Channel id, 64 hex digits: what learning is keyed by. It survives splices."""
PeerId = NewType("PeerId", str)
"""Public key of a node, 66 hex digits."""

MILLION: Final = 1_000_000
MAX_PPM: Final = Ppm(10 * MILLION)
MINUTE: Final = 60
HOUR: Final = 3_600
DAY: Final = 86_400


def fee_msat(amount: Msat, ppm: Ppm, base: Msat = Msat(0)) -> Msat:
    """
    Return the routing fee on *amount*; the node that charges it loses the remainder (BOLT #7).
    """
    return Msat(amount * ppm // MILLION + base)


def sats_up(amount: Msat) -> int:
    """
    Return *amount* as whole satoshi, rounded up: for costs and limits we must not undercount.
    """
    return -(-amount // 1000)


def sats_down(amount: Msat) -> int:
    """
    Return *amount* as whole satoshi, rounded down: for income and balances.
    """
    return amount // 1000


def from_sats(sats: int) -> Msat:
    """
    Return *sats* in millisatoshi, exactly.
    """
    return Msat(sats * 1000)


def nearest_ppm(rate: float) -> Ppm:
    """
    Return the whole ppm nearest to *rate*, within 0..`MAX_PPM`: the one way from a rate to a fee.

    Raises:
        ValueError: *rate* is not a number.
    """
    if 0.0 <= rate <= MAX_PPM:
        return Ppm(int(rate + 0.5))
    if math.isnan(rate):
        msg = "a fee rate must be a number, was nan"
        raise ValueError(msg)
    return Ppm(0) if rate < 0 else MAX_PPM


def split(amount: Msat, weights: Sequence[int]) -> tuple[Msat, ...]:
    """
    Share *amount* by whole *weights* so that the parts add up to it exactly.

    The remainder goes, a millisatoshi each, to the largest fractions and among equals to the
    first (largest-remainder method).

    Raises:
        ValueError: *amount* or a weight is negative, or no weight is positive.
    """
    total = sum(weights)
    if amount < 0 or total <= 0 or min(weights) < 0:
        msg = f"cannot split {amount} msat by weights {list(weights)}"
        raise ValueError(msg)
    parts = [amount * weight // total for weight in weights]
    by_fraction = sorted(range(len(parts)), key=lambda i: (-(amount * weights[i] % total), i))
    for i in by_fraction[: amount - sum(parts)]:
        parts[i] += 1
    return tuple(Msat(part) for part in parts)


def format_msat(amount: Msat) -> str:
    """
    Return *amount* as lightningd prints it: `"1500msat"`.
    """
    return f"{amount}msat"


def parse_msat(text: str) -> Msat:
    """
    Return the amount that `format_msat` printed.

    Raises:
        ValueError: *text* is not a whole number followed by `msat`.
    """
    digits = text.removesuffix("msat")
    if digits == text or not digits.removeprefix("-").isdecimal() or not digits.isascii():
        msg = f'expected an amount like "1500msat", got {text!r}'
        raise ValueError(msg)
    return Msat(int(digits))


def scid_key(scid: Scid | None) -> tuple[int, int, int]:
    """
    Return what *scid* sorts by: block, transaction, output; channels without one come last.
    """
    if scid is None:
        return (2**63, 0, 0)
    block, tx, out = scid.split("x")
    return (int(block), int(tx), int(out))
