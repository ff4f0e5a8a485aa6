r"""The mathematics of claims, typeset.

Claims are written as people type them: Unicode symbols, ``_`` and ``^`` for scripts, English words in between.  One reader
takes such a text apart into *pieces* (prose, formulas as LaTeX, names of claims), and ``math-core`` makes MathML of the formulas.

>>> for piece in pieces("Σ_k J_k ≤ √T, by lemma-b.3"):
...     print(piece)
Piece(kind='math', text='\\sum_{k} J_{k}')
Piece(kind='math', text='{}\\le  \\sqrt{T}')
Piece(kind='text', text=', by ')
Piece(kind='claim', text='lemma-b.3')

What a reader of the source takes for granted is decided here by a few rules: a word has two letters or more; ``a`` between words
is an article; ``|`` opens an absolute value after an operator and a condition after an operand; a formula may be broken before
a relation, a plus or a minus.  A text that the reader does not understand raises :class:`MathematicsError`; the page then shows
it as it was typed, and a test keeps every registered claim free of that.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Literal

from ..claims.claim import mentions
from ..errors import MappoVerifyError
from ..papers.registry import IDS

if TYPE_CHECKING:
    from math_core import LatexToMathML


class MathematicsError(MappoVerifyError):
    """A formula that cannot be typeset; the message says at which character."""


@dataclass(frozen=True)
class Piece:
    """A stretch of prose, one formula (as LaTeX) or the name of a claim."""

    kind: Literal["text", "math", "claim"]
    text: str


GREEK = {
    **{letter: f"\\{unicodedata.name(letter).split()[-1].lower()}" for letter in "αβγδζηθικμνξπρστυχψω"},
    **{letter: f"\\{unicodedata.name(letter).split()[-1].title()}" for letter in "ΓΔΘΞΠΣΦΨΩ"},
    "λ": r"\lambda",  # whose name in Unicode is spelt lamda
    "Λ": r"\Lambda",
    "ε": r"\varepsilon",
    "φ": r"\varphi",
}
SCRIPTS = {"ℒ": r"\mathcal{L}"}
BELLMAN_ERROR = r"\mathcal{E}"
ACCENTS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot"}
SUPERSCRIPTS = {
    **dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789", strict=True)),
    "⁺": "+",
    "⁻": "-",
    "ⁿ": "n",
    "ⁱ": "i",
    "ᵏ": "k",
    "ᵐ": "m",
    "ᵗ": "t",
    "ᵀ": r"\mathsf{T}",
}
SUBSCRIPTS = dict(zip("₀₁₂₃₄₅₆₇₈₉", "0123456789", strict=True))
FUNCTIONS = {"log": r"\log", "exp": r"\exp", "max": r"\max", "min": r"\min", "KL": r"\operatorname{KL}"}
FUNCTIONS |= {name: rf"\operatorname{{{name}}}" for name in ("mean", "do")}
PRODUCTS = ("GR", "xy", "FF", "nLR", "Aw", "Mw", "Mv")
"""Letters that are a product, not a word."""
LONG_BRACKET = 40
"""Characters beyond which what stands in a bracket may be broken, too."""
_BREAK = "\0"
BIG = {"Σ": r"\sum", "Π": r"\prod"}
RELATIONS = {"=": "=", "≤": r"\le", "≥": r"\ge", "<": "<", ">": ">", "∝": r"\propto", "~": r"\sim", "≈": r"\approx"}
RELATIONS |= {"∈": r"\in", "→": r"\to", "≠": r"\ne", "⇒": r"\Rightarrow", "↦": r"\mapsto"}
OPERATORS = {"+": "+", "-": "-", "/": "/", "±": r"\pm", "×": r"\times", "∪": r"\cup", "∩": r"\cap"}
FRACTIONS = ("½", "¼", "¾", "⅓", "⅛")
SYMBOLS = {
    "∞": r"\infty",
    "∂": r"\partial",
    "∇": r"\nabla",
    "½": r"\tfrac12",
    "¼": r"\tfrac14",
    "¾": r"\tfrac34",
    "⅓": r"\tfrac13",
    "⅛": r"\tfrac18",
    "°": r"^{\circ}",
    "*": "*",
    "!": "!",
    "%": r"\%",
}
OPEN = {"(": "(", "[": "[", "{": r"\{", "⟨": r"\langle "}
CLOSE = {"(": ")", "[": "]", "{": "}", "⟨": "⟩"}
CLOSING = {")": ")", "]": "]", "}": r"\}", "⟩": r"\rangle "}
BARS = {"|": (r"\lvert ", r"\rvert "), "‖": (r"\lVert ", r"\rVert ")}

_LATIN = "A-Za-zÀÄÖÜßàäéèïöü"
_TOKEN = re.compile(
    rf"""(?P<space>\s+)
    |(?P<number>\d+(?:,\d{{3}})*(?:\.\d+)?|\.\d+)
    |(?P<word>(?:Lemma|Theorem|Assumption|Appendix)\ [A-E](?:\.\d)?(?!\w)|[{_LATIN}]{{2,}}(?:[-'][{_LATIN}]+)*(?:(?<=s)'(?=\s))?)
    |(?P<letter>[A-Za-zℒÂÊÎÔÛα-ωΓΔΘΛΞΦΨΩ][\u0302-\u0307]?)
    |(?P<dots>\.\.\.?|…)
    |(?P<sup>[{"".join(SUPERSCRIPTS)}]+)
    |(?P<sub>[{"".join(SUBSCRIPTS)}]+)
    |(?P<prime>['′]+)
    |(?P<other>.)""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


def pieces(text: str, ids: Collection[str] = IDS) -> list[Piece]:
    """Prose, formulas and claims of ``text``, in order; :class:`MathematicsError` where it is not understood.

    ``ids`` are the claims that it may name; one without a dash or a slash could be a variable, and is read as any other word.
    """
    names = frozenset(name for name in ids if "-" in name or "/" in name)
    return list(_merged(_Reader(unicodedata.normalize("NFC", text), names).pieces()))


def _tokens(text: str, names: frozenset[str]) -> Iterator[_Token]:
    claims, at = dict(mentions(text, names)), 0
    while found := _TOKEN.match(text, at):
        token = _Token("claim", claims[at], at) if at in claims else _Token(str(found.lastgroup), found.group(), at)
        yield token
        at += len(token.text)


_SCRIPT = re.compile("<mrow><mspace/>(<mi>.)\ufe00(</mi>)</mrow>")
"""A script letter as math-core writes it: with a selector of its shape, which the font has none of, and a space to hold it."""


def mathml(latex: str, display: bool = False) -> str:
    """One formula as MathML; ``display`` gives sums their full size."""
    from math_core import LatexError

    try:
        found = _converter().convert_with_local_state(latex, displaystyle=False)
        found = _SCRIPT.sub(r"\1\2", found)
        return found.replace("<math>", '<math displaystyle="true">', 1) if display else found
    except LatexError as error:  # pragma: no cover - the reader writes no LaTeX that math-core refuses
        raise MathematicsError(f"{latex!r} is not LaTeX that math-core reads: {error}") from None


@cache
def _converter() -> LatexToMathML:
    from math_core import LatexToMathML

    return LatexToMathML()


def _formulas(latex: str) -> Iterator[Piece]:
    """One formula, or several where it may be broken; an operator at an end of one would lose its space there."""
    for number, part in enumerate(latex.split(_BREAK)):
        if part.strip():
            tail = (
                "{}" if part.strip()[-1] in "+-=" else ""
            )  # prose follows; the operator keeps its space on both sides
            yield Piece("math", ("{}" if number else "") + part.strip() + tail)


def _merged(found: Iterator[Piece]) -> Iterator[Piece]:
    """Neighbouring prose in one piece."""
    prose = ""
    for piece in found:
        if piece.kind == "text":
            prose += piece.text
            continue
        if prose:
            yield Piece("text", prose)
            prose = ""
        yield piece
    if prose:
        yield Piece("text", prose)


class _Reader:
    """A recursive reader of one text; ``last`` is what stands before the current token: operand, number, function or other."""

    def __init__(self, text: str, names: frozenset[str]) -> None:
        self.text = text
        self.tokens = list(_tokens(text, names))
        self.position = 0
        self.last = "start"
        self.breakable = False

    # --- tokens

    def peek(self, ahead: int = 0) -> _Token:
        """The token ``ahead`` of the current one."""
        index = self.position + ahead
        return self.tokens[index] if 0 <= index < len(self.tokens) else _Token("end", "", len(self.text))

    def solid(self, ahead: int = 0) -> _Token:
        """The same, spaces skipped."""
        index = self.position + ahead
        while index < len(self.tokens) and self.tokens[index].kind == "space":
            index += 1
        return self.tokens[index] if index < len(self.tokens) else self.peek(len(self.tokens))

    def take(self) -> _Token:
        """The current token, and on to the next."""
        token = self.peek()
        self.position += 1
        return token

    def refuse(self, token: _Token) -> MathematicsError:
        """What to raise at a token that has no meaning there."""
        return MathematicsError(f"{self.text!r}: {token.text or 'the end'!r} at {token.at} is not understood")

    def is_prose(self, ahead: int = 0) -> bool:
        """Whether a word of English stands there, and no function or product."""
        token, after = self.peek(ahead), self.peek(ahead + 1)
        if token.kind == "claim":
            return True
        if token.kind == "letter":
            ordinal = token.text == "I" and self.peek(ahead - 2).text == "Term"
            return ordinal or (token.text in ("a", "A") and self._is_article(ahead))
        if token.kind != "word" or token.text in PRODUCTS:
            return False
        if token.text in ("mean", "do"):
            return after.text not in ("_", "(")
        if after.kind in ("sup", "sub"):
            return False
        return token.text not in FUNCTIONS

    def _is_article(self, ahead: int) -> bool:
        before, space, after = self.peek(ahead - 2), self.peek(ahead + 1), self.peek(ahead + 2)
        among_words = before.kind in ("word", "end", "claim") or before.text in (",", ":", ";")
        names = ("is", "and", "or", "at", "in", "for", "with", "log", "exp", "max", "min")
        return among_words and space.kind == "space" and after.kind == "word" and after.text not in names

    # --- prose and formulas

    def pieces(self) -> Iterator[Piece]:
        """The pieces of the whole text."""
        formula, parentheses = "", 0
        while self.peek().kind != "end":
            token = self.peek()
            prose = None
            if self.is_prose():
                prose = Piece("claim" if token.kind == "claim" else "text", token.text)
            elif token.kind == "space" and (not formula or self._prose_after_space()):
                prose = Piece("text", token.text)
            elif token.text == "(" and self.peek(-1).kind in ("space", "end") and self.is_prose(1):
                prose, parentheses = Piece("text", "("), parentheses + 1
            elif token.text == ")" and parentheses:
                prose, parentheses = Piece("text", ")"), parentheses - 1
            elif self._is_punctuation(token) or self._is_hyphen(token):
                prose = Piece("text", token.text)
            if prose is not None:
                yield from _formulas(formula)
                formula, self.last = "", "start"
                self.position += 1
                yield prose
                continue
            self.breakable = True
            if formula and self._may_break(token):
                formula += _BREAK
            formula += self.element()
        yield from _formulas(formula)

    def _prose_after_space(self) -> bool:
        after = self.peek(1)
        return self.is_prose(1) or after.kind == "end" or (after.text == "(" and self.is_prose(2))

    def _is_punctuation(self, token: _Token) -> bool:
        """A comma or colon of the sentence, not of an enumeration 1, ..., N."""
        if token.text not in (",", ";", ":", "."):
            return False
        return self.solid(1).kind != "dots" and self.peek(-1).kind != "dots"

    def _is_hyphen(self, token: _Token) -> bool:
        return token.text == "-" and self.peek(-1).kind != "space" and self.peek(1).kind == "word" and self.is_prose(1)

    def _may_break(self, token: _Token) -> bool:
        spaced = self.peek(-1).kind == "space"
        return spaced and (token.text in RELATIONS or (token.text in "+-" and self.last == "operand"))

    def sequence(self, end: str, separator: str = "", breakable: bool = False) -> str:
        """A formula up to the closing ``end``, which is taken; ``separator`` is a bar that parts it, as in KL(p‖q)."""
        outside, self.breakable = self.breakable, self.breakable and breakable
        result = self._until(end, separator)
        self.breakable = outside
        return result

    def _until(self, end: str, separator: str) -> str:
        self.last, result, begin = "start", "", self.peek().at
        while True:
            token = self.peek()
            if token.kind == "end":
                raise self.refuse(token)
            if token.text == end and (end not in BARS or self.last == "operand" or self._is_last_bar(end)):
                self.take()
                return result.strip()
            if token.text in BARS and end not in BARS and self._parts(token, separator):
                self.take()
                result, self.last = result.rstrip() + (r"\mid " if token.text == "|" else r"\,\Vert\,"), "start"
            elif self.is_prose():
                result += self._words()
            else:
                if self.breakable and token.at - begin > LONG_BRACKET and self._may_break(token):
                    result += _BREAK
                result += self.element()

    def _is_last_bar(self, bar: str) -> bool:
        return all(token.text != bar for token in self.tokens[self.position + 1 :])

    def _parts(self, token: _Token, separator: str) -> bool:
        """Whether a bar inside brackets is a condition, and not the beginning of an absolute value."""
        if token.text == "‖":
            return separator == "‖" and self.last == "operand"
        around = self.peek(-1).kind == "space" and self.peek(1).kind == "space"
        return around or (self.last == "operand" and self.peek(-1).kind != "space")

    def _words(self) -> str:
        """English inside a formula."""
        words = " " if self.peek(-1).kind == "space" else ""
        while self.is_prose() or (self.peek().kind == "space" and self.is_prose(1)):
            words += self.take().text
        if self.peek().kind == "space":
            words += " "
        self.last = "start"
        return rf"\text{{{words}}}"

    # --- atoms

    def element(self) -> str:
        """The LaTeX of one atom with its scripts, or of one operator."""
        token = self.take()
        text, kind = token.text, token.kind
        if kind == "space":
            following = self.peek()
            operand_next = following.kind in ("letter", "number", "word") or following.text in (
                *OPEN,
                *BIG,
                "√",
                *FRACTIONS,
                "∂",
            )
            return r"\," if self.last == "operand" and operand_next else " "
        if kind == "number":
            self.last = "number"
            return self._scripted(text.replace(",", "{,}"), "number" if self._is_factor() else "operand")
        if text == "E" and self._is_error():
            return self._error()
        if kind == "letter":
            return self._scripted(_letter(text))
        if kind == "word":
            return self._function(text)
        if kind == "dots":
            self.last = "start"
            return r" \ldots "
        if text in BIG:
            matrix = self.peek().kind == "sup" or self.peek().text in ("(", ",")
            return self._scripted(f"{GREEK[text]} ") if matrix else self._scripted(BIG[text], "function")
        if text in OPEN:
            return self._group(text)
        if text in BARS:
            left, right = BARS[text]
            return self._scripted(f"{left}{self.sequence(text)}{right}")
        if text == "√":
            return self._root()
        if text == "·":
            placeholder = self.last != "operand"
            self.last = "operand" if placeholder else "start"
            return r"\cdot " if placeholder else r" \cdot "
        if text in RELATIONS or text in OPERATORS:
            self.last = "start"
            command = RELATIONS.get(text) or OPERATORS[text]
            tight = text == "/" or self.peek().kind != "space"
            return command + (" " if command.startswith("\\") or not tight else "")
        if text in SYMBOLS:
            return self._scripted(
                SYMBOLS[text] + (" " if SYMBOLS[text][-1].isalpha() else ""),
                "number" if text in FRACTIONS else "operand",
            )
        if text in (",", ";", ":"):
            self.last = "start"
            return text + (" " if self.peek().kind == "space" else "")
        raise self.refuse(token)

    def _is_factor(self) -> bool:
        """Whether the number before a bar multiplies an absolute value, as in 2|A|, and is no operand, as in π(0|s)."""
        bar, depth, bars = self.peek().text, 0, 0
        if bar not in BARS:
            return False
        for token in self.tokens[self.position :]:
            depth += (token.text in OPEN) - (token.text in CLOSING)
            if depth < 0:
                break
            bars += token.text == bar
        return bars % 2 == 0

    def _is_error(self) -> bool:
        """Whether E is the Bellman error: E_D, E(f) without a power, or E as the subject of a sentence."""
        if self.peek().text == "(":
            depth = 0
            for end, token in enumerate(self.tokens[self.position :]):
                depth += (token.text == "(") - (token.text == ")")
                if not depth:
                    after = self.peek(end + 1)
                    return after.kind != "sup" and after.text != "^"
        in_a_sample = self.peek().text == "_" and self.peek(1).text == "D"
        return in_a_sample or (self.peek().kind == "space" and self.is_prose(1))

    def _error(self) -> str:
        """The Bellman error; a root before it covers its argument as well."""
        error = self._scripted(BELLMAN_ERROR)
        self.last = "function" if self.peek().text == "(" else "operand"
        return error

    def _function(self, word: str) -> str:
        if word in PRODUCTS:
            return f"{' '.join(word[:-1])} {self._scripted(word[-1])}"
        if word == "KL" and self.peek().text == "(":
            self.take()
            inside = self.sequence(")", separator="‖")
            self.last = "operand"
            return rf"\operatorname{{KL}}({inside})"
        if word not in FUNCTIONS:
            return self._scripted(rf"\text{{{word}}}")
        return self._scripted(FUNCTIONS[word], "function") + " "

    def _group(self, opening: str) -> str:
        inside = self.sequence(CLOSE[opening], breakable=opening in "([")
        return self._scripted(
            f"{OPEN[opening]}{inside}{CLOSING[CLOSE[opening]].strip()} ".rstrip(" ") + (" " if opening == "⟨" else "")
        )

    def _root(self) -> str:
        """√ of a bracket, of an absolute value, of a function with its argument, or of one atom."""
        if self.peek().text == "(":
            self.take()
            return self._scripted(rf"\sqrt{{{self.sequence(')')}}}")
        self.last = "start"
        under = self.element()
        while self.last == "function":
            under += self.element()
        return self._scripted(rf"\sqrt{{{under.strip()}}}")

    def _scripted(self, base: str, kind: str = "operand") -> str:
        """``base`` with the primes and scripts that follow it."""
        primes, scripts = "", {"_": "", "^": ""}
        while True:
            token = self.peek()
            if token.kind == "prime":
                primes += _primes(self.take().text)
            elif token.text in scripts:
                scripts[self.take().text] += self._script()
            elif token.kind == "sub":
                scripts["_"] += "".join(SUBSCRIPTS[sign] for sign in self.take().text)
            elif token.kind == "sup":
                scripts["^"] += "".join(SUPERSCRIPTS[sign] for sign in self.take().text)
            else:
                break
        self.last = kind
        lower = f"_{{{scripts['_']}}}" if scripts["_"] else ""
        upper = f"^{{{scripts['^']}}}" if scripts["^"] else ""
        return (f"{{{base}{primes}}}" if primes else base) + lower + upper

    def _script(self) -> str:
        """What stands after ``_`` or ``^``: one sign with its primes, perhaps after a minus or under a root, or braces."""
        token = self.take()
        if token.text == "{":
            return self.sequence("}")
        if token.kind == "letter":
            primes = _primes(self.take().text) if self.peek().kind == "prime" else ""
            return _letter(token.text) + primes
        if token.text in BIG:
            return GREEK[token.text]
        if token.text in PRODUCTS:
            return " ".join(token.text)
        if token.kind == "number" or token.text in SYMBOLS:
            return SYMBOLS.get(token.text, token.text)
        if token.text == "-":
            return "-" + self._script()
        if token.text == "√":
            return rf"\sqrt{{{self._script()}}}"
        raise self.refuse(token)


def _primes(text: str) -> str:
    """Primes beside their letter: as superscripts browsers raise them twice."""
    return rf"\text{{{'′' * len(text)}}}"


def _letter(text: str) -> str:
    """One letter with its accent; E is an expectation where nothing says otherwise."""
    base, *accents = list(unicodedata.normalize("NFD", text))
    latex = r"\mathbb{E}" if base == "E" else (SCRIPTS | GREEK).get(base, base)
    for accent in accents:
        latex = rf"\{ACCENTS[accent]}{{{latex}}}"
    return latex + (" " if re.search(r"\\[a-z]+$", latex) else "")
