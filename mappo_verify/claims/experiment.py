"""Claims that hold with probability ``1 - δ``.

Such a claim has a proof like any other, but an instance of it is *one* sample, on which the bound may fail.  Its experiment says
what is fixed (the *designs*: games, policies, where data comes from) and what is drawn (counts of transitions, from the law of
one datum).  :mod:`mappo_verify.checking.monte_carlo` draws, and speaks in confidence intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from ..arithmetic import Array
from ..arithmetic.explained import explained_class
from ..errors import ClaimError

if TYPE_CHECKING:
    from .case import Case

SAMPLE_SIZES = (64, 256, 1024, 4096)


@explained_class
@dataclass(frozen=True, eq=False)
class Experiment:
    """How the samples of a claim are drawn.

    Parameters
    ----------
    designs : callable
        What is fixed, by name: the exact ingredients of the setting, all but the sample.
    law : callable
        The distribution of one datum, a table that sums to 1, from a case that holds a design.
    delta : Fraction
        ``δ``: the claim allows its bound to fail this often.
    counts : str
        The ingredient that is drawn: ``n`` data, counted over the entries of the law.
    sizes : tuple of int
        ``n``, from small to large; the slope of the fit needs two.
    """

    designs: Callable[[], Mapping[str, Mapping[str, Any]]]
    law: Callable[[Case], Array]
    delta: Fraction
    counts: str = "counts"
    sizes: tuple[int, ...] = SAMPLE_SIZES

    def __post_init__(self) -> None:
        if not Fraction(0) < self.delta < Fraction(1):
            raise ClaimError(f"δ = {self.delta} is not between 0 and 1")
        if (
            any(type(size) is not int for size in self.sizes)
            or len(self.sizes) < 2
            or list(self.sizes) != sorted(set(self.sizes))
            or self.sizes[0] < 1
        ):
            raise ClaimError(f"sample sizes {self.sizes} are not two or more positive integers in rising order")
