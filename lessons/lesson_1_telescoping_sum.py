"""Lesson 1: what each agent adds (Definition 3.1, Lemma B.3)."""

# /// script
# [tool.marimo.opengraph]
# title = "1. One sum that telescopes"
# description = "Credit the members of a team, one after another, so that nothing is lost: advantages that add up."
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="1. One sum that telescopes")

with app.setup:
    from fractions import Fraction
    from itertools import permutations

    import marimo as mo
    import numpy as np
    from showing import Exercise, Line, fraction, objection_to, offer, opening, slots, staircase

    import mappo_verify as mv

    RATIONALS = mv.System.RATIONALS
    MOVES = ("wait", "lift")
    ORDERS = {", then ".join(map(str, order)): order for order in permutations((1, 2, 3))}

    TITLE, MINUTES = "1. One sum that telescopes", 40
    GOALS = (
        "say what $Q^{1:m}$ and $A^m$ mean, and compute them for a small table of rewards;",
        "explain why the advantages of all agents add up to $Q - V$, in every order;",
        "prove that an agent which follows its policy gains nothing on average.",
    )
    PREDICT = Exercise(
        "predict",
        "All three lift. First the agents move in the order 1, 2, 3, then in the order 3, 2, 1. **What stays as it "
        "was?** "
        "Decide before you touch the order below.",
        (
            "What does agent 3 know when it moves last? What when it moves first?",
            "Both staircases begin at $V$ and end at $Q$ of the same joint action.",
        ),
        "Only the sum stays. An agent's credit is what *its* move changes in what is expected, and that depends on "
        "what is "
        "already known; the ends $V$ and $Q$ do not depend on the order.",
    )
    STAYS = ("every agent's credit", "only the sum of the credits", "nothing")
    TRY = Exercise(
        "try",
        r"With lazy colleagues, to lift looks like a mistake: $A^1(\text{lift}) < 0$, though all three lifting is "
        r"best of all. "
        r"**From how many tenths on** do independent colleagues lift often enough that $A^1(\text{lift}) > 0$? "
        "Move the slider at the top and watch the first step; agent 3 must not copy.",
        (
            r"$A^1(\text{lift}) > 0$ says that lifting is better than waiting, on average over what the others do.",
            "Write the gain of lifting over waiting as a polynomial in $p$, from the eight rewards.",
        ),
        "From 4 tenths on: lifting instead of waiting gains $-7 + 19p - 3p^2$, which is 0 at $p = 0.39$. Below it "
        "each agent "
        "that moves alone does well to wait: credit depends on what the others do.",
    )
    PROVE = Exercise(
        "prove",
        r"Show that $\sum_a \pi^m(a)\, A^m(p, a) = 0$ for every agent $m$ and every prefix $p$ of earlier moves. "
        "The proof has four steps; choose a line for each. Some of the lines offered are false. They are computed for "
        "agent 3 after agents 1 and 2 have lifted, with the policy above.",
        (
            "Begin with the definition of $A^m$.",
            r"$Q^{1:m-1}(p)$ does not depend on $a$, and $\sum_a \pi^m(a) = 1$.",
        ),
        "Definition, then linearity, then: the average of $Q^{1:m}$ over agent $m$'s own move *is* $Q^{1:m-1}$. "
        "No number of the table was used, so it holds in every game.",
    )


@app.cell(hide_code=True)
def _():
    mo.vstack(
        [
            opening(TITLE, MINUTES, GOALS),
            mo.md(r"""
    Three people stand around a table. Each may **wait** or **lift**. They share one reward: 9 if all lift, 3 if nobody
    does, and little or nothing good in between.

    When the reward comes, who earned it? This lesson takes the answer of Definition 3.1: let the agents move **one after
    another**, and credit each with what the team's prospects gain when its move becomes known.
    """),
        ],
        gap=2,
    )
    return


@app.cell
def _():
    rewards = [3, -2, -3, 0, -4, -1, 1, 9]  # none, 3, 2, 23, 1, 13, 12, all: agent 1 is the slowest index
    game = mv.Game(
        mv.like(np.zeros((1, 8, 1), int), RATIONALS),  # one move, then it is over
        mv.like([rewards], RATIONALS),
        mv.like(0, RATIONALS),
        action_sizes=(2, 2, 2),
    )
    return (game,)


@app.cell(hide_code=True)
def _():
    lift = mo.ui.slider(0, 10, value=3, label="each agent lifts with probability … tenths", show_value=True)
    copies = mo.ui.checkbox(label="agent 3 watches agent 1 and copies it")
    mo.vstack([mo.md("## How they play"), lift, copies])
    return copies, lift


@app.cell
def _(copies, game, lift):
    def policy_of(tenths, copying=False):
        """Every agent lifts with the same probability; agent 3 may copy agent 1."""
        row = mv.like([Fraction(10 - tenths, 10), Fraction(tenths, 10)], RATIONALS)
        independent = mv.Policy.product([row[None]] * game.agents)
        copy = mv.like([[[1, 0], [1, 0], [0, 1], [0, 1]]], RATIONALS)  # after the prefixes 00, 01, 10, 11
        return mv.Policy((*independent.factors[:2], copy)) if copying else independent

    policy = policy_of(lift.value, copies.value)
    return policy, policy_of


@app.cell(hide_code=True)
def _():
    moves = mo.ui.array([mo.ui.radio(MOVES, value="lift", label=f"agent {m}", inline=True) for m in (1, 2, 3)])
    mo.vstack(
        [
            mo.md(r"""
            ## Prospects, agent by agent

            $Q^{1:m}(a^{1:m})$ is what the team may expect once agents $1,\dots,m$ have moved and the others still follow $\pi$.
            $Q^{1:0} = V$ knows nothing yet; $Q^{1:3} = Q$ knows everything. What agent $m$'s own move changes is its advantage

            $$A^m = Q^{1:m} - Q^{1:m-1}.$$

            Choose what each one does:
            """),
            moves.hstack(justify="start", gap=2, wrap=True),
        ]
    )
    return (moves,)


@app.cell
def _(game, moves, policy):
    action = tuple(MOVES.index(move) for move in moves.value)
    values = mv.agent_values(game, policy)  # Q^{1:0}, ..., Q^{1:3}
    advantages = mv.agent_advantages(game, policy)  # A^1, A^2, A^3
    levels = [table.reshape((2,) * m)[action[:m]] for m, table in enumerate(values)]
    steps = [table.reshape((2,) * m)[action[:m]] for m, table in enumerate(advantages, start=1)]
    return action, levels, steps


@app.cell(hide_code=True)
def _(action, levels):
    _title = " · ".join(f"agent {m} {MOVES[a]}s" for m, a in enumerate(action, start=1))
    staircase(levels, ["A¹", "A²", "A³"], ("V", "Q"), "prospects of the team", _title)
    return


@app.cell
def _(levels, steps):
    telescopes = sum(steps) == levels[-1] - levels[0]
    return (telescopes,)


@app.cell(hide_code=True)
def _(levels, steps, telescopes):
    mo.md(rf"""
    **The sum telescopes.** Every $Q^{{1:m}}$ between the ends enters once with either sign:

    $$A^1 + A^2 + A^3 = {" + ".join(map(fraction, steps))} = {fraction(sum(steps))}$$

    $$Q - V = {fraction(levels[-1])} - {fraction(levels[0])} = {fraction(levels[-1] - levels[0])}$$

    {"✓ equal, in exact fractions." if telescopes else "✗ **These differ: something is wrong with the formulas.**"}
    """)
    return


@app.cell(hide_code=True)
def _():
    predicted = mo.ui.radio(STAYS).form(submit_button_label="Check")
    PREDICT.ask(predicted)
    return (predicted,)


@app.cell
def _(game, policy_of, predicted):
    def added(order):
        """What each agent adds, by its number, when all lift in this order and each lifts with 3 tenths otherwise."""
        tables = {
            agent: mv.subset_advantages(game, policy_of(3), order[:k], [agent])[0] for k, agent in enumerate(order)
        }
        return {agent: table[tuple(size - 1 for size in table.shape)] for agent, table in tables.items()}

    def predict_objection_to(choice):
        first, second = added((1, 2, 3)), added((3, 2, 1))
        each, together = first == second, sum(first.values()) == sum(second.values())
        right = STAYS[0] if each else STAYS[1] if together else STAYS[2]
        return (
            None
            if choice == right
            else "Choose 3, then 2, then 1 below, and compare the two staircases: their steps, and their ends."
        )

    predict_objection = None if predicted.value is None else predict_objection_to(predicted.value)
    return (predict_objection,)


@app.cell(hide_code=True)
def _(predict_objection, predicted):
    PREDICT.feedback(predicted.value, predict_objection)
    return


@app.cell(hide_code=True)
def _():
    order = mo.ui.dropdown(ORDERS, value="1, then 2, then 3", label="the agents move in the order")
    mo.vstack(
        [
            mo.md(r"""
            ## Another order, other credits, the same sum

            Nothing forces agent 1 to be first. Once you have predicted, let them move in another order; those who have not
            moved are averaged out.
            """),
            order,
        ]
    )
    return (order,)


@app.cell
def _(action, game, levels, order, policy):
    def step_in_order(position):
        """A^i(a^{those before i}, a^i): an axis per agent, of length 1 for those who have not moved."""
        before, agent = order.value[:position], order.value[position]
        table = mv.subset_advantages(game, policy, before, [agent])[0]
        return table[tuple(a if size > 1 else 0 for a, size in zip(action, table.shape, strict=True))]

    reordered = [levels[0]]
    for position in range(3):
        reordered.append(reordered[-1] + step_in_order(position))
    same_sum = reordered[-1] == levels[-1]
    return reordered, same_sum


@app.cell(hide_code=True)
def _(order, reordered, same_sum):
    mo.vstack(
        [
            staircase(
                reordered,
                [f"agent {m}" for m in order.value],
                ("V", "Q"),
                "prospects of the team",
                "the same joint action, revealed in another order",
            ),
            mo.md(
                "✓ The last step ends at the same Q."
                if same_sum
                else "✗ **The staircase misses Q.** (Possible only where this reading of the prospects is not defined: "
                "a copying agent 3 never does what agent 1 does not.)"
            ),
        ]
    )
    return


@app.cell
def _(game, policy):
    evidence = mv.check("lemma-b.3", game=game, policy=policy)  # every order, every subset, both readings
    zero_mean = mv.check("lemma-b.3/zero-mean", game=game, policy=policy)
    return evidence, zero_mean


@app.cell(hide_code=True)
def _(evidence, zero_mean):
    mo.md(rf"""
    ## For every joint action, and on average

    The library's own proof of Lemma B.3 goes through **all** joint actions, subsets and orders of this game:
    the verdict is **{evidence.verdict.value}** ({evidence.arithmetic.value}, {len(evidence.statements)} equalities).

    On average an agent that follows $\pi$ gains nothing by it, $\sum_a \pi^m(a) A^m(\cdot, a) = 0$, since $Q^{{1:m-1}}$ *is*
    the average of $Q^{{1:m}}$: **{zero_mean.verdict.value}**.

    Neither depends on the numbers of this table. In symbols, with every reward, probability and the discount left open, both are
    *identities*. The audit proves it in a terminal:

    ```sh
    mappo-verify audit --claim lemma-b.3
    ```
    """)
    return


@app.cell(hide_code=True)
def _():
    tried = mo.ui.number(0, 10, label="tenths:").form(submit_button_label="Check")
    TRY.ask(tried)
    return (tried,)


@app.cell
def _(game, policy_of, tried):
    def try_objection_to(answer):
        pays = [mv.agent_advantages(game, policy_of(tenths))[0][0, 1] > 0 for tenths in range(10)]
        if answer == pays.index(True):
            return None
        return f"{answer} tenths is not the smallest number with $A^1(\\text{{lift}}) > 0$."

    try_objection = None if tried.value is None else try_objection_to(tried.value)
    return (try_objection,)


@app.cell(hide_code=True)
def _(tried, try_objection):
    TRY.feedback(tried.value, try_objection)
    return


@app.cell
def _(game, policy):
    _own = policy.factors[2][0, 3]  # agent 3's probabilities after the prefix (lift, lift)
    _before = mv.agent_values(game, policy)[2][0, 3]  # Q^{1:2} there
    _after = mv.agent_values(game, policy)[3].reshape(4, 2)[3]  # Q^{1:3} for either move of agent 3
    _gains = mv.agent_advantages(game, policy)[2].reshape(4, 2)[3]
    proof_start = Line("=", "Σ_a π(a) A(p, a)", "", (_own * _gains).sum())
    proof_steps = (
        Line("=", "Σ_a π(a) (Q(p, a) - Q(p))", "definition of A", (_own * (_after - _before)).sum()),
        Line("=", "Σ_a π(a) Q(p, a) - Q(p)", "the probabilities add up to 1", (_own * _after).sum() - _before),
        Line("=", "Q(p) - Q(p)", "Q(p) is the average of Q(p, a)", _before - _before),
        Line("=", "0", "x - x = 0", mv.like(0, RATIONALS)),
    )
    proof_offered = (
        *proof_steps,
        Line("=", "max_a Q(p, a) - Q(p)", "π plays the best move", mv.maximum(_after[0], _after[1]) - _before),
        Line("=", "Σ_a (Q(p, a) - Q(p))", "every move counts alike", (_after - _before).sum()),
    )
    return proof_offered, proof_start, proof_steps


@app.cell(hide_code=True)
def _(proof_offered, proof_start):
    proved = slots(proof_offered, 4).form(submit_button_label="Check")
    PROVE.ask(
        mo.md(r"Below, $A$ is $A^m$, $Q(p, a)$ is $Q^{1:m}(p, a)$, and $Q(p)$ is $Q^{1:m-1}(p)$."),
        offer(proof_start, proof_offered),
        proved,
    )
    return (proved,)


@app.cell
def _(proof_offered, proof_start, proof_steps, proved):
    prove_objection = None
    if proved.value is not None:
        prove_objection = objection_to(proved.value, proof_start, proof_offered, proof_steps)
    return (prove_objection,)


@app.cell(hide_code=True)
def _(prove_objection, proved):
    PROVE.feedback(proved.value, prove_objection)
    return


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    ## Next

    Credits add up for one move. **Lesson 2** follows a team through a game of many moves, and splits what a new policy gains.
    """)
    return


if __name__ == "__main__":
    app.run()
