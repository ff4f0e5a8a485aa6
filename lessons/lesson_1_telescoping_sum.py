"""Lesson 1: what each agent adds (Definition 3.1, Lemma B.3)."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="1. One sum that telescopes")

with app.setup:
    from fractions import Fraction
    from itertools import permutations

    import marimo as mo
    import numpy as np
    from showing import staircase

    import mappo_verify as mv

    RATIONALS = mv.System.RATIONALS
    MOVES = ("wait", "lift")
    ORDERS = {", then ".join(map(str, order)): order for order in permutations((1, 2, 3))}


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 1. One sum that telescopes

    Three people stand around a table. Each may **wait** or **lift**. They share one reward: 9 if all lift, 3 if nobody
    does, and little or nothing good in between.

    When the reward comes, who earned it? This lesson takes the answer of Definition 3.1: let the agents move **one after
    another**, and credit each with what the team's prospects gain when its move becomes known.
    """)
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
            moves.hstack(justify="start", gap=2),
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

    $$A^1 + A^2 + A^3 = {" + ".join(f"({step})" for step in steps)} = {sum(steps)}, \qquad
    Q - V = {levels[-1]} - ({levels[0]}) = {levels[-1] - levels[0]}$$

    {"✓ equal, in exact fractions." if telescopes else "✗ **These differ: something is wrong with the formulas.**"}
    """)
    return


@app.cell(hide_code=True)
def _():
    order = mo.ui.dropdown(ORDERS, value="3, then 2, then 1", label="the agents move in the order")
    mo.vstack(
        [
            mo.md(r"""
            ## Another order, other credits, the same sum

            Nothing forces agent 1 to be first. Let them move in another order; those who have not moved are averaged out.
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
    *identities*: run `mappo-verify audit lemma-b.3`.
    """)
    return


@app.cell(hide_code=True)
def _():
    answer = mo.ui.number(0, 10, value=0, label="tenths:")
    mo.vstack(
        [
            mo.md(r"""
            ## Exercise

            With lazy colleagues, to lift looks like a mistake: $A^1(\text{lift}) < 0$, though all three lifting is best of all.
            **From how many tenths on** do independent colleagues lift often enough that agent 1's move pays,
            $A^1(\text{lift}) > 0$? (Try the slider at the top and watch the first step; agent 3 must not copy.)
            """),
            answer,
        ]
    )
    return (answer,)


@app.cell
def _(answer, game, policy_of):
    pays = [mv.agent_advantages(game, policy_of(tenths))[0][0, 1] > 0 for tenths in range(10)]
    solved = answer.value == pays.index(True)
    return (solved,)


@app.cell(hide_code=True)
def _(answer, solved):
    mo.callout(
        mo.md(
            "Right. Below, each single gain is out of reach for an agent that moves alone: credit depends on what the others do."
            if solved
            else f"{answer.value} tenths: not yet the smallest number with $A^1(\\text{{lift}}) > 0$."
        ),
        kind="success" if solved else "neutral",
    )
    return


if __name__ == "__main__":
    app.run()
