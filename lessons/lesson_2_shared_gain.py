"""Lesson 2: the performance difference lemma (Lemma 4.1), on a game that the reader edits."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="2. Who earned the gain?")

with app.setup:
    from fractions import Fraction

    import altair as alt
    import marimo as mo
    import numpy as np
    from showing import proof_table, short, staircase

    import mappo_verify as mv
    from mappo_verify.quantities.performance_difference import expected_along, factor_gain

    RATIONALS = mv.System.RATIONALS
    STATES, JOINT = ["dry", "wet"], ["00", "01", "10", "11"]
    DISCOUNTS = {"0": Fraction(0), "1/2": Fraction(1, 2), "9/10": Fraction(9, 10)}
    ROWS = ["agent 1", "agent 2 after 0", "agent 2 after 1"]


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 2. Who earned the gain?

    A team drops its old policy $\pi$ for a new one, $\pi'$. Its return changes by $J(\pi') - J(\pi)$. **Which agent's change
    earned how much of it?** Lemma 4.1 splits the difference into one term per agent, exactly:

    $$J(\pi') - J(\pi) = \sum_m \sum_s d(s)\; \mathbb{E}_{p \sim \pi'}\big\langle Q_\pi^{1:m}(s, p, \cdot),\;
    \pi'^m(\cdot|s,p) - \pi^m(\cdot|s,p) \big\rangle$$

    Here $d(s)$ counts the discounted visits of the **new** policy, and $Q_\pi^{1:m}$ are prospects under the **old** one.
    Everything on this page is yours to edit.
    """)
    return


@app.cell(hide_code=True)
def _():
    reward = mo.ui.matrix(
        [[2, 0, 0, 1], [-1, 3, 0, 6]], min_value=-9, max_value=9, row_labels=STATES, column_labels=JOINT, label="reward"
    )
    wet = mo.ui.matrix(
        [[1, 5, 5, 9], [2, 5, 8, 9]],
        min_value=0,
        max_value=10,
        row_labels=STATES,
        column_labels=JOINT,
        label="chance that it is wet next, in tenths",
    )
    discount = mo.ui.dropdown(list(DISCOUNTS), value="9/10", label="discount γ")
    mo.vstack(
        [
            mo.md(
                "## The game\nTwo agents, two actions each (0 or 1), two states; it starts dry. Drag a number to change it."
            ),
            reward,
            wet,
            discount,
        ]
    )
    return discount, reward, wet


@app.cell(hide_code=True)
def _():
    old = mo.ui.matrix(
        [[5, 5], [5, 5], [5, 5]], min_value=0, max_value=10, row_labels=ROWS, column_labels=STATES, label="old policy π"
    )
    new = mo.ui.matrix(
        [[8, 9], [1, 6], [4, 9]],
        min_value=0,
        max_value=10,
        row_labels=ROWS,
        column_labels=STATES,
        label="new policy π′",
    )
    mo.vstack(
        [
            mo.md(
                "## The two policies\nThe chance of action 1, in tenths. Agent 2 sees what agent 1 did: "
                "its row *after 0* is its answer to action 0."
            ),
            mo.hstack([old, new], justify="start", gap=3),
        ]
    )
    return new, old


@app.cell
def _(discount, new, old, reward, wet):
    def tenths(table):
        """``[P(0), P(1)]`` for a table of tenths of action 1."""
        ones = np.array([[Fraction(int(k), 10) for k in row] for row in table], dtype=object)
        return mv.like(np.stack([1 - ones, ones], axis=-1), RATIONALS)

    def policy_of(table):
        first, *second = tenths(table)
        return mv.Policy((first[:, None, :], np.stack(second, axis=1)))

    game = mv.Game(
        tenths(wet.value),
        mv.like(np.array(reward.value, dtype=int), RATIONALS),
        mv.like(DISCOUNTS[discount.value], RATIONALS),
        action_sizes=(2, 2),
        start=mv.like([1, 0], RATIONALS),
        state_names=STATES,
    )
    policy, target = policy_of(old.value), policy_of(new.value)
    return game, policy, target


@app.cell
def _(game, policy, target):
    before, after = mv.returns(game, policy)[()], mv.returns(game, target)[()]
    shares = mv.return_difference(game, target, policy)  # one term per agent
    adds_up = shares.sum() == after - before
    return adds_up, after, before, shares


@app.cell(hide_code=True)
def _(adds_up, after, before, shares):
    mo.vstack(
        [
            mo.md("## The gain, split"),
            staircase(
                [before, before + shares[0], before + shares.sum()], ["agent 1", "agent 2"], ("J(π)", "J(π′)"), "return"
            ),
            mo.md(
                "✓ The two terms add up to the difference, exactly."
                if adds_up
                else f"✗ **They end beside J(π′) = {after}: something is wrong with the formulas.**"
            ),
        ]
    )
    return


@app.cell
def _(game, policy, target):
    evidence = mv.check("lemma-4.1", game=game, target=target, policy=policy)
    return (evidence,)


@app.cell(hide_code=True)
def _(evidence):
    mo.vstack(
        [
            mo.md(
                "## Why: five lines\nEach line is computed for itself, on your game. "
                f"Verdict: **{evidence.verdict.value}** ({evidence.arithmetic.value})."
            ),
            proof_table(evidence),
        ]
    )
    return


@app.cell
def _(game, policy, target):
    visits_old, visits_new = mv.visits(game, policy), mv.visits(game, target)
    return visits_new, visits_old


@app.cell(hide_code=True)
def _(visits_new, visits_old):
    _rows = [
        {"state": state, "policy": name, "visits": float(visits[s])}
        for name, visits in (("old π", visits_old), ("new π′", visits_new))
        for s, state in enumerate(STATES)
    ]
    mo.vstack(
        [
            mo.md(
                "## Whose visits?\nThe lemma weighs states by where the **new** policy goes. In practice one only has data of "
                "the old one, and their visits differ:"
            ),
            alt.Chart(alt.Data(values=_rows))
            .mark_bar()
            .encode(
                y=alt.Y("policy:N", title=None, sort=None),
                x=alt.X("visits:Q", title="discounted visits"),
                color=alt.Color("state:N", title=None, scale=alt.Scale(domain=STATES, range=["#e69f00", "#56b4e9"])),
            )
            .properties(width=520, height=70),
        ]
    )
    return


@app.cell
def _(game, policy, target):
    way = np.linspace(0, 1, 41)  # a batch of policies between π (0) and π' (1), in floats: for the picture only
    _here, _there, _game = policy.floats(), target.floats(), game.floats()
    _t = way[:, None, None, None]
    between = mv.Policy(tuple((1 - _t) * f + _t * g for f, g in zip(_here.factors, _there.factors, strict=True)))
    truth = mv.return_difference(_game, between, _here).sum(-1)
    _values = mv.agent_values(_game, _here)
    surrogate = sum(
        expected_along(mv.visits(_game, _here), between, m - 1, factor_gain(between, _here, m, _values[m]))
        for m in (1, 2)
    )
    return surrogate, truth, way


@app.cell(hide_code=True)
def _(surrogate, truth, way):
    _rows = [
        {"t": float(t), "gain": float(gain), "weights": name}
        for name, gains in (("visits of π′ (the lemma)", truth), ("visits of π (the surrogate)", surrogate))
        for t, gain in zip(way, gains, strict=True)
    ]
    mo.vstack(
        [
            mo.md(r"""
            Walk from $\pi$ to $\pi'$ in small steps. The **surrogate**, with the visits of $\pi$, leaves the truth
            only in second order: the curves touch at 0. This is why policy optimisation takes small steps.
            """),
            alt.Chart(alt.Data(values=_rows))
            .mark_line(strokeWidth=3)
            .encode(
                x=alt.X("t:Q", title="share of the way from π to π′"),
                y=alt.Y("gain:Q", title="gain over J(π)"),
                color=alt.Color(
                    "weights:N",
                    title=None,
                    sort=None,
                    scale=alt.Scale(range=["#0072b2", "#d55e00"]),
                    legend=alt.Legend(labelLimit=0),
                ),
                strokeDash=alt.StrokeDash("weights:N", sort=None, legend=None),
            )
            .properties(width=420, height=240),
        ]
    )
    return


@app.cell
def _(after, before, shares):
    solved = shares[0] < 0 and after > before
    return (solved,)


@app.cell(hide_code=True)
def _(shares, solved):
    mo.callout(
        mo.md(
            f"""
## Exercise

Edit the new policy (or the game) so that **agent 1's term is negative and the team gains all the same**: a move that looks like a
sacrifice until agent 2 answers it.

Now: agent 1 {short(shares[0])}, agent 2 {short(shares[1])}. {
                "**Solved.** The order matters: agent 2 is credited with its "
                "answer to a prefix that only the new agent 1 plays."
                if solved
                else "Not yet."
            }
"""
        ),
        kind="success" if solved else "neutral",
    )
    return


if __name__ == "__main__":
    app.run()
