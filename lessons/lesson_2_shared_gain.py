"""Lesson 2: the performance difference lemma (Lemma 4.1), on a game that the reader edits."""

# /// script
# [tool.marimo.opengraph]
# title = "2. Who earned the gain?"
# description = "Split what a new policy gains into one term per agent, and see whose visits must weigh the states."
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="2. Who earned the gain?")

with app.setup:
    from fractions import Fraction

    import marimo as mo
    import numpy as np
    from showing import (
        BLUE,
        ORANGE,
        Exercise,
        Line,
        chart,
        objection_to,
        offer,
        opening,
        proof_table,
        short,
        slots,
        staircase,
    )

    import mappo_verify as mv
    from mappo_verify.quantities.performance_difference import expected_along, factor_gain

    RATIONALS = mv.System.RATIONALS
    STATES, JOINT = ["dry", "wet"], ["00", "01", "10", "11"]
    DISCOUNTS = {"0": Fraction(0), "1/2": Fraction(1, 2), "9/10": Fraction(9, 10)}
    ROWS = ["agent 1", "agent 2 after 0", "agent 2 after 1"]

    TITLE, MINUTES = "2. Who earned the gain?", 50
    GOALS = (
        "state the performance difference lemma for agents who move one after another;",
        "say whose visits weigh the states, and what goes wrong with the others;",
        "recognise a move that looks like a sacrifice and pays for the team.",
    )
    PREDICT = Exercise(
        "predict",
        r"Set $\gamma = 0$ in your head: only the first move counts. **How do the two curves lie then**, the truth "
        r"and the surrogate?",
        (
            "Which states are visited if only the first move counts?",
            "The curves differ only by the visits that weigh the states.",
        ),
        r"They coincide: with $\gamma = 0$ only the start counts, whatever the policy, so the visits of old and new "
        r"policy are the same.",
    )
    CURVES = ("they coincide", "they touch at 0 and part later", "they are apart everywhere")
    TRY = Exercise(
        "try",
        "Edit the new policy, or the game, so that **agent 1's term is negative and the team gains all the same**: "
        "a move that looks "
        "like a sacrifice until agent 2 answers it. Then press *Check*.",
        (
            "Agent 1's term is computed as if agent 2 still followed its *old* policy.",
            "Give a joint action a high reward that the old agent 2 hardly ever completes, and a low one to what it "
            "does instead.",
        ),
        "For instance: in both states the rewards 2, 0, -9, 9, and a new policy of 9 tenths for agent 1, 0 for agent 2 after 0 "
        "and 10 after 1. The order matters: agent 2 is credited with its answer to a prefix that only the new agent 1 plays.",
    )
    PROVE = Exercise(
        "prove",
        r"Prove the lemma in four steps, from $J(\pi') - J(\pi)$. Each line offered is computed on your game; some "
        r"are false.",
        (
            "The classical lemma, for the whole team, comes first.",
            "Lesson 1 split the advantage of the team. An average over what agent $m$ does under $\\pi$ is 0, "
            "so it may be subtracted.",
        ),
        "The classical lemma, then the telescoping sum of lesson 1, then zero mean twice: once for the advantages, "
        "and once because "
        r"$Q^{1:m-1}$ does not depend on what agent $m$ does.",
    )


@app.cell(hide_code=True)
def _():
    mo.vstack(
        [
            opening(TITLE, MINUTES, GOALS),
            mo.md(r"""
    A team drops its old policy $\pi$ for a new one, $\pi'$. Its return changes by $J(\pi') - J(\pi)$. **Which agent's change
    earned how much of it?** Lemma 4.1 splits the difference into one term per agent, exactly:

    $$J(\pi') - J(\pi) = \sum_{m,s} d(s)\, \mathbb{E}_{p \sim \pi'}\langle Q_\pi^{1:m}, \pi'^m - \pi^m\rangle$$

    The bracket is a sum over agent $m$'s actions, in the state $s$ and after the prefix $p$ of what the agents before it did.
    Here $d(s)$ counts the discounted visits of the **new** policy, and $Q_\pi^{1:m}$ are prospects under the **old** one.
    Everything on this page is yours to edit.
    """),
        ],
        gap=2,
    )
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
                "## The game\nTwo agents, two actions each (0 or 1), two states; it starts dry. Drag a number to "
                "change it."
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
            mo.hstack([old, new], justify="start", gap=3, wrap=True),
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
    def _bars(axes):
        _left = np.zeros(2)
        for _s, _colour in enumerate((ORANGE, BLUE)):
            _width = np.array([float(visits[_s]) for visits in (visits_old, visits_new)])
            axes.barh(["old π", "new π′"], _width, left=_left, color=_colour, label=STATES[_s], height=0.6)
            _left = _left + _width
        axes.invert_yaxis()
        axes.set_xlabel("discounted visits")

    mo.vstack(
        [
            mo.md(
                "## Whose visits?\nThe lemma weighs states by where the **new** policy goes. In practice one only "
                "has data of "
                "the old one, and their visits differ:"
            ),
            chart(_bars, "discounted visits of dry and wet, under the old and the new policy", 1.6),
        ]
    )
    return


@app.cell
def _():
    def curves(game, new, old):
        """The gain of ``new`` over ``old``, and its surrogate: the same sum, weighted by the visits of ``old``."""
        values = mv.agent_values(game, old)
        gains = [factor_gain(new, old, m, values[m]) for m in (1, 2)]
        surrogate = sum(expected_along(mv.visits(game, old), new, m - 1, gain) for m, gain in enumerate(gains, start=1))
        return mv.return_difference(game, new, old).sum(-1), surrogate

    return (curves,)


@app.cell
def _(curves, game, policy, target):
    way = np.linspace(0, 1, 41)  # a batch of policies between π (0) and π' (1), in floats: for the picture only
    _here, _there, _game = policy.floats(), target.floats(), game.floats()
    _t = way[:, None, None, None]
    between = mv.Policy(tuple((1 - _t) * f + _t * g for f, g in zip(_here.factors, _there.factors, strict=True)))
    truth, surrogate = curves(_game, between, _here)
    return surrogate, truth, way


@app.cell(hide_code=True)
def _(surrogate, truth, way):
    def _curves(axes):
        axes.plot(way, truth, color=BLUE, linewidth=2.5, label="visits of π′ (the lemma)")
        axes.plot(way, surrogate, color=ORANGE, linewidth=2.5, linestyle="--", label="visits of π (the surrogate)")
        axes.set_xlabel("share of the way from π to π′")
        axes.set_ylabel("gain over J(π)")

    mo.vstack(
        [
            mo.md(r"""
            Walk from $\pi$ to $\pi'$ in small steps. The **surrogate**, with the visits of $\pi$, leaves the truth
            only in second order: the curves touch at 0. This is why policy optimisation takes small steps.
            """),
            chart(_curves, "true gain and surrogate on the way from the old policy to the new one; they touch at 0"),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    predicted = mo.ui.radio(CURVES).form(submit_button_label="Check")
    PREDICT.ask(predicted)
    return (predicted,)


@app.cell
def _(curves, game, policy, predicted, target):
    def predict_objection_to(choice):
        one_move = game.with_discount(0)
        apart = []
        for share in (mv.like(Fraction(k, 4), RATIONALS) for k in range(5)):
            factors = zip(policy.factors, target.factors, strict=True)
            between = mv.Policy(tuple((1 - share) * f + share * g for f, g in factors))
            truth, surrogate = curves(one_move, between, policy)
            apart.append(bool(truth != surrogate))
        right = CURVES[0] if not any(apart) else CURVES[1] if not apart[0] else CURVES[2]
        return None if choice == right else "Compute both for one move: which states have visits at all?"

    predict_objection = None if predicted.value is None else predict_objection_to(predicted.value)
    return (predict_objection,)


@app.cell(hide_code=True)
def _(predict_objection, predicted):
    PREDICT.feedback(predicted.value, predict_objection)
    return


@app.cell(hide_code=True)
def _():
    tried = mo.ui.run_button(label="Check")
    TRY.ask(tried)
    return (tried,)


@app.cell
def _(after, before, shares, tried):
    try_objection = None
    if tried.value and not (shares[0] < 0 and after > before):
        try_objection = f"Agent 1's term is {short(shares[0])}, and the team gains {short(after - before)}."
    return (try_objection,)


@app.cell(hide_code=True)
def _(tried, try_objection):
    TRY.feedback(tried.value or None, try_objection)
    return


@app.cell
def _(after, before, evidence, game, policy, target):
    _new, _old = mv.visits(game, target), mv.visits(game, policy)
    _lines = evidence.lines  # the library's own proof
    _advantage = (target.joint() * mv.quantities.advantages(game, policy)).sum(-1)
    _own = (policy.joint() * mv.quantities.advantages(game, policy)).sum(-1)
    proof_start = Line("=", "J(π′) - J(π)", "", after - before)
    _texts = (
        ("Σ_s d′(s) E_{a~π′} A(s, a)", "the classical lemma: d′ counts visits of π′"),
        ("Σ_m Σ_s d′(s) E_{π′} A^m", "A is the sum of the agents' A^m"),
        ("Σ_m Σ_s d′(s) E_{π′} ⟨A^m, π′^m - π^m⟩", "⟨A^m, π^m⟩ = 0"),
        ("Σ_m Σ_s d′(s) E_{π′} ⟨Q^{1:m}, π′^m - π^m⟩", "⟨Q^{1:m-1}, π′^m - π^m⟩ = 0"),
    )
    proof_steps = tuple(
        Line("=", text, why, np.asarray(line.value).item())
        for (text, why), line in zip(_texts, _lines[1:], strict=True)
    )
    proof_offered = (
        *proof_steps,
        Line("=", "Σ_s d(s) E_{a~π′} A(s, a)", "the classical lemma: d counts visits of π", (_old * _advantage).sum()),
        Line("=", "Σ_s d′(s) E_{a~π} A(s, a)", "actions as π plays them", (_new * _own).sum()),
    )
    return proof_offered, proof_start, proof_steps


@app.cell(hide_code=True)
def _(proof_offered, proof_start):
    proved = slots(proof_offered, 4).form(submit_button_label="Check")
    PROVE.ask(offer(proof_start, proof_offered), proved)
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

    The gain is split; now it must be earned. **Lesson 3** makes one agent's best cautious step, and proves that it is best.
    """)
    return


if __name__ == "__main__":
    app.run()
