"""Every path of a small game, one by one, over ``fractions.Fraction``: the oracle of what libraries estimate along trajectories.

Nothing of the package, and sums of discounted terms where the package has recursions.  Games and policies are those of
``oracle.py``.  A path is a list of ``(s, a, r, t)``, ``t`` None after the last step of a game that terminated.
"""

from __future__ import annotations

from fractions import Fraction

import oracle

ZERO, ONE = Fraction(0), Fraction(1)


def joint_policy(game, policy):
    """``π[s][a]``"""
    sizes = game["sizes"]
    return [
        [oracle.prefix_probability(policy, sizes, s, a) for a in oracle.tuples(sizes)] for s in range(len(game["P"]))
    ]


def paths(game, behaviour, state, action, limit):
    """``(probability, path)`` of every path of at most ``limit`` steps that begins with this action."""
    row = game["P"][state][action]
    outcomes = [(p, t) for t, p in enumerate(row) if p] + [(ONE - sum(row, ZERO), None)]
    for chance, following in outcomes:
        if not chance:
            continue
        step = (state, action, game["r"][state][action], following)
        if following is None or limit == 1:
            yield chance, [step]
            continue
        for next_action, p in enumerate(behaviour[following]):
            if p:
                for rest, path in paths(game, behaviour, following, next_action, limit - 1):
                    yield chance * p * rest, [step, *path]


def bootstrap(path, k, critics, begin):
    """The critic after ``k`` steps of a path that begins at time ``begin``; 0 after termination."""
    following = path[k - 1][3]
    return ZERO if following is None else critics[begin + k][following]


def n_step(path, n, gamma, critics, begin=0):
    """``Σ_{k<n} γ^k r_k + γ^n v(s_n)``, shorter where the path is."""
    n = min(n, len(path))
    return sum((gamma**k * path[k][2] for k in range(n)), ZERO) + gamma**n * bootstrap(path, n, critics, begin)


def lambda_return(path, gamma, lam, critics, begin=0):
    """``(1-λ) Σ_{n<K} λ^{n-1} G^n + λ^{K-1} G^K``, by the definition."""
    last = len(path)
    mixture = sum(((1 - lam) * lam ** (n - 1) * n_step(path, n, gamma, critics, begin) for n in range(1, last)), ZERO)
    return mixture + lam ** (last - 1) * n_step(path, last, gamma, critics, begin)


def vtrace(path, gamma, lam, critics, ratios, rho_max, c_max):
    """``v(s_0) + Σ_k γ^k (Π_{i<k} c_i) ρ_k δ_k``"""
    total, product = critics[0][path[0][0]], ONE
    for k, (s, _, r, _) in enumerate(path):
        error = r + gamma * bootstrap(path, k + 1, critics, 0) - critics[k][s]
        total += gamma**k * product * min(rho_max, ratios[k]) * error
        product *= lam * min(c_max, ratios[k])
    return total


def moments(game, behaviour, state, action, limit, number):
    """Mean and variance of ``number(path)`` over all paths."""
    found = [(p, number(path)) for p, path in paths(game, behaviour, state, action, limit)]
    assert sum(p for p, _ in found) == 1
    mean = sum((p * x for p, x in found), ZERO)
    return mean, sum((p * (x - mean) ** 2 for p, x in found), ZERO)


def layered(rng, states, sizes, gamma):
    """A game whose every step leads to a later state or ends it, so that it has finitely many paths."""
    game = oracle.draw_game(rng, states, sizes, gamma, True)
    for s, rows in enumerate(game["P"]):
        for a in range(len(rows)):
            weights = [rng.randint(0, 3) if t > s else 0 for t in range(states)]
            rows[a] = oracle.normalised(weights, sum(weights) + rng.randint(1 if s == states - 1 else 0, 2) or 1)
    return game
