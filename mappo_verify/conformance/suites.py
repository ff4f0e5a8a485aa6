"""Test classes whose hooks an author fills in.

>>> import mappo_verify as mv
>>> class TestMine(mv.conformance.PolicyTests):
...     def kl(self, old, new):
...         return (old * np.log(old / new)).sum(-1)
>>> TestMine().test_kl()

A class whose name begins with ``Test`` is collected by pytest; a hook that is not filled in is a skipped test.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from ..arithmetic.explained import shown
from ..errors import ConformanceError
from .check import Case, Check
from .compare import Failure, examine
from .failures import text_of, write
from .registry import CHECKS
from .settings import current
from .trajectories import in_batch, of_one_episode

Hook = Callable[..., Any] | None


class ConformanceTests:
    """What all test classes share: the library's arrays, and how a hook is put to the test.

    Attributes
    ----------
    arrays : namespace with ``asarray``
        ``torch``, ``jax.numpy``, ``numpy`` (default): hooks receive its arrays, and may return any arrays.
    dtype : str
        The type of all floats that hooks receive, ``"float64"`` (default) or ``"float32"``.
    batch : tuple of int
        The axes behind time, ``()`` (default) for ``[T]``; ``(3,)`` or ``(2, 4, 1)`` for parallel environments.
    one_episode : bool
        Whether trajectories hold a single episode, for functions that take no other.
    """

    arrays: ClassVar[Any] = np
    dtype: ClassVar[str] = "float64"
    batch: ClassVar[tuple[int, ...]] = ()
    one_episode: ClassVar[bool] = False

    def cases(self, check: Check) -> list[Case]:
        """The inputs of a check, as this class asks for them, from the seed of the run."""
        generator = np.random.default_rng([current().seed, *check.hook.encode()])
        cases = check.drawn(generator)
        if check.steps and self.one_episode:
            cases = [case for case in cases if of_one_episode(case)]
        if check.steps and self.batch:
            batched = [in_batch(case, self.batch, generator, self.one_episode) for case in cases]
            cases = [Case(case.name, check.needed(case.inputs)) for case in batched]
        return cases

    def examine(self, name: str) -> Failure | None:
        """Compare one hook with the exact values; None where it conforms."""
        check = CHECKS[name]
        library = type(self).__name__
        self._require_settings(library)
        given = (check, getattr(self, name), self.cases(check), self.arrays, self.dtype, library)
        return examine(*given, explained=current().explained)

    def _require_settings(self, library: str) -> None:
        if self.dtype not in ("float64", "float32"):
            raise ConformanceError(f"{library}: dtype = {shown(self.dtype)}; it must be 'float64' or 'float32'")
        sizes: Any = self.batch
        if not isinstance(sizes, tuple) or not all(type(size) is int and size >= 1 for size in sizes):
            raise ConformanceError(
                f"{library}: batch = {shown(sizes)}; it must be a tuple of integers from 1 on, such as (3,)"
            )
        if not callable(getattr(self.arrays, "asarray", None)):
            raise ConformanceError(
                f"{library}: arrays = {shown(self.arrays)} has no asarray; give numpy, torch or jax.numpy"
            )

    def _conforms(self, name: str) -> None:
        """A test: nothing where the hook conforms, a skip where there is none, else a failure with all that is known."""
        skip_unless_filled(self, name)
        failure = self.examine(name)
        if failure is not None:
            text, folder = text_of(failure), current().certificates
            if folder is not None:
                text += f"\n  written   {write(failure, folder)}"
            raise AssertionError(text)


def skip_unless_filled(suite: ConformanceTests, name: str) -> None:
    """Skip the test of a hook that its author has not filled in."""
    if getattr(suite, name) is not None:
        return
    reason = f"the hook {name} is not filled in"
    try:
        import pytest
    except ImportError:
        raise ConformanceError(f"{reason}; under pytest this is a skipped test") from None
    pytest.skip(reason)


class TrajectoryTests(ConformanceTests):
    """Targets along trajectories: ``gae``, ``returns``, ``lambda_returns``, ``n_step_returns``, ``vtrace``."""

    gae: Hook = None
    returns: Hook = None
    lambda_returns: Hook = None
    n_step_returns: Hook = None
    vtrace: Hook = None

    def test_gae(self) -> None:
        """Generalised advantages, for a critic that is wrong."""
        self._conforms("gae")

    def test_returns(self) -> None:
        """Discounted returns to go."""
        self._conforms("returns")

    def test_lambda_returns(self) -> None:
        """λ-returns."""
        self._conforms("lambda_returns")

    def test_n_step_returns(self) -> None:
        """n-step returns."""
        self._conforms("n_step_returns")

    def test_vtrace(self) -> None:
        """V-trace targets."""
        self._conforms("vtrace")


class SurrogateTests(ConformanceTests):
    """Losses on samples: ``surrogate``, ``team_surrogate``, ``clipped_gradient``, ``value_loss``."""

    surrogate: Hook = None
    team_surrogate: Hook = None
    clipped_gradient: Hook = None
    value_loss: Hook = None

    def test_surrogate(self) -> None:
        """PPO's clipped surrogate."""
        self._conforms("surrogate")

    def test_team_surrogate(self) -> None:
        """The same over agents as well."""
        self._conforms("team_surrogate")

    def test_clipped_gradient(self) -> None:
        """Its gradient in the logits."""
        self._conforms("clipped_gradient")

    def test_value_loss(self) -> None:
        """The critic's clipped loss."""
        self._conforms("value_loss")


class PolicyTests(ConformanceTests):
    """Softmax policies: ``probabilities``, ``log_probs``, ``entropy``, ``kl``, ``mean_kl``, ``kl_estimate``, ``policy_gradient``,
    ``fisher_vector_product``, ``natural_gradient``, ``update``.
    """  # noqa: D205 - the list of hooks is the sentence

    probabilities: Hook = None
    log_probs: Hook = None
    entropy: Hook = None
    kl: Hook = None
    mean_kl: Hook = None
    kl_estimate: Hook = None
    policy_gradient: Hook = None
    fisher_vector_product: Hook = None
    natural_gradient: Hook = None
    update: Hook = None

    def test_probabilities(self) -> None:
        """Softmax under a mask."""
        self._conforms("probabilities")

    def test_log_probs(self) -> None:
        """Log-probabilities of actions taken, under a mask."""
        self._conforms("log_probs")

    def test_entropy(self) -> None:
        """Entropy under a mask."""
        self._conforms("entropy")

    def test_kl(self) -> None:
        """KL(old‖new)."""
        self._conforms("kl")

    def test_mean_kl(self) -> None:
        """KL averaged over states."""
        self._conforms("mean_kl")

    def test_kl_estimate(self) -> None:
        """An estimate of KL whose expectation is KL."""
        self._conforms("kl_estimate")

    def test_policy_gradient(self) -> None:
        """The gradient in the logits, for advantages that are not centred."""
        self._conforms("policy_gradient")

    def test_fisher_vector_product(self) -> None:
        """F v."""
        self._conforms("fisher_vector_product")

    def test_natural_gradient(self) -> None:
        """The solution of F x = ∇, up to F's null space."""
        self._conforms("natural_gradient")

    def test_update(self) -> None:
        """The KL-regularised update."""
        self._conforms("update")


class AgentTests(ConformanceTests):
    """Several agents: ``sequential_factor``, ``joint_log_probs``, ``advantage``, ``counterfactual_advantage``, ``nash_gaps``."""

    sequential_factor: Hook = None
    joint_log_probs: Hook = None
    advantage: Hook = None
    counterfactual_advantage: Hook = None
    nash_gaps: Hook = None

    def test_sequential_factor(self) -> None:
        """HAPPO's factor, for several orders of the agents."""
        self._conforms("sequential_factor")

    def test_joint_log_probs(self) -> None:
        """The log-probability of a joint action."""
        self._conforms("joint_log_probs")

    def test_advantage(self) -> None:
        """The advantage of one agent, given others."""
        self._conforms("advantage")

    def test_counterfactual_advantage(self) -> None:
        """COMA's advantage."""
        self._conforms("counterfactual_advantage")

    def test_nash_gaps(self) -> None:
        """What each agent could gain alone."""
        self._conforms("nash_gaps")


class GameTests(ConformanceTests):
    """Small decision processes: ``state_values``, ``action_values``, ``visits``, ``optimal_values``."""

    state_values: Hook = None
    action_values: Hook = None
    visits: Hook = None
    optimal_values: Hook = None

    def test_state_values(self) -> None:
        """V of a policy."""
        self._conforms("state_values")

    def test_action_values(self) -> None:
        """Q of a policy."""
        self._conforms("action_values")

    def test_visits(self) -> None:
        """Discounted visits."""
        self._conforms("visits")

    def test_optimal_values(self) -> None:
        """V of an optimal policy."""
        self._conforms("optimal_values")


SUITES: tuple[type[ConformanceTests], ...] = (TrajectoryTests, SurrogateTests, PolicyTests, AgentTests, GameTests)
"""Every test class of the kit."""
