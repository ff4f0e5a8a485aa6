"""V-trace in expectation: what it returns on average, and whose values it learns.

Rollouts follow a behaviour policy ``μ``, and ``π`` is the target.  With ``ρ(s, a) = min(ρ̄, π/μ)``, ``c(s, a) = λ min(c̄, π/μ)`` of
joint actions, and any critic ``v``::

    E_μ[vs | s] = v(s) + [(I - γ P_c)⁻¹ δ](s)
    P_c(s, s') = Σ_a μ(a|s) c(s, a) P(s'|s, a)       δ(s) = Σ_a μ(a|s) ρ(s, a) [r(s, a) + γ Σ_s' P(s'|s, a) v(s') - v(s)]

Its fixed point is the value of ``π_ρ̄(a|s) ∝ min(ρ̄ μ(a|s), π(a|s))``, not of ``π``: truncating ``ρ`` changes what is learned, and
truncating ``c`` only how fast.  Along trajectories: :mod:`~mappo_verify.quantities.trajectory_targets`.
Source: Espeholt et al. (2018), Section 4 and Appendix A.

Two actions with rewards 1 and 0, once.  ``μ`` plays evenly, ``π`` only the first; cut at ``ρ̄ = 1`` half of the reward is seen:

>>> import mappo_verify as mv
>>> game = mv.Game([[[0], [0]]], [[1, 0]], 0.5)
>>> target, behaviour = mv.Policy.deterministic(game, [0]), mv.Policy.uniform(game)
>>> [expected_vtrace(game, target, behaviour, [0], rho_max=cut).item() for cut in (1, 2)]
[0.5, 1.0]
>>> vtrace_policy(target, behaviour).joint()
array([[1., 0.]])
"""

from __future__ import annotations

from typing import Any

from ..arithmetic import Array, contract, divide, identity, lift, minimum, solve
from ..arithmetic.explained import explained
from ..model import Game, Policy
from ..model.validation import scalar_for
from .expected_targets import critic_of
from .values import lookahead


@explained
def expected_vtrace(
    game: Game, target: Policy, behaviour: Policy, critic: Any, lam: Any = 1, rho_max: Any = 1, c_max: Any = 1
) -> Array:
    """``E_μ[vs | s]`` of whole rollouts, shape ``[..., S]``; ``critic`` is ``v`` ``[..., S]``.

    ``μ`` must play whatever ``π`` does: on rationals a ratio ``x/0`` is an error.  Raises
    :class:`~mappo_verify.errors.SingularError` where ``γλ = 1`` and some state never terminates.
    """
    target.require_fits(game)
    behaviour.require_fits(game)
    value, played = critic_of(game, critic), behaviour.joint()
    ratio = divide(target.joint(), played)
    trace = scalar_for(game.system, "lam", lam) * minimum(scalar_for(game.system, "c_max", c_max), ratio)
    rho = minimum(scalar_for(game.system, "rho_max", rho_max), ratio)
    errors = contract("...sa,...sa->...s", played * rho, lookahead(game, value) - value[..., None])
    chain = contract("...sa,...sat->...st", played * trace, game.transition)
    matrix = identity(game.states, game.system) - lift(game.discount, 2) * chain
    return value + solve(matrix, errors[..., None])[..., 0]


@explained
def vtrace_policy(target: Policy, behaviour: Policy, rho_max: Any = 1) -> Policy:
    """``π_ρ̄(a|s) ∝ min(ρ̄ μ(a|s), π(a|s))``, whose value is V-trace's fixed point; ``ρ̄ > 0``.

    Even for product policies it is no product; its factors know the prefix.  For plain arrays; where actions are unavailable,
    use ``.restricted(game)`` on it.
    """
    played = behaviour.joint()
    common = minimum(scalar_for(behaviour.system, "rho_max", rho_max) * played, target.joint())
    return Policy.from_joint(divide(common, common.sum(-1, keepdims=True)), behaviour.action_sizes)
