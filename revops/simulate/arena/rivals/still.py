"""Still: prices that are set once and left alone."""

from revops.core.units import Ppm
from revops.simulate.arena.play import Observation, Orders
from revops.simulate.arena.rivals.common import going


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
    What others charge toward the same peers when the node starts.
    """

    def step(self, seen: Observation) -> Orders:
        """
        Return the prices once.
        """
        return Orders({} if seen.step else dict(enumerate(going(seen))))
