"""Small tables of what is found, for notebooks and for ``print``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import islice
from textwrap import wrap
from typing import Any

import numpy as np

SHOWN = 60
"""Rows of a table that a notebook shows."""
WIDTH = 80


def number_text(value: Any) -> str:
    """A number as people read it; long fractions as decimals."""
    if isinstance(value, (float, np.floating)):
        return f"{value:.6g}"
    text = str(value)
    if len(text) <= 20 or "/" not in text or "+/-" in text:  # a ball is its midpoint +/- its radius
        return text
    return f"{float(int(value.p) / int(value.q)):.6g}"


def row_text(values: Any) -> str:
    """The numbers of a table in brackets; of a long one the first."""
    flat = np.ravel(np.asarray(values))
    if np.ndim(values) == 0:
        return number_text(flat[0])
    more = f", ... {flat.size} numbers" if flat.size > 8 else ""
    return f"[{', '.join(number_text(value) for value in flat[:8])}{more}]"


def html_table(caption: str, head: Sequence[str], rows: Iterable[Sequence[str]], count: int = 0) -> str:
    """An HTML table of the first rows of ``count``; cells are plain text."""
    cells = "".join(f"<th>{escape(name)}</th>" for name in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in islice(rows, SHOWN)
    )
    more = f"<p>... {count - SHOWN} more rows</p>" if count > SHOWN else ""
    return (
        f"<table><caption>{escape(caption)}</caption><thead><tr>{cells}</tr></thead><tbody>{body}</tbody></table>{more}"
    )


def text_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of at most 80 columns, whose last column is folded."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head) - 1)]
    indent = sum(widths) + 2 * len(widths)
    lines = []
    for row in (head, *rows):
        start = "".join(f"{cell:<{width}}  " for cell, width in zip(row, widths, strict=False))
        folded = wrap(row[-1], max(WIDTH - indent, 20)) or [""]
        lines += [start + folded[0], *(" " * indent + rest for rest in folded[1:])]
    return "\n".join(line.rstrip() for line in lines)
