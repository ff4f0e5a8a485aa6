"""Runs that outlive an interruption: what was asked for, what is stored, what came out."""
