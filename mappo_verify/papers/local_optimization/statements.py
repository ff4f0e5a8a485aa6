"""What the paper prints, statement by statement, in its order; and what its defender would say of those that do not stand."""

from ...claims.paper import Statement
from .appendix_d_theorem import LEAST_GAP
from .section_4_convergence import BOUNDED_STEPS

STATEMENTS = (
    Statement("section-3.1", "Section 3.1", "Values, visits, stationary distributions"),
    Statement("definition-3.1", "Definition 3.1", "Multi-agent action values and advantages"),
    Statement("definition-3.2", "Definition 3.2", "The multi-agent Bellman operator and its fixed point"),
    Statement("equation-1", "Equation (1)", "Mirror descent, which the ideal update generalises"),
    Statement("lemma-4.1", "Lemma 4.1", "Multi-agent performance difference"),
    Statement("definition-4.4", "Definition 4.4", "Concentrability"),
    Statement("proposition-4.2", "Proposition 4.2", "Closed form of the KL-regularised update"),
    Statement(
        "theorem-4.5",
        "Theorem 4.5",
        "Global convergence of multi-agent PPO",
        why="its δ bounds the largest error of an update by its root mean square (Lemma B.4), in which an error M at an "
        "action of probability p counts as √p M only",
        yet=f"True as printed where {BOUNDED_STEPS}.",
        answer="A defender will say that Algorithm 3 was never seen to make such an error, that the parameters grow like "
        "√K, and that part (ii) prints O(·).  The first is true: the theorem falls for update errors of size ε_k, "
        "which is all that it assumes, and not for sample paths of Algorithm 3.  Parameters of that size occur in "
        "every run without errors.  No constant helps: along a family of runs the mean gap tends to 1 and the "
        "bound to 0.  And the theorem is true as printed for bounded steps: if "
        f"{BOUNDED_STEPS}.  Each counterexample has one larger step.",
    ),
    Statement(
        "abstract-rate",
        "The abstract's rate",
        "The gap is O(N √(log|A|/K)/(1-γ))",
        why="O(·) must be allowed to hide B, the bound on the critic, which grows like 1/(1-γ)",
        answer="A defender will say that O(·) hides B, which Theorem 4.5 has as a factor.  With that said the rate is not "
        "refuted for updates without errors.  With a constant that is the same for all γ it fails, by a factor "
        "that grows like 1/(1-γ).",
    ),
    Statement("section-4.3", "Section 4.3", "Equilibria need not be optimal, nor shared parameters"),
    Statement("definition-5.4", "Definition 5.4", "Concentrability with offline data"),
    Statement(
        "theorem-5.5",
        "Theorem 5.5",
        "Global convergence of pessimistic multi-agent PPO",
        why="critics that are fitted agent by agent need not be values of one game (Lemma C.3), and a critic without "
        "Bellman error may still be wrong where completeness fails (Lemma C.2)",
        answer="A defender will say that more data, a larger constant, completeness or the other inner minimum cures it.  "
        "Data is unlimited in the counterexamples.  The gap tends to a constant and the bound to 0 as K grows, so "
        "that every constant falls at a larger K.  The classes of the one with two agents are complete; only the "
        "one with a single agent ends where completeness is assumed.  Both critics are the same with the inner "
        "minimum over the class, as equation (5) prints, and over all weights, as Appendix C.1 writes.  What is "
        "certified is the limit n, λ → ∞ with the proof's constant 2√2.",
    ),
    Statement(
        "remark-5.2",
        "Remark 5.2",
        "Every action value is linear in the features",
        why="it does not follow from Definition 5.1, and is an assumption on game and features",
        answer="A defender will say that it is meant as an assumption, which Section 4.1 makes in words.  Read so it is "
        "one, and the toolkit checks it as a hypothesis of each instance.  That such weights must exist under "
        "the definition, as it is worded, fails.",
    ),
    Statement(
        "lemma-b.1",
        "Lemma B.1",
        "Averaged projected stochastic gradient descent",
        why="the average of θ(1), ..., θ(T), as Algorithm 3 prints it, leaves out the start and misses the bound at T "
        "= 1",
        answer="A defender will say that an index has slipped.  Conceded: averaged over θ(0), ..., θ(T-1) the bound is "
        "not refuted, and for the printed range no violation is known for T ≥ 2.  That it holds in expectation "
        "only, not on every sample path, is a missing sign and no fault of the lemma.",
    ),
    Statement(
        "lemma-b.2",
        "Lemma B.2",
        "Error of the solver, Algorithm 3",
        why="its bound on the gradients takes ‖θ - θ_k‖ ≤ R, but two points of a ball of radius R can be 2R apart",
        answer="A defender will say that O(·) absorbs a factor 2.  It does: the rate T^{-1/4} stands with 2R for R, in "
        "expectation.  What falls is the constant G of the proof, on which the step size depends, for k ≥ 1.",
    ),
    Statement("lemma-b.3", "Lemma B.3", "Multi-agent advantage decomposition"),
    Statement(
        "lemma-b.4",
        "Lemma B.4",
        "The largest error of an update against the mean squared one",
        why="an error M at an action of probability p counts as √p M",
        answer="A defender will say that a constant is missing, or that probabilities stay away from 0.  No constant "
        "helps, since p may be as small as one likes, and in every run that converges it becomes small.  With "
        "parameters in a ball of radius R the factor √|A| e^R makes it true.",
    ),
    Statement("lemma-b.5", "Lemma B.5", "Error propagation"),
    Statement("lemma-b.6", "Lemma B.6", "One-step descent"),
    Statement("lemma-c.1", "Lemma C.1", "The sampled Bellman error of the true values"),
    Statement("section-c.1", "Appendix C.1", "The Bellman error as a quadratic form, and the pessimistic step"),
    Statement(
        "section-c.2",
        "Appendix C.2",
        "Linear features give realizability and completeness",
        why="realizability does not give completeness: the class can contain every value and not the Bellman update of "
        "a critic",
        answer="A defender will say that linear Markov games were meant, whose transitions are linear too.  There it is "
        "true.  The paper assumes linear values only, and then it is false, already with one agent, one action and "
        "one feature.",
    ),
    Statement(
        "lemma-c.2",
        "Lemma C.2",
        "Small Bellman error means small residual",
        why="without completeness a critic with Bellman error 0 may have a residual",
        answer="A defender will say that completeness was stated just before, in Appendix C.2.  That statement is false, "
        "so completeness is a hypothesis; with it the lemma is supported.  Without it no constant helps, since the "
        "error is exactly 0, with the inner minimum over the class and over all weights alike.",
    ),
    Statement(
        "lemma-c.3",
        "Lemma C.3",
        "The critics are values of a game close to the given one",
        why="one game has the critics of all agents for its values only if f^{m-1} is the mean of f^m under π^m, and "
        "critics that are fitted agent by agent need not be so",
        answer="A defender will say that each agent may have a game of its own.  It may, and that is proved; but the "
        "proof of Theorem 5.5 sums over the agents within one game.  The critics of the counterexample are those "
        "of the first iteration, from complete classes, with the inner minimum over the class and over all weights "
        "alike.  The "
        "bound on the rewards falls as well, at the theorem's own λ and for every constant; the theorem can do without it.",
    ),
    Statement("lemma-c.4", "Lemma C.4", "Mirror steps follow the regularised leader"),
    Statement("lemma-c.5", "Lemma C.5", "Regret of the regularised leader"),
    Statement("lemma-c.6", "Lemma C.6", "Regret with the tuned step"),
    Statement("lemma-c.7", "Lemma C.7", "Pessimism: a lower bound of the value"),
    Statement("assumption-d.1", "Assumption D.1", "Bounded critics"),
    Statement("assumption-d.2", "Assumption D.2", "Realizability up to ζ_F"),
    Statement("assumption-d.3", "Assumption D.3", "Completeness up to ζ_FF"),
    Statement("lemma-d.4", "Lemma D.4", "The sampled Bellman error of the best critic"),
    Statement("lemma-d.5", "Lemma D.5", "Small Bellman error means small residual"),
    Statement("lemma-d.6", "Lemma D.6", "Pessimism: a lower bound of the value"),
    Statement(
        "theorem-d.7",
        "Theorem D.7",
        "Global convergence with general function approximation",
        why="critics that are chosen agent by agent need not be values of one game, as in Lemma C.3",
        answer="A defender will say that a larger constant, another power, more data or another λ cures it.  The mean gap "
        f"is at least {LEAST_GAP} for every K, so no constant and no power does; the classes are exact (ζ_F = ζ_FF = 0), "
        "and the wrong critic has a sampled error of exactly 0 and is chosen for every λ.  The inner minimum is "
        "over the finite class, as printed.",
    ),
    Statement("section-e", "Appendix E", "The ratio game: value and global maximum"),
)
