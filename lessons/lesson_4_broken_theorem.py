"""Lesson 4: how Theorem 4.5 breaks, and how it is repaired."""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="4. How a theorem breaks")

with app.setup:
    from functools import partial

    import altair as alt
    import marimo as mo
    import numpy as np
    from showing import formula, proof_table

    import mappo_verify as mv
    from mappo_verify.checking.evaluate import certify
    from mappo_verify.papers import registry
    from mappo_verify.papers.local_optimization.section_4_convergence import steps_of

    GAINS = {
        "5/4": (1, 4),
        "3/2": (1, 2),
        "2": (1, 1),
        "7/3": (4, 3),
        "5/2": (3, 2),
        "3": (2, 1),
        "4": (3, 1),
    }  # b = 1 + p/q
    PRINTED, REPAIRED = registry.claim("theorem-4.5/i"), registry.claim("theorem-4.5/repaired")
    # The repaired statement, proved line by line by the library, on the very runs of the printed one.
    REPAIRED_HERE = mv.Claim(
        "bandit/repaired",
        REPAIRED.title,
        REPAIRED.source,
        PRINTED.setting,
        REPAIRED.proof,
        statement=REPAIRED.statement,
        transcendental=True,
    )


@app.cell(hide_code=True)
def _():
    mo.md(rf"""
    # 4. How a theorem breaks

    Theorem 4.5 bounds the regret of $K$ policy updates. In the form in which the toolkit tries it:

    > {formula(PRINTED.statement)}

    $\Delta$ and $\delta$ are what errors of the updates may cost; both are proportional to the root mean square error
    $\varepsilon_k$ **under the current policy**. On this page you break the theorem on the smallest game there is: one state,
    one agent, two actions with rewards 1 and 0. The policy starts uniform.
    """)
    return


@app.cell
def _():
    rare = np.array([2.0**-k for k in range(17)])  # π_k(bad action); the error there is 1, elsewhere 0
    hidden = np.sqrt(mv.squared_norm(np.stack([0 * rare, 1 + 0 * rare], -1), np.stack([1 - rare, rare], -1)))
    return hidden, rare


@app.cell(hide_code=True)
def _(hidden, rare):
    _rows = [
        {"p": p, "size": s, "what": what}
        for p, e in zip(rare.tolist(), hidden.tolist(), strict=True)
        for what, s in (("largest error max|e|", 1.0), ("what Lemma B.4 puts in its place: ε = √p", e))
    ]
    mo.vstack(
        [
            mo.md(r"""
            ## The crack

            Lemma B.4 replaces the **largest** error over the actions by its root **mean** square $\varepsilon$ under $\pi_k$.
            But an action that $\pi_k$ hardly ever plays, with probability $p$, hides an error $M$ at the price
            $\varepsilon = \sqrt p\,M$:
            """),
            alt.Chart(alt.Data(values=_rows))
            .mark_line(point=True, strokeWidth=2)
            .encode(
                x=alt.X("p:Q", scale=alt.Scale(type="log"), title="probability of the action with the error"),
                y=alt.Y("size:Q", title="size"),
                color=alt.Color(
                    "what:N",
                    title=None,
                    sort=None,
                    scale=alt.Scale(range=["#d55e00", "#0072b2"]),
                    legend=alt.Legend(orient="top", labelLimit=0),
                ),
            )
            .properties(width=520, height=200),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    length = mo.ui.slider(12, 28, value=23, show_value=True, label="K, number of updates")
    gain = mo.ui.dropdown(list(GAINS), value="2", label="b: a good update multiplies the odds good : bad by")
    when = mo.ui.slider(0, 27, value=11, show_value=True, label="one update goes wrong: number")
    size = mo.ui.slider(
        0, 40, value=26, show_value=True, label="it multiplies the odds of the bad action by 2 to the power"
    )
    mo.vstack(
        [
            mo.md(r"""
            ## Build a run

            Exact updates make the bad action rare. Then, while it is rare, **one** update gets its logit wrong by a lot. It costs
            almost nothing in $\varepsilon$, and all that was learned is lost.
            """),
            length,
            gain,
            when,
            size,
        ]
    )
    return gain, length, size, when


@app.cell
def _(gain, length, size, when):
    def run_of(steps, base, step, power):
        """The integers that describe a run: K errors, all 0 but one."""
        errors = [power if k == step else 0 for k in range(steps)]
        return {"increments.base": list(base), "increments.errors": errors}, mv.Sizes(1, (2,), steps)

    coordinates, sizes = run_of(length.value, GAINS[gain.value], when.value, size.value)
    run = PRINTED.setting.case(coordinates, sizes, mv.System.RATIONALS)
    iterations = steps_of(run)  # every policy, value and error, recomputed from the run
    return coordinates, iterations, run_of, sizes


@app.cell(hide_code=True)
def _(iterations):
    _rows = [
        {
            "k": k,
            "p": float(step.policy.factors[0][0, 0, 1]),
            "J": float(mv.returns(step.game, step.policy, step.current_distribution)),
        }
        for k, step in enumerate(iterations)
    ]
    _base = alt.Chart(alt.Data(values=_rows)).encode(x=alt.X("k:Q", title="update k", axis=alt.Axis(tickMinStep=1)))
    mo.vstack(
        [
            _base.mark_line(point=True, color="#0072b2")
            .encode(y=alt.Y("J:Q", title="return Jₖ (best: 1)", scale=alt.Scale(domain=[0, 1])))
            .properties(width=520, height=150),
            _base.mark_line(point=True, color="#d55e00")
            .encode(
                y=alt.Y(
                    "p:Q", title="P(bad action)", scale=alt.Scale(type="log"), axis=alt.Axis(format=".0e", tickCount=4)
                )
            )
            .properties(width=520, height=130),
        ]
    )
    return


@app.cell
def _(coordinates, sizes):
    printed = certify(PRINTED, partial(PRINTED.setting.case, coordinates, sizes))
    repaired = certify(REPAIRED_HERE, partial(PRINTED.setting.case, coordinates, sizes))
    left, right, mended = (
        np.asarray(e.value).item() for e in (printed.lines[0], printed.lines[-1], repaired.lines[-1])
    )
    ratio = left / right
    return left, mended, printed, ratio, repaired, right


@app.cell(hide_code=True)
def _(left, mended, printed, ratio, repaired, right):
    _rows = [
        {"side": "what happened: Σ (J* − Jₖ)/βₖ", "value": float(left), "kind": "left"},
        {"side": "the printed bound", "value": float(right), "kind": "printed"},
        {"side": "the repaired bound", "value": float(mended), "kind": "repaired"},
    ]
    _broken = printed.verdict is mv.Verdict.VIOLATED
    mo.vstack(
        [
            mo.md("## The two sides"),
            alt.Chart(alt.Data(values=_rows))
            .mark_bar()
            .encode(
                y=alt.Y("side:N", sort=None, title=None, axis=alt.Axis(labelLimit=0, labelFontSize=12)),
                x=alt.X("value:Q", title=None),
                color=alt.Color(
                    "kind:N",
                    legend=None,
                    scale=alt.Scale(domain=["left", "printed", "repaired"], range=["#555555", "#d55e00", "#009e73"]),
                ),
            )
            .properties(width=400, height=110),
            mo.callout(
                mo.md(
                    f"left/right of the printed theorem = **{float(ratio):.4f}**: "
                    + (
                        "**refuted**. The two sides, as balls that surely contain them, do not overlap: "
                        if _broken
                        else "it survives this run. "
                    )
                    + f"{left.str(12)} against {right.str(12)}. Repaired: **{repaired.verdict.value}**, {mended.str(12)}."
                ),
                kind="danger" if _broken else "neutral",
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _(printed):
    mo.vstack(
        [
            mo.md("## Where the proof breaks"),
            proof_table(printed),
            mo.md(
                "✓ certified in balls. ≈ an equality: balls enclose it but cannot certify it (the lemma that it names has an "
                "exact proof). ✗ The step that leans on Lemma B.4 fails, even on many runs that the theorem survives."
            ),
        ]
    )
    return


@app.cell(hide_code=True)
def _():
    mo.md(rf"""
    ## The repair

    Keep the density that Cauchy and Schwarz really need. Where the printed theorem has $\delta = 2\varphi\varepsilon$, put

    $$\varepsilon_k^m \Big\| w_{{m-1}} \big(1 - \pi_{{k+1}}^m/\pi_k^m\big) \Big\|_{{2,\sigma_k}}$$

    It is large exactly where an update moves much more probability than the old policy had: at the one bad update of this run.
    The green bar above is that bound, computed from the same run. The audit searches for a counterexample to it, and finds none.

    **Scope.** {formula(PRINTED.note)}
    """)
    return


@app.cell
def _(gain, length):
    _steps, _powers = np.arange(length.value), np.arange(0, 41)
    _errors = np.zeros((len(_steps), len(_powers), length.value), dtype=np.int64)
    for _k in _steps:
        _errors[_k, :, _k] = _powers
    _batch = {
        "increments.base": np.broadcast_to(GAINS[gain.value], (len(_steps) * len(_powers), 2)),
        "increments.errors": _errors.reshape(-1, length.value),
    }
    _case = PRINTED.setting.case(_batch, mv.Sizes(1, (2,), length.value), mv.System.FLOATS)
    _lines = PRINTED.lines(_case)  # a thousand runs at once, in floats: they explore, they never decide
    ratios = (_lines[0].value / _lines[-1].value).reshape(len(_steps), len(_powers))
    return (ratios,)


@app.cell(hide_code=True)
def _(gain, ratios, size, when):
    _rows = [
        {"step": k, "power": e, "ratio": float(ratios[k, e])}
        for k in range(ratios.shape[0])
        for e in range(ratios.shape[1])
    ]
    _heat = (
        alt.Chart(alt.Data(values=_rows))
        .mark_rect()
        .encode(
            x=alt.X("step:O", title="update that goes wrong", axis=alt.Axis(labelAngle=0)),
            y=alt.Y("power:O", title="power of 2", sort="descending", axis=alt.Axis(values=list(range(0, 41, 10)))),
            color=alt.Color(
                "ratio:Q",
                title="left/right",
                scale=alt.Scale(domain=[0.4, 1, 1.06], range=["#f7f7f7", "#9ecae1", "#a50f15"], clamp=True),
            ),
            tooltip=["step:O", "power:O", "ratio:Q"],
        )
    )
    _here = (
        alt.Chart(alt.Data(values=[{"step": when.value, "power": size.value}]))
        .mark_point(size=90, color="black", strokeWidth=2)
        .encode(x="step:O", y=alt.Y("power:O", sort="descending"))
    )
    mo.vstack(
        [
            mo.md(
                f"## All single errors at once\nEvery place and size of one error, for this K and b = {gain.value}: "
                f"floats explore (largest ratio **{ratios.max():.4f}**), and your run, the black circle, is certified above."
            ),
            (_heat + _here).properties(width=520, height=280),
        ]
    )
    return


@app.cell
def _(printed, sizes):
    solved = printed.verdict is mv.Verdict.VIOLATED and sizes.steps < 23
    return (solved,)


@app.cell(hide_code=True)
def _(printed, sizes, solved):
    mo.callout(
        mo.md(
            f"""
## Exercise

The run that you found here has K = 23. **Break the theorem with fewer updates**, with one error only:
move the four controls above.

Now: K = {sizes.steps}, {printed.verdict.value}. {"**Solved**, and certified: no float was trusted." if solved else "Not yet."}
"""
        ),
        kind="success" if solved else "neutral",
    )
    return


if __name__ == "__main__":
    app.run()
