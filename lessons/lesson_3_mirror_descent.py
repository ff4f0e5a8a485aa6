"""Lesson 3: mirror descent on the simplex (Proposition 4.2, Pinsker's inequality, Lemma B.6)."""

# /// script
# [tool.marimo.opengraph]
# title = "3. Mirror descent"
# description = "The best cautious step of one agent: find it, prove that it is best, and follow one step of descent."
# ///

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="3. Mirror descent")

with app.setup:
    from fractions import Fraction

    import marimo as mo
    import numpy as np
    from showing import (
        BLUE,
        INK,
        ORANGE,
        Exercise,
        Line,
        chart,
        decimal,
        objection_to,
        offer,
        opening,
        proof_table,
        slots,
    )

    import mappo_verify as mv
    from mappo_verify.arithmetic import floats_of

    RATIONALS = mv.System.RATIONALS
    CORNERS = np.array([[0, 0], [1, 0], [0.5, np.sqrt(3) / 2]])  # where actions 1, 2, 3 are drawn
    ODDS = {"4 : 2 : 1": (4, 2, 1), "1 : 3 : 1": (1, 3, 1), "2 : 1 : 1": (2, 1, 1), "1 : 1 : 1": (1, 1, 1)}
    TITLE, MINUTES = "3. Mirror descent", 50
    GOALS = (
        r"derive the step $\pi^+ \propto \pi_k \exp(\hat Q/\beta)$ and say what $\beta$ does;",
        "prove by the three-point identity that no rival is better;",
        "follow the divergence to a goal through one step that is fitted with an error.",
    )
    PREDICT = Exercise(
        "predict",
        r"Start from the uniform policy, with $\hat Q = 2\log(2, 1, 1)$ and $\beta = 2$ in every step. **After how "
        r"many steps has action 1 "
        "more than 99 %?** No simulation is needed.",
        (
            "What does one step do to the odds of action 1 against action 2?",
            "After $k$ steps the odds are $2^k : 1 : 1$.",
        ),
        r"Each step doubles the odds, so $2^k$ must exceed $99 \cdot 2 = 198$: eight steps.",
    )
    TRY = Exercise(
        "try",
        r"Move the three sliders of the rival until $q = \pi^+$, so that the gap $F(\pi^+) - F(q)$ is **exactly 0**. "
        r"Leave $\pi_k$, $\hat Q$ and $\beta = 2$ as they are. Then press *Check*.",
        (
            r"With $\beta = 2$ the step multiplies the weights of $\pi_k$ by $\exp(\hat Q/2)$.",
            "Sliders are weights: only their ratios count.",
        ),
        r"The weights $1, 3, 6$ times $4, 2, 1$ are $4, 6, 6$, so for instance $q \propto (2, 3, 3)$. Any other "
        r"rival has "
        r"$\mathrm{KL}(q\Vert\pi^+) > 0$.",
    )
    PROVE = Exercise(
        "prove",
        r"Prove the three-point identity in four steps. $Z = \sum_a \pi_k(a) \exp(\hat Q(a)/\beta)$; every line "
        r"offered is computed for "
        "the policies above, and some are false.",
        (
            r"What is $F(\pi^+)$? Put $\log \pi^+ = \log \pi_k + \hat Q/\beta - \log Z$ into it.",
            r"$\sum_a q(a) = 1$ moves $\log Z$ under the sum.",
        ),
        r"$F(\pi^+) = \beta \log Z$, then $F(q)$ is written out, then $\sum q = 1$, and what stands under the sum is "
        r"$\log(q/\pi^+)$. No derivative was taken.",
    )
    BETAS = {"1/2": Fraction(1, 2), "2/3": Fraction(2, 3), "1": Fraction(1), "2": Fraction(2)}


@app.cell(hide_code=True)
def _():
    mo.vstack(
        [
            opening(TITLE, MINUTES, GOALS),
            mo.md(r"""
    One state, one agent, three actions: a policy is a point of a triangle. It is given values $\hat Q$ and wants more of them,
    but it should not run far from where it is. So it maximises

    $$F(q) = \langle \hat Q, q\rangle - \beta\, \mathrm{KL}(q \,\|\, \pi_k).$$

    A large $\beta$ makes it cautious. Proposition 4.2 says that the best point is $\pi^+ \propto \pi_k \exp(\hat Q/\beta)$.
    """),
        ],
        gap=2,
    )
    return


@app.cell(hide_code=True)
def _():
    weights = mo.ui.array([mo.ui.slider(1, 9, value=v, label=f"action {a}") for a, v in enumerate((1, 3, 6), start=1)])
    rival = mo.ui.array([mo.ui.slider(1, 9, value=v, label=f"action {a}") for a, v in enumerate((2, 7, 2), start=1)])
    odds = mo.ui.dropdown(list(ODDS), value="4 : 2 : 1", label="exp(Q̂/2)")
    step_size = mo.ui.dropdown(list(BETAS), value="2", label="β")
    mo.vstack(
        [
            mo.hstack(
                [
                    mo.vstack([mo.md("**now**, $\\pi_k$"), *weights]),
                    mo.vstack([mo.md("**any rival**, $q$"), *rival]),
                    mo.vstack([mo.md("**the step**"), odds, step_size]),
                ],
                justify="start",
                gap=3,
                wrap=True,
            ),
            mo.md(
                "Sliders are weights, to be divided by their sum. The values are logarithms of whole numbers, so "
                "all that "
                "follows is exact, though it speaks of exp and log."
            ),
        ]
    )
    return odds, rival, step_size, weights


@app.cell
def _(odds, rival, step_size, weights):
    def distribution(numbers):
        return mv.like([Fraction(n, sum(numbers)) for n in numbers], RATIONALS)

    policy, candidate = distribution(weights.value), distribution(rival.value)
    beta = mv.like(BETAS[step_size.value], RATIONALS)
    values = 2 * mv.log(mv.like(list(ODDS[odds.value]), RATIONALS))  # formal logarithms: exact
    best = mv.mirror_step(policy, values, beta)
    return best, beta, candidate, distribution, policy, values


@app.cell
def _(beta, policy, values):
    path = [policy]
    for _ in range(12):  # the same step again and again
        path.append(mv.mirror_step(path[-1], values, beta))
    return (path,)


@app.cell(hide_code=True)
def _():
    def placed(points):
        """Where a distribution of three actions lies in the triangle."""
        return np.asarray(points, dtype=float) @ CORNERS

    return (placed,)


@app.cell(hide_code=True)
def _(best, beta, candidate, path, placed, policy, values):
    _n = 48
    _grid = np.array([(i, j, _n - i - j) for i in range(_n + 1) for j in range(_n + 1 - i)]) / _n
    _height = mv.quantities.mirror_objective(_grid, floats_of(policy), floats_of(values), float(beta))

    def _triangle(axes):
        axes.tricontourf(*placed(_grid).T, _height, levels=14, cmap="Blues", alpha=0.75)
        _walk = placed(np.stack([floats_of(p) for p in path]))
        axes.plot(*_walk.T, color=ORANGE, marker="o", markersize=3)
        for _name, _point in (("πₖ", policy), ("π⁺", best), ("q", candidate)):
            _at = placed(floats_of(_point))
            axes.plot(*_at, "o", color=INK, markersize=6)
            _box = {"boxstyle": "round,pad=0.1", "facecolor": "white", "edgecolor": "none", "alpha": 0.85}
            axes.annotate(_name, _at, (7, 6), textcoords="offset points", fontsize=12, color="black", bbox=_box)
        for _a, (_x, _y) in enumerate(CORNERS, start=1):
            axes.text(_x, _y + (0.03 if _y else -0.03), f"action {_a}", ha="center", va="bottom" if _y else "top")
        axes.set_aspect("equal")
        axes.axis("off")

    mo.vstack(
        [
            mo.md("## The triangle"),
            chart(_triangle, "the triangle of policies, with the current policy, the best step and a rival", 3.1),
            mo.md("Darker is better for the one step from $\\pi_k$. In orange: the same step, again and again."),
        ]
    )
    return


@app.cell
def _(best, beta, candidate, policy, values):
    _objective = mv.quantities.mirror_objective
    gap = _objective(best, policy, values, beta) - _objective(candidate, policy, values, beta)
    distance = beta * mv.kl_divergence(candidate, best)
    three_points = gap == distance
    proof = mv.check("proposition-4.2", policy=policy, values=values, beta=beta, candidate=candidate)
    return distance, gap, proof, three_points


@app.cell(hide_code=True)
def _(best, distance, gap, policy, proof, three_points):
    mo.md(rf"""
    ## The three-point identity

    How much worse is a rival $q$ than $\pi^+$? Exactly $\beta$ times its divergence from it:

    $$F(\pi^+) - F(q) = \beta\, \mathrm{{KL}}(q \,\|\, \pi^+) \;\ge\; 0$$

    | | |
    |:---|:---|
    | $\pi_k$ | {", ".join(map(str, policy))} |
    | $\pi^+$ | {", ".join(map(str, best))} |
    | $F(\pi^+) - F(q)$ | {gap} ≈ {decimal(gap):.4f} |
    | $\beta\,\mathrm{{KL}}(q\Vert\pi^+)$ | {distance} ≈ {decimal(distance):.4f} |

    {"✓ The same number: exact combinations of logarithms can be compared." if three_points else "✗ **These differ.**"}
    The optimality conditions hold as well: **{proof.verdict.value}** ({proof.arithmetic.value}).

    So nothing beats $\pi^+$, and only $\pi^+$ reaches it: no calculus was needed.
    """)
    return


@app.cell
def _():
    _generator = np.random.default_rng(0)
    left, right = _generator.dirichlet(np.ones(3), (2, 400))
    pinsker = {
        "half_square": mv.square(mv.quantities.l1_distance(left, right)) / 2,
        "kl": mv.kl_divergence(left, right),
    }
    return (pinsker,)


@app.cell(hide_code=True)
def _(pinsker):
    def _pairs(axes):
        axes.plot(pinsker["half_square"], pinsker["kl"], ".", color=BLUE, alpha=0.6, markersize=4)
        axes.plot([0, 2], [0, 2], color=ORANGE)
        axes.set_ylim(-0.05, 3)
        axes.set_xlabel("½ ‖p - q‖₁²")
        axes.set_ylabel("KL(p‖q)")

    mo.vstack(
        [
            mo.md(r"""
            ## Pinsker's inequality

            $\mathrm{KL}(p\Vert q) \ge \tfrac12 \Vert p - q\Vert_1^2$. Below, 400 random pairs: none falls under the line.
            It turns the divergence, which is hard to sum, into a square, which is easy.
            """),
            chart(_pairs, "400 random pairs of distributions, all above the line KL = half the squared distance"),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    slip = mo.ui.slider(
        1, 9, value=3, show_value=True, label="the fit multiplies the odds of action 1 by a wrong factor"
    )
    mo.vstack(
        [
            mo.md(r"""
            ## One step of descent

            Now the step is **fitted**, so it misses $\hat Q/\beta$ a little: $\pi_{k+1} \propto \pi_k e^{u}$ with
            $u \ne \hat Q/\beta$. Lemma B.6 follows the distance to a goal $\pi_*$ (here: action 1 for certain) through
            one such step.
            """),
            slip,
        ]
    )
    return (slip,)


@app.cell
def _(beta, policy, slip, values):
    step = values / beta + mv.log(mv.like([slip.value, 1, 1], RATIONALS))
    goal = mv.like([1, 0, 0], RATIONALS)
    descent = mv.check("lemma-b.6", policy=policy, values=values, beta=beta, step=step, target=goal)
    return (descent,)


@app.cell(hide_code=True)
def _(descent):
    mo.vstack(
        [
            proof_table(descent),
            mo.md(
                f"Verdict: **{descent.verdict.value}** ({descent.arithmetic.value}). The equalities are exact "
                f"whatever the fit "
                "does; the only inequality is Pinsker's."
            ),
        ]
    )
    return


@app.cell
def _(distribution):
    _policy, _values = distribution((1, 1, 1)), 2 * mv.log(mv.like([2, 1, 1], RATIONALS))
    needed = 0
    while 100 * _policy[0] <= 99:
        _policy, needed = mv.mirror_step(_policy, _values, mv.like(2, RATIONALS)), needed + 1
    return (needed,)


@app.cell(hide_code=True)
def _():
    predicted = mo.ui.number(0, 50, label="steps:").form(submit_button_label="Check")
    PREDICT.ask(predicted)
    return (predicted,)


@app.cell
def _(needed, predicted):
    predict_objection = None
    if predicted.value is not None and predicted.value != needed:
        _side = "fewer" if predicted.value < needed else "more"
        predict_objection = f"{predicted.value} is {_side} than it takes."
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
def _(gap, odds, step_size, tried, weights):
    _as_they_were = list(weights.value) == [1, 3, 6] and odds.value == "4 : 2 : 1" and step_size.value == "2"
    try_objection = None
    if tried.value and not _as_they_were:
        try_objection = (
            "Put $\\pi_k$, $\\hat Q$ and $\\beta$ back to where they began: weights 1, 3, 6, odds 4 : 2 : 1, β = 2."
        )
    elif tried.value and gap != 0:
        try_objection = f"The gap is {decimal(gap):.4f}, not 0; the rival is not yet $\\pi^+$."
    return (try_objection,)


@app.cell(hide_code=True)
def _(tried, try_objection):
    TRY.feedback(tried.value or None, try_objection)
    return


@app.cell
def _(best, beta, candidate, distance, gap, policy, values):
    _z = (policy * mv.exp(values / beta)).sum()
    _log = mv.log
    proof_start = Line("=", "F(π⁺) - F(q)", "", gap)
    proof_steps = (
        Line(
            "=",
            "β log Z - F(q)",
            "F(π⁺) = β log Z",
            beta * _log(_z) - mv.quantities.mirror_objective(candidate, policy, values, beta),
        ),
        Line(
            "=",
            "β log Z - Σ q Q̂ + β Σ q log(q/π_k)",
            "definition of F(q)",
            beta * _log(_z) - (candidate * values).sum() + beta * (candidate * (_log(candidate) - _log(policy))).sum(),
        ),
        Line(
            "=",
            "β Σ q (log q - log π_k - Q̂/β + log Z)",
            "Σ q = 1",
            beta * (candidate * (_log(candidate) - _log(policy) - values / beta + _log(_z))).sum(),
        ),
        Line("=", "β KL(q‖π⁺)", "log π⁺ = log π_k + Q̂/β - log Z", distance),
    )
    proof_offered = (
        *proof_steps,
        Line("=", "β KL(π⁺‖q)", "the divergence is symmetric", beta * mv.kl_divergence(best, candidate)),
        Line("=", "β log Z", "F(q) = 0", beta * _log(_z)),
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

    Steps that are fitted make errors. **Lesson 4** follows what a theorem allows for them, first on a run that it survives.
    """)
    return


if __name__ == "__main__":
    app.run()
