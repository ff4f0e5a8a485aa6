"""Known errors, as one-line changes of our own source: what a careless hand would write.

Each names the module, the text that stands there once, the wrong text, and the claims that must refute it.  They are planted
in a *copy* of the package by :mod:`mappo_verify.checking.doctor`.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Planted:
    """One error: replace ``right`` by ``wrong`` in ``module``; ``claims`` are put on trial with it, in this order."""

    what: str
    module: str
    right: str
    wrong: str
    claims: tuple[str, ...]


VALUES, CHAIN, AGENTS = "quantities/values.py", "quantities/chain.py", "quantities/agent_values.py"
PLACES, ORDER = "quantities/distributions.py", "model/agents.py"
MIRROR, KL = "quantities/mirror_descent.py", "quantities/divergence.py"
DIFFERENCE, BELLMAN = "quantities/performance_difference.py", "quantities/bellman.py"
SEQUENTIAL, COVER = "quantities/sequential.py", "quantities/concentrability.py"
POLICY, BEST = "model/policy.py", "quantities/optimal.py"
ERROR = "quantities/bellman_error.py"
SGD, ONLINE = "quantities/stochastic_gradient.py", "quantities/online_learning.py"
DATA, FINITE = "quantities/data.py", "quantities/finite_class.py"
UPDATE = "quantities/update_errors.py"
RATIO = "quantities/ratio_game.py"
ARITHMETIC, FORMAL, EXACT = "arithmetic/system.py", "arithmetic/formal.py", "arithmetic/rationals.py"

PLANTED: tuple[Planted, ...] = (
    # --- values
    Planted(
        "γ dropped from the one-step lookahead",
        VALUES,
        'game.reward + lift(game.discount, 2) * contract("...sat',
        'game.reward + contract("...sat',
        ("section-3.1",),
    ),
    Planted(
        "γ dropped from I - γP_π",
        VALUES,
        "- lift(game.discount, 2) * induced_transition",
        "- induced_transition",
        ("section-3.1",),
    ),
    Planted(
        "γ squared in I - γP_π",
        VALUES,
        "- lift(game.discount, 2) * induced_transition",
        "- lift(game.discount * game.discount, 2) * induced_transition",
        ("section-3.1",),
    ),
    Planted(
        "I + γP_π instead of I - γP_π",
        VALUES,
        "identity(game.states, game.system) - lift",
        "identity(game.states, game.system) + lift",
        ("section-3.1",),
    ),
    Planted("P_π transposed", CHAIN, '"...sa,...sat->...st"', '"...sa,...sat->...ts"', ("section-3.1",)),
    Planted(
        "the next state's policy used for P_π",
        CHAIN,
        '"...sa,...sat->...st"',
        '"...ta,...sat->...st"',
        ("section-3.1",),
    ),
    Planted(
        "r_π with the wrong sign",
        CHAIN,
        'return contract("...sa,...sa->...s"',
        'return -contract("...sa,...sa->...s"',
        ("section-3.1",),
    ),
    Planted("lookahead with P transposed", VALUES, '"...sat,...t->...sa"', '"...tas,...t->...sa"', ("section-3.1",)),
    Planted(
        "reward forgotten in the lookahead",
        VALUES,
        "np.asarray(game.reward + lift",
        "np.asarray(0 * game.reward + lift",
        ("section-3.1",),
    ),
    Planted(
        "advantage without its baseline",
        VALUES,
        "lookahead(game, values) - values[..., None]",
        "lookahead(game, values) - 0 * values[..., None]",
        ("section-3.1",),
    ),
    Planted(
        "baseline added instead of subtracted",
        VALUES,
        "lookahead(game, values) - values[..., None]",
        "lookahead(game, values) + values[..., None]",
        ("section-3.1",),
    ),
    Planted(
        "J without the start distribution",
        VALUES,
        'contract("...s,...s->...", start_of(game, start), state_values(game, policy))',
        "state_values(game, policy).sum(-1)",
        ("section-3.1",),
    ),
    # --- where the policy goes
    Planted(
        "visits with P_π instead of its transpose",
        PLACES,
        "start_of(game, start), transposed=True",
        "start_of(game, start), transposed=False",
        ("section-3.1", "lemma-4.1"),
    ),
    Planted(
        "visits of the wrong start (uniform)",
        PLACES,
        "solve_bellman(game, policy, start_of(game, start), transposed=True)",
        "solve_bellman(game, policy, 0 * start_of(game, start) + like(1, game.system) / game.states, transposed=True)",
        ("lemma-4.1",),
    ),
    Planted(
        "occupancy without the factor 1-γ",
        PLACES,
        "lift(like(1, game.system) - game.discount, 1) * visits",
        "lift(like(np.ones(game.batch_shape, int), game.system), 1) * visits",
        ("section-3.1",),
    ),
    Planted(
        "occupancy with 1+γ",
        PLACES,
        "lift(like(1, game.system) - game.discount, 1) * visits",
        "lift(like(1, game.system) + game.discount, 1) * visits",
        ("section-3.1",),
    ),
    Planted(
        "occupancy that ignores the policy",
        PLACES,
        "states[..., None] * policy.joint())",
        "states[..., None] * (0 * policy.joint() + like(1, game.system) / game.actions))",
        ("section-3.1",),
    ),
    Planted(
        "stationary equations not transposed",
        PLACES,
        "solve(np.swapaxes(matrix, -1, -2), target)",
        "solve(matrix, target)",
        ("section-3.1/stationary",),
    ),
    Planted(
        "stationary distribution not normalised",
        PLACES,
        "counts / counts.sum(-1, keepdims=True)",
        "counts",
        ("section-3.1/stationary",),
    ),
    Planted(
        "σ = ν π^{1:N-1} for ν π",
        PLACES,
        "policy.agents if m is None else m]",
        "policy.agents - 1 if m is None else m]",
        ("section-3.1/stationary",),
    ),
    # --- agents
    Planted(
        "the last agent's actions in reverse order when it is averaged out",
        ORDER,
        "split_last(table, factor.shape[-1]), factor)",
        "split_last(table, factor.shape[-1]), factor[..., ::-1])",
        ("definition-3.1",),
    ),
    Planted(
        "an agent is summed out instead of averaged out",
        ORDER,
        "split_last(table, factor.shape[-1]), factor)",
        "split_last(table, factor.shape[-1]), 0 * factor + 1)",
        ("definition-3.1",),
    ),
    Planted(
        "prefixes and the last agent swapped when an axis is split",
        ORDER,
        "return table.reshape(table.shape[:-1] + (table.shape[-1] // size, size))",
        "return table.reshape((*table.shape[:-1], size, table.shape[-1] // size)).swapaxes(-1, -2)",
        ("definition-3.1",),
    ),
    Planted(
        "prefix probabilities with agents in the wrong order",
        ORDER,
        "join_last(prefixes[..., None] * factor)",
        "join_last(np.swapaxes(prefixes[..., None] * factor, -1, -2))",
        ("definition-3.1",),
    ),
    Planted(
        "agent axes in reversed order",
        ORDER,
        "return table.reshape(table.shape[:-1] + action_sizes)",
        "return table.reshape(table.shape[:-1] + action_sizes).swapaxes(-1, -len(action_sizes))",
        ("definition-3.1",),
    ),
    Planted(
        "the factor after the first prefix used after every prefix",
        AGENTS,
        "for factor in reversed(policy.factors[down_to:above])",
        "for factor in (f[..., :1, :] for f in reversed(policy.factors[down_to:above]))",
        ("definition-3.1",),
    ),
    Planted(
        "the prefixes of a factor in reverse order",
        AGENTS,
        "for factor in reversed(policy.factors[down_to:above])",
        "for factor in (f[..., ::-1, :] for f in reversed(policy.factors[down_to:above]))",
        ("definition-3.1",),
    ),
    Planted(
        "A^m = Q^{1:m} + Q^{1:m-1}",
        AGENTS,
        "split_last(above, factor.shape[-1]) - below[..., None]",
        "split_last(above, factor.shape[-1]) + below[..., None]",
        ("lemma-b.3",),
    ),
    Planted(
        "Q^{1:m-1} tiled instead of repeated",
        AGENTS,
        "split_last(above, factor.shape[-1]) - below[..., None]",
        "split_last(above - np.concatenate([below] * factor.shape[-1], axis=-1), factor.shape[-1])",
        ("lemma-b.3", "lemma-b.3/zero-mean"),
    ),
    Planted(
        "A^m = Q^{1:m} - V",
        AGENTS,
        "split_last(above, factor.shape[-1]) - below[..., None]",
        "split_last(above, factor.shape[-1]) - values[0][..., None]",
        ("lemma-b.3",),
    ),
    Planted(
        "the clamped agents keep their factors, the others lose theirs",
        AGENTS,
        "if m + 1 not in kept:",
        "if m + 1 in kept:",
        ("definition-3.1",),
    ),
    Planted(
        "conditioning without dividing by π(a^P|s)",
        AGENTS,
        "divide(agent_axes(policy.joint(), policy.action_sizes), marginal(policy, kept))",
        "agent_axes(policy.joint(), policy.action_sizes) + 0 * marginal(policy, kept)",
        ("lemma-b.3/zero-mean-conditioning",),
    ),
    # --- Bellman operators
    Planted(
        "T^{1:m} that averages all agents out",
        BELLMAN,
        "average_out(lookahead(game, next_values), policy, game.agents, m)[0]",
        "np.repeat(average_out(lookahead(game, next_values), policy, game.agents)[0], table.shape[-1], axis=-1)",
        ("definition-3.2", "definition-3.1"),
    ),
    Planted(
        "T^{1:m} that looks at one next action only",
        BELLMAN,
        "average_out(table, policy, m)[0][..., 0]",
        "table[..., 0]",
        ("definition-3.2", "definition-3.1"),
    ),
    Planted(
        "γ² for γ in the Lipschitz constant",
        BELLMAN,
        "game.discount * row_mass(game)",
        "game.discount * game.discount * row_mass(game)",
        ("definition-3.2/lipschitz",),
    ),
    Planted(
        "the smallest row mass for the largest",
        BELLMAN,
        "largest(game.transition.sum(-1), axis=(-2, -1))",
        "-largest(-game.transition.sum(-1), axis=(-2, -1))",
        ("definition-3.2/lipschitz",),
    ),
    # --- performance difference
    Planted(
        "prefixes drawn from the old policy",
        DIFFERENCE,
        "expected_along(weights, target, m - 1, factor_gain",
        "expected_along(weights, policy, m - 1, factor_gain",
        ("lemma-4.1",),
    ),
    Planted(
        "visits of the old policy",
        DIFFERENCE,
        "gains_along(visits(game, target, start)",
        "gains_along(visits(game, policy, start)",
        ("lemma-4.1",),
    ),
    Planted(
        "values of the new policy",
        DIFFERENCE,
        "agent_values(game, policy)[1:]",
        "agent_values(game, target)[1:]",
        ("lemma-4.1",),
    ),
    Planted(
        "π^m - π'^m for π'^m - π^m",
        DIFFERENCE,
        "change = target.factors[m - 1] - policy.factors[m - 1]",
        "change = policy.factors[m - 1] - target.factors[m - 1]",
        ("lemma-4.1",),
    ),
    Planted(
        "the values of the agent before",
        DIFFERENCE,
        "agent_values(game, policy)[1:])",
        "[np.repeat(v, n, axis=-1) for v, n in zip(agent_values(game, policy), game.action_sizes)])",
        ("lemma-4.1",),
    ),
    Planted(
        "the last agent's term forgotten",
        DIFFERENCE,
        "enumerate(tables, start=1)",
        "enumerate(tables[: max(len(tables) - 1, 1)], start=1)",
        ("lemma-4.1",),
    ),
    # --- mirror descent and divergence
    Planted(
        "β multiplies instead of dividing",
        MIRROR,
        "tilt(factor, ideal_increment(values, beta))",
        "tilt(factor, values * _lifted(beta, values))",
        ("proposition-4.2", "proposition-4.2/averaged"),
    ),
    Planted(
        "descent instead of ascent",
        MIRROR,
        "tilt(factor, ideal_increment(values, beta))",
        "tilt(factor, -ideal_increment(values, beta))",
        ("proposition-4.2",),
    ),
    Planted(
        "softmax that forgets the current policy",
        MIRROR,
        "tilt(factor, ideal_increment(values, beta))",
        "tilt(0 * factor + 1, ideal_increment(values, beta))",
        ("proposition-4.2",),
    ),
    Planted(
        "the KL term with the wrong sign",
        MIRROR,
        "inner - _lifted(beta, inner) * kl_divergence",
        "inner + _lifted(beta, inner) * kl_divergence",
        ("proposition-4.2",),
    ),
    Planted(
        "KL(π_k‖q) for KL(q‖π_k)",
        MIRROR,
        "kl_divergence(candidate, factor)",
        "kl_divergence(factor, candidate)",
        ("proposition-4.2",),
    ),
    Planted(
        "the derivative of x log x without its 1",
        MIRROR,
        "(log(ratio) + 1)",
        "log(ratio)",
        ("proposition-4.2",),
    ),
    Planted(
        "unweighted least squares on one side",
        MIRROR,
        'contract("...x,...xi,...xj->...ij", weights, features, features)',
        'contract("...x,...xi,...xj->...ij", 0 * weights + 1, features, features)',
        ("equation-1/realizable-fit",),
    ),
    Planted(
        "KL weighted by the second distribution",
        KL,
        "xlogy(left, divide(left, right))",
        "xlogy(right, divide(left, right))",
        ("proposition-4.2",),
    ),
    Planted(
        "the ratio of KL upside down",
        KL,
        "xlogy(left, divide(left, right))",
        "xlogy(left, divide(right, left))",
        ("proposition-4.2",),
    ),
    # --- concentrability
    Planted(
        "the comparator's mass squared in the density ratio",
        COVER,
        "return divide(above, below)",
        "return divide(above * above, below)",
        ("definition-4.4",),
    ),
    Planted(
        "φ under the wrong weights",
        COVER,
        "(above * density_ratio(distribution",
        "(state_action_distribution(np.asarray(distribution), policy, m) * density_ratio(distribution",
        ("definition-4.4",),
    ),
    # --- the sequential game and optimality
    Planted(
        "discount after every agent's move",
        SEQUENTIAL,
        "    one = like(1, game.system)[()]",
        "    one = (like(1, game.system)[()] + game.discount) / 2",
        ("definition-3.1",),
    ),
    Planted(
        "sequential prefixes numbered by the wrong size",
        SEQUENTIAL,
        "+ s * prefixes[j + 1] + p * size + a",
        "+ s * prefixes[j + 1] + p + a * prefixes[j]",
        ("definition-3.1",),
    ),
    Planted(
        "policy iteration stops at once",
        BEST,
        "if not better.any():",
        "if True:",
        ("section-3.1/optimal",),
    ),
    # --- stochastic subgradients
    Planted(
        "stochastic subgradient ascent",
        SGD,
        "theta - lift(step_size, 2) * gradient",
        "theta + lift(step_size, 2) * gradient",
        ("lemma-b.1/expectation",),
    ),
    Planted(
        "the average leaves its last iterate out",
        SGD,
        "else range(steps)",
        "else range(steps - 1)",
        ("lemma-b.1/expectation",),
    ),
    Planted(
        "R for 2R in the bound on gradients",
        SGD,
        "2 * (2 * radius + bound / beta)",
        "2 * (radius + bound / beta)",
        ("lemma-b.2/gradient-bound",),
    ),
    Planted(
        "B·β for B/β in the bound on gradients",
        SGD,
        "2 * (2 * radius + bound / beta)",
        "2 * (2 * radius + bound * beta)",
        ("lemma-b.2/gradient-bound",),
    ),
    Planted(
        "the mean function without its weights",
        SGD,
        'contract("...n,...wn->...w", chances, largest(piece_values(slopes, offsets, theta)))',
        'contract("...n,...wn->...w", 0 * chances + 1, largest(piece_values(slopes, offsets, theta)))',
        ("lemma-b.1/expectation",),
    ),
    Planted(
        "the smallest piece for the largest",
        SGD,
        'contract("...n,...wn->...w", chances, largest(piece_values',
        'contract("...n,...wn->...w", chances, -largest(-piece_values',
        ("lemma-b.1/expectation",),
    ),
    Planted(
        "least squares that climbs",
        SGD,
        "2 * own[..., None] * features[..., chosen, :]",
        "-2 * own[..., None] * features[..., chosen, :]",
        ("lemma-b.2/rate",),
    ),
    Planted(
        "the squared loss without its weights",
        SGD,
        'contract("...n,...wn->...w", chances, square(prediction_errors',
        'contract("...n,...wn->...w", 0 * chances + 1, square(prediction_errors',
        ("lemma-b.2/rate",),
    ),
    Planted(
        "a gradient ten times too long",
        SGD,
        "prediction_errors(features, targets, theta)[..., np.arange(len(chosen)), chosen]",
        "10 * prediction_errors(features, targets, theta)[..., np.arange(len(chosen)), chosen]",
        ("lemma-b.2/rate",),
    ),
    # --- online learning
    Planted(
        "every play made from the first, not from the one before",
        ONLINE,
        "mirror_step(plays[-1], gains",
        "mirror_step(plays[0], gains",
        ("lemma-c.4",),
    ),
    Planted(
        "leaders that see the next payoff",
        ONLINE,
        "np.concatenate([nothing, np.cumsum(gains, axis=-2)], axis=-2)",
        "np.concatenate([np.cumsum(gains, axis=-2), nothing], axis=-2)",
        ("lemma-c.4",),
    ),
    Planted(
        "the entropy for the negative entropy",
        ONLINE,
        "np.asarray(entropy / _over(eta, entropy))",
        "np.asarray(-entropy / _over(eta, entropy))",
        ("lemma-c.4", "lemma-c.5"),
    ),
    Planted(
        "the regret of the comparator",
        ONLINE,
        "np.asarray(comparator)[..., None, :] - np.asarray(plays)",
        "np.asarray(plays) - np.asarray(comparator)[..., None, :]",
        ("lemma-c.5",),
    ),
    Planted(
        "the cost of playing early for that of playing late",
        ONLINE,
        "plays[..., 1:, :] - plays[..., :-1, :]",
        "plays[..., :-1, :] - plays[..., 1:, :]",
        ("lemma-c.5",),
    ),
    Planted(
        "a soft maximum at the step 1/η",
        ONLINE,
        "exp(gains * _over(eta, gains))",
        "exp(gains / _over(eta, gains))",
        ("lemma-c.6/sharp",),
    ),
    Planted(
        "the tuned step that grows with K",
        ONLINE,
        "/ (2 * steps)) / bound",
        "* (2 * steps)) / bound",
        ("lemma-c.6",),
    ),
    Planted(
        "80 for the 8 of Hoeffding's lemma",
        ONLINE,
        "eta * square(bound) / 8)",
        "eta * square(bound) / 80)",
        ("lemma-c.6/sharp",),
    ),
    # --- the Bellman error
    Planted(
        "A transposed in the residual",
        ERROR,
        'contract("...ij,...j->...i", self.operator, weights)',
        'contract("...ji,...j->...i", self.operator, weights)',
        ("section-c.1/unconstrained",),
    ),
    Planted(
        "2b for b in the residual",
        ERROR,
        "self.operator, weights) - self.reward",
        "self.operator, weights) - 2 * self.reward",
        ("section-c.1/unconstrained",),
    ),
    Planted(
        "c for c/2 in the pessimistic step",
        ERROR,
        "both[..., -1] - direction / 2,",
        "both[..., -1] - direction,",
        ("section-c.1/unconstrained",),
    ),
    Planted(
        "the target of the fit on the wrong side",
        ERROR,
        "weights - _times_inverse(self.gram, self.equation_error(weights))",
        "weights + _times_inverse(self.gram, self.equation_error(weights))",
        ("section-c.1/unconstrained",),
    ),
    Planted(
        "the penalty forgotten in the objective",
        ERROR,
        "(direction * weights).sum(-1) + penalty * self.error(weights)",
        "(direction * weights).sum(-1) + self.error(weights)",
        ("section-c.1/unconstrained",),
    ),
    Planted(
        "the implied reward from the operator with rewards",
        BELLMAN,
        "np.asarray(table) - image + expected_reward(game, policy, m)",
        "np.asarray(table) - image",
        ("lemma-c.3/each-agent",),
    ),
    # --- offline data and finite classes
    Planted(
        "γ dropped from the targets in the data",
        DATA,
        "occurs * game.reward + lift(game.discount, 2) * reached",
        "occurs * game.reward + reached",
        ("lemma-d.5/population",),
    ),
    Planted(
        "rewards not weighted by how often they occur",
        DATA,
        "targets = occurs * game.reward",
        "targets = game.reward",
        ("lemma-d.5/population",),
    ),
    Planted(
        "data that ends an episode forgotten",
        DATA,
        "joint[..., None] * game.outcomes",
        "joint[..., None] * game.outcomes * like([1] * game.states + [0], game.system)",
        ("lemma-d.5/population",),
    ),
    Planted(
        "the agents after m left out of the data",
        DATA,
        "joint = extend(joint, factor)",
        "joint = extend(joint, like(np.ones(factor.shape, int), game.system))",
        ("lemma-d.5/population",),
    ),
    Planted(
        "squared error instead of Bellman error",
        FINITE,
        "losses) - smallest(losses, 0)",
        "losses) - 0 * smallest(losses, 0)",
        ("lemma-d.5/population",),
    ),
    Planted(
        "the inner minimum over the target's critic",
        FINITE,
        "smallest(losses, 0)",
        "smallest(losses, 1)",
        ("lemma-d.5/population",),
    ),
    Planted(
        "(x - y)² = x² - xy + y²",
        FINITE,
        '- 2 * contract("f...sp',
        '- contract("f...sp',
        ("lemma-d.5/population",),
    ),
    Planted(
        "a bonus for Bellman error",
        FINITE,
        "+ lift(np.asarray(penalty), 1) * self.errors",
        "- lift(np.asarray(penalty), 1) * self.errors",
        ("theorem-d.7/trap",),
    ),
    Planted(
        "f + T f instead of f - T f",
        FINITE,
        "_sup_norm(self.tables - self.backups",
        "_sup_norm(self.tables + self.backups",
        ("assumption-d.2",),
    ),
    Planted(
        "ζ_F without its square",
        FINITE,
        "return square(smallest(self.residual_norms",
        "return (smallest(self.residual_norms",
        ("assumption-d.2",),
    ),
    Planted(
        "ζ_F of the worst critic",
        FINITE,
        "return square(smallest(self.residual_norms",
        "return square(largest(self.residual_norms",
        ("assumption-d.2",),
    ),
    Planted(
        "completeness of the best critic only",
        FINITE,
        "return largest(smallest(distances, -2))",
        "return smallest(smallest(distances, -2))",
        ("lemma-d.5/population",),
    ),
    # --- errors of an update
    Planted(
        "1/β_k forgotten in the fit's error",
        UPDATE,
        "self.increments[m - 1] - lift(self.eta, 3) * self.estimates[m - 1]",
        "self.increments[m - 1] - self.estimates[m - 1]",
        ("theorem-4.5/repaired",),
    ),
    Planted(
        "the fit's error against the wrong sign of Q̂",
        UPDATE,
        "self.increments[m - 1] - lift(self.eta, 3) * self.estimates[m - 1]",
        "self.increments[m - 1] + lift(self.eta, 3) * self.estimates[m - 1]",
        ("theorem-4.5/repaired",),
    ),
    Planted(
        "the critic's error against the values of the agent before",
        UPDATE,
        "split_last(self.values[m], self.game.action_sizes[m - 1])",
        "self.values[m - 1][..., None]",
        ("theorem-4.5/repaired",),
    ),
    Planted(
        "ν_k and π_k for ν_* and π_* in the one-step inequality",
        UPDATE,
        "expected_along(self.comparator_distribution, self.comparator, m - 1, table)",
        "expected_along(self.current_distribution, self.policy, m - 1, table)",
        ("theorem-4.5/repaired",),
    ),
    Planted(
        "π_k - π_{k+1} the other way round",
        UPDATE,
        "ahead.factors[m - 1] - behind.factors[m - 1]",
        "behind.factors[m - 1] - ahead.factors[m - 1]",
        ("theorem-4.5/repaired",),
    ),
    Planted(
        "ε² with squared weights",
        UPDATE,
        "squared_norm(self.fit_error(m), self.sigma(m), axes=3)",
        "squared_norm(self.fit_error(m), self.sigma(m) * self.sigma(m), axes=3)",
        ("theorem-4.5/repaired-sharp", "theorem-4.5/repaired"),
    ),
    Planted(
        "the density divided by π_k once more",
        UPDATE,
        "ratio * (change / own if everywhere else divide(change, own))",
        "ratio * (change / (own * own) if everywhere else divide(change, own))",
        ("theorem-4.5/sharp-is-tight",),
    ),
    # --- ratio games
    Planted(
        "the probability to stop without the discount",
        RATIO,
        "game.discount[..., None] * game.transition[..., 0, :, 0]",
        "game.transition[..., 0, :, 0]",
        ("section-e/value",),
    ),
    Planted(
        "a quotient differentiated without its denominator",
        RATIO,
        "game.reward[..., 0, :]) - ratio_value(game, weights) * _total(change, stopping(game))",
        "game.reward[..., 0, :])",
        ("section-e/stationary-point",),
    ),
    # --- arithmetic
    Planted(
        "normalisation over the wrong axis",
        ARITHMETIC,
        "tilted / tilted.sum(-1, keepdims=True)",
        "tilted / tilted.sum(0, keepdims=True)",
        ("proposition-4.2/averaged", "proposition-4.2"),
    ),
    Planted(
        "log(p/q) = log p + log q",
        FORMAL,
        "terms.append((value.q, -one))",
        "terms.append((value.q, one))",
        ("proposition-4.2",),
    ),
    Planted(
        "a linear system solved with the transposed matrix",
        EXACT,
        "flint.fmpq_mat(rows, rows, matrix.ravel().tolist())",
        "flint.fmpq_mat(rows, rows, matrix.T.ravel().tolist())",
        ("section-3.1",),
    ),
)
