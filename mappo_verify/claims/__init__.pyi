# The public names of mappo_verify.claims, in reading order; see the rules in ../__init__.pyi.

# --- Ingredients that follow from others -----------------------------------------------------------------------------
from .related import (
    OptimalPolicy as OptimalPolicy,
    NashPolicy as NashPolicy,
    Iterates as Iterates,
    NearbyPolicy as NearbyPolicy,
)

# --- More ingredients ------------------------------------------------------------------------------------------------
from .ingredients import PrefixTables as PrefixTables, PositiveIntegers as PositiveIntegers, Increments as Increments
from .coordinates import Coordinate as Coordinate

# --- Proofs in a more general setting --------------------------------------------------------------------------------
from .general import General as General

# --- Runs of every length, by induction ------------------------------------------------------------------------------
from .induction import Run as Run, Step as Step, Place as Place, Summed as Summed, Arbitrary as Arbitrary
