"""An independent oracle: the paper's definitions as plain loops over ``fractions.Fraction``.

No NumPy, no flint, nothing of the package.  A game is a dict of ``P[s][a][t]``, ``r[s][a]``, ``gamma``, ``sizes`` and
``start[s]``; a policy is a list of factors ``policy[m][s][p][a]``, ``p`` the index of the prefix ``a^{1:m}``, agent
1 slowest.  Slow on purpose, and written from the definitions rather than from the package's formulas: visits are values
of indicator rewards, for instance.
"""

from __future__ import annotations

import itertools
import random
from fractions import Fraction

ZERO, ONE = Fraction(0), Fraction(1)


# --- indices ----------------------------------------------------------------------------------------------------------


def tuples(sizes):
    """All action tuples, agent 1 slowest."""
    return list(itertools.product(*(range(size) for size in sizes)))


def index_of(actions, sizes):
    """The place of an action tuple among all of its length."""
    place = 0
    for action, size in zip(actions, sizes, strict=False):
        place = place * size + action
    return place


def subsets(agents):
    """All subsets of the agents 1..N, as sorted tuples."""
    return [s for k in range(agents + 1) for s in itertools.combinations(range(1, agents + 1), k)]


def disjoint_pairs(agents):
    """All ordered pairs of disjoint subsets."""
    return [(p, q) for p in subsets(agents) for q in subsets(agents) if not set(p) & set(q)]


# --- probabilities ----------------------------------------------------------------------------------------------------


def factor(policy, sizes, m, s, actions):
    """``π^m(a^m | s, a^{1:m-1})`` for agent ``m`` counted from 0."""
    return policy[m][s][index_of(actions[:m], sizes)][actions[m]]


def prefix_probability(policy, sizes, s, prefix):
    """``π^{1:m}(a^{1:m} | s)``."""
    result = ONE
    for m in range(len(prefix)):
        result *= factor(policy, sizes, m, s, prefix)
    return result


def is_product(policy):
    """Whether every factor ignores its prefix."""
    return all(row == rows[0] for table in policy for rows in table for row in rows)


def induced(game, policy):
    """``P_π`` and ``r_π``."""
    states, joint = range(len(game["P"])), tuples(game["sizes"])
    chain = [[ZERO for _ in states] for _ in states]
    reward = [ZERO for _ in states]
    for s in states:
        for a, actions in enumerate(joint):
            p = prefix_probability(policy, game["sizes"], s, actions)
            reward[s] += p * game["r"][s][a]
            for t in states:
                chain[s][t] += p * game["P"][s][a][t]
    return chain, reward


# --- linear algebra ---------------------------------------------------------------------------------------------------


def solve(matrix, right):
    """Gauss-Jordan elimination with pivots; ZeroDivisionError where the matrix is singular."""
    size = len(matrix)
    rows = [list(matrix[i]) + [right[i]] for i in range(size)]
    for column in range(size):
        pivot = next((i for i in range(column, size) if rows[i][column] != 0), None)
        if pivot is None:
            raise ZeroDivisionError("singular")
        rows[column], rows[pivot] = rows[pivot], rows[column]
        rows[column] = [x / rows[column][column] for x in rows[column]]
        for i in range(size):
            if i != column and rows[i][column] != 0:
                rows[i] = [x - rows[i][column] * y for x, y in zip(rows[i], rows[column], strict=True)]
    return [row[-1] for row in rows]


# --- values -----------------------------------------------------------------------------------------------------------


def solve_values(game, policy, reward):
    """The solution of ``v = reward + γ P_π v``."""
    chain, _ = induced(game, policy)
    states = range(len(chain))
    matrix = [[(ONE if s == t else ZERO) - game["gamma"] * chain[s][t] for t in states] for s in states]
    return solve(matrix, reward)


def state_values(game, policy):
    return solve_values(game, policy, induced(game, policy)[1])


def lookahead(game, values):
    states = range(len(game["P"]))
    return [
        [
            game["r"][s][a] + game["gamma"] * sum((game["P"][s][a][t] * values[t] for t in states), ZERO)
            for a in range(len(game["P"][s]))
        ]
        for s in states
    ]


def action_values(game, policy):
    return lookahead(game, state_values(game, policy))


def advantages(game, policy):
    values = state_values(game, policy)
    return [[q - values[s] for q in row] for s, row in enumerate(lookahead(game, values))]


def returns(game, policy):
    return sum((p * v for p, v in zip(game["start"], state_values(game, policy), strict=True)), ZERO)


def prefix_average(table, game, policy, m):
    """``E[f(s, a) | a^{1:m}]`` of ``f[s][a]``, by summing over all completions."""
    sizes = game["sizes"]
    result = []
    for s in range(len(table)):
        row = []
        for prefix in tuples(sizes[:m]):
            total = ZERO
            for rest in tuples(sizes[m:]):
                actions = prefix + rest
                weight = ONE
                for j in range(m, len(sizes)):
                    weight *= factor(policy, sizes, j, s, actions)
                total += weight * table[s][index_of(actions, sizes)]
            row.append(total)
        result.append(row)
    return result


def agent_values(game, policy):
    """``[Q^{1:0}, ..., Q^{1:N}]``, each ``[s][prefix]``."""
    table = action_values(game, policy)
    return [prefix_average(table, game, policy, m) for m in range(len(game["sizes"]) + 1)]


def agent_advantages(game, policy):
    """``[A^1, ..., A^N]``, each ``[s][prefix of length m]``."""
    values, sizes = agent_values(game, policy), game["sizes"]
    result = []
    for m in range(1, len(sizes) + 1):
        above, below = values[m], values[m - 1]
        result.append(
            [
                [above[s][i] - below[s][index_of(a[:-1], sizes[: m - 1])] for i, a in enumerate(tuples(sizes[:m]))]
                for s in range(len(game["P"]))
            ]
        )
    return result


def subset_average(table, game, policy, subset, reading):
    """``{(s, a^P): E[f | a^P]}``, ``a^P`` in the order of the agents of ``P``; None where conditioning is undefined."""
    sizes = game["sizes"]
    agents = range(len(sizes))
    kept = [m for m in agents if m + 1 in subset]
    by_factors = reading == "intervention" or kept == list(range(len(kept))) or is_product(policy)
    total, mass = {}, {}
    for s in range(len(table)):
        for a, actions in enumerate(tuples(sizes)):
            weight = ONE
            for m in agents:
                if not by_factors or m not in kept:
                    weight *= factor(policy, sizes, m, s, actions)
            key = (s, tuple(actions[m] for m in kept))
            total[key] = total.get(key, ZERO) + weight * table[s][a]
            mass[key] = mass.get(key, ZERO) + weight
    if by_factors:
        return total
    return {key: total[key] / mass[key] if mass[key] else None for key in total}


def bellman_operator(game, policy, table, m):
    """``T^{1:m} f`` of ``f[s][prefix]``."""
    sizes = game["sizes"]
    ahead = [
        sum((prefix_probability(policy, sizes, t, p) * table[t][i] for i, p in enumerate(tuples(sizes[:m]))), ZERO)
        for t in range(len(game["P"]))
    ]
    return prefix_average(lookahead(game, ahead), game, policy, m)


# --- distributions ----------------------------------------------------------------------------------------------------


def visits(game, policy):
    """``d(s)``: the value, from the start distribution, of a reward of 1 whenever ``s`` is visited."""
    states = range(len(game["P"]))
    result = []
    for s in states:
        values = solve_values(game, policy, [ONE if t == s else ZERO for t in states])
        result.append(sum((p * v for p, v in zip(game["start"], values, strict=True)), ZERO))
    return result


def occupancy(game, policy):
    sizes = game["sizes"]
    return [
        [(1 - game["gamma"]) * d * prefix_probability(policy, sizes, s, a) for a in tuples(sizes)]
        for s, d in enumerate(visits(game, policy))
    ]


def recurrent_classes(game, policy):
    """The closed communicating classes that never terminate, as sorted tuples."""
    chain, _ = induced(game, policy)
    states = range(len(chain))

    def reached(s):
        seen, pending = {s}, [s]
        while pending:
            for t in states:
                if chain[pending[0]][t] and t not in seen:
                    seen.add(t)
                    pending.append(t)
            pending.pop(0)
        return seen

    reach = [reached(s) for s in states]
    found = []
    for s in states:
        group = tuple(sorted(reach[s]))
        closed = all(reach[t] == reach[s] for t in group) and all(sum(chain[t]) == 1 for t in group)
        if closed and group not in found:
            found.append(group)
    return found


def stationary_distribution(game, policy, group):
    """``ν P_π = ν`` with mass 1 on the given recurrent class, from the balance equations."""
    chain, _ = induced(game, policy)
    matrix = [[chain[s][t] - (1 if s == t else 0) for s in group] for t in group]
    matrix[-1] = [ONE for _ in group]
    inside = solve(matrix, [ZERO] * (len(group) - 1) + [ONE])
    return [inside[group.index(s)] if s in group else ZERO for s in range(len(chain))]


# --- lemma-4.1, density ratios, mirror descent ------------------------------------------------------------------------


def return_difference(game, target, policy):
    """The terms of lemma-4.1, one per agent."""
    sizes, values, weights = game["sizes"], agent_values(game, policy), visits(game, target)
    terms = []
    for m in range(1, len(sizes) + 1):
        term = ZERO
        for s, d in enumerate(weights):
            for actions in tuples(sizes[:m]):
                change = factor(target, sizes, m - 1, s, actions) - factor(policy, sizes, m - 1, s, actions)
                reach = prefix_probability(target, sizes, s, actions[:-1])
                term += d * reach * values[m][s][index_of(actions, sizes[:m])] * change
        terms.append(term)
    return terms


def density_ratio(states, policy, target_states, target, sizes, m):
    """``w_m[s][prefix]``; None where the comparator goes and the policy does not."""
    result = []
    for s in range(len(states)):
        row = []
        for prefix in tuples(sizes[:m]):
            above = target_states[s] * prefix_probability(target, sizes, s, prefix)
            below = states[s] * prefix_probability(policy, sizes, s, prefix)
            row.append(above / below if below else ZERO if not above else None)
        result.append(row)
    return result


def squared_concentrability(states, policy, target_states, target, sizes, m):
    """``Σ σ_k w_m²``."""
    total = ZERO
    for s, row in enumerate(density_ratio(states, policy, target_states, target, sizes, m)):
        for prefix, w in zip(tuples(sizes[:m]), row, strict=True):
            total += states[s] * prefix_probability(policy, sizes, s, prefix) * w * w
    return total


def prime_powers(number):
    """``{prime: exponent}`` of a positive rational, by trial division."""
    powers = {}
    for integer, sign in ((number.numerator, 1), (number.denominator, -1)):
        divisor = 2
        while integer > 1:
            while integer % divisor == 0:
                powers[divisor] = powers.get(divisor, 0) + sign
                integer //= divisor
            divisor += 1
    return {prime: power for prime, power in powers.items() if power}


def kl_divergence(left, right):
    """``KL(p‖q)`` as ``{prime: coefficient}``, meaning ``Σ coefficient · log prime``."""
    result = {}
    for p, q in zip(left, right, strict=True):
        if p:
            for prime, power in prime_powers(p / q).items():
                result[prime] = result.get(prime, ZERO) + p * power
    return {prime: c for prime, c in result.items() if c}


def mirror_step(row, weights):
    """``π⁺ ∝ π·w`` where ``Q̂/β = log w``."""
    total = sum((p * w for p, w in zip(row, weights, strict=True)), ZERO)
    return [p * w / total for p, w in zip(row, weights, strict=True)]


# --- online learning --------------------------------------------------------------------------------------------------


def exponential_weights(odds):
    """``π_1, ..., π_{K+1}`` as shares of all that an action's odds ``exp(η f_k)`` have multiplied to so far."""
    plays, weights = [], [ONE for _ in odds[0]]
    for row in [*odds, None]:
        plays.append([w / sum(weights) for w in weights])
        if row is not None:
            weights = [w * o for w, o in zip(weights, row, strict=True)]
    return plays


def regret(gains, plays, comparator):
    """``Σ_k Σ_a f_k(a) (q(a) - π_k(a))`` of the first K plays."""
    return sum(
        f * (q - p)
        for row, play in zip(gains, plays, strict=False)
        for f, p, q in zip(row, play, comparator, strict=True)
    )


# --- optimal values ---------------------------------------------------------------------------------------------------


def deterministic(sizes, actions):
    """The policy that plays joint action ``actions[s]`` in state ``s``."""
    policy = []
    for m, size in enumerate(sizes):
        chosen = [tuples(sizes)[a][m] for a in actions]
        prefixes = len(tuples(sizes[:m]))
        policy.append([[[ONE if a == c else ZERO for a in range(size)] for _ in range(prefixes)] for c in chosen])
    return policy


def optimal_values(game):
    """The best value of each state over *all* deterministic joint policies that have values (the proper ones)."""
    states, joint = len(game["P"]), len(tuples(game["sizes"]))
    best = None
    for actions in itertools.product(range(joint), repeat=states):
        try:
            values = state_values(game, deterministic(game["sizes"], actions))
        except ZeroDivisionError:
            continue
        best = values if best is None else [max(x, y) for x, y in zip(best, values, strict=True)]
    return best


# --- drawing ----------------------------------------------------------------------------------------------------------

SHAPES = [
    (1,),
    (3,),
    (2, 2),
    (2, 3),
    (3, 1),
    (3, 2),
    (2, 2, 2),
    (1, 2, 3),
    (2, 1, 2),
    (2, 2, 1, 2),
    (2, 1, 2, 2),
    (2, 2, 2, 2),
]
DISCOUNTS = [Fraction(0), Fraction(1, 2), Fraction(9, 10), Fraction(1), Fraction(99, 100)]


def normalised(weights, total=None):
    total = sum(weights) if total is None else total
    return [Fraction(w, total) for w in weights]


def draw_row(rng, size, deterministic=False, full=False):
    """A distribution: one-hot, or small integer weights with zeros among them, or of full support."""
    if deterministic:
        chosen = rng.randrange(size)
        return [ONE if i == chosen else ZERO for i in range(size)]
    weights = [rng.randint(1 if full else 0, 4) for _ in range(size)]
    if not any(weights):
        weights[rng.randrange(size)] = 1
    return normalised(weights)


def draw_policy(rng, states, sizes, kind):
    """``kind``: product, conditional, deterministic, full (support), mixed (some rows deterministic)."""
    policy = []
    for m, size in enumerate(sizes):
        prefixes = len(tuples(sizes[:m]))
        table = []
        for _ in range(states):
            certain = kind == "deterministic" or (kind == "mixed" and rng.random() < 0.5)
            if kind == "product":
                table.append([draw_row(rng, size)] * prefixes)
            else:
                table.append([draw_row(rng, size, certain, kind == "full") for _ in range(prefixes)])
        policy.append(table)
    return policy


def draw_game(rng, states, sizes, gamma, terminating, unreachable=False):
    """Integer weights 0..4 over successors and, if ``terminating``, termination; rewards ``k/3`` with ``|k| ≤ 9``."""
    actions = len(tuples(sizes))
    rows = []
    for _ in range(states):
        rows.append([])
        for _ in range(actions):
            weights = [rng.randint(0, 4) * (rng.random() < 0.7) for _ in range(states)]
            if unreachable and states > 1:
                weights[-1] = 0
            stop = rng.randint(1, 4) if terminating else 0
            if not any(weights) and not stop:
                weights[0] = 1
            rows[-1].append(normalised(weights, sum(weights) + stop))
    reward = [[Fraction(rng.randint(-9, 9), 3) for _ in range(actions)] for _ in range(states)]
    return {"P": rows, "r": reward, "gamma": gamma, "sizes": tuple(sizes), "start": draw_row(rng, states)}


def draw_case(seed):
    """``(game, policy, target)``; the seed walks through shapes, discounts, termination and kinds of policies."""
    rng = random.Random(seed)
    sizes, gamma = SHAPES[seed % len(SHAPES)], DISCOUNTS[seed % len(DISCOUNTS)]
    states = rng.randint(1, 4 if len(sizes) < 3 else 2)
    terminating = gamma == 1 or rng.random() < 0.4
    game = draw_game(rng, states, sizes, gamma, terminating, unreachable=rng.random() < 0.3)
    kinds = ["product", "conditional", "deterministic", "full", "mixed"]
    return game, draw_policy(rng, states, sizes, rng.choice(kinds)), draw_policy(rng, states, sizes, rng.choice(kinds))


# --- offline data -----------------------------------------------------------------------------------------------------


def law_of_data(game, policy, mu, m):
    """``D[s][a][t]`` for ``μ[s][prefix]``, with termination as the last ``t``."""
    sizes, result = game["sizes"], []
    for s in range(len(game["P"])):
        result.append([])
        for a in tuples(sizes):
            chance = mu[s][index_of(a[:m], sizes)]
            for j in range(m, len(sizes)):
                chance *= factor(policy, sizes, j, s, a)
            row = game["P"][s][index_of(a, sizes)]
            result[-1].append([chance * p for p in [*row, ONE - sum(row, ZERO)]])
    return result


def squared_loss(game, policy, data, candidate, critic, m):
    """``L(f', f) = Σ D (f'(s, a^{1:m}) - r - γ f(s', π^{1:m}))²``, datum by datum."""
    sizes, total = game["sizes"], ZERO
    for s, rows in enumerate(data):
        for a in tuples(sizes):
            for t, share in enumerate(rows[index_of(a, sizes)]):
                ahead = ZERO
                for i, p in enumerate(tuples(sizes[:m])) if t < len(data) else ():
                    ahead += prefix_probability(policy, sizes, t, p) * critic[t][i]
                target = game["r"][s][index_of(a, sizes)] + game["gamma"] * ahead
                total += share * (candidate[s][index_of(a[:m], sizes)] - target) ** 2
    return total


def finite_bellman_error(game, policy, data, critics, index, m):
    """``E(f) = L(f, f) - min L(f', f)`` over the list of critics."""
    losses = [squared_loss(game, policy, data, candidate, critics[index], m) for candidate in critics]
    return losses[index] - min(losses)


# --- meeting the package ----------------------------------------------------------------------------------------------


def arguments(game):
    """The keyword arguments of ``mappo_verify.Game``."""
    return {
        "transition": game["P"],
        "reward": game["r"],
        "discount": game["gamma"],
        "action_sizes": game["sizes"],
        "start": game["start"],
    }


def fractions(nested):
    """Nested sequences of exact numbers (anything with ``p`` and ``q``, or an int) as nested lists of Fractions."""
    if hasattr(nested, "tolist"):
        nested = nested.tolist()
    if isinstance(nested, (list, tuple)):
        return [fractions(entry) for entry in nested]
    if hasattr(nested, "p"):
        return Fraction(int(nested.p), int(nested.q))
    if isinstance(nested, (int, Fraction)):
        return Fraction(nested)
    raise TypeError(f"{nested!r} is not an exact number")
