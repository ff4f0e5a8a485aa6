"""Do improvements add up?  Two agents, two answers, and a trial.

``python improvement.py`` searches for a counterexample to each claim, and writes the
certificate of what it finds.
"""

import mappo_verify as mv

# --- the setting: what an instance is -------------------------------------------------


def alone(case, m):
    """``π`` with agent ``m`` alone replaced by its part of ``π'``."""
    factors = list(case.policy.factors)
    factors[m - 1] = case.target.factors[m - 1]
    return mv.Policy(tuple(factors))


def gains_alone(m):
    """Agent ``m``'s own change loses nothing as long as the other one stays."""

    def holds(case):
        now = mv.returns(case.game, case.policy)
        return mv.returns(case.game, alone(case, m)) >= now

    return mv.Hypothesis(f"agent {m} alone does not lose", holds)


def gains_in_turn(case):
    """No term of Lemma 4.1 is a loss: agent 2 is measured against the new agent 1."""
    return mv.return_difference(case.game, case.target, case.policy) >= 0


INGREDIENTS = (
    mv.GameData("game", termination=False),  # transitions, rewards, a discount, a start
    mv.PolicyData("policy", product=True),  # π, the old policy: independent agents
    mv.PolicyData("target", product=True),  # π', the new one
)
DISCOUNTED = mv.Hypothesis("γ < 1", lambda case: case.game.discount < 1)
SIZES = {"agents": (2, 2), "states": (1, 2), "action_range": (2, 3)}

EACH_ALONE = mv.Setting(
    "a game, and two policies of independent agents",
    INGREDIENTS,
    (DISCOUNTED, gains_alone(1), gains_alone(2)),
    **SIZES,
)
IN_TURN = mv.Setting(
    "a game, and two policies of independent agents",
    INGREDIENTS,
    (DISCOUNTED, mv.Hypothesis("no agent loses in its turn", gains_in_turn)),
    **SIZES,
)

# --- the claims: proofs that can be run -----------------------------------------------


def improvements_add_up(case):
    """As one might hope."""
    yield mv.line("J(π'^1, π'^2)", mv.returns(case.game, case.target))
    yield mv.at_least(
        "J(π)",
        mv.returns(case.game, case.policy),
        because="each change is an improvement, so both together are",
    )


def improvements_in_turn_add_up(case):
    """As Lemma 4.1 has it."""
    terms = mv.return_difference(case.game, case.target, case.policy)
    yield mv.line(
        "J(π') - J(π)",
        mv.returns(case.game, case.target) - mv.returns(case.game, case.policy),
    )
    yield mv.equal("the sum of the agents' terms", terms.sum(-1), because="lemma-4.1")
    yield mv.at_least("0", 0, because="no term is negative")


CLAIMS = (
    mv.Claim(
        "improvements-add-up",
        "Two improvements, made at once, are an improvement",
        "wishful thinking",
        EACH_ALONE,
        improvements_add_up,
        statement="J(π'^1, π^2) ≥ J(π) and J(π^1, π'^2) ≥ J(π) imply J(π'^1, π'^2) ≥ J(π)",
    ),
    mv.Claim(
        "improvements-in-turn-add-up",
        "Improvements made one after another are an improvement",
        "a corollary of Lemma 4.1",
        IN_TURN,
        improvements_in_turn_add_up,
        statement="if every term of the performance difference lemma is ≥ 0, then J(π') ≥ J(π)",
    ),
)

# --- the trial ------------------------------------------------------------------------


def main():
    """Search for counterexamples; show and certify what is found."""
    for claim in CLAIMS:
        found = mv.falsify(claim)
        print(found)
        if found.witness is not None:
            path = f"{claim.id}.json"
            certificate = mv.write_certificate(found.witness, path, claim)
            print(mv.recheck(certificate, claim).text())
            print(f"written to {path}")


if __name__ == "__main__":
    main()
