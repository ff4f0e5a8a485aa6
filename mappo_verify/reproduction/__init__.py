"""The paper's figures and comparisons, recomputed: every module returns plain data and draws nothing."""
