"""Zhao, Yang, Wang and Lee: Local Optimization Achieves Global Optimality in Multi-Agent Reinforcement Learning."""

from ...claims.paper import Paper, Section
from . import (
    appendix_b_decomposition,
    appendix_b_descent,
    appendix_b_gradient_descent,
    appendix_c_bellman_error,
    appendix_c_implied_game,
    appendix_c_pessimism,
    appendix_c_regret,
    appendix_c_samples,
    appendix_d_lemmas,
    appendix_d_theorem,
    appendix_e,
    section_3,
    section_3_mirror_descent,
    section_4,
    section_4_bounded_parameters,
    section_4_bounded_steps,
    section_4_convergence,
    section_4_equilibria,
    section_4_exact_updates,
    section_4_repaired,
    section_4_spread,
    section_4_tightness,
    section_5,
    section_5_every_penalty,
    section_5_probability,
)
from .statements import STATEMENTS

PAPER = Paper(
    title="Local Optimization Achieves Global Optimality in Multi-Agent Reinforcement Learning",
    authors="Zhao, Yang, Wang and Lee",
    where="ICML 2023, arXiv 2305.04819",
    link="https://arxiv.org/abs/2305.04819",
    sections=(
        Section("Section 3: Preliminaries", (*section_3.CLAIMS, *section_3_mirror_descent.CLAIMS)),
        Section("Section 4.1: Policy Improvement and Evaluation", section_4.CLAIMS),
        Section(
            "Sections 4.2 and 4.3: Theoretical Analysis, Compare with Independent Learning",
            (
                *section_4_convergence.CLAIMS,
                *section_4_repaired.CLAIMS,
                *section_4_spread.CLAIMS,
                *section_4_bounded_parameters.CLAIMS,
                *section_4_bounded_steps.CLAIMS,
                *section_4_tightness.CLAIMS,
                *section_4_exact_updates.CLAIMS,
                *section_4_equilibria.CLAIMS,
            ),
        ),
        Section(
            "Section 5: Pessimistic MA-PPO with Linear Function Approximation",
            (*section_5.CLAIMS, *section_5_probability.CLAIMS, *section_5_every_penalty.CLAIMS),
        ),
        Section(
            "Appendix B: Proofs for Section 4",
            (*appendix_b_gradient_descent.CLAIMS, *appendix_b_decomposition.CLAIMS, *appendix_b_descent.CLAIMS),
        ),
        Section(
            "Appendix C: Proofs for Section 5",
            (
                *appendix_c_samples.CLAIMS,
                *appendix_c_bellman_error.CLAIMS,
                *appendix_c_implied_game.CLAIMS,
                *appendix_c_regret.CLAIMS,
                *appendix_c_pessimism.CLAIMS,
            ),
        ),
        Section(
            "Appendix D: Pessimistic MA-PPO with General Function Approximation",
            (*appendix_d_lemmas.CLAIMS, *appendix_d_theorem.CLAIMS),
        ),
        Section("Appendix E: Simulation", appendix_e.CLAIMS),
    ),
    statements=STATEMENTS,
)
