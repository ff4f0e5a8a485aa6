"""Claims: the paper as executable proofs."""
