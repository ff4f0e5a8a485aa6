"""Lesson 3: mirror descent on the simplex (Proposition 4.2, Pinsker's inequality, Lemma B.6)."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="3. Mirror descent on the simplex")

with app.setup:
    from fractions import Fraction

    import altair as alt
    import marimo as mo
    import numpy as np
    from showing import decimal, proof_table

    import mappo_verify as mv
    from mappo_verify.arithmetic import floats_of

    RATIONALS = mv.System.RATIONALS
    CORNERS = np.array([[0, 0], [1, 0], [0.5, np.sqrt(3) / 2]])  # where actions 1, 2, 3 are drawn
    ODDS = {"4 : 2 : 1": (4, 2, 1), "1 : 3 : 1": (1, 3, 1), "2 : 1 : 1": (2, 1, 1), "1 : 1 : 1": (1, 1, 1)}
    BETAS = {"1/2": Fraction(1, 2), "2/3": Fraction(2, 3), "1": Fraction(1), "2": Fraction(2)}


@app.cell(hide_code=True)
def _():
    mo.md(r"""
    # 3. Mirror descent on the simplex

    One state, one agent, three actions: a policy is a point of a triangle. It is given values $\hat Q$ and wants more of them,
    but it should not run far from where it is. So it maximises

    $$F(q) = \langle \hat Q, q\rangle - \beta\, \mathrm{KL}(q \,\|\, \pi_k).$$

    A large $\beta$ makes it cautious. Proposition 4.2 says that the best point is $\pi^+ \propto \pi_k \exp(\hat Q/\beta)$.
    """)
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
            ),
            mo.md(
                "Sliders are weights, to be divided by their sum. The values are logarithms of whole numbers, so all that "
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
    for _ in range(8):  # the same step again and again
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
    _height = mv.mirror_objective(_grid, floats_of(policy), floats_of(values), float(beta))
    _cells = [{"x": x, "y": y, "F": f} for (x, y), f in zip(placed(_grid).tolist(), _height.tolist(), strict=True)]
    _plane = {"x": alt.X("x:Q", axis=None), "y": alt.Y("y:Q", axis=None, scale=alt.Scale(domain=[-0.08, 0.95]))}
    _map = (
        alt.Chart(alt.Data(values=_cells))
        .mark_circle(size=42, opacity=0.55)
        .encode(**_plane, color=alt.Color("F:Q", title="F(q)", scale=alt.Scale(scheme="tealblues")))
    )
    _walk = [
        {"x": x, "y": y, "k": k} for k, (x, y) in enumerate(placed(np.stack([floats_of(p) for p in path])).tolist())
    ]
    _line = (
        alt.Chart(alt.Data(values=_walk))
        .mark_line(color="#d55e00", point={"color": "#d55e00", "size": 22})
        .encode(**_plane, order="k:O")
    )
    _named = [("πₖ", policy), ("π⁺", best), ("q", candidate)]
    _dots = [
        {"x": x, "y": y, "name": name}
        for (name, _), (x, y) in zip(_named, placed(np.stack([floats_of(p) for _, p in _named])).tolist(), strict=True)
    ]
    _corners = [{"x": x, "y": y, "name": f"action {a}"} for a, (x, y) in enumerate(CORNERS.tolist(), start=1)]
    _points = alt.Chart(alt.Data(values=_dots)).encode(**_plane)
    _texts = alt.Chart(alt.Data(values=_corners)).encode(**_plane, text="name:N")
    mo.vstack(
        [
            mo.md("## The triangle"),
            (
                _map
                + _line
                + _points.mark_circle(size=110, color="black")
                + _points.mark_text(dx=18, dy=-10, fontSize=17, stroke="white", strokeWidth=5).encode(text="name:N")
                + _points.mark_text(dx=18, dy=-10, fontSize=17).encode(text="name:N")
                + _texts.transform_filter("datum.y < 0.1").mark_text(dy=16, fontSize=13)
                + _texts.transform_filter("datum.y > 0.1").mark_text(dy=-12, fontSize=13)
            ).properties(width=480, height=400),
            mo.md("Darker is better for the one step from $\\pi_k$. In orange: the same step, taken eight times."),
        ]
    )
    return


@app.cell
def _(best, beta, candidate, policy, values):
    gap = mv.mirror_objective(best, policy, values, beta) - mv.mirror_objective(candidate, policy, values, beta)
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
    pinsker = {"half_square": mv.square(mv.l1_distance(left, right)) / 2, "kl": mv.kl_divergence(left, right)}
    return (pinsker,)


@app.cell(hide_code=True)
def _(pinsker):
    _rows = [
        {"half": h, "kl": k}
        for h, k in zip(pinsker["half_square"].tolist(), pinsker["kl"].tolist(), strict=True)
        if k < 3
    ]
    _dots = (
        alt.Chart(alt.Data(values=_rows))
        .mark_circle(size=26, opacity=0.55, color="#0072b2")
        .encode(x=alt.X("half:Q", title="½ ‖p − q‖₁²"), y=alt.Y("kl:Q", title="KL(p‖q)"))
    )
    _line = (
        alt.Chart(alt.Data(values=[{"half": 0, "kl": 0}, {"half": 2, "kl": 2}]))
        .mark_line(color="#d55e00", strokeWidth=2)
        .encode(x="half:Q", y="kl:Q")
    )
    mo.vstack(
        [
            mo.md(r"""
            ## Pinsker's inequality

            $\mathrm{KL}(p\Vert q) \ge \tfrac12 \Vert p - q\Vert_1^2$. Below, 400 random pairs: none falls under the line.
            It turns the divergence, which is hard to sum, into a square, which is easy.
            """),
            (_dots + _line).properties(width=420, height=260),
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
                f"Verdict: **{descent.verdict.value}** ({descent.arithmetic.value}). The equalities are exact whatever the fit "
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
    answer = mo.ui.number(0, 50, value=0, label="steps:")
    mo.vstack(
        [
            mo.md(r"""
            ## Exercise

            Start from the uniform policy, with $\hat Q = 2\log(2, 1, 1)$ and $\beta = 2$ in every step. **After how many steps
            has action 1 more than 99 %?** (No simulation needed: what does one step do to the odds?)
            """),
            answer,
        ]
    )
    return (answer,)


@app.cell
def _(answer, needed):
    solved = answer.value == needed
    return (solved,)


@app.cell(hide_code=True)
def _(answer, solved):
    mo.callout(
        mo.md(
            "Right. Each step doubles the odds, so $2^k : 1 : 1$ must exceed $99 : \\tfrac12 : \\tfrac12$."
            if solved
            else f"{answer.value} is not the number."
        ),
        kind="success" if solved else "neutral",
    )
    return


if __name__ == "__main__":
    app.run()
