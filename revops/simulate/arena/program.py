"""Program: a linear program that is written down row by row and solved by HiGHS."""

from collections.abc import Mapping

import attrs
import numpy as np
from scipy.optimize import linprog
from scipy.sparse import csr_array

from revops.simulate.arena.spreads import Array


@attrs.define(eq=False)
class Rows:
    """
    Sums of variables, and what each of them comes to.
    """

    lines: list[int] = attrs.field(factory=list)
    columns: list[int] = attrs.field(factory=list)
    values: list[float] = attrs.field(factory=list)
    bounds: list[float] = attrs.field(factory=list)

    def add(self, terms: Mapping[int, float], bound: float) -> None:
        """
        Write down one sum.
        """
        self.lines += [len(self.bounds)] * len(terms)
        self.columns += terms.keys()
        self.values += terms.values()
        self.bounds.append(bound)

    def matrix(self, width: int) -> "csr_array":
        """
        Return the factors of all sums.
        """
        shape = (len(self.bounds), width)
        return csr_array((self.values, (self.lines, self.columns)), shape=shape)


@attrs.define(eq=False)
class Program:
    """
    What is to be made as large as it can be.

    Attributes:
        at_most, exactly: What holds.
    """

    at_most: Rows = attrs.field(factory=Rows)
    exactly: Rows = attrs.field(factory=Rows)
    _gains: list[float] = attrs.field(factory=list)
    _ranges: list[tuple[float, float]] = attrs.field(factory=list)

    def variable(self, high: float, gain: float = 0.0, low: float = 0.0) -> int:
        """
        Return the number of a new variable between *low* and *high*, of which each unit gains.
        """
        self._gains.append(gain)
        self._ranges.append((low, high))
        return len(self._gains) - 1

    def solved(self) -> tuple[float, Array]:
        """
        Return the largest gain, and the variables where it is.

        Raises:
            ArithmeticError: There is none.
        """
        width = len(self._gains)
        found = linprog(
            -np.array(self._gains),
            A_ub=self.at_most.matrix(width),
            b_ub=self.at_most.bounds,
            A_eq=self.exactly.matrix(width),
            b_eq=self.exactly.bounds,
            bounds=self._ranges,
            method="highs",
        )
        if not found.success:
            raise ArithmeticError(found.message)
        return -float(found.fun), np.asarray(found.x)
