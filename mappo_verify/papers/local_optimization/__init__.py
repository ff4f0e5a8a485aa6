"""Zhao, Yang, Wang and Lee: Local Optimization Achieves Global Optimality in Multi-Agent Reinforcement Learning."""

from ...claims.paper import Paper, Section
from . import (
    appendix_b,
    appendix_c,
    appendix_c_regret,
    appendix_c_samples,
    appendix_d,
    section_3,
    section_4,
    section_4_convergence,
    section_5,
    section_e,
)

PAPER = Paper(
    title="Local Optimization Achieves Global Optimality in Multi-Agent Reinforcement Learning",
    authors="Zhao, Yang, Wang and Lee",
    where="ICML 2023, arXiv 2305.04819",
    link="https://arxiv.org/abs/2305.04819",
    sections=(
        Section("Section 3: values, advantages, operators", section_3.CLAIMS),
        Section("Section 4: the multi-agent performance difference, the policy update", section_4.CLAIMS),
        Section("Section 4: convergence", section_4_convergence.CLAIMS),
        Section("Section 5: pessimistic learning from data", section_5.CLAIMS),
        Section("Appendix B: the proofs of Section 4", appendix_b.CLAIMS),
        Section("Appendix C: the proofs of Section 5", (*appendix_c_samples.CLAIMS, *appendix_c.CLAIMS)),
        Section("Appendix C: regret", appendix_c_regret.CLAIMS),
        Section("Appendix D: general function classes", appendix_d.CLAIMS),
        Section("Section E: the simulation", section_e.CLAIMS),
    ),
)
