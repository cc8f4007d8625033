"""Rivalry: others who answer our price with theirs, the same way whatever else happens."""

from collections.abc import Sequence
from typing import Final

from revops.core.units import Ppm
from revops.simulate.arena.tape import Tape

_LOWEST: Final = Ppm(10)
# A day until a rival that was left alone is halfway back at its price.
_RETURN_STEPS: Final = 70


class Rivalry:
    """
    Rivals that undercut us by a tenth once we have charged less than one and a half times their
    price for a while, and drift back when left alone.
    """

    def __init__(self, tape: Tape) -> None:
        self._patience = tape.patience
        self._anchors = {
            channel: anchor for channel, anchor in enumerate(tape.anchor_ppm) if anchor is not None
        }
        self._prices = dict(self._anchors)
        self._annoyed: dict[int, int] = {}

    def worth(self, channel: int, reservation: Ppm) -> Ppm:
        """
        Return the most that a payment would pay to us, which would pay *reservation* if the rival
        were at its usual price.
        """
        price = self._prices.get(channel)
        return reservation if price is None else Ppm(reservation * price // self._anchors[channel])

    def look(self, step: int, charged: Sequence[Ppm]) -> None:
        """
        Let the rivals see what is *charged* as *step* begins.
        """
        for channel, anchor in self._anchors.items():
            price, ours = self._prices[channel], charged[channel]
            if 2 * ours >= 3 * price:
                self._annoyed.pop(channel, None)
                self._prices[channel] = Ppm(min(price + anchor // _RETURN_STEPS + 1, anchor))
                continue
            since = self._annoyed.setdefault(channel, step)
            if step - since >= self._patience[min(since, len(self._patience) - 1)][channel]:
                del self._annoyed[channel]
                self._prices[channel] = Ppm(min(max(ours * 9 // 10, _LOWEST), anchor))
