"""The architecture, enforced over the syntax: layers, cheap imports, and no comparison outside ``arithmetic/``.

Each check is a function from source text to complaints, so it is tried on planted errors as well as on the package.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mappo_verify

PACKAGE = Path(mappo_verify.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))

# --- layers -----------------------------------------------------------------------------------------------------------

MATHEMATICS = {"errors", "arithmetic", "model", "quantities", "games", "algorithms"}
CLAIMED = MATHEMATICS | {"axioms", "claims"}
CHECKED = CLAIMED | {"papers", "checking"}
BELOW = {
    "errors": set(),
    "arithmetic": {"errors"},
    "axioms": {"arithmetic", "errors"},
    "model": {"arithmetic", "errors"},
    "quantities": {"arithmetic", "errors", "model"},
    "games": {"arithmetic", "errors", "model"},
    "algorithms": {"arithmetic", "errors", "games", "model", "quantities"},
    "simulation": MATHEMATICS,
    "reproduction": MATHEMATICS,
    "bounds": MATHEMATICS,
    "runs": MATHEMATICS | {"bounds", "reproduction"},
    "claims": MATHEMATICS | {"axioms"},
    "papers": CLAIMED,
    "checking": CLAIMED | {"papers"},
    "conformance": CHECKED | {"simulation"},
    "campaigns": CHECKED,
    "report": CHECKED | {"campaigns", "reproduction"},
}
BELOW["cli"] = set(BELOW)
"""What each layer may import beside itself; modules at the top (``__init__``, ``__main__``) may import everything."""

DYNAMIC_IMPORTS = {
    "__init__.py": "a namespace of the package, to say where a name is",
    "checking/doctor.py": "the planted copy of the package",
}
"""The places that import by a computed name, and what they import."""

ARITHMETIC_INSIDE = {"balls", "conditions", "formal", "floats", "rationals", "rings", "symbols"}
"""Modules that import flint when they are loaded, and so may be imported by others only inside functions."""


def layer_of(parts):
    """The layer of a dotted path inside the package; '' is the top."""
    return parts[0] if parts and parts[0] in BELOW else ""


def imports_of(tree, parts):
    """``(line, target parts, at module level)`` of every import of the package itself, lazy ones included."""
    package = parts[:-1]
    for node, top in with_level(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                names = alias.name.split(".")
                if names[0] == "mappo_verify":
                    yield node.lineno, names[1:], top
        elif isinstance(node, ast.ImportFrom):
            base = (node.module or "").split(".") if node.module else []
            if node.level:
                kept = package[: len(package) - (node.level - 1)]
                base = [*kept, *base]
            elif base[:1] == ["mappo_verify"]:
                base = base[1:]
            else:
                continue
            for alias in node.names:
                yield node.lineno, [*base, alias.name], top


def with_level(tree):
    """Every node, and whether it runs when the module is imported (``if TYPE_CHECKING`` does not)."""
    pending = [(tree, True)]
    while pending:
        node, top = pending.pop()
        yield node, top
        lazy = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            lazy = True
        pending += [(child, top and not lazy) for child in ast.iter_child_nodes(node)]


def layer_complaints(source, path):
    """Imports that go up or sideways."""
    parts = list(Path(path).with_suffix("").parts)
    own = layer_of(parts)
    tree = ast.parse(source)
    if not own:
        return []
    complaints = []
    for line, target, _ in imports_of(tree, parts):
        other = layer_of(target)
        if other != own and other not in BELOW[own]:
            complaints.append(f"{path}:{line} imports {'.'.join(target)}, which is not below {own}")
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and path not in DYNAMIC_IMPORTS:
            called = ast.unparse(node.func)
            if called in ("importlib.import_module", "import_module", "__import__"):
                complaints.append(f"{path}:{node.lineno} imports by a computed name")
    return complaints


def relative(path):
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_imports_go_down_only(path):
    assert not layer_complaints(path.read_text(), relative(path))


def test_every_folder_is_a_layer():
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob("*.py"))}
    assert folders <= set(BELOW), "a new folder needs a place among the layers"


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("quantities/values.py", "from ..claims import claim"),
        ("quantities/values.py", "def f():\n    from ..games.named import climbing"),
        ("quantities/values.py", "import mappo_verify.checking"),
        ("quantities/values.py", "from mappo_verify import games"),
        ("quantities/values.py", "from .. import claims"),
        ("quantities/values.py", "import mappo_verify as mv"),
        ("model/game.py", "from ..quantities.values import state_values"),
        ("arithmetic/system.py", "from ..model import Game"),
        ("errors.py", "from .arithmetic import like"),
        (
            "papers/local_optimization/section_3.py",
            "class A:\n    def f(self):\n        import mappo_verify.report.terminal",
        ),
        ("games/named.py", "from ..quantities import values"),
        ("papers/registry.py", "import importlib\nimportlib.import_module('mappo_verify.report')"),
        ("model/game.py", "from .. import cli"),
        ("report/html.py", "from ..cli.terminal import say"),
        ("claims/claim.py", "from ..runs.plan import Plan"),
        ("reproduction/figure_1.py", "from ..papers import registry"),
    ],
)
def test_planted_imports_are_caught(path, source):
    assert layer_complaints(source, path)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "quantities/values.py",
            "from ..model import Game\nfrom .bellman import row_mass\nfrom ..errors import GameError",
        ),
        ("report/terminal.py", "from ..checking import campaign\nfrom .document import Row"),
        ("checking/doctor.py", "import importlib\nimportlib.import_module(name)"),
        ("cli/games.py", "from ..report import terminal"),
        ("quantities/values.py", '"""\n>>> import mappo_verify as mv\n"""'),
    ],
)
def test_proper_imports_are_not(path, source):
    assert not layer_complaints(source, path)


# --- circles ----------------------------------------------------------------------------------------------------------


def imported_when_run(tree, parts):
    """What a module imports, also inside functions; what only type checkers import is left out."""
    hints = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    for_types = {line for node in hints for part in node.body for line in range(part.lineno, part.end_lineno + 1)}
    return [target for line, target, _ in imports_of(tree, parts) if line not in for_types]


def import_graph(sources):
    """Module by module (dotted, ``a`` for the package ``a/__init__.py``), the other modules that it imports."""
    found = {tuple(Path(path).with_suffix("").parts): ast.parse(source) for path, source in sources.items()}
    names = {parts[:-1] if parts[-1] == "__init__" else parts for parts in found}
    graph = {}
    for parts, tree in found.items():
        own = parts[:-1] if parts[-1] == "__init__" else parts
        graph[own] = set()
        for target in imported_when_run(tree, list(parts)):
            # ``from package import name`` names a module of the package, or something that its __init__ or a module holds
            name = next((n for n in (tuple(target), tuple(target[:-1])) if n in names), None)
            graph[own] |= {name} - {own, None}
    return graph


def circles(sources):
    """The groups of modules of which each imports every other, directly or through others."""
    graph = import_graph(sources)

    def reached(start):
        seen, pending = set(), [start]
        while pending:
            fresh = graph[pending.pop()] - seen
            seen |= fresh
            pending += fresh
        return seen

    reach = {name: reached(name) for name in graph}
    groups = {
        frozenset(other for other in reach[name] if name in reach[other]) for name in graph if name in reach[name]
    }
    return {frozenset(".".join(name) for name in group) for group in groups}


def test_modules_import_each_other_in_no_circle():
    assert circles({relative(path): path.read_text() for path in MODULES}) == set()


@pytest.mark.parametrize(
    ("sources", "circle"),
    [
        ({"m/a.py": "from .b import x", "m/b.py": "from .a import y"}, {"m.a", "m.b"}),
        ({"m/a.py": "from . import b", "m/b.py": "def f():\n    from .a import y"}, {"m.a", "m.b"}),
        ({"m/a.py": "from ..n.b import x", "n/b.py": "import mappo_verify.m.a"}, {"m.a", "n.b"}),
        (
            {"a.py": "from .b import x", "b.py": "from .c import x", "c.py": "from mappo_verify import a"},
            {"a", "b", "c"},
        ),
        ({"m/__init__.py": "from .a import x", "m/a.py": "from . import y"}, {"m", "m.a"}),
        ({"m/__init__.py": "from .a import x", "m/a.py": "", "n.py": "from .m import x"}, None),
        ({"m/a.py": "from .b import x", "m/b.py": "if TYPE_CHECKING:\n    from .a import y"}, None),
        ({"m/a.py": "from .b import x\nfrom .c import x", "m/b.py": "from .c import x", "m/c.py": "import ast"}, None),
    ],
)
def test_planted_circles_are_found(sources, circle):
    assert circles(sources) == ({frozenset(circle)} if circle else set())


# --- cheap imports ----------------------------------------------------------------------------------------------------

HEAVY = {
    "clarabel",
    "cvxpy",
    "daqp",
    "sympy",
    "scipy",
    "matplotlib",
    "hypothesis",
    "numba",
    "gymnasium",
    "pettingzoo",
    "quantecon",
    "networkx",
    "distributed",
}
HEAVY_ALLOWED = {
    ("checking/strategies.py", "hypothesis"),
    ("arithmetic/compiled.py", "numba"),
    ("arithmetic/fused_layout.py", "numba"),
    ("arithmetic/vectors.py", "numba"),
    ("simulation/gymnasium_environment.py", "gymnasium"),
    ("simulation/pettingzoo_environment.py", "gymnasium"),
    ("simulation/pettingzoo_environment.py", "pettingzoo"),
}
FLINT_HOMES = {f"arithmetic/{name}.py" for name in ARITHMETIC_INSIDE}
ONLY_HOME = {"matplotlib": "report/plots/"}


def heavy_complaints(source, path):
    """Heavy libraries imported when the module is, and matplotlib anywhere but in its own folder."""
    complaints = []
    for node, top in with_level(ast.parse(source)):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [node.module or ""]
        else:
            continue
        for root in {name.split(".")[0] for name in names}:
            if top and root in HEAVY and (path, root) not in HEAVY_ALLOWED:
                complaints.append(f"{path}:{node.lineno} imports {root} at module level")
            if top and root == "flint" and path not in FLINT_HOMES:
                complaints.append(f"{path}:{node.lineno} imports flint at module level")
            if root in ONLY_HOME and not path.startswith(ONLY_HOME[root]):
                complaints.append(f"{path}:{node.lineno} imports {root}, whose only home is {ONLY_HOME[root]}")
    return complaints


@pytest.mark.parametrize("path", MODULES, ids=relative)
def test_nothing_heavy_at_module_level(path):
    assert not heavy_complaints(path.read_text(), relative(path))


def test_planted_heavy_imports_are_caught():
    for source in (
        "import cvxpy as cp",
        "from scipy import optimize",
        "try:\n    import sympy\nexcept ImportError:\n    pass",
        "class A:\n    import hypothesis",
        "def f():\n    import matplotlib.pyplot",
        "import flint",
    ):
        assert heavy_complaints(source, "claims/claim.py"), source
    for source in (
        "def f():\n    import cvxpy",
        "from __future__ import annotations\nif TYPE_CHECKING:\n    import sympy",
    ):
        assert not heavy_complaints(source, "claims/claim.py"), source
    assert not heavy_complaints("import hypothesis", "checking/strategies.py")


def test_importing_the_package_is_cheap():
    """A fresh interpreter: ``import mappo_verify`` loads nothing heavy, and the public names still resolve."""
    code = (
        "import sys, mappo_verify as mv\n"
        f"heavy = {sorted(HEAVY | {'flint'})!r}\n"
        "print([name for name in heavy if name in sys.modules])\n"
        "mv.Game, mv.Policy, mv.state_values"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_float_games_do_not_load_flint():
    """Whoever only uses float64 does not pay for exact arithmetic."""
    code = (
        "import sys, mappo_verify as mv\n"
        "game = mv.Game([[[0.5], [1.0]]], [[1.0, 0.0]], 0.9)\n"
        "mv.agent_advantages(game, mv.Policy.uniform(game)), mv.visits(game, mv.Policy.uniform(game), [1.0])\n"
        "print('flint' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "False"


# --- the soundness trap -----------------------------------------------------------------------------------------------

TRAPPED = ("quantities", "claims", "papers", "algorithms")
"""Where formulas live: comparing, choosing and sorting numbers goes through ``arithmetic/`` there."""

CHOOSING = {
    "maximum", "minimum", "fmax", "fmin", "clip", "sort", "argsort", "argmax", "argmin", "max", "min", "amax", "amin",
    "nanmax", "nanmin", "nanargmax", "nanargmin", "partition", "argpartition", "lexsort", "searchsorted", "median",
    "quantile", "percentile", "unique", "sign", "heaviside", "greater", "greater_equal", "less", "less_equal",
    "isclose", "allclose", "ptp", "digitize", "histogram", "cummax", "cummin", "select", "piecewise",
}  # fmt: skip
"""NumPy functions and array methods that compare numbers, or choose by comparing them."""

BUILTINS = {"max", "min", "sorted"}
NUMPY = {"np", "numpy"}
ORDERINGS = (ast.Lt, ast.Gt, ast.LtE, ast.GtE)

SIZES = {"agents", "states", "actions", "ndim", "size", "shape", "action_sizes", "batch_shape"}
"""Attributes that are integers, or tuples of them, in every number system."""

TRUTHS = {"compare", "truth_of"}
"""Functions whose results are three-valued truths: small integers, which may be compared."""

ALLOWED: dict[tuple[str, str], str] = {
    ("claims/settings.py", "instances_at_most"): "sizes, and a count of instances",
    ("claims/settings.py", "_are_counts"): "sizes, and lengths of runs",
    ("claims/ingredients.py", "steps_of"): "numbers of axes",
    ("quantities/agent_values.py", "members"): "agents are integers",
    ("quantities/chain.py", "recurrent_classes"): "three-valued truths",
    ("quantities/distributions.py", "_recurrent_class"): "states are integers; argmax of a mask",
    ("quantities/distributions.py", "_require_one_class"): "sorts groups of state numbers for a message",
    ("quantities/limit_critics.py", "require_optimal"): "three-valued truths",
    ("quantities/bellman_concentrability.py", "searched_concentrability"): "three-valued truths",
    ("quantities/optimal.py", "proper_actions"): "three-valued truths and masks of a pattern",
    ("quantities/optimal.py", "_certificate"): "floats only: ends of certified bounds",
    ("quantities/certified.py", "enclosed_values"): "numbers of states",
    ("quantities/certified.py", "compared"): "floats only: ends of certified bounds; three-valued truths, and a count",
    ("quantities/chain.py", "endless"): "a three-valued truth",
    ("quantities/equilibria.py", "nash_gaps"): "a count of operations",
    ("quantities/values.py", "solve_bellman"): "a three-valued truth",
    ("quantities/batched.py", "_batch_of"): "lengths of batches",
    ("quantities/batched.py", "__call__"): "numbers of instances",
    ("quantities/batched.py", "_near"): "floats only: whether two ways differ by rounding",
    ("quantities/values.py", "is_near_one"): "floats only: a discount near 1",
    ("quantities/values.py", "_loses_digits"): "floats only: which of two formulas keeps more digits",
    ("quantities/constrained_evaluation.py", "misses"): "floats only: branch and bound",
    ("quantities/constrained_evaluation.py", "halves"): "floats only: the longest edge",
    ("quantities/constrained_evaluation.py", "class_pessimistic_step"): "a budget of integers",
    ("quantities/constrained_evaluation.py", "lower"): "floats only: branch and bound",
    ("quantities/constrained_evaluation.py", "closed"): "floats only: branch and bound",
    ("quantities/constrained_evaluation.py", "most"): "floats only: branch and bound",
    ("quantities/constrained_evaluation.py", "improve"): "floats only: branch and bound",
    ("quantities/constrained_evaluation.py", "within"): "floats only: branch and bound",
    ("quantities/constrained_evaluation.py", "consider"): "floats only: branch and bound",
    ("quantities/reference_solvers.py", "_class_problem"): "the constraints of a problem of cvxpy",
    ("quantities/reference_solvers.py", "_roots"): "floats only: what rounding leaves of an eigenvalue 0",
    ("quantities/quadratic_program.py", "_accurate"): "floats only: what solvers return",
    ("quantities/quadratic_program.py", "_by_solver"): "floats only: is the free minimiser beyond the ball?",
    ("quantities/quadratic_program.py", "_on_the_sphere"): "floats only: a root by Newton's method",
    ("quantities/quadratic_program.py", "_with_sides"): "floats only: what daqp returns",
    ("quantities/quadratic_program.py", "_daqp"): "floats only: the scale of the data",
    ("quantities/quadratic_program.py", "_between_slabs"): "floats only: is daqp's minimiser beyond the ball?",
    ("quantities/quadratic_program.py", "_on_the_cut_sphere"): "floats only: a root by secants",
    ("quantities/quadratic_program.py", "_daqp_by_few"): "floats only: rows that daqp was not shown",
    ("quantities/quadratic_program.py", "_by_cone"): "floats only: what Clarabel returns",
    ("quantities/reference_solvers.py", "mirror_step_by_solver"): "floats only; its solution is evaluated exactly",
    ("papers/local_optimization/appendix_b_decomposition.py", "_telescope"): "agents are integers",
    ("papers/local_optimization/appendix_b_decomposition.py", "_zero_mean_of_subsets"): "agents are integers",
    ("claims/claim.py", "parent"): "str.partition",
    ("claims/experiment.py", "__post_init__"): "the plan of an experiment: a Fraction, and whole numbers of data",
    ("claims/claim.py", "composed_relation"): "one set of relations within another",
    (
        "papers/local_optimization/section_4.py",
        "solver_agrees",
    ): "the floats of a solver become a point; any point will do",
    ("papers/local_optimization/limits.py", "limit_setting"): "numbers of actions",
    ("claims/coordinates.py", "__post_init__"): "integer bounds of a schema",
    ("claims/coordinates.py", "sign_of_range"): "an integer bound of a schema",
    ("claims/coordinates.py", "require_positive"): "an integer bound of a schema",
    ("claims/settings.py", "__post_init__"): "integer bounds of a schema",
    ("claims/settings.py", "case_from"): "sorts names for a message",
    ("claims/settings.py", "_fitting_sizes"): "lengths of axes",
    ("claims/case.py", "__getattr__"): "sorts names for a message",
    ("claims/ingredients.py", "__post_init__"): "exact bounds of a schema",
    ("claims/related.py", "_require_short"): "numbers of bits",
    ("claims/related.py", "__post_init__"): "an exact bound of a schema",
}
"""(file, function): why what happens there is no comparison of numbers in a number system."""


def is_size(node):
    """Whether an expression is certainly an integer: literals, lengths, shapes, and arithmetic of them."""
    match node:
        case ast.Constant(value=value):
            return isinstance(value, int)
        case ast.UnaryOp(operand=operand):
            return is_size(operand)
        case ast.BinOp(left=left, right=right):
            return is_size(left) and is_size(right)
        case ast.Call(func=ast.Name(id="len")):
            return True
        case ast.Attribute(attr=attr):
            return attr in SIZES
        case ast.Subscript(value=value):
            return is_size(value)
    return False


def is_truth(node):
    """Whether an expression is a three-valued truth: a call of ``compare``, or NOT, AND, OR or an entry of one."""
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in TRUTHS
        case ast.Call(func=ast.Attribute(value=values, attr="min" | "max")):  # AND and OR
            return is_truth(values)
        case ast.UnaryOp(operand=operand) | ast.Subscript(value=operand):
            return is_truth(operand)
    return False


def comparison_complaints(source, path, allowed=ALLOWED, used=None):
    """Comparison-shaped operations on what may be numbers of some number system."""
    complaints = []

    def complain(node, function, what):
        if (path, function) in allowed:
            if used is not None:
                used.add((path, function))
        else:
            complaints.append(f"{path}:{node.lineno} in {function or 'the module'}: {what}: {ast.unparse(node)}")

    def visit(node, function):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            function = node.name
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=module), attr=name)) if module in NUMPY:
                if name == "where" and any(isinstance(n, ast.Compare) for a in node.args[:1] for n in ast.walk(a)):
                    complain(node, function, "np.where on a comparison")
                if name == "where" and len(node.args) == 1:
                    complain(node, function, "np.where as a search")
            case ast.Call(func=ast.Attribute(attr=name)) if name in CHOOSING and not is_truth(node):
                complain(node, function, f".{name}()")
            case ast.Call(func=ast.Name(id=name)) if name in BUILTINS and not all(map(is_size, node.args)):
                complain(node, function, name)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if module in NUMPY and name in CHOOSING:
                complain(node, function, f"np.{name}")
            case ast.ImportFrom(module="numpy"):
                for alias in node.names:
                    if alias.name in CHOOSING | {"where"}:
                        complain(node, function, f"{alias.name} under another name")
            case ast.Compare(left=left, ops=ops, comparators=comparators):
                for operator, x, y in zip(ops, [left, *comparators], comparators, strict=False):
                    harmless = (is_truth(x) and is_size(y)) or (is_size(x) and is_truth(y))
                    if isinstance(operator, ORDERINGS) and not harmless and not (counts(x) and counts(y)):
                        complain(node, function, "a raw comparison")
                        break
        for child in ast.iter_child_nodes(node):
            visit(child, function)

    def counts(node):
        """Sizes, and the loop variables and parameters that are agents' numbers by convention."""
        return is_size(node) or (isinstance(node, ast.Name) and node.id in {"m", "agent", "agents"})

    visit(ast.parse(source), "")
    return complaints


FORMULAS = [path for path in MODULES if relative(path).split("/")[0] in TRAPPED]


@pytest.mark.parametrize("path", FORMULAS, ids=relative)
def test_no_comparison_outside_arithmetic(path):
    assert not comparison_complaints(path.read_text(), relative(path))


def test_the_allowlist_is_not_stale():
    used = set()
    for path in FORMULAS:
        comparison_complaints(path.read_text(), relative(path), used=used)
    assert used == set(ALLOWED), f"no longer needed: {set(ALLOWED) - used}"


TRAPS = [
    "np.clip(x, 0, 1)",
    "np.maximum(x, y)",
    "np.minimum(x, 0)",
    "np.sort(x)",
    "np.argsort(x)",
    "np.argmax(x, axis=-1)",
    "np.max(x)",
    "numpy.amin(x)",
    "np.where(x > y, x, y)",
    "np.where((x > 0) & mask, x, 0)",
    "x.max()",
    "x.min(axis=-1)",
    "x.argmax(-1)",
    "x.clip(0, 1)",
    "x.sort()",
    "(x + y).max()",
    "max(x, y)",
    "min(values)",
    "sorted(values)",
    "x < y",
    "x.sum() <= 1",
    "0 <= x <= 1",
    "x[x > 0]",
    "(values >= 0).all()",
    "functools.reduce(np.maximum, tables)",
    "np.maximum.reduce(x)",
]


@pytest.mark.parametrize("trap", TRAPS)
def test_planted_comparisons_are_caught(trap):
    source = f"def formula(game, x, y, values, mask):\n    return {trap}\n"
    assert comparison_complaints(source, "quantities/values.py")


def test_planted_imports_of_choosing_functions_are_caught():
    assert comparison_complaints("from numpy import clip", "quantities/values.py")
    assert comparison_complaints("from numpy import maximum as larger", "claims/claim.py")


@pytest.mark.parametrize(
    "fine",
    [
        "maximum(x, y)",
        "largest(values, axis=-1)",
        "compare(x, '<', y) > 0",
        "(compare(x, '≤', y) >= 0).all()",
        "-compare(x, '≤', y) > 0",
        "compare(x, '=', y).min((-1, -2)) >= 0",
        "0 <= m <= game.agents",
        "table.ndim >= 2",
        "len(values) > 3",
        "values.shape[-1] > game.states",
        "max(len(x), 2)",
        "np.where(mask, x, y)",
        "x == y",
        "select(mask, x, y)",
    ],
)
def test_sound_code_is_not_caught(fine):
    source = f"def formula(game, x, y, values, mask, m, table):\n    return {fine}\n"
    assert not comparison_complaints(source, "quantities/values.py")


def test_the_allowlist_covers_one_function_only():
    source = "def members(x):\n    return np.clip(x, 0, 1)\ndef other(x):\n    return np.clip(x, 0, 1)\n"
    complaints = comparison_complaints(source, "quantities/agent_values.py")
    assert len(complaints) == 1 and "other" in complaints[0]
