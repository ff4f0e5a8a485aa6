"""The paper's figures and comparisons, computed anew: every module returns plain data, and draws nothing."""
