"""Still: prices that are set once and left alone."""

from revops.core.units import Ppm
from revops.simulate.arena.play import Observation, Orders


class Static:
    """
    One price for every channel.
    """

    def __init__(self, ppm: int) -> None:
        self._ppm = Ppm(ppm)

    def step(self, seen: Observation) -> Orders:
        """
        Return the price once.
        """
        return Orders({} if seen.step else dict.fromkeys(range(len(seen.capacity)), self._ppm))


class GossipMedian:
    """
    What others charge toward the same peer when the node starts; where gossip tells nothing, the
    median of what it tells elsewhere.
    """

    UNKNOWN = Ppm(100)

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices once.
        """
        if seen.step:
            return Orders({})
        known = sorted(ppm for ppm in seen.market_ppm if ppm is not None)
        usual = known[len(known) // 2] if known else self.UNKNOWN
        return Orders(
            {
                channel: Ppm(min(usual if ppm is None else ppm, 5000))
                for channel, ppm in enumerate(seen.market_ppm)
            }
        )
