"""Chance: draws that depend on the seed and the question alone."""

import hashlib


def draw(seed: int, *question: str) -> float:
    """
    Return a number in [0, 1) for *question*.

    It is a hash of *seed* and *question*: neither the order nor the number of draws matters, so
    that adding a channel changes no other channel's draw.
    """
    text = "\x1f".join((str(seed), *question))
    digest = hashlib.blake2b(text.encode(), digest_size=8).digest()
    # 53 bits: the most that a float holds without rounding up to 1.0.
    return (int.from_bytes(digest, "big") >> 11) / 2**53
