# The public names of mappo_verify.arithmetic, in reading order; see the rules in ../__init__.pyi.

# --- Number systems --------------------------------------------------------------------------------------------------
from .array import Array as Array, as_array as as_array
from .system import (
    System as System,
    require_one_system as require_one_system,
)
from .numbers import (
    Numbers as Numbers,
    Hidden as Hidden,
    is_hidden as is_hidden,
)
from .functions import (
    system_of as system_of,
    elementwise as elementwise,
)
from .dispatch import (
    module_of as module_of,
    floats_of as floats_of,
    kind_of as kind_of,
)
from .sparse import (
    SparseRows as SparseRows,
    is_sparse as is_sparse,
)

# --- Constants -------------------------------------------------------------------------------------------------------
from .functions import (
    like as like,
    constant as constant,
    zeros as zeros,
    ones as ones,
    identity as identity,
    lift as lift,
    lift_to as lift_to,
)

# --- Linear algebra --------------------------------------------------------------------------------------------------
from .functions import (
    contract as contract,
    solve as solve,
    pseudo_solve as pseudo_solve,
    identity_minus as identity_minus,
    moveaxis as moveaxis,
    successors as successors,
)

# --- Functions -------------------------------------------------------------------------------------------------------
from .functions import (
    square as square,
    absolute as absolute,
    sqrt as sqrt,
    exp as exp,
    log as log,
    xlogy as xlogy,
    divide as divide,
    denominator as denominator,
    tilt as tilt,
)

# --- Comparing and choosing ------------------------------------------------------------------------------------------
from .functions import (
    compare as compare,
    certainly_equal as certainly_equal,
    support as support,
    maximum as maximum,
    minimum as minimum,
    largest as largest,
    smallest as smallest,
    at_largest as at_largest,
    choose as choose,
    select as select,
    by_floats as by_floats,
)
from .dispatch import argmax as argmax

# --- Truth in three values -------------------------------------------------------------------------------------------
from .system import (
    Truth as Truth,
    TRUE as TRUE,
    UNKNOWN as UNKNOWN,
    FALSE as FALSE,
)
from .functions import (
    truth_of as truth_of,
    first_of as first_of,
    everywhere as everywhere,
    both as both,
    either as either,
    negation as negation,
    every as every,
    some as some,
    certain as certain,
    possible as possible,
)

# --- Facts -----------------------------------------------------------------------------------------------------------
from .functions import (
    assume_positive as assume_positive,
    assume_nonnegative as assume_nonnegative,
)
