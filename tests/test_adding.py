"""What CONTRIBUTING says about adding one thing, done in a copy of the package: one place is touched, and users can use it."""

from dataclasses import replace

import pytest

from mappo_verify.errors import ClaimError
from mappo_verify.papers.local_optimization import PAPER
from mappo_verify.papers.registry import CLAIMS, claims_of, paper_of
from package_copy import Copy

QUANTITY = '''def smallest_gap(game: Game, policy: Policy) -> Array:
    """``min_a V_π(s) - Q_π(s, a)``, shape ``[..., S]``."""
    return -largest(advantages(game, policy))


'''


def test_a_quantity_is_one_function_and_one_line(tmp_path):
    """The function in a module of ``quantities/``, and its line in the stub of the namespace."""
    copy = Copy(tmp_path)
    copy.replace("quantities/values.py", "import Array, ", "import Array, largest, ")
    copy.insert("quantities/values.py", "def state_values(", QUANTITY)
    copy.insert("quantities/__init__.pyi", "    advantages as advantages,\n", "    smallest_gap as smallest_gap,\n")
    called = copy.python(
        "-c",
        "import mappo_verify as mv\n"
        "assert 'smallest_gap' in dir(mv.quantities)\n"
        "game = mv.Game([[[0], [0]]], [[3, 1]], 0)\n"
        "print(*(mv.quantities.smallest_gap(g, mv.Policy.uniform(g)) for g in (game, game.exact())))",
    )
    assert (called.stdout.split(), called.stderr) == (["[-1.]", "[-1]"], "")


NEW_LEMMA = """    Claim(
        "lemma-4.9",
        "The largest action value of a state is at least its value",
        "Section 4, a lemma for this test",
        COMPARISON,
        {proof},
        statement="V_π(s) ≤ max_a Q_π(s, a)",
    ),
"""
PROOF = '''def best_action_is_no_worse(case: Case) -> Iterator[Line]:
    """A mean is at most the largest of what it averages."""
    from ...arithmetic import largest
    from ...quantities.values import action_values, state_values

    yield line("V_π(s)", state_values(case.game, case.policy))
    yield at_{direction}("max_a Q_π(s, a)", largest(action_values(case.game, case.policy)), because="V_π is a mean of Q_π")


'''
SECTION = "papers/local_optimization/section_4.py"


def with_lemma(folder, direction):
    copy = Copy(folder)
    copy.insert(SECTION, "CLAIMS = (\n", PROOF.replace("{direction}", direction))
    copy.insert(
        SECTION, '    Claim(\n        "definition-4.4",', NEW_LEMMA.replace("{proof}", "best_action_is_no_worse")
    )
    return copy


def test_a_claim_is_added_in_its_section_alone(tmp_path):
    copy = with_lemma(tmp_path, "most")
    listed = copy.mappo("claims").stdout
    assert listed.index("lemma-4.1/stationary") < listed.index("lemma-4.9") < listed.index("definition-4.4")
    done = copy.mappo("audit", "-c", "lemma-4.9")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "lemma-4.9" in done.stdout
    assert "SURVIVED" in done.stdout
    page = copy.mappo("audit", "-c", "lemma-4.9", "--html", "page")
    assert page.returncode == 0, page.stdout + page.stderr
    assert 'id="lemma-4.9"' in (tmp_path / "page" / "index.html").read_text("utf-8")


def test_a_false_claim_that_is_added_is_refuted(tmp_path):
    done = with_lemma(tmp_path, "least").mappo("audit", "-c", "lemma-4.9")
    assert "REFUTED" in done.stdout, done.stdout + done.stderr


SECOND_PAPER = '''"""A second paper: one section, one claim."""

from ...arithmetic import largest
from ...claims.claim import Claim, at_most, line
from ...claims.ingredients import GameData, PolicyData
from ...claims.paper import Paper, Section
from ...claims.settings import Setting


def best_reward(case):
    yield line("r_π(s)", (case.policy.joint() * case.game.reward).sum(-1))
    yield at_most("max_a r(s, a)", largest(case.game.reward), because="a mean is at most the largest of its terms")


CLAIM = Claim(
    "another-lemma-1",
    "The mean reward is at most the largest",
    "Lemma 1",
    Setting("a game and a policy", (GameData(), PolicyData("policy"))),
    best_reward,
)
PAPER = Paper("Another title", "Another author", "nowhere", "https://example.org/paper", (Section("One section", (CLAIM,)),))
'''


def with_second_paper(folder):
    copy = Copy(folder)
    copy.write("papers/another/__init__.py", SECOND_PAPER)
    copy.insert("papers/registry.py", "PAPERS: tuple", "from .another import PAPER as ANOTHER\n\n")
    copy.replace("papers/registry.py", "(PAPER,)", "(PAPER, ANOTHER)")
    return copy


def test_a_second_paper_is_a_second_folder(tmp_path):
    copy = with_second_paper(tmp_path)
    done = copy.mappo("audit", "-c", "another-lemma-1", "--html", "page")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "SURVIVED" in done.stdout
    page = (tmp_path / "page" / "index.html").read_text("utf-8")
    assert 'href="https://example.org/paper"' in page
    assert "Another author" in page
    assert "Zhao" not in page
    listed = copy.mappo("claims").stdout
    assert "lemma-4.1" in listed
    assert "another-lemma-1" in listed


def test_two_papers_cannot_share_an_id():
    with pytest.raises(ClaimError, match=r"two claims are called 'section-3\.1'"):
        claims_of((PAPER, PAPER))


def test_claims_of_nobody_or_of_a_user_belong_to_no_paper():
    own = replace(CLAIMS[0], id="mine")
    assert paper_of(CLAIMS) is PAPER
    assert paper_of(CLAIMS[:1]) is PAPER
    assert paper_of([]) is None
    assert paper_of([*CLAIMS, own]) is None
