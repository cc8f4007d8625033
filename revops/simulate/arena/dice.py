"""Dice: streams of chance, one for each purpose, so that no draw moves another one."""

import zlib

import attrs
import numpy as np


@attrs.frozen
class Dice:
    """
    The chance of one scenario and seed.
    """

    scenario: str
    seed: int

    def of(self, purpose: str) -> np.random.Generator:
        """
        Return the stream for *purpose*, from its beginning.
        """
        words = (self.scenario, purpose)
        name, use = (zlib.crc32(word.encode()) for word in words)
        return np.random.default_rng(np.random.SeedSequence([name, self.seed, use]))
