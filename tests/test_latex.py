"""A counterexample as LaTeX: compact, with the numbers of its certificate, and nothing that LaTeX would not take."""

import re

import pytest

import mappo_verify as mv
from mappo_verify.checking.certificate import certificate_of
from mappo_verify.errors import ClaimError
from mappo_verify.report.document import compact_text, pattern_of
from mappo_verify.report.latex import formula, latex_of, number, power, prose, rows, sides


def latex(name):
    report = mv.audit([name])[name]
    found = certificate_of(name, report.witness.sizes, report.witness.coordinates)
    return latex_of(report, found), found


def balanced(text):
    plain = re.sub(r"\\.", "", text)
    assert plain.count("{") == plain.count("}") and plain.count("$") % 2 == 0
    return text


def test_a_run_is_told_by_its_rule():
    text, found = latex("theorem-4.5/i")
    balanced(text)
    assert re.search(
        r"each step multiplies the odds good : bad by \$\S+\$; step \$k =\s+\d+\$ by \$2\^\{-?\d+\}\$ besides", text
    )
    assert "shape" not in text and "entries" not in text and len(text) < 2_000
    assert "79.9" in text and r"\texttt{theorem-4.5/i}" in text
    assert found.left_value[0][:7] in text and found.right_value[0][:7] in text


def test_exact_numbers_are_fractions():
    text, _ = latex("lemma-b.4")
    assert r"is $\tfrac{1}{2}$" in balanced(text) and "policy of agent 1" in text and "≈" not in text


def test_what_was_not_refuted_has_none():
    report = mv.audit(["definition-3.2/lipschitz"])["definition-3.2/lipschitz"]
    with pytest.raises(ClaimError, match="no counterexample was found"):
        latex_of(report, None)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("67108864", "2^{26}"),
        ("-67108864", "-2^{26}"),
        ("1023", "1023"),
        ("1000003", "1000003"),
        ("59049", "3^{10}"),
        ("0", "0"),
    ],
)
def test_large_whole_numbers_are_powers_where_they_are(value, shown):
    assert power(value) == shown


def test_numbers_and_words():
    assert number("-1/2") == r"-\tfrac{1}{2}" and number("≈ 1.5e-07") == r"1.5 \cdot 10^{-7}\ldots"
    assert rows([[1, 0], [0, 1]]) == "[[1, 0], [0, 1]]"
    assert prose("50% of {a_b} \\ ~") == r"50\% of \{a\_b\} \textbackslash{} \textasciitilde{}"
    assert "$$" not in formula("a = b + c ≤ d") and "'" in formula("P(s'|s,a)")


def test_a_long_table_is_told_by_its_usual_row():
    table = [[1, 0]] * 24
    table[10] = [1, 23]
    assert compact_text(table) == "[1, 0] at each of 24 steps, but at 10: [1, 23]"
    assert pattern_of([[k, 0] for k in range(24)]) is None and pattern_of([1, 2]) is None and pattern_of(3) is None
    assert compact_text([[k, 0] for k in range(24)]) == "48 entries, shape [24, 2]"


@pytest.mark.parametrize(
    ("left", "right", "shown"),
    [
        (("1.50", "1.52"), "1", (r"1.50\ldots", "1")),
        (("0.12345678", "0.12345680"), ("0.2345678", "0.2345680"), (r"0.123456\ldots", r"0.234567\ldots")),
        (("1.0000000031", "1.0000000033"), "1", (r"1.000000003\ldots", "1")),
        (
            ("1.0000000031", "1.0000000033"),
            ("1.0000000011", "1.0000000013"),
            (r"1.000000003\ldots", r"1.000000001\ldots"),
        ),
        (("-1.0000000033", "-1.0000000031"), "-1", (r"-1.000000003\ldots", "-1")),
    ],
)
def test_sides_that_differ_are_shown_to_differ(left, right, shown):
    """Else a reader finds that 1.000000... ≤ 1 is false."""
    assert sides(left, right) == shown
