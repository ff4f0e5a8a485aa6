# ruff: noqa: ARG001, ARG005 - formulas take an instance and an update, whether they need both or not
"""Under the label of a bound stands what it says: each is computed again, in loops over floats, from the instance's numbers.

A bound with a larger constant still holds, and a wrong label changes no verdict, so no audit notices either.  The formulas below
are what the labels print, and share nothing with the package.  Refuted claims are computed again by the script beside their
certificates.  All games here have one state and no end, unless ``Game`` below says more.
"""

from __future__ import annotations

from functools import cache, partial
from itertools import product
from math import cosh, exp, log, sqrt, tanh
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import mappo_verify as mv
from mappo_verify.arithmetic import TRUE, UNKNOWN, System, floats_of
from mappo_verify.arithmetic.precision import precision
from mappo_verify.checking.evaluate import certify
from mappo_verify.checking.hypotheses import ask_hypotheses
from mappo_verify.checking.sampling import draw, instance, sizes_of
from mappo_verify.model import Game, Policy
from mappo_verify.model.trees import unwrapped
from mappo_verify.papers.registry import CLAIMS
from mappo_verify.papers.registry import claim as find

PAIR, TWO_BY_THREE = mv.Sizes(1, (2,)), mv.Sizes(1, (2, 3))


def plain(value):
    """An ingredient of one instance as floats: lists of arrays for policies and tuples."""
    value = unwrapped(value, ())
    if isinstance(value, Game):
        fields = {name: getattr(value, name) for name in ("transition", "reward", "discount", "start")}
        return SimpleNamespace(**{name: None if a is None else floats_of(a) for name, a in fields.items()})
    if isinstance(value, (Policy, tuple)):
        return [floats_of(table) for table in (value.factors if isinstance(value, Policy) else value)]
    return floats_of(value)


class Instance:
    """What a formula below reads: the ingredients as attributes, ``A`` the numbers of actions, ``S`` states and ``K`` steps."""

    def __init__(self, case, sizes):
        self._case, self.A, self.S, self.K = case, sizes.actions, sizes.states, sizes.steps

    def __getattr__(self, name):
        return plain(
            getattr(self._case, name.removesuffix("_"))
        )  # ``values_`` is an ingredient, ``values`` a method below

    # -- games, for all agents or for the first one -----------------------------------------------------------------------

    @property
    def gamma(self):
        return float(self.game.discount)

    @property
    def horizon(self):
        return 1 / (1 - self.gamma)

    def joint(self, policy):
        """``π(a|s)``, agent 1 slowest."""
        table = np.ones((self.S, 1))
        for factor in policy:
            table = (table[..., None] * factor).reshape(self.S, -1)
        return table

    def value(self, policy):
        """``V_π``"""
        play, game = self.joint(policy), self.game
        chain = np.array([[play[s] @ game.transition[s][:, t] for t in range(self.S)] for s in range(self.S)])
        return np.linalg.solve(np.eye(self.S) - self.gamma * chain, (play * game.reward).sum(-1))

    def values(self, policy):
        """``(Q^{1:0}, ..., Q^{1:N})``"""
        found = [self.game.reward + self.gamma * self.game.transition @ self.value(policy)]
        for factor in policy[::-1]:
            found.insert(0, (found[0].reshape(factor.shape) * factor).sum(-1))
        return found

    def backup(self, table, policy):
        """``T^{1:1} f`` for a table of the first agent."""
        ahead = (table * policy[0][:, 0]).sum(-1)
        later = self.game.reward + self.gamma * self.game.transition @ ahead
        rest = np.ones((self.S, self.A[0], 1))
        for factor in policy[1:]:
            rest = (rest[..., None] * factor.reshape(self.S, self.A[0], -1, factor.shape[-1])).reshape(
                self.S, self.A[0], -1
            )
        return (later.reshape(rest.shape) * rest).sum(-1)


# --- Appendix C: regret ------------------------------------------------------------


def plays(x):
    """``π_1, ..., π_{K+1}`` of every row, from the uniform one."""
    found, gains, eta = [], x.gains, np.broadcast_to(x.eta, (x.S,))
    for row in range(x.S):
        logits, each = np.zeros(x.A[0]), []
        for k in range(x.K + 1):
            each.append(np.exp(logits) / np.exp(logits).sum())
            if k < x.K:
                logits = logits + eta[row] * gains[row, k]
        found.append(each)
    return np.array(found)


def regret(x):
    return [
        sum((x.comparator[row] - play) @ gain for play, gain in zip(plays(x)[row, : x.K], x.gains[row], strict=True))
        for row in range(x.S)
    ]


def late(x):
    """``Σ_k ⟨π_{k+1} - π_k, f_k⟩``"""
    return ((plays(x)[:, 1:] - plays(x)[:, :-1]) * x.gains).sum((-2, -1))


def earned_later(x):
    return (plays(x)[:, 1:] * x.gains).sum((-2, -1)) + log(x.A[0]) / x.eta


def regularised(x):
    policy = x.comparator
    logs = np.log(np.where(policy > 0, policy, 1))
    return (policy[:, None] * x.gains).sum((-2, -1)) - (policy * logs).sum(-1) / x.eta


def root(x):
    return sqrt(x.K * log(x.A[0]))


REGRET = "Σ_k ⟨π - π_k, f_k⟩"
ROW = f"{REGRET} at any (s, a^{{1:m-1}})"

# --- Theorem 4.5 ------------------------------------------------------------------------------------------------------------


def tables(policy, agents):
    """``π^{1:m}`` over the prefixes, for every m."""
    found = [np.ones(1)]
    for m in range(agents):
        found.append((found[-1][:, None] * policy[m][0]).ravel())
    return found


def run(x):
    """Every update of a run on one state: what Theorem 4.5 counts, by agent."""
    agents, target = len(x.A), x.target
    policy = [np.full((1, int(np.prod(x.A[:m])), size), 1 / size) for m, size in enumerate(x.A)]
    noise = getattr(x._case, "noise", None)
    noise = [0 * f for f in policy] if noise is None else x.noise
    best, updates, logits = x.value(target)[0], [], [0.0] * agents
    for k in range(x.K):
        ahead, behind = tables(target, agents), tables(policy, agents)
        gap, new = best - x.value(policy)[0], []
        for m in range(1, agents + 1):
            old, goal = policy[m - 1][0], target[m - 1][0]
            own = x.values(policy)[m][0].reshape(old.shape)
            error = np.reshape(noise[m - 1], old.shape)
            moved = np.reshape(x.increments[k * agents + m - 1], old.shape)
            follow = old * np.exp(moved)
            follow /= follow.sum(-1, keepdims=True)
            sigma, fit = behind[m - 1][:, None] * old, moved - x.eta * (own + error)
            ratio = np.where(behind[m - 1] > 0, ahead[m - 1] / behind[m - 1], 0)
            logits[m - 1] = logits[m - 1] + moved
            below, above = ((a * a / b).sum() for a, b in zip(ahead[m - 1 : m + 1], behind[m - 1 : m + 1], strict=True))
            e, e_hat = sqrt((sigma * fit**2).sum()), x.eta * sqrt((sigma * error**2).sum())
            tilted = [ratio[:, None] * (a - b) / old for a, b in ((old, follow), (goal, follow))]
            new.append(follow[None])
            updates.append(
                SimpleNamespace(
                    k=k, gap=gap, estimates=own + error, e=e, below=below, above=above,
                    cost=sqrt(2) * (sqrt(above) + sqrt(below)) * (e + e_hat), delta=2 * sqrt(below) * e,
                    chi=sqrt((sigma * tilted[0] ** 2).sum()), sharp=sqrt((sigma * tilted[1] ** 2).sum()),
                    critic=sqrt(max(above - below, 0)) * e_hat, size=x.A[m - 1], norm=sqrt((logits[m - 1] ** 2).sum()),
                    odds=(old[:, None, :] / old[:, :, None]).max(),
                    spread=ahead[m - 1] @ (np.ptp(own + error, axis=-1) ** 2),
                )
            )  # fmt: skip
        policy = new
    return updates


def entropy(x):
    return sum(log(size) for size in x.A)


def gaps(x):
    return x.eta * (1 - x.gamma) * sum(u.gap for u in run(x)) / len(x.A)


def largest_estimate(x):
    return max(abs(u.estimates).max() for u in run(x))


def plus(errors):
    """``Σ_m log|A_m| + (N/2) Σ_k B²/β_k²``, and what each update adds."""

    def bound(x):
        quadratic = len(x.A) / 2 * x.K * (x.eta * largest_estimate(x)) ** 2
        return entropy(x) + quadratic + sum(errors(x, u) for u in run(x))

    return bound


def sharp_errors(x, u):
    return u.e * u.sharp + u.critic


def spread_bound(x):
    return entropy(x) + sum(x.eta**2 * u.spread / 8 + sharp_errors(x, u) for u in run(x))


def known_beta(x):
    logs, agents = entropy(x), len(x.A)
    errors = sum(sharp_errors(x, u) for u in run(x))
    return x.bound * sqrt(2 * agents * logs / x.K) * (1 + errors / (2 * logs))


def odds_cost(x, u):
    most = max(other.odds for other in run(x))
    return u.cost + sqrt((u.size - 1) * most * u.below) * u.e


def parameters_cost(x, u):
    return u.cost + sqrt(max(x.A)) / 2 * exp(max(other.norm for other in run(x))) * u.delta


GAP = "Σ_k (1-γ)(J_* - J_k)/β_k"
LOGS = "Σ_m log|A_m| + (N/2) Σ_k B²/β_k²"
FIT, CRITIC = "Σ ε‖w_{m-1}(π_* - π_{k+1})/π_k‖_{2,σ_k}", "Σ_k,m √((φ^m)² - (φ^{m-1})²) ε̂/β_k"


def exact_updates(x, count):
    """``π_0, ..., π_{count}`` of exact updates on one state, by ``Q^{1:m}/β``."""
    found = [[np.full((1, int(np.prod(x.A[:m])), size), 1 / size) for m, size in enumerate(x.A)]]
    for _ in range(count):
        found.append(improved(x, found[-1]))
    return found


def improved(x, policy):
    new = [f * np.exp(q.reshape(f.shape) / x.beta) for f, q in zip(policy, x.values(policy)[1:], strict=True)]
    return [f / f.sum(-1, keepdims=True) for f in new]


def exact_rate(x):
    first, *_, last = exact_updates(x, x.K + 1)
    grown = max((b - a).max() for a, b in zip(x.values(first)[:-1], x.values(last)[:-1], strict=True))
    visits = 1 / (1 - x.gamma * (x.joint(x.target) @ x.game.transition[0])[0, 0])
    return visits * (x.beta * entropy(x) + len(x.A) * grown)


# --- Appendix B --------------------------------------------------------------------------------------------------------------


def shifted(x):
    """What Lemmas B.4 and B.5 weigh, agent by agent."""
    for m in range(1, len(x.A) + 1):
        ahead, behind = tables(x.target, len(x.A)), tables(x.policy, len(x.A))
        old = x.policy[m - 1][0]
        sigma = behind[m - 1][:, None] * old
        below, above = ((a * a / b).sum() for a, b in zip(ahead[m - 1 : m + 1], behind[m - 1 : m + 1], strict=True))
        parts = {name: np.reshape(getattr(x, name)[m - 1], old.shape) for name in ("error", "noise")}
        change = ahead[m - 1][:, None] * (x.target[m - 1][0] - old)
        seen = ahead[m - 1] > 0
        yield m, SimpleNamespace(
            below=below, above=above, least=old[seen].min(), worst=ahead[m - 1] @ abs(parts["error"]).max(-1),
            inner={name: (change * part).sum() for name, part in parts.items()},
            size={name: sqrt((sigma * part**2).sum()) for name, part in parts.items()},
        )  # fmt: skip


def of_agents(*labels):
    """``{label: formula}`` for every agent; ``{0}`` in a label stands for ``m - 1``, ``{1}`` for ``m``."""

    def found(x):
        return {text.format(m - 1, m): formula(y) for m, y in shifted(x) for text, formula in labels}

    return found


def propagation(y):
    return sqrt(2) * (sqrt(y.above) + sqrt(y.below))


def part_of_b5(letter, part, size):
    return of_agents(
        (f"|({letter})| = |E_* ⟨{part}, π_*^{{1}} - π_k^{{1}}⟩|", lambda y: abs(y.inner[part])),
        (f"√2 (φ^{{1}} + φ^{{0}}) {size}", lambda y: propagation(y) * y.size[part]),
    )


def descent(x):
    """Lemma B.6."""
    moved, ideal = (x.policy * np.exp(u) for u in (x.step, x.values_ / x.beta))
    moved, ideal = moved / moved.sum(), ideal / ideal.sum()
    advantage = x.values_ - x.values_ @ x.policy
    return (
        -np.log(moved / ideal) @ (x.target - x.policy) - advantage @ (x.target - x.policy) / x.beta
        - x.step @ (x.policy - moved) - abs(moved - x.policy).sum() ** 2 / 2
    )  # fmt: skip


def steepest(x):
    return 2 * (2 * x.radius + x.bound / x.beta)


def in_ball(rows, radius):
    size = abs(rows).sum(-1, keepdims=True)
    return radius * np.where(size > 0, rows / np.where(size > 0, size, 1), 0)


def rival_loss(x):
    features, anchor, rival = in_ball(x.features, 1), in_ball(x.anchor, x.radius), in_ball(x.rival, x.radius)
    return x.chances @ ((rival - anchor) @ features.T - x.bound / x.beta * x.share) ** 2


# --- Appendices C and D: samples ------------------------------------------------------------

DELTA = 0.1


def dimension(x):
    return x.S * x.A[0]


def sampled(x):
    """``d log(nLR/δ)/((1-γ)² n)`` with ``L = d/(1-γ)``, ``R = 1``."""
    n, d = x.number, dimension(x)
    return d * log(n * d * x.horizon / DELTA) * x.horizon**2 / n


def unseen(x):
    n, d = x.number, dimension(x)
    return 7 * sqrt((d * log(1 + 2 * d * n) + log(1 / DELTA)) / n) * x.horizon


def residuals(x):
    return [table - x.backup(table, x.policy) for table in x.tables]


def zeta(x):
    return min(abs(r).max() for r in residuals(x)) ** 2


def incomplete(x, norm):
    """``max_f min_f'`` of a norm of ``f' - T f``."""
    return max(min(norm(other - x.backup(table, x.policy)) for other in x.tables) for table in x.tables)


def mean_square(x):
    return lambda table: (x.distribution * table**2).sum()


def sup_square(table):
    return abs(table).max() ** 2


def count_bound(x):
    return log(len(x.tables) / DELTA) * x.horizon**2 / x.number


def near(x):
    own = x.values(x.policy)[1]
    return min(abs(table - own).max() for table in x.tables) ** 2


def error_in_the_limit(x, table):
    backup, norm = x.backup(table, x.policy), mean_square(x)
    return norm(table - backup) - min(norm(other - backup) for other in x.tables)


def in_the_limit(x):
    most = incomplete(x, mean_square(x))
    return [error_in_the_limit(x, table) + most for table in x.tables]


def sampled_loss(x, table, other):
    """``L_D(f', f)``, the mean of ``(f'(s, a^1) - r - γ f(s', π))²``."""
    ahead = np.append((table * x.policy[0][:, 0]).sum(-1), 0)
    target = x.game.reward[..., None] + x.gamma * ahead
    cells = x.sample.reshape(x.S, x.A[0], -1, x.S + 1)
    return (cells * (other[..., None, None] - target.reshape(cells.shape)) ** 2).sum()


def sampled_error(x, table):
    return sampled_loss(x, table, table) - min(sampled_loss(x, table, other) for other in x.tables)


def pessimistic(x):
    """``min_f (f(s_0, π) + λ E(f)) - √ζ_F/(1-γ) - λ ε_r``"""
    errors = [sampled_error(x, table) for table in x.tables]
    believed = [x.start @ (table * x.policy[0][:, 0]).sum(-1) for table in x.tables]
    realistic = int(np.argmin([abs(r).max() for r in residuals(x)]))
    lowest = min(b + x.penalty * e for b, e in zip(believed, errors, strict=True))
    return lowest - sqrt(zeta(x)) * x.horizon - x.penalty * (errors[realistic] + x.slack)


def moment(x):
    return x.time * x.values(x.policy)[-1] + (x.time * x.horizon) ** 2 / 8


def noise(x):
    """The mean square of ``r + γ V(s') - Q^{1:1}(s, a^1)``."""
    target = x.game.reward[..., None] + x.gamma * np.append(x.value(x.policy), 0)
    cells = x.sample.reshape(x.S, x.A[0], -1, x.S + 1)
    return (cells * (target.reshape(cells.shape) - x.values(x.policy)[1][..., None, None]) ** 2).sum()


def estimation(x):
    """One agent, ``δ/2`` for each of two events."""
    n, d, doubt = x.number, dimension(x), log(2 / DELTA)
    allowed = (log(2) / 2 * d + doubt) * x.horizon**2 / n
    left = 7 * sqrt((d * log(1 + 2 * d * n) + doubt) / n) * x.horizon
    mismatch = sqrt((occupancy(x, x.target) ** 2 / x.distribution).sum())
    return mismatch * x.horizon * (sqrt(allowed) + left)


def occupancy(x, policy=None):
    """``(1-γ) Σ_k γ^k Pr(s_k = s, a_k = a)``"""
    policy = x.policy if policy is None else policy
    return (1 - x.gamma) * visits(x, policy)[:, None] * x.joint(policy)


def best_values(x):
    """The largest values of all deterministic policies; one is largest in every state."""
    actions = int(np.prod(x.A))
    plays = (np.eye(actions)[list(chosen)][:, None] for chosen in product(range(actions), repeat=x.S))
    return np.max([x.value([play]) for play in plays], axis=0)


# --- Section 5 -----------------------------------------------------------------------------------------------------------------


def covered(x):
    """``max d_*/μ`` on one state, where ``d_*`` is ``π_*``."""
    return (x.joint(x.target) / x.mu).max()


def data_of(x, m):
    return x.mu.reshape(int(np.prod(x.A[:m])), -1).sum(-1)


def under_data(x):
    """Both sides of Definition 5.4 for every agent, on one state."""
    found = {}
    for m in range(1, len(x.A) + 1):
        above, below = tables(x.target, len(x.A))[m], data_of(x, m)
        play = tables(x.policy, len(x.A))[m]
        reward = x.game.reward[0]
        for later in x.policy[m:][::-1]:
            reward = (reward.reshape(later.shape[1:]) * later[0]).sum(-1)
        table = x.tables[m - 1][0]
        residual = table - reward - x.gamma * (play @ table)
        found[f"‖f - T^{{1:{m}}}_π f‖²_{{2,d_*}}"] = above @ residual**2
        found[f"max d_*/μ · ‖f - T^{{1:{m}}}_π f‖²_{{2,μ}}"] = (above / below).max() * (below @ residual**2)
    return found


def paper_rate(x):
    return 2 * sqrt(2) * x.horizon**2 * sum(sqrt(log(size) / x.K) for size in x.A)


def population_bound(x):
    """The population has neither ``ε_r`` nor ``ε_b``."""
    return paper_rate(x) + covered(x) * x.horizon**2 / (4 * x.penalty)


def apart(x):
    """``γ max P(S|s, a) ‖f - g‖_∞`` for every m, of tables averaged over the later agents."""
    difference, found = x.f - x.g, []
    for factor in [None, *x.policy[::-1]]:
        difference = difference if factor is None else (difference.reshape(factor.shape) * factor).sum(-1)
        found.insert(0, x.gamma * x.game.transition.sum(-1).max() * abs(difference).max())
    return found


# --- Section 4.1 and Appendix E ---------------------------------------------------------------------------------------------


def objective(q, policy, values, beta):
    return q @ values - beta * sum(p * log(p / o) for p, o in zip(q, policy, strict=True) if p > 0)


def ideal(policy, values, beta):
    step = policy * np.exp(values / beta)
    return step / step.sum()


def step_gain(x):
    best = ideal(x.policy, x.values_, x.beta)
    return objective(best, x.policy, x.values_, x.beta) - objective(x.candidate, x.policy, x.values_, x.beta)


def mean_gain(x):
    return sum(
        w * (objective(ideal(p, v, x.beta), p, v, x.beta) - objective(q, p, v, x.beta))
        for w, p, v, q in zip(x.data, x.policy, x.values_, x.candidate, strict=True)
    )


def over_and_under(x, p, q):
    """``Σ π r`` and ``Σ π S``, ``S = 1 - γP``, whose quotient is ``V``: bilinear in ``(p, q)``."""
    play = np.outer([p, 1 - p], [q, 1 - q]).ravel()
    return np.array([play @ x.game.reward[0], play @ (1 - x.gamma * x.game.transition[0, :, 0])])


def ratio(x):
    over, under = over_and_under(x, x.x[0], x.y[0])
    return over / under


def slope(x, which):
    """``∂V/∂x`` or ``∂V/∂y`` by the rule for quotients."""
    p, q = x.x[0], x.y[0]
    over, under = over_and_under(x, p, q)
    ends = ((1, q), (0, q)) if which == 0 else ((p, 1), (p, 0))
    more, less = (over_and_under(x, *end) for end in ends)
    return ((more - less)[0] * under - over * (more - less)[1]) / under**2


def improvement(x):
    p, q = x.x[0], x.y[0]
    return sum(max(-c * d, (1 - c) * d) for c, d in ((p, slope(x, 0)), (q, slope(x, 1))))


# --- Sections 3, 4.1 and Appendix B.3: identities ------------------------------------------------------------


def chain(x, policy):
    return np.einsum("sa,sat->st", x.joint(policy), x.game.transition)


def visits(x, policy):
    """``Σ_k γ^k Pr(s_k = s)`` from the start, which Lemma 4.1 has beside the game."""
    return np.linalg.solve(np.eye(x.S) - x.gamma * chain(x, policy).T, x.start)


def performance(x, policy):
    return x.start @ x.value(policy)


def advantages(x, policy):
    """``A^m(s, a^{1:m-1}, a^m)`` in the shape of the factor, for every m."""
    values = x.values(policy)
    return [q.reshape(f.shape) - v[..., None] for v, q, f in zip(values[:-1], values[1:], policy, strict=True)]


def prefixes(x, policy):
    """``π^{1:m-1}(p|s)`` for every m."""
    found = [np.ones((x.S, 1))]
    for factor in policy:
        found.append((found[-1][..., None] * factor).reshape(x.S, -1))
    return found


def along_target(x, tables, rows):
    """``Σ_m Σ_s d(s) E_{p~π'}`` of ``⟨f^m(s, p, ·), row^m⟩``."""
    ahead = prefixes(x, x.target)
    return sum(
        (visits(x, x.target)[:, None] * p * (f * r).sum(-1)).sum() for p, f, r in zip(ahead, tables, rows, strict=False)
    )


def changes(x):
    return [new - old for new, old in zip(x.target, x.policy, strict=True)]


def joint_advantage(x):
    q = x.values(x.policy)
    return (visits(x, x.target)[:, None] * x.joint(x.target) * (q[-1] - q[0])).sum()


def own_values(x):
    return [q.reshape(f.shape) for q, f in zip(x.values(x.policy)[1:], x.policy, strict=True)]


DIFFERENCE = {
    "J(π') - J(π)": lambda x: performance(x, x.target) - performance(x, x.policy),
    "Σ_s d(s) E_{a~π'} A^{1:N}(s, a)": joint_advantage,
    "Σ_m Σ_s d(s) E_{a^{1:m}~π'} A^m(s, a^{1:m-1}, a^m)": lambda x: along_target(x, advantages(x, x.policy), x.target),
    "Σ_m Σ_s d(s) E_{p~π'} ⟨A^m(s, p, ·), π'^m - π^m⟩": lambda x: along_target(x, advantages(x, x.policy), changes(x)),
    "Σ_m Σ_s d(s) E_{p~π'} ⟨Q^{1:m}(s, p, ·), π'^m - π^m⟩": lambda x: along_target(x, own_values(x), changes(x)),
}


def decomposition(x):
    values, own = x.values(x.policy), advantages(x, x.policy)
    found = {}
    for m in range(1, len(x.A) + 1):
        width = values[m].shape[-1]
        each = [np.repeat(a.reshape(x.S, -1), width // a[0].size, axis=-1) for a in own[:m]]
        found[f"A^{{1:{m}}}(s, a^{{1:{m}}}) = Q^{{1:{m}}} - V"] = values[m] - values[0]
        found[f"Σ_{{i≤{m}}} A^i(s, a^{{1:i-1}}, a^i)"] = sum(each)
    return found


def zero_means(x):
    pairs = enumerate(zip(advantages(x, x.policy), x.policy, strict=True), start=1)
    return {f"Σ_a π^{m}(a|s, p) A^{m}(s, p, a)": (a * f).sum(-1) for m, (a, f) in pairs} | {"0": 0}


def operators(x):
    """``T^{1:m} Q^{1:m} = Q^{1:m}``"""
    values = x.values(x.policy)
    return {f"T^{{1:{m}}} Q^{{1:{m}}}": q for m, q in enumerate(values)} | {
        f"Q^{{1:{m}}}": q for m, q in enumerate(values)
    }


def in_implied_games(x):
    found = {}
    for m, table in enumerate(x.critics, start=1):
        found[f"Q^{{1:{m}}}_π in the game with rewards f^{m} - γ E P f^{m}(·, π)"] = found[f"f^{m}"] = table
    return found


def state_equations(x):
    values, table = x.value(x.policy), x.values(x.policy)[-1]
    paid, ahead = (x.joint(x.policy) * x.game.reward).sum(-1), visits(x, x.policy)
    return {
        "V_π(s)": values,
        "r_π(s) + γ Σ_s' P_π(s, s') V_π(s')": paid + x.gamma * chain(x, x.policy) @ values,
        "Σ_a π(a|s) Q_π(s, a)": (x.joint(x.policy) * table).sum(-1),
        "A_π(s, a)": table - values[:, None],
        "Q_π(s, a) - V_π(s)": table - values[:, None],
        "J_ρ(π) = Σ_s ρ(s) V_π(s)": x.start @ values,
        "Σ_s d(s) r_π(s)": ahead @ paid,
        "d(s)": ahead,
        "ρ(s) + γ Σ_s' d(s') P_π(s', s)": x.start + x.gamma * ahead @ chain(x, x.policy),
        "Σ_{s,a} (1-γ) d(s) π(a|s) r(s, a)": (1 - x.gamma) * ahead @ paid,
        "(1-γ) J_ρ(π)": (1 - x.gamma) * x.start @ values,
    }


def stationary(x):
    """``ν``, by solving ``ν(P - I) = 0`` with ``Σ ν = 1``."""
    system = np.vstack([chain(x, x.policy).T - np.eye(x.S), np.ones(x.S)])
    nu = np.linalg.lstsq(system, np.append(np.zeros(x.S), 1), rcond=None)[0]
    paid = (x.joint(x.policy) * x.game.reward).sum(-1)
    return {
        "Σ_s ν(s) P_π(s, s')": nu, "ν(s')": nu, "Σ_s ν(s)": 1, "Σ_a σ(s, a)": nu, "ν(s)": nu,
        "E_σ r(s, a)": nu @ paid, "E_ν r_π(s)": nu @ paid,
    }  # fmt: skip


def descent_direction(x):
    advantage = x.values_ - x.values_ @ x.policy
    best = ideal(x.policy, x.values_, x.beta)
    slope_of = advantage - x.beta * (np.log(best / x.policy) + 1)
    return {
        "⟨Â, q⟩ - β KL(q‖π_k)": objective(x.candidate, x.policy, advantage, x.beta),
        "F(q) - E_{π_k} Q̂, with F(q) = ⟨Q̂, q⟩ - β KL(q‖π_k) of (3)":
            objective(x.candidate, x.policy, x.values_, x.beta) - x.values_ @ x.policy,
        "∂/∂q(a) [⟨Â, q⟩ - β KL(q‖π_k)] at q = π⁺ of (3)": slope_of,
        "the same at the first action: π⁺ is stationary for (1) on the simplex": slope_of[0],
    }  # fmt: skip


# --- the tables ------------------------------------------------------------

ROWS = mv.Sizes(2, (3,), 2)
RUN = mv.Sizes(1, (2, 2), 2)
SAMPLES = mv.Sizes(2, (2, 2))
B5 = ("|E_* ⟨log(π⁺/π_{{θ_{{k+1}}}}), π_*^{1} - π_k^{1}⟩|", lambda y: abs(y.inner["error"] + y.inner["noise"]))

PRINTED = {
    "section-3.1": (SAMPLES, state_equations),
    "section-3.1/stationary": (SAMPLES, stationary),
    "definition-3.2": (SAMPLES, operators),
    "lemma-4.1": (SAMPLES, DIFFERENCE),
    "lemma-4.1/stationary": (SAMPLES, DIFFERENCE),
    "lemma-b.3": (TWO_BY_THREE, decomposition),
    "lemma-b.3/zero-mean": (SAMPLES, zero_means),
    "equation-1": (mv.Sizes(1, (3,)), descent_direction),
    "lemma-c.3/each-agent": (SAMPLES, in_implied_games),
    "section-e/value": (mv.Sizes(1, (2, 2)), {"V_π": lambda x: x.value(x.policy)[0]}),
    "section-e/constant": (mv.Sizes(1, (2, 2)), {"V(1/2, y)": lambda x: 5 / 11, "5/11": lambda x: 5 / 11}),
    "section-3.1/occupancy": (SAMPLES, {"Σ_{s,a} d_π(s, a)": lambda x: 1, "d_π(s, a)": occupancy}),
    "section-3.1/optimal": (SAMPLES, {"V_π(s)": lambda x: x.value(x.policy), "V_*(s)": best_values}),
    "definition-3.2/lipschitz": (SAMPLES, {"γ max_{s,a} P(S|s, a) · ‖f - g‖_∞": apart}),
    "lemma-c.4": (ROWS, {"Σ_k ⟨π, f_k⟩ - ℒ(π)": regularised, "Σ_k ⟨π_{k+1}, f_k⟩ - ℒ(π_1)": earned_later}),
    "lemma-c.5": (
        ROWS,
        {
            REGRET: regret,
            "Σ_k ⟨π_{k+1} - π_k, f_k⟩ - ℒ(π_1)": lambda x: late(x) + log(3) / x.eta,
            "log|A|/η, the range of the regulariser": lambda x: log(3) / x.eta,
        },
    ),
    "lemma-c.6": (
        mv.Sizes(2, (3,), 4),
        {
            ROW: regret,
            "2√2 √(K log|A|) B": lambda x: 2 * sqrt(2) * root(x) * x.bound,
            "E_{(s,a^{1:m-1}) ~ μ} Σ_k ⟨π - π_k, f_k⟩": lambda x: x.weights @ regret(x),
            "17√2/16 √(K log|A|) B": lambda x: 17 * sqrt(2) / 16 * root(x) * x.bound,
        },
    ),
    "lemma-c.6/route": (
        mv.Sizes(2, (3,), 4),
        {
            "‖π_{k+1} - π_k‖₁": lambda x: abs(plays(x)[:, 1:] - plays(x)[:, :-1]).sum(-1),
            "2ηB": lambda x: 2 * x.eta * x.bound,
            ROW: regret,
            "2ηKB² + log|A|/η": lambda x: 2 * x.eta * x.K * x.bound**2 + log(3) / x.eta,
        },
    ),
    "lemma-c.6/constant": (
        mv.Sizes(2, (3,), 4),
        {REGRET: regret, "17√2/16 √(K log|A|) B": lambda x: 17 * sqrt(2) / 16 * root(x) * x.bound},
    ),
    "lemma-c.6/best-step": (mv.Sizes(2, (3,), 4), {"√(K log|A|/2) B": lambda x: root(x) / sqrt(2) * x.bound}),
    "lemma-c.6/sharp": (
        ROWS,
        {REGRET: regret, "log|A|/η + ηKB²/8": lambda x: log(3) / x.eta + x.eta * x.K * x.bound**2 / 8},
    ),
    "theorem-4.5/repaired": (RUN, {GAP: gaps, f"{LOGS} + Σ (Δ + ε χ)": plus(lambda x, u: u.cost + u.e * u.chi)}),
    "theorem-4.5/repaired-sharp": (RUN, {GAP: gaps, f"{LOGS} + {FIT} + {CRITIC}": plus(sharp_errors)}),
    "theorem-4.5/spread": (
        RUN, {GAP: gaps, f"Σ_m log|A_m| + ⅛ Σ_{{k,m}} E_*(osc Q̂)²/β_k² + {FIT} + {CRITIC}": spread_bound},
    ),
    "theorem-4.5/known-beta": (RUN, {"B √(2NL/K) (1 + E/(2L))": known_beta}),
    "theorem-4.5/bounded-odds": (RUN, {GAP: gaps, f"{LOGS} + Σ (Δ + √((|A_m| - 1) O) φ^{{m-1}} ε)": plus(odds_cost)}),
    "theorem-4.5/bounded-parameters": (
        RUN, {GAP: gaps, "Σ_m log|A_m| + Σ (Δ + ½ √|A| e^R δ) + (N/2) Σ_k B²/β_k²": plus(parameters_cost)},
    ),
    "theorem-4.5/bounded-steps": (RUN, {GAP: gaps, f"{LOGS} + Σ (Δ + δ)": plus(lambda x, u: u.cost + u.delta)}),
    "theorem-4.5/sharp-is-tight": (
        mv.Sizes(1, (2,), 4),
        {
            "Σ_m log|A_m| + Σ_{k,m} ε‖w_{m-1}(π_*^m - π_{k+1}^m)/π_k^m‖_{2,σ_k} + (N/2) Σ_k B²/β_k²":
                lambda x: 2 * log(2) + sqrt(2 * log(2) * x.K),
            "(1 + 6/(5√K)) Σ_k (1-γ)(J_* - J_k)/β_k": lambda x: (1 + 6 / (5 * sqrt(x.K))) * sqrt(2 * log(2) * x.K),
        },
    ),
    "theorem-4.5/fit-is-tight": (
        mv.Sizes(1, (2,), 4),
        {
            "Σ_m log|A_m| + Σ_{k,m} ε‖w_{m-1}(π_*^m - π_{k+1}^m)/π_k^m‖_{2,σ_k} + (N/2) Σ_k B²/β_k²":
                lambda x: log(2) + 4 * x.scale / x.beta + 2 * (x.scale / x.beta) ** 2,
            "Σ_k (1-γ)(J_* - J_k)/β_k + 18/25 + ½ Σ_k (ηc)²":
                lambda x: 4 * x.scale / x.beta + 0.72 + 2 * (x.scale / x.beta) ** 2,
        },
    ),
    "theorem-4.5/critic-is-tight": (
        mv.Sizes(1, (2,), 4),
        {
            "Σ_m log|A_m| + Σ_{k,m} √((φ^m)² - (φ^{m-1})²) ε̂/β_k": lambda x: log(2) + 4 * x.scale / x.beta,
            "Σ_k (1-γ)(J_* - J_k)/β_k + 18/25": lambda x: 4 * x.scale / x.beta + 0.72,
        },
    ),
    "theorem-4.5/entropy-is-tight": (
        mv.Sizes(1, (2,), 4),
        {
            GAP: lambda x: sum(1 / (1 + exp(k / x.beta)) for k in range(4)) / x.beta,
            "repaired-sharp's bound - ½ Σ_k η² - log(1/π_K(a_*))": lambda x: log(2) - log(1 + exp(-4 / x.beta)),
        },
    ),
    "theorem-4.5/square-is-tight": (
        PAIR,
        {
            "KL(π_*‖π_0) + ⅛ (η osc Q̂)² - η (J_* - J_0)":
                lambda x: x.size * tanh(x.size) - log(cosh(x.size)) + x.size**2 / 2 - x.size * tanh(x.size),
            "x⁴/12": lambda x: x.size**4 / 12,
        },
    ),
    "monotone-improvement": (
        TWO_BY_THREE,
        {
            "V_{π_{k+1}}(s)": lambda x: x.value(improved(x, x.policy)),
            "V_{π_k}(s)": lambda x: x.value(x.policy),
        },
    ),
    "theorem-4.5/exact-rate": (
        mv.Sizes(1, (2, 2), 2),
        {
            "(K+1)(V_*(s) - V_{π_K}(s))": lambda x: (x.K + 1) * (x.value(x.target) - x.value(exact_updates(x, x.K)[-1])),
            "H_*(s) [β Σ_m log|A_m| + N D], D = max_{m,s',p} [Q_{K+1}^{1:m-1}(s', p) - Q_0^{1:m-1}(s', p)]": exact_rate,
        },
    ),
    "theorem-4.5/exact-rate-in-rewards": (
        mv.Sizes(1, (2, 2), 2),
        {
            "V_*(s) - V_{π_K}(s)": lambda x: x.value(x.target) - x.value(exact_updates(x, x.K)[-1]),
            "H_*(s) [β Σ_m log|A_m| + N D]/(K+1)": lambda x: exact_rate(x) / (x.K + 1),
            "[β Σ_m log|A_m| + N R/(1-γ)]/((1-γ)(K+1))":
                lambda x: (x.beta * entropy(x) + 2 * np.ptp(x.game.reward) * x.horizon) * x.horizon / (x.K + 1),
        },
    ),
    "theorem-4.5/exact-rate-without-discount": (
        mv.Sizes(1, (2, 2), 2),
        {"H_*(s) [β Σ_m log|A_m| + N D], D = max_{m,s',p} [Q_{K+1}^{1:m-1}(s', p) - Q_0^{1:m-1}(s', p)]": exact_rate},
    ),
    "section-4.3/shared-parameters": (
        mv.Sizes(1, (2,), 3),
        {
            "J of the shared policy (p, 1-p), N = 6": lambda x: 2 * (x.share * (1 - x.share)) ** 3,
            "2/2^N · J_*, J_* = 1": lambda x: 2 / 2**6,
        },
    ),
    "definition-5.4": (TWO_BY_THREE, under_data),
    "theorem-5.5/repaired": (
        mv.Sizes(1, (2, 2), 3),
        {
            "2√2/(1-γ)² Σ_m √(log|A_m|/K) + C ε_b/(1-γ) + C²/(4λ(1-γ)²) + max_k λE(Q_{π_k})": population_bound,
        },
    ),
    "lemma-b.1/expectation": (
        mv.Sizes(2, (2,), 4), {"GR/√T": lambda x: sqrt((x.slopes**2).sum(-1).max() / x.K)},
    ),
    "lemma-b.2/gradient-bound": (mv.Sizes(1, (3,)), {"(2(2R + B/β))²": lambda x: steepest(x) ** 2}),
    "lemma-b.2/rate": (
        mv.Sizes(2, (2,), 4),
        {
            "GR/√T": lambda x: steepest(x) * x.radius / sqrt(x.K),
            "√L(u) + √(GR) T^{-1/4}": lambda x: sqrt(rival_loss(x)) + sqrt(steepest(x) * x.radius) / x.K**0.25,
        },
    ),
    "lemma-b.4/repaired": (
        TWO_BY_THREE,
        of_agents(
            ("(E_{{ν_*,π_*}} ‖(θ_{{k+1}} - θ_k)ᵀφ - Q̂/β_k‖_∞)², m = {1}", lambda y: y.worst**2),
            ("(φ^{0} ε)² / min π_k^{1}", lambda y: y.below * y.size["error"] ** 2 / y.least),
        ),
    ),
    "lemma-b.5": (
        TWO_BY_THREE,
        of_agents(
            B5,
            ("√2 (φ^{1} + φ^{0}) (ε + ε̂/β_k)", lambda y: propagation(y) * (y.size["error"] + y.size["noise"])),
        ),
    ),
    "lemma-b.5/a": (TWO_BY_THREE, part_of_b5("a", "error", "ε")),
    "lemma-b.5/b": (TWO_BY_THREE, part_of_b5("b", "noise", "ε̂/β_k")),
    "lemma-b.5/sharp": (
        TWO_BY_THREE,
        of_agents(
            ("(a)² = (E_* ⟨error, π_*^{1} - π_k^{1}⟩)²", lambda y: y.inner["error"] ** 2),
            ("((φ^{1})² - (φ^{0})²) ε²", lambda y: (y.above - y.below) * y.size["error"] ** 2),
            ("(b)² = (E_* ⟨noise, π_*^{1} - π_k^{1}⟩)²", lambda y: y.inner["noise"] ** 2),
            ("((φ^{1})² - (φ^{0})²) (ε̂/β_k)²", lambda y: (y.above - y.below) * y.size["noise"] ** 2),
        ),
    ),
    "lemma-b.6": (
        mv.Sizes(1, (3,)),
        {"the same with -½‖π_{k+1} - π_k‖₁² in place of -KL(π_{k+1}‖π_k)": descent},
    ),
    "lemma-c.1": (SAMPLES, {"d log(nLR/δ)/((1-γ)² n)": sampled}),
    "lemma-c.1/explicit": (
        SAMPLES,
        {
            "((log 2/2) d + log(1/δ))/((1-γ)² n)":
                lambda x: (log(2) / 2 * dimension(x) + log(10)) * x.horizon**2 / x.number,
        },
    ),
    "lemma-c.1/projection": (SAMPLES, {"‖ξ‖²_D": noise}),
    "lemma-c.3/reward-error-repaired": (TWO_BY_THREE, {"ε_r + 1/((1-γ)λ)": lambda x: x.horizon / x.penalty}),
    "lemma-c.3/reward-error-half": (TWO_BY_THREE, {"1/(2(1-γ)λ)": lambda x: x.horizon / (2 * x.penalty)}),
    "lemma-c.3/reward-error-attained": (PAIR, {"1/(2(1-γ)λ)": lambda x: x.horizon / (2 * x.penalty)}),
    "theorem-5.5/probability": (mv.Sizes(2, (2,)), {"C √ε_r/(1-γ) + C ε_b/(1-γ)": estimation}),
    "lemma-c.1/moment": (SAMPLES, {"t Q_π(s, a) + t²/(8(1-γ)²)": moment}),
    "lemma-c.2/explicit": (SAMPLES, {"7 √((d log(1 + 2Ln(1-γ)) + log(1/δ))/n)/(1-γ)": unseen}),
    "lemma-c.2/complete": (SAMPLES, {"√(d log(nLR/δ)/((1-γ)² n))": lambda x: sqrt(sampled(x))}),
    "assumption-d.1": (SAMPLES, {"1/(1-γ)": lambda x: x.horizon}),
    "assumption-d.2": (
        SAMPLES,
        {
            "(1-γ)² min_f ‖f - Q_π‖²_∞": lambda x: (1 - x.gamma) ** 2 * near(x),
            "ζ_F": zeta,
            "(1+γ)² min_f ‖f - Q_π‖²_∞": lambda x: (1 + x.gamma) ** 2 * near(x),
        },
    ),
    "assumption-d.3": (
        SAMPLES,
        {
            "ζ_FF": lambda x: incomplete(x, mean_square(x)),
            "max_f min_f' ‖f' - T f‖²_∞": lambda x: incomplete(x, sup_square),
            "(1+γ)²/(1-γ)² max_f min_f' ‖f' - T f‖²_∞":
                lambda x: ((1 + x.gamma) * x.horizon) ** 2 * incomplete(x, sup_square),
        },
    ),
    "lemma-d.4": (
        SAMPLES, {"(17/3) log(|F|/δ)/((1-γ)² n) + 2 ζ_F": lambda x: 17 / 3 * count_bound(x) + 2 * zeta(x)},
    ),
    "lemma-d.4/population": (SAMPLES, {"ζ_F = max (f_π - T f_π)²": zeta}),
    "lemma-d.5": (
        SAMPLES,
        {
            "4 √(log(|F|/δ)/n)/(1-γ) + √ζ_FF":
                lambda x: 4 * sqrt(count_bound(x)) + sqrt(incomplete(x, mean_square(x))),
        },
    ),
    "lemma-d.5/population": (SAMPLES, {"E(f) + ζ_FF": in_the_limit}),
    "lemma-d.6": (SAMPLES, {"min_f (f(s_0, π) + λ E(f)) - √ζ_F/(1-γ) - λ ε_r": pessimistic}),
    "proposition-4.2/averaged": (mv.Sizes(2, (3,)), {"F̄(π⁺) - F̄(q), averaged over σ_k": mean_gain}),
    "proposition-4.2": (mv.Sizes(1, (3,)), {"F(π⁺) - F(q)": step_gain}),
    "proposition-4.2/solver": (mv.Sizes(1, (3,)), {"β/10⁶": lambda x: x.beta / 1e6}),
    "section-e/slope": (mv.Sizes(1, (2, 2)), {"∂V/∂x - 1/20": lambda x: slope(x, 0) - 1 / 20}),
    "section-e/global-maximum": (mv.Sizes(1, (2, 2)), {"1 - V(x, y)": lambda x: 1 - ratio(x)}),
    "section-e/constrained-stationary": (
        mv.Sizes(1, (2, 2)),
        {
            "max_{x', y'} ⟨∇V(x, y), (x' - x, y' - y)⟩": improvement,
            "((1-x) + (1-y))/100": lambda x: (2 - x.x[0] - x.y[0]) / 100,
        },
    ),
}  # fmt: skip

ELSEWHERE = {
    "definition-4.4": "test_every_agent.py",
    "theorem-5.5/repaired-sample": "test_proofs_of_section_5.py",
    "theorem-5.5/every-length": "test_proofs_of_section_5.py",
    "theorem-5.5/one-agent-every-penalty": "test_proofs_of_section_5.py",
    "theorem-5.5/two-agents-every-penalty": "test_proofs_of_section_5.py",
    "lemma-c.7": "test_proofs_of_section_5.py",
    "lemma-c.7/all-weights": "test_proofs_of_section_5.py",
    "theorem-d.7/repaired": "test_proofs_of_section_5.py",
}
"""Which file of tests looks at the other inequalities: each line is proved to be an identity or one axiom, no more."""


SQUARE = mv.Sizes(1, (2, 2))
FOUR = mv.Sizes(1, (2,), 4)


def under(x):
    """``xᵀSy``"""
    return over_and_under(x, x.x[0], x.y[0])[1]


def negentropy(p):
    return (p * np.log(np.where(p > 0, p, 1))).sum(-1)


def long_run_of_target(x):
    nu = stationary(SimpleNamespace(_case=x._case, A=x.A, S=x.S, K=x.K, game=x.game, joint=x.joint, policy=x.target))
    return nu["ν(s')"]


def partition(x):
    """``β log Σ_a π_k(a) exp(Q̂(a)/β)``"""
    return x.beta * log(x.policy @ np.exp(x.values_ / x.beta))


def divergences(x):
    """``KL(π_k‖π_{k+1})``"""
    old, new = plays(x)[:, :-1], plays(x)[:, 1:]
    return (old * np.log(old / new)).sum(-1)


def moved(x):
    return plays(x)[:, 1:] - plays(x)[:, :-1]


def quadratic(x):
    """Appendix C.1 without constraints, by pseudo-inverses: ``Σ``, ``A``, ``b``, ``w⁺ = M⁺p``, ``v = p - Mw⁺``."""
    weighed = x.points.T * x.data
    gram, change, paid = weighed @ x.points, weighed @ (x.points - x.following), weighed @ x.rewards
    inverse = np.linalg.pinv(gram, rcond=1e-9)

    def error(w):
        return (change @ w - paid) @ inverse @ (change @ w - paid)

    def objective(w):
        return x.direction @ w + x.penalty * error(w)

    form = x.penalty * change.T @ inverse @ change
    slope_of = x.penalty * change.T @ inverse @ paid - x.direction / 2
    best = np.linalg.pinv(form, rcond=1e-9) @ slope_of
    beyond, moved_by = slope_of - form @ best, x.weights - best
    rise = objective(x.weights) - objective(best)
    return {
        "L(w, w) - min_{w'} L(w', w)": error(x.weights),
        "‖w - w°‖²_Σ, w° the least-squares fit of r + γ f(s', π)": error(x.weights),
        "(Aw - b)ᵀ Σ⁺ (Aw - b)": error(x.weights),
        "Mw⁺ - p, where cᵀw + λE(w) = wᵀMw - 2pᵀw + k": form @ best - slope_of,
        "-v, v the part of p outside the range of M": -beyond,
        "objective(w⁺ + v) - objective(w⁺)": objective(best + beyond) - objective(best),
        "-2‖v‖²": -2 * beyond @ beyond,
        "objective(w) - objective(w⁺)": rise,
        "(w - w⁺)ᵀM(w - w⁺) - 2⟨v, w - w⁺⟩": moved_by @ form @ moved_by - 2 * beyond @ moved_by,
        "-2⟨v, w - w⁺⟩, which is 0 where the objective is bounded below": -2 * beyond @ moved_by,
    }


def marginals(x, table):
    """The means of a table of all agents over the later ones, for every m."""
    found = [table]
    for factor in x.policy[::-1]:
        found.insert(0, (found[0].reshape(factor.shape) * factor).sum(-1))
    return found


def readings(x):
    values = x.values(x.policy)
    flat, weighed = np.hstack(values), np.hstack([p * q for p, q in zip(prefixes(x, x.policy), values, strict=True)])
    return {
        "Q^{1:m}(s, a^{1:m}) = Σ_{a^{m+1:N}} Π_{j>m} π^j(a^j|s, a^{1:j-1}) Q_π(s, a), for every m": flat,
        "Q^{1:m} by averaging agents N, ..., m+1 out one by one": flat,
        "T^{1:m} Q^{1:m}": flat,
        "action values of the game in which agents move one after the other": flat,
        "π(a^{1:m}|s) Q^{1:m}(s, a^{1:m})": weighed,
        "Σ_{a^{m+1:N}} π(a|s) Q_π(s, a), which is π(a^{1:m}|s) E[Q_π | a^{1:m}]": weighed,
    }


def solutions(x):
    values = dict(enumerate(x.values(x.policy)))
    return {f"the solution of f = T^{{1:{m}}} f": q for m, q in values.items()} | {
        f"Q^{{1:{m}}}": q for m, q in values.items()
    }


def factors_in_sequence(x):
    """``E_{p~π'} ⟨A^m(s, p, ·), π'^m - π^m⟩`` for every m and s."""
    each = zip(prefixes(x, x.target), advantages(x, x.policy), changes(x), strict=False)
    found = [(p * (a * change).sum(-1)).sum(-1) for p, a, change in each]
    return dict.fromkeys(
        [
            "E_{a~π}[(π'^m/π^m - 1) M^m A_π(s, a)], M^m = π'^{1:m-1}/π^{1:m-1}",
            "E_{p~π'^{1:m-1}} ⟨Q^{1:m}(s, p, ·) - V(s), π'^m - π^m⟩",
            "E_{p~π'^{1:m-1}} ⟨A^m(s, p, ·), π'^m - π^m⟩",
            "E_{p~π'^{1:m-1}, a^m~π'^m} A^m(s, p, a^m)",
        ],
        found,
    )


def of_joint_critic(x):
    found = {}
    for m, table in list(enumerate(marginals(x, x.critic)))[1:]:
        found[f"Q^{{1:{m}}}_π in the game with rewards f - γ P f(·, π)"] = found[f"E_{{π^{{{m + 1}:N}}}} f"] = table
    return found


def penalties(x):
    """Two terms, ``C²H²/(4λ)`` and ``λε_r``, at three choices of ``λ``."""
    covered_by, horizon, e, root_of_error = x.reach, x.horizon, x.small, x.small * x.half
    return {
        "C²H²/(4λ) + λε_r at λ = CH/(2√ε_r), ε_r = (e h)²": covered_by * horizon * root_of_error,
        "CH√ε_r": covered_by * horizon * root_of_error,
        "C²H²/(4λ) + λε_r at λ = H/(2√ε_r)": (covered_by**2 + 1) / 2 * horizon * root_of_error,
        "½(C² + 1)H√ε_r": (covered_by**2 + 1) / 2 * horizon * root_of_error,
        "C²H²/(4λ) + λε_r at λ = Hε_r^{-2/3}, ε_r = e³": horizon * e + covered_by**2 * horizon * e**2 / 4,
        "Hε_r^{1/3}(1 + C²ε_r^{1/3}/4)": horizon * e + covered_by**2 * horizon * e**2 / 4,
    }


TIGHT = {
    "log 2 + Σ_k ηc + ½ Σ_k (ηc)²": lambda x: log(2) + 4 * x.scale / x.beta + 2 * (x.scale / x.beta) ** 2,
    "Σ_k (1-γ)(J_* - J_k)/β_k + log 2 + ½ Σ_k (ηc)²":
        lambda x: 4 * x.scale / x.beta + log(2) + 2 * (x.scale / x.beta) ** 2,
}  # fmt: skip
BETWEEN = {
    "definition-3.1": (SAMPLES, readings),
    "definition-3.2/uniqueness": (SAMPLES, solutions),
    "lemma-4.1/sequential-factor": (SAMPLES, factors_in_sequence),
    "lemma-c.3/marginals": (SAMPLES, of_joint_critic),
    "theorem-5.5/penalty": (mv.Sizes(1, (1,)), penalties),
    "proposition-4.2/support": (
        mv.Sizes(1, (4,)),
        {
            "F(π⁺) - F(q), q on the support of π_k": step_gain,
            "β KL(q‖π⁺)": step_gain,
        },
    ),
    "section-3.1/optimal": (
        SAMPLES,
        {
            "max_a [r(s, a) + γ Σ_s' P(s'|s, a) V_*(s')]": best_values,
            "V_{π_*}(s), π_* the policy that was returned": best_values,
        },
    ),
    "equation-1/realizable-fit": (
        mv.Sizes(1, (3,)),
        {
            "θ_{k+1} - θ_k of (4)": lambda x: x.targets,
            "w, where Q̂/β = φᵀw": lambda x: x.targets,
            "π_{θ_{k+1}} ∝ π_k exp(φᵀ(θ_{k+1} - θ_k))": lambda x: ideal(x.policy, x.features @ x.targets, 1),
            "π⁺ ∝ π_k exp(Q̂/β) of (3)": lambda x: ideal(x.policy, x.features @ x.targets, 1),
        },
    ),
    "lemma-4.1/stationary": (
        SAMPLES,
        {
            "Σ_s' ν'(s') P_π'(s', s)": long_run_of_target,
            "ν'(s)": long_run_of_target,
            "visits of π' from ν'": lambda x: long_run_of_target(x) * x.horizon,
            "ν'/(1-γ)": lambda x: long_run_of_target(x) * x.horizon,
        },
    ),
    "proposition-4.2": (
        mv.Sizes(1, (3,)),
        {
            "β KL(q‖π⁺)": step_gain,
            "F(π⁺)": partition,
            "β log Σ_a π_k(a) exp(Q̂(a)/β)": partition,
            "∂F/∂q(a) at π⁺": lambda x: partition(x) - x.beta,
            "β log Z - β, the multiplier of Σ_a q(a) = 1, for every a": lambda x: partition(x) - x.beta,
            "Σ_a π⁺(a)": lambda x: 1,
        },
    ),
    "proposition-4.2/averaged": (mv.Sizes(2, (3,)), {"β E_{σ_k} KL(q‖π⁺)": mean_gain}),
    "theorem-4.5/sharp-is-tight": (
        FOUR,
        {
            "log 2 + Kηc + ½ K (ηc)², ηc = √(2 log 2/K)": lambda x: 2 * log(2) + sqrt(2 * log(2) * 4),
            "(1 + √(2 log 2/K)) Σ_k (1-γ)(J_* - J_k)/β_k": lambda x: (1 + sqrt(log(2) / 2)) * sqrt(8 * log(2)),
        },
    ),
    "theorem-4.5/fit-is-tight": (FOUR, TIGHT),
    "theorem-4.5/critic-is-tight": (
        FOUR,
        {
            "log 2 + Σ_k ηc": lambda x: log(2) + 4 * x.scale / x.beta,
            "Σ_k (1-γ)(J_* - J_k)/β_k + log 2": lambda x: log(2) + 4 * x.scale / x.beta,
        },
    ),
    "theorem-4.5/square-is-tight": (PAIR, {"½ x² - log cosh x": lambda x: x.size**2 / 2 - log(cosh(x.size))}),
    "section-4.3/shared-parameters": (
        mv.Sizes(1, (2,), 3),
        {
            "2 (p(1-p))^{N/2}": lambda x: 2 * (x.share * (1 - x.share)) ** 3,
            "J of the shared policy (1/2, 1/2)": lambda x: 1 / 32,
            "2/2^N · J_*": lambda x: 1 / 32,
        },
    ),
    "lemma-c.5": (
        ROWS,
        {
            "Σ_k ⟨π_{k+1} - π_k, f_k⟩ + ℒ(π) - ℒ(π_1) - [KL(π‖π_{K+1}) + Σ_k KL(π_{k+1}‖π_k)]/η": regret,
            "Σ_k ⟨π_{k+1} - π_k, f_k⟩ + ℒ(π) - ℒ(π_1)":
                lambda x: late(x) + (negentropy(x.comparator) + log(3)) / x.eta,
            "-ℒ(π_1)": lambda x: log(3) / x.eta,
        },
    ),
    "lemma-c.6": (mv.Sizes(2, (3,), 4), {"log|A|/η + ηKB²/8": lambda x: 17 * sqrt(2) / 16 * root(x) * x.bound}),
    "lemma-c.6/constant": (mv.Sizes(2, (3,), 4), {"log|A|/η + ηKB²/8": lambda x: 17 * sqrt(2) / 16 * root(x) * x.bound}),
    "lemma-c.6/best-step": (mv.Sizes(2, (3,), 4), {"log|A|/η + ηKB²/8": lambda x: root(x) / sqrt(2) * x.bound}),
    "lemma-c.6/route": (
        mv.Sizes(2, (3,), 4),
        {
            "√(2 KL(π_k‖π_{k+1}))": lambda x: np.sqrt(2 * divergences(x)),
            "√(2η ⟨π_{k+1} - π_k, f_k⟩)": lambda x: np.sqrt(2 * x.eta * (moved(x) * x.gains).sum(-1)),
            "√(2ηB ‖π_{k+1} - π_k‖₁)": lambda x: np.sqrt(2 * x.eta * x.bound * abs(moved(x)).sum(-1)),
            "Σ_k ⟨π_{k+1} - π_k, f_k⟩ + log|A|/η": lambda x: late(x) + log(3) / x.eta,
        },
    ),
    "section-c.1/unconstrained": (mv.Sizes(3, (1,)), quadratic),
    "lemma-d.5/population": (
        SAMPLES,
        {
            "‖f - T f‖²_{2,μ}": lambda x: [mean_square(x)(r) for r in residuals(x)],
            "L(f, f) - L(T f, f)": lambda x: [mean_square(x)(r) for r in residuals(x)],
            "E(f) + min_f' L(f', f) - L(T f, f)": lambda x: [mean_square(x)(r) for r in residuals(x)],
        },
    ),
    "section-e/value": (
        SQUARE, {"Σ_a π(a) r(a) / Σ_a π(a) S(a), S(a) = 1 - γP(s|s, a)": lambda x: x.value(x.policy)[0]},
    ),
    "section-e/stationary-point": (
        SQUARE,
        {
            "20 (xᵀSy)² ∂V/∂x": lambda x: 20 * under(x) ** 2 * slope(x, 0),
            "1 + 11y, which vanishes at y = -1/11 only": lambda x: 1 + 11 * x.y[0],
            "(xᵀSy) ∂V/∂y": lambda x: under(x) * slope(x, 1),
            "x - 1/2, which vanishes at x = 1/2 only": lambda x: x.x[0] - 1 / 2,
        },
    ),
    "section-e/slope": (
        SQUARE,
        {
            "[11y/20 + 9(1-x)(11 + 9x)/2000] / (xᵀSy)²":
                lambda x: (11 * x.y[0] / 20 + 9 * (1 - x.x[0]) * (11 + 9 * x.x[0]) / 2000) / under(x) ** 2,
        },
    ),
    "section-e/global-maximum": (
        SQUARE,
        {
            "[(1-x)/10 + (1-x)y/2 + x(1-y)/2] / xᵀSy, which is 0 only if x = y = 1": lambda x: (
                (1 - x.x[0]) / 10 + (1 - x.x[0]) * x.y[0] / 2 + x.x[0] * (1 - x.y[0]) / 2
            ) / under(x),
        },
    ),
}  # fmt: skip
"""Lines between the first and the last of a statement, too: an equality holds under any label."""


@pytest.mark.parametrize("identity", BETWEEN)
def test_under_labels_in_between_stands_what_they_say(identity):
    stands_what_they_say(identity, *BETWEEN[identity])


def test_no_inequality_is_left_out():
    stated = {
        c.id for c in CLAIMS if set("≤≥") & set(c.statement.replace("i≤m", "")) and c.record is not mv.Standing.REFUTED
    }
    assert stated <= PRINTED.keys() | ELSEWHERE.keys()
    for identity, name in ELSEWHERE.items():
        assert f'"{identity}"' in (Path(__file__).parent / name).read_text(encoding="utf-8")


def computed(identity, sizes):
    """Two instances that meet the hypotheses, one of a run: what a formula reads, and the values under each label."""
    claim, found = find(identity), []
    drawn = draw(claim.setting, sizes, 60, np.random.default_rng(5))
    for index in range(60):
        coordinates = instance(drawn, index)
        evidence = certify(claim, partial(claim.setting.case, coordinates, sizes))
        if evidence.verdict is not mv.Verdict.NOT_APPLICABLE:
            assert evidence.broken is None or claim.experiment is not None, evidence.broken
            values = {}
            for line in evidence.lines:
                values.setdefault(line.expression, []).append(floats_of(np.asarray(line.value)))
            found.append((Instance(claim.setting.case(coordinates, sizes, System.BALLS), sizes), values))
        if len(found) == (2 if sizes.steps == 1 else 1):
            return found
    raise AssertionError(f"{identity}: {len(found)} of 60 instances meet the hypotheses")


@pytest.mark.parametrize("identity", PRINTED)
def test_under_a_label_stands_what_it_says(identity):
    stands_what_they_say(identity, *PRINTED[identity])


def stands_what_they_say(identity, sizes, formulas):
    for x, values in computed(identity, sizes):
        wanted = formulas(x) if callable(formulas) else {label: formula(x) for label, formula in formulas.items()}
        for label, value in wanted.items():
            assert label in values, (label, list(values))
            np.testing.assert_allclose(
                np.array(values[label]),
                np.broadcast_to(value, np.shape(values[label])),
                rtol=1e-9,
                atol=1e-9,
                err_msg=label,
            )


# --- hypotheses ------------------------------------------------------------

TINY = 1e-9
"""What is drawn are small fractions: a rest that is not 0 is far larger."""


def reached(moves):
    """Which state can be reached from which, in any number of steps."""
    return np.linalg.matrix_power(np.eye(len(moves)) + (moves > 0), len(moves)) > 0


def invertible(x, policy):
    """``I - γP_π``: γ < 1, or from every state a play may end."""
    moves = chain(x, policy)
    return x.gamma < 1 or (reached(moves) & (moves.sum(-1) < 1 - 1e-12)).any(-1).all()


def lasting(x, policy):
    """Which states are reached from everywhere: if there is one, they are all that a play without end goes on to see."""
    return reached(chain(x, policy)).all(0)


def one_class(x, policy):
    """One stationary distribution."""
    return lasting(x, policy).any()


def dominated(x):
    """In the long run ``π_*`` does nothing that ``π_k`` never does."""
    ahead, behind = (lasting(x, policy)[:, None] & (x.joint(policy) > 0) for policy in (x.target, x.policy))
    return not (ahead & ~behind).any()


def even(x):
    """Every policy of full support goes where this one does."""
    return [np.full((x.S, int(np.prod(x.A[:m])), size), 1 / size) for m, size in enumerate(x.A)]


def linear(x, tables):
    """Whether weights of the features give these tables."""
    fits = (x.features @ np.linalg.lstsq(x.features, table.ravel(), rcond=None)[0] for table in tables)
    return all(abs(fit - table.ravel()).max() < TINY for fit, table in zip(fits, tables, strict=True))


def complete(x):
    """``f ↦ T f`` is affine, so it is enough to look at 0 and at every feature."""
    return linear(x, [x.backup(f.reshape(x.S, x.A[0]), x.policy) for f in [0 * x.features[:, 0], *x.features.T]])


def lowest(x):
    """The table that minimises ``f(s_0, π) + λE(f)`` with ``E(f) = ‖f - T f‖²_μ``, from its gradient: it is 0."""
    play, pairs = x.joint(x.policy), x.game.reward.size
    ahead = np.einsum("sat,tb->satb", x.game.transition, play).reshape(pairs, pairs)
    change, first = np.eye(pairs) - x.gamma * ahead, (x.game.start[:, None] * play).ravel()
    weighed = change.T * x.data.ravel()
    return np.linalg.solve(2 * x.penalty * weighed @ change, 2 * x.penalty * weighed @ x.game.reward.ravel() - first)


def pessimism_of(x):
    """``J_k + λE(Q_{π_k}) - f_k(s_0, π_k) - λE(f_k)`` for every k; ``E(f)`` is ``‖f - T f‖²``, ``T`` that of the data."""
    if hasattr(x._case, "seen"):
        data = x.seen.reshape(x.S, -1, x.S + 1)
    else:
        data = x.data[..., None] * np.append(x.game.transition, np.zeros((*x.data.shape, 1)), -1)

    def objective(table, policy):
        ahead = np.append((table * x.joint(policy)).sum(-1), 0)
        update = x.game.reward + x.gamma * data @ ahead / data.sum(-1)
        return x.game.start @ ahead[:-1] + x.penalty * (data.sum(-1) * (table - update) ** 2).sum()

    steps = [(plain(step.policy), plain(step.critic)) for step in x._case.theorem.run]
    return [objective(x.values(play)[-1], play) - objective(f, play) for play, f in steps]


def pessimism_in_a_class(x):
    """``J_k + min_f (‖f - T f‖_∞/(1-γ) + λE(f)) + ε_o - f_k(s_0, π_k) - λE(f_k)`` for every k, from the sample of step k.

    ``ε_o`` is by how much ``f_k(s_0, π_k) + λE(f_k)`` is not the smallest one.
    """
    found = []
    for counts, step in zip(x.counts, x._case.theorem.run, strict=True):
        policy = plain(step.policy)
        data = np.where(x.law > 0, counts, 0) / np.where(x.law > 0, counts, 0).sum()
        ahead = [np.append((table * x.joint(policy)).sum(-1), 0) for table in x.tables]
        targets = [x.game.reward[..., None] + x.gamma * later for later in ahead]
        loss = [[(data * (table[..., None] - target) ** 2).sum() for table in x.tables] for target in targets]
        errors = [x.penalty * (loss[i][i] - min(loss[i])) for i in range(len(x.tables))]
        updates = [x.game.reward + x.gamma * x.game.transition @ later[:-1] for later in ahead]
        gaps = [abs(table - update).max() * x.horizon for table, update in zip(x.tables, updates, strict=True)]
        smallest = min(x.start @ later[:-1] + error for later, error in zip(ahead, errors, strict=True))
        found.append(x.start @ x.value(policy) + min(g + e for g, e in zip(gaps, errors, strict=True)) - smallest)
    return found


PESSIMISM = {
    "f_k(s_0, π_k) + λE(f_k) ≤ J_k + λE(Q_{π_k})": pessimism_of,
    "f_k(s_0, π_k) + λE(f_k) ≤ J_k + min_f (‖f - T f‖_∞/(1-γ) + λE(f)) + ε_o": pessimism_in_a_class,
}
MEANING = {
    "I - γP_π is invertible": lambda x: invertible(x, x.policy),
    "I - γP_π is invertible for π and π'": lambda x: invertible(x, x.policy) and invertible(x, x.target),
    "I - P_π is invertible for π_*": lambda x: invertible(x, x.target),
    "and for policies of full support": lambda x: invertible(x, even(x)),
    "P_π has one recurrent class": lambda x: one_class(x, x.policy),
    "π' has one stationary distribution": lambda x: one_class(x, x.target),
    "both have one stationary distribution": lambda x: one_class(x, x.policy) and one_class(x, x.target),
    "ν_k π_k dominates ν_* π_*": dominated,
    "π_* and π_k have one stationary distribution each": lambda x: one_class(x, x.target) and one_class(x, even(x)),
    "every state is recurrent under full support, so concentrability is finite":
        lambda x: reached(x.game.transition.sum(1)).all(),
    "γ < 1": lambda x: x.gamma < 1,
    "γ < 1, so that every policy has values": lambda x: x.gamma < 1,
    "the features are independent on the support of σ_k":
        lambda x: np.linalg.matrix_rank(x.features[x.data > 0], tol=TINY) == x.features.shape[1],
    "the candidate lives on the support of π_k": lambda x: not ((x.candidate > 0) & (x.policy == 0)).any(),
    "σ_k vanishes at some state": lambda x: (x.data == 0).any(),
    "|Q̂| ≤ B along the run": lambda x: largest_estimate(x) <= x.bound + TINY,
    "sinh(ω/2) ≤ 3 + √2: no step multiplies the odds of two actions by more than e^ω = 79.9":
        lambda x: max(np.ptp(u, axis=-1).max() for u in x.increments) <= log(79.9),
    "the sample is not empty": lambda x: x.number > 0,
    "Q_π is linear in the features": lambda x: linear(x, [x.values(x.policy)[1]]),
    "T f is linear in the features if f is": complete,
    "no sample is empty": lambda x: ((x.law > 0) * x.counts).reshape(x.K, -1).any(1).all(),
    "every point occurs in the sample": lambda x: (x.sample.reshape(x.S, x.A[0], -1).sum(-1) > 0).all(),
    "f(s, 0) ≥ 0": lambda x: x.weights[0] >= 0,
    "f(y) ≥ 0": lambda x: x.weights[3] >= 0,
    "some slope is not 0": lambda x: x.slopes.any(),
    "f ≥ 0": lambda x: lowest(x).min() >= -TINY,
    "f ≤ 1/(1-γ)": lambda x: lowest(x).max() <= x.horizon + TINY,
    "0 ≤ f ≤ 1/(1-γ)": lambda x: lowest(x).min() >= -TINY and lowest(x).max() <= x.horizon + TINY,
    "there is a choice: |A| ≥ 2": lambda x: x.A[0] >= 2,
    "f_k ≥ 0": lambda x: x.gains.min() >= 0,
    "f_k ≤ B": lambda x: x.gains.max() <= x.bound,
    "there is data": lambda x: x.counts.sum() > 0,
    "agent 2 played 0 at (s, 0) at most 3 times in 4": lambda x: 4 * x.counts[0] <= 3 * (x.counts[0] + x.counts[1]),
    "xᵀSy ≠ 0": lambda x: abs(over_and_under(x, x.x[0], x.y[0])[1]) > TINY,
} | {name: lambda x, slack=slack: min(slack(x)) >= -TINY for name, slack in PESSIMISM.items()}  # fmt: skip

PLANTED = {
    "section-3.1/stationary": ("game.transition", np.eye(3, dtype=int)[:, None]),
    "lemma-4.1/stationary": ("game.transition", np.eye(3, dtype=int)[:, None]),
    "theorem-4.5/repaired": ("game.transition", np.eye(2, dtype=int)[:, None]),
    "theorem-4.5/bounded-steps": ("increments.0.1", (80, 1)),
    "theorem-5.5/repaired": ("shares", 12),
    "theorem-d.7/repaired": ("counts", 0),
}
"""What is hardly drawn, at every second instance: states that stay, odds of 80, three times the way to the minimiser, no data."""
ALWAYS = (
    "and for policies of full support", "ν_k π_k dominates ν_* π_*", "|Q̂| ≤ B along the run", "Q_π is linear in the features",
    "T f is linear in the features if f is", "f ≤ 1/(1-γ)", "0 ≤ f ≤ 1/(1-γ)", "there is a choice: |A| ≥ 2", "f_k ≥ 0",
    "f_k(s_0, π_k) + λE(f_k) ≤ J_k + min_f (‖f - T f‖_∞/(1-γ) + λE(f)) + ε_o", "xᵀSy ≠ 0",
)  # fmt: skip
"""Hypotheses that every drawn instance meets, if it meets those before: some follow from them, some from how it is drawn."""
CONDITIONAL = {
    claim.id: names
    for claim in CLAIMS
    if (names := [h.name for h in claim.setting.all_hypotheses if h.name in MEANING and not h.by_construction])
}


@cache
def asked(identity):
    """``{hypothesis: [(what the claim says, what the formula says)]}`` for every drawn instance of which it is asked."""
    claim, found = find(identity), {name: [] for name in CONDITIONAL[identity]}
    every = [size for size in sizes_of(claim.setting) if size.agents <= 2 and max(size.actions) <= 2] or [
        PRINTED[identity][0]
    ]
    sizes = PRINTED[identity][0] if "|Q̂| ≤ B along the run" in found else every[-1]
    count = 12 if identity.startswith("theorem-5.5/") and sizes.steps > 1 else 30 if sizes.steps > 1 else 50
    drawn = draw(claim.setting, sizes, count, np.random.default_rng(3))
    if identity in PLANTED:
        name, value = PLANTED[identity]
        drawn[name][::2] = value
    with precision(256):
        system = System.BALLS if claim.transcendental else System.RATIONALS
        truths = ask_hypotheses(claim, claim.setting.case(drawn, sizes, system))[0]
        own = dict(truths[: len(claim.setting.all_hypotheses)])  # a more general setting may have some of the same name
        for index in range(count):
            x = Instance(claim.setting.case(instance(drawn, index), sizes, System.BALLS), sizes)
            for name in found:
                if (truth := own[name][index]) != UNKNOWN:
                    found[name].append((truth == TRUE, bool(MEANING[name](x))))
    return found


@pytest.mark.parametrize("identity", CONDITIONAL)
def test_a_hypothesis_is_met_where_what_it_says_is_true(identity):
    for name, answers in asked(identity).items():
        assert answers, name
        assert [said for said, _ in answers] == [true for _, true in answers], name


@pytest.mark.parametrize("name", [name for name in MEANING if name not in ALWAYS])
def test_a_hypothesis_is_not_met_by_all_that_is_drawn(name):
    users = (identity for identity, names in CONDITIONAL.items() if name in names)
    assert any({true for _, true in asked(identity)[name]} == {False, True} for identity in users)


@pytest.mark.parametrize(
    "identity",
    ["theorem-5.5/repaired", "theorem-5.5/repaired-sample", "theorem-5.5/every-length", "theorem-d.7/repaired"],
)
def test_by_how_much_critics_are_pessimistic(identity):
    """Most instances meet the condition by far, so a slightly wrong one would have the same answers."""
    claim, sizes = find(identity), mv.Sizes(2, (2,), 1 if identity == "theorem-d.7/repaired" else 3)
    (hypothesis,) = (h for h in claim.setting.all_hypotheses if h.name in PESSIMISM)
    drawn, met = draw(claim.setting, sizes, 12, np.random.default_rng(4)), 0
    with precision(256):
        for index in range(12):
            case = claim.setting.case(instance(drawn, index), sizes, System.BALLS)
            x = Instance(case, sizes)
            if x.gamma < 0.9 and (identity != "theorem-d.7/repaired" or MEANING["no sample is empty"](x)):
                wanted = PESSIMISM[hypothesis.name](x)
                np.testing.assert_allclose(plain(hypothesis.slack(case)), wanted, rtol=1e-9, atol=1e-9)
                met += 1
    assert met >= 3


def test_every_condition_of_a_claim_that_stands_is_looked_at():
    """Those of refuted claims are written a second time by the script beside their certificates."""
    standing = [claim for claim in CLAIMS if claim.record is not mv.Standing.REFUTED]
    named = {h.name for claim in standing for h in claim.setting.all_hypotheses if not h.by_construction}
    assert named <= MEANING.keys()
