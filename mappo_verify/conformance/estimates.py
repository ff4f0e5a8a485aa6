"""Estimates, compared with exact expectations at a stated confidence.

No normal approximation and no guessed tolerance: means are held to Bernstein's inequality with the exact variance and a bound on
a single estimate, counts to the exact tails of the binomial distribution.  Where several numbers are compared, the chance of a
false alarm is shared out among them evenly.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import log, sqrt
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.explained import explained
from ..errors import ConformanceError
from ..model import Game
from .arrays import to_library, to_numpy
from .check import as_floats, exact
from .fixtures import policies_of, wrong_critics_of
from .settings import current
from .suites import ConformanceTests, Hook, skip_unless_filled

SHOWN = 6
"""How many counts a failure shows."""
CONFIDENCE = Fraction(999_999, 1_000_000)
"""Of a right library, one run in a million fails by chance."""


@dataclass(frozen=True)
class Estimate:
    """A mean of ``count`` estimates, the exact expectation, and how far they may be apart."""

    name: str
    count: int
    mean: float
    exact: Any
    radius: float
    standard_error: float

    @property
    def agrees(self) -> bool:
        """Whether the mean is within the radius."""
        return abs(self.mean - float(as_floats(self.exact))) <= self.radius

    def text(self) -> str:
        """One line: exact value, mean, and the distance in standard errors."""
        distance = abs(self.mean - float(as_floats(self.exact)))
        errors = f", {distance / self.standard_error:.1f} standard errors" if self.standard_error else ""
        return (
            f"{self.name}: exact {self.exact} ≈ {float(as_floats(self.exact)):.6g}, mean of {self.count} {self.mean:.6g}: "
            f"{distance:.3g} apart{errors}, at most {self.radius:.3g} allowed"
        )


def bernstein(variance: float, bound: float, count: int, chance: float) -> float:
    """``ε`` with ``P(|mean - E| ≥ ε) ≤ chance`` for ``count`` independent estimates with ``|x - E x| ≤ bound``.

    The larger root of ``n ε² = L (2σ² + 2bε/3)``, ``L = log(2/chance)``.  Source: Bernstein's inequality.
    """
    if count < 1 or not 0 < chance < 1 or variance < 0 or bound < 0:
        raise ConformanceError(
            f"count = {count}, chance = {chance}, variance = {variance}, bound = {bound} make no sense"
        )
    level = log(2 / chance)
    slope = bound * level / (3 * count)
    return slope + sqrt(slope**2 + 2 * variance * level / count)


@explained
def mean_of(
    name: str, samples: Sequence[float] | Any, exact_value: Any, variance: Any, bound: float, chance: float
) -> Estimate:
    """Compare independent estimates with their exact expectation, given their exact variance and a bound on ``|x - E x|``."""
    table = np.asarray(samples, float)
    spread = max(float(as_floats(variance)), 0.0)
    radius = bernstein(spread, bound, table.size, chance)
    return Estimate(name, table.size, float(table.mean()), exact_value, radius, sqrt(spread / table.size))


@explained
def unlikely(successes: int, count: int, probability: float, chance: float) -> bool:
    """Whether so many or so few successes have at most this chance, by the exact tails of the binomial distribution."""
    if not (0 <= successes <= count and 0 <= probability <= 1 and 0 < chance < 1):
        raise ConformanceError(
            f"successes = {successes}, count = {count}, probability = {probability}, chance = {chance} make no sense"
        )
    from scipy.stats import binom

    tails = binom.cdf(successes, count, probability), binom.sf(successes - 1, count, probability)
    return bool(min(tails) < chance / 2)


class EstimateTests(ConformanceTests):
    """What holds on average: ``gae`` on simulated episodes, and ``sample``.

    ``gae`` is the hook of :class:`~mappo_verify.conformance.suites.TrajectoryTests`.  ``sample(logits, available, count, seed)``
    draws ``count`` actions for each row of ``logits`` ``[S, A]`` and returns them as integers ``[count, S]``.
    """

    episodes: ClassVar[int] = 2_000
    gae: Hook = None
    sample: Hook = None

    def test_gae_on_average(self) -> None:
        """The mean of the advantages of first steps is the exact expectation, for wrong critics and with a time limit."""
        skip_unless_filled(self, "gae")
        compare(estimates_of_gae(self.gae_of, self.episodes, current().seed))

    def test_sample(self) -> None:
        """Every action is drawn as often as its probability says, unavailable ones never."""
        skip_unless_filled(self, "sample")
        complaints = wrong_counts(self._drawn, 4 * self.episodes, current().seed)
        if complaints:
            shown = complaints[:SHOWN]
            raise AssertionError(
                "\n  ".join([f"{len(complaints)} counts are too unlikely, the first of them:", *shown])
            )

    def gae_of(self, **arguments: Any) -> Any:
        """The hook on ``[T, E]`` arrays; one column after the other where the class has no axes behind time."""
        columns = range(arguments["rewards"].shape[1])
        if self.batch:
            shape = (-1, len(columns), *[1] * (len(self.batch) - 1))
            return self._hook({name: _shaped(value, shape) for name, value in arguments.items()}).reshape(
                -1, len(columns)
            )
        parts = [self._hook({name: _column(value, k) for name, value in arguments.items()}) for k in columns]
        return np.stack(parts, axis=1)

    def _hook(self, arguments: dict[str, Any]) -> Any:
        from .compare import accepted
        from .registry import CHECKS

        hook: Any = self.gae
        arguments = {**arguments, "next_values": arguments["final_values"]}
        names = accepted(CHECKS["gae"], hook)
        handed = {name: to_library(arguments[name], self.arrays, self.dtype) for name in names}
        return to_numpy(hook(**handed), "the hook gae")

    def _drawn(self, logits: Any, available: Any, count: int, seed: int) -> Any:
        hook: Any = self.sample
        tables = [to_library(table, self.arrays, self.dtype) for table in (logits, available)]
        return to_numpy(hook(logits=tables[0], available=tables[1], count=count, seed=seed), "the hook sample")


def _shaped(value: Any, shape: tuple[int, ...]) -> Any:
    return value.reshape(shape) if isinstance(value, np.ndarray) else value


def _column(value: Any, k: int) -> Any:
    return value[:, k] if isinstance(value, np.ndarray) else value


def compare(estimates: Sequence[Estimate]) -> None:
    """An ``AssertionError`` that shows estimates that are too far off, and the confidence."""
    bad = [each.text() for each in estimates if not each.agrees]
    if bad:
        heading = f"{len(bad)} of {len(estimates)} means are too far from their expectations (confidence {CONFIDENCE})"
        raise AssertionError("\n  ".join([f"{heading}, the first of them:", *bad[:SHOWN]]))


def estimates_of_gae(gae: Callable[..., Any], episodes: int, seed: int) -> list[Estimate]:
    """Mean advantages of first steps on games with a time limit, against their exact expectations.

    One game may terminate and one may not, so that truncation is seen as well.  Every episode is a column of its own, so the
    estimates are independent.
    """
    from ..games.named import random_game

    games = [random_game(2, (2,), GAMMA, seed=seed, termination=ends) for ends in (False, True)]
    return [estimate for game in games for estimate in _estimates(gae, game, episodes, seed)]


GAMMA, LAM, STEPS = Fraction(3, 4), Fraction(1, 2), 2


def _estimates(gae: Callable[..., Any], game: Game, episodes: int, seed: int) -> Iterator[Estimate]:
    from ..model.time_limit import time_limited
    from ..quantities.time_limits import bootstrapped, limited_gae, variance_of_limited_lambda_returns
    from ..simulation import simulate

    policy, lam = policies_of(game, seed)["random"], exact([LAM])[0]
    limited, generator = time_limited(game, STEPS), np.random.default_rng([seed, 1])
    played = simulate(time_limited(game.floats(), STEPS), policy.floats(), episodes, generator)
    critics = wrong_critics_of(game, policy, seed)
    chance = float(1 - CONFIDENCE) / (2 * len(critics) * game.states * game.actions)
    for name, critic in critics.items():
        values, final_values = played.critic_values(as_floats(critic))
        table = gae(
            rewards=played.rewards,
            values=values,
            final_values=final_values,
            terminated=played.terminated,
            truncated=played.truncated,
            gamma=float(GAMMA),
            lam=float(LAM),
        )
        rows = bootstrapped(critic, STEPS)
        right, spread = (f(limited, policy, rows, lam)[0] for f in (limited_gae, variance_of_limited_lambda_returns))
        words = "a game that may terminate" if game.terminates() else "a game without end"
        for s, a in np.ndindex(right.shape):
            chosen = (played.states[0] == s) & (played.joint_actions[0] == a)
            if chosen.any():
                place = f"gae of the first step, {words}, state {s}, action {a}, critic: {name}"
                yield mean_of(place, table[0, chosen], right[s, a], spread[s, a], _bound(game, critic), chance)


def _bound(game: Game, critic: Any) -> float:
    """How far two advantages of first steps can be apart: ``Σ_{k<T} (γλ)^k`` times how far two errors can be."""
    values, reward = as_floats(critic), as_floats(game.reward)
    following = np.append(values, 0) if game.terminates() else values
    error = np.ptp(reward) + float(GAMMA) * np.ptp(following) + np.ptp(values)
    return float(error * sum(float(GAMMA * LAM) ** k for k in range(STEPS)))


def wrong_counts(sample: Callable[..., Any], count: int, seed: int) -> list[str]:
    """What the counts of sampled actions say against a sampler; nothing where it conforms."""
    from .policies import probabilities
    from .registry import CHECKS

    complaints, cases = [], CHECKS["probabilities"].drawn(np.random.default_rng([seed, 2]))
    cells = sum(int(case.inputs["available"].size) for case in cases)
    for number, case in enumerate(cases):
        inputs = case.inputs
        logits = np.log(as_floats(inputs["policy"])) + inputs["shift"]
        drawn = sample(logits, inputs["available"], count, seed + number)
        if drawn.shape != (count, len(logits)) or drawn.dtype.kind not in "iu":
            return [
                f"sample returned {drawn.dtype} of shape {drawn.shape}; it needs integers [count, S] = ({count}, {len(logits)})"
            ]
        right = probabilities(inputs)
        for s, a in np.ndindex(right.shape):
            seen, expected = int((drawn[:, s] == a).sum()), float(as_floats(right[s, a]))
            if unlikely(seen, count, expected, float(1 - CONFIDENCE) / cells):
                complaints.append(
                    f"{case.name}: action {a} of row {s} was drawn {seen} of {count} times; its probability is {right[s, a]} "
                    f"≈ {expected:.4g}, so about {count * expected:.1f} (confidence {CONFIDENCE})"
                )
    return complaints
