"""Drawings for the page, as inline SVG: the proof graph, a game, the numbers of an instance, how tight a bound is.

Every function takes plain data of :mod:`~mappo_verify.report.document` and returns markup in which every text is escaped.
Colours are classes that the page's style sheet fills, in light and dark; nothing is told by colour alone.  Each drawing names
itself (``<title>``) and says in words what it shows (``<desc>``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup

from ..checking.statements import own_words

Data = Mapping[str, Any]

ICONS = {"PROVED": "∎", "SURVIVED": "✓", "SUPPORTED": "∼", "OPEN": "…", "REFUTED": "✗", "UNTESTED": "?"}
"""One sign for each standing; the word always stands beside it."""
SIGNS = {
    "false as printed": ("✗", "refuted"),
    "needs a hypothesis that is not printed": ("✗", "needs"),
    "untested": ("?", "untested"),
    "open": ("?", "untested"),
    "supported by statistics": ("∼", "supported"),
    "not refuted": ("✓", "survived"),
    "proved": ("∎", "proved"),
}
"""The sign of a verdict on a statement, and how it is drawn."""


def svg(name: str, width: float, height: float, title: str, description: str, parts: Iterable[Markup]) -> Markup:
    """A drawing with its title and its description; ``name`` is a class."""
    return Markup(
        '<svg class="{}" role="img" viewBox="0 0 {:g} {:g}" width="{:g}" height="{:g}" xmlns="http://www.w3.org/2000/svg">'
        "<title>{}</title><desc>{}</desc>{}</svg>"
    ).format(name, width, height, width, height, title, description, Markup("").join(parts))


def text(x: float, y: float, words: str, name: str = "", anchor: str = "start") -> Markup:
    """Words at a point."""
    return Markup('<text x="{:.1f}" y="{:.1f}" class="{}" text-anchor="{}">{}</text>').format(x, y, name, anchor, words)


def line(x1: float, y1: float, x2: float, y2: float, name: str) -> Markup:
    """A straight line."""
    return Markup('<line x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}" class="{}"/>').format(x1, y1, x2, y2, name)


def curve(x1: float, y1: float, x2: float, y2: float, name: str) -> Markup:
    """A line that leaves and arrives level."""
    bend = max(24.0, abs(x2 - x1) * 0.45)
    return Markup('<path d="M{:.1f} {:.1f}C{:.1f} {:.1f} {:.1f} {:.1f} {:.1f} {:.1f}" class="{}"/>').format(
        x1, y1, x1 + bend, y1, x2 - bend, y2, x2, y2, name
    )


def box(x: float, y: float, width: float, height: float, name: str, corner: float = 6) -> Markup:
    """A rectangle with round corners."""
    return Markup('<rect x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="{:g}" class="{}"/>').format(
        x, y, width, height, corner, name
    )


def disc(x: float, y: float, radius: float, name: str) -> Markup:
    """A filled circle."""
    return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="{:g}" class="{}"/>').format(x, y, radius, name)


def short(words: str, length: int) -> str:
    """The beginning of long words."""
    return words if len(words) <= length else f"{words[: length - 1]}…"


# --- how many stand -------------------------------------------------------------------------------------------------


def verdicts_bar(counts: Mapping[str, int], own: bool = False) -> Markup:
    """One bar, parted by the verdicts on statements; of one's ``own`` claims nothing is printed."""
    total, x, parts = sum(counts.values()), 0.0, []
    for verdict, count in counts.items():
        width = 1000 * count / total if total else 0
        parts.append(box(x, 0, max(width - 3, 0), 14, f"fill-{SIGNS[verdict][1]}", 2))
        x += width
    words = ", ".join(f"{count} {verdict}" for verdict, count in counts.items())
    words = own_words(words) if own else words
    return svg("tally-bar", 1000, 14, "How many statements stand", words, parts)


# --- tightness ------------------------------------------------------------------------------------------------------

LABELS, PLOT, ROW = 150.0, 440.0, 22.0
"""Pixels for the labels, for the plot, and for each size."""


def size_words(row: Data) -> str:
    """States, actions and steps of an instance, briefly."""
    steps = f" · {row['steps']} steps" if row["steps"] != 1 else ""
    return f"{row['states']}·{'×'.join(map(str, row['action_sizes']))}{steps}"


def tightness_plot(rows: Sequence[Data]) -> Markup:
    """Every ratio of smaller to larger side as a dot, one row for each size of instance; 1 is where a bound is attained.

    From 0 to 1 the axis is even; beyond, where a claim is violated, it counts orders of magnitude.
    """
    largest = max(row["largest"] for row in rows)
    decades = math.ceil(math.log10(largest)) if largest > 1 else 0
    unit = PLOT if not decades else PLOT * 0.62
    beyond = (PLOT - unit) / decades if decades else 0.0

    def at(ratio: float) -> float:
        if ratio <= 1:
            return LABELS + unit * max(ratio, 0)
        return LABELS + unit + beyond * math.log10(ratio)

    height = 26 + ROW * len(rows)
    ticks = [(0, "0"), (0.25, "¼"), (0.5, "½"), (0.75, "¾"), (1, "1")]
    step = max(1, math.ceil(decades / 4))
    ticks += [
        (10.0**k, f"10{str(k).translate(_SUPERSCRIPT)}" if k > 1 else "10") for k in range(step, decades + 1, step)
    ]
    parts = []
    if decades:
        parts.append(box(at(1), 8, PLOT - unit, height - 26, "zone-bad", 0))
    for ratio, words in ticks:
        parts.append(line(at(ratio), 8, at(ratio), height - 18, "limit" if ratio == 1 else "grid"))
        parts.append(text(at(ratio), height - 4, words, "small", "middle"))
    for number, row in enumerate(rows):
        y = 8 + ROW * (number + 0.5)
        parts.append(text(LABELS - 12, y + 4, size_words(row), "small", "end"))
        held, broken = _dots(row["ratios"], at, y)
        parts += [Markup('<path d="{}" class="dots"/>').format(held)] if held else []
        parts += [Markup('<path d="{}" class="dots bad"/>').format(broken)] if broken else []
        parts.append(line(at(row["median"]), y - 7, at(row["median"]), y + 7, "median"))
        parts.append(text(LABELS + PLOT + 14, y + 4, f"{row['largest']:g}", "small"))
    parts.append(text(LABELS + PLOT + 14, height - 4, "largest", "small quiet"))
    parts.append(text(LABELS - 12, height - 4, "left / right", "small quiet", "end"))
    best = max(rows, key=lambda row: float(row["largest"]))
    count = sum(row["instances"] for row in rows)
    words = f"{count} decided instances of {len(rows)} sizes; the largest ratio is {largest:g}, at {size_words(best)}."
    return svg("plot", LABELS + PLOT + 80, height, "How tight the claim is", words, parts)


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def _dots(ratios: Sequence[float], at: Any, y: float) -> tuple[str, str]:
    """Points of a path, without those that would hide each other: where the claim holds, and where it is violated."""
    held = dict.fromkeys(round(at(ratio)) for ratio in ratios if ratio <= 1)
    broken = dict.fromkeys(round(at(ratio)) for ratio in ratios if ratio > 1)
    return "".join(f"M{x} {y:g}h0" for x in held), "".join(f"M{x - 3} {y - 3:g}l6 6m0-6l-6 6" for x in broken)


# --- samples --------------------------------------------------------------------------------------------------------

PANEL, PANEL_GAP, PANEL_HEIGHT = 190.0, 26.0, 190.0
"""Pixels of the panel of a design, between two of them, and from top to bottom."""


def samples_plot(statistics: Data) -> Markup | None:
    """The left side's quantile against ``n``, as its interval, in one panel for each design; both axes count orders of magnitude.

    The dashed line is the bound, moved so that it passes where the intervals do: its slope is the claimed rate.
    """
    ends = [end for design in statistics["designs"] for pair in design["quantile_of_left"] for end in pair]
    shown = [end for end in ends if end is not None and end > 0]
    if not shown:
        return None
    low, high = math.floor(math.log10(min(shown))), math.ceil(math.log10(max(shown)))
    left, top = 52.0, 30.0
    unit = PANEL_HEIGHT / max(high - low, 1)

    def height(value: float | None) -> float:
        """Where a value stands; None is beyond the top, 0 beyond the bottom."""
        place = high if value is None else low if value <= 0 else math.log10(value)
        return top + unit * (high - min(max(place, low), high))

    parts, words = [], []
    for number, design in enumerate(statistics["designs"]):
        begin = left + number * (PANEL + PANEL_GAP)
        sizes, pairs = design["n"], design["quantile_of_left"]
        span = math.log(sizes[-1] / sizes[0])
        places = [begin + 16 + (PANEL - 32) * math.log(size / sizes[0]) / span for size in sizes]
        parts.append(text(begin, top - 12, short(design["design"], 26), "name"))
        for decade in range(low, high + 1):
            parts.append(line(begin, height(10.0**decade), begin + PANEL, height(10.0**decade), "grid"))
            if not number:
                parts.append(text(begin - 8, height(10.0**decade) + 4, _power(decade), "small", "end"))
        parts += _moved_bound(design, places, height)
        for place, size, (least, most) in zip(places, sizes, pairs, strict=True):
            parts.append(line(place, height(least or 0), place, height(most), "interval"))
            parts += [line(place - 5, height(end), place + 5, height(end), "interval") for end in (least or 0, most)]
            parts.append(text(place, top + PANEL_HEIGHT + 18, str(size), "small", "middle"))
        shown_pairs = (f"{interval(pair)} at n = {size}" for size, pair in zip(sizes, pairs, strict=True))
        words.append(
            f"{design['design']}: {', '.join(shown_pairs)}; slope in {interval(design['slope_of_left'])}, that of the bound "
            f"{design['slope_of_bound']:.3g}."
        )
    parts.append(text(left - 8, top + PANEL_HEIGHT + 18, "n", "small quiet", "end"))
    width = left + len(statistics["designs"]) * (PANEL + PANEL_GAP)
    title = f"The {1 - statistics['delta']:g} quantile of the left side falls with n"
    return svg("samples", width, top + PANEL_HEIGHT + 28, title, " ".join(words), parts)


def _moved_bound(design: Data, places: Sequence[float], height: Any) -> list[Markup]:
    """The bound, times the one factor that brings it nearest to the middles of the intervals."""
    pairs = zip(design["quantile_of_left"], design["bound"], strict=True)
    logs = [
        (math.log(least) + math.log(most)) / 2 - math.log(bound)
        for (least, most), bound in pairs
        if least and most and least > 0 and bound > 0
    ]
    if not logs:
        return []
    factor = math.exp(sum(logs) / len(logs))
    ends = [height(factor * bound) for bound in design["bound"]]
    return [line(*one, *two, "rate") for one, two in pairwise(zip(places, ends, strict=True))]


def interval(pair: Sequence[float | None]) -> str:
    """``[a, b]`` with four digits; ∞ where a sample bounds nothing."""
    low, high = (sign if end is None else f"{end:.4g}" for end, sign in zip(pair, ("-∞", "∞"), strict=True))
    return f"[{low}, {high}]"


def _power(exponent: int) -> str:
    """A power of ten; near 1 in digits."""
    return f"{10.0**exponent:g}" if abs(exponent) < 3 else f"10{str(exponent).translate(_SUPERSCRIPT)}"


# --- a game ---------------------------------------------------------------------------------------------------------


def game_diagram(game: Data) -> Markup:
    """A small game from left to right: a state, what can be played there, where that leads."""
    choices, states = game["choices"], game["states"]
    policies = list(choices[0]["played"])
    tall = 34 + 15 * len(policies)
    gap, left, middle, wide, right = 12.0, 40.0, 130.0, 230.0, 560.0
    tops, y = [], 14.0
    for number, choice in enumerate(choices):
        y += 14 if number and choice["state"] != choices[number - 1]["state"] else 0
        tops.append(y)
        y += tall + gap
    height = max(y + 4, 74.0 * (len(states) + any(c["ends"] for c in choices)))
    ends = any(choice["ends"] for choice in choices)
    targets = len(states) + ends
    after = [height * (k + 0.5) / targets for k in range(targets)]
    parts = []
    for state in range(len(states)):
        own = [top + tall / 2 for top, choice in zip(tops, choices, strict=True) if choice["state"] == state]
        centre = sum(own) / len(own)
        parts += [curve(left + 20, centre, middle, y, "edge") for y in own]
        parts += [disc(left, centre, 20, "state"), text(left, centre + 5, short(states[state], 4), "name", "middle")]
    for top, choice in zip(tops, choices, strict=True):
        centre = top + tall / 2
        leads = [(after[n["state"]], n["probability"], n["share"]) for n in choice["next"]]
        if choice["ends"]:
            leads.append((after[-1], "", 1 - sum(n["share"] for n in choice["next"])))
        for target, probability, share in leads:
            parts.append(
                Markup('<g stroke-width="{:.2f}">{}</g>').format(
                    1 + 2 * share, curve(middle + wide, centre, right - 22, target, "edge flow")
                )
            )
            if probability not in ("", "1"):
                x, y = middle + wide + 60, centre + (target - centre) * 0.28
                parts.append(text(x, y - 3, probability, "small halo", "middle"))
        parts.append(box(middle, top, wide, tall, "choice"))
        parts.append(text(middle + 12, top + 21, short(f"action {choice['action']}", 22), "name"))
        parts.append(text(middle + wide - 12, top + 21, _equals("r", choice["reward"]), "small", "end"))
        for number, (policy, probability) in enumerate(choice["played"].items()):
            parts.append(
                text(middle + 12, top + 38 + 15 * number, f"{policy} plays it with {probability}", "small quiet")
            )
    for target in range(len(states)):
        parts += [
            disc(right, after[target], 20, "state"),
            text(right, after[target] + 5, short(states[target], 4), "name", "middle"),
        ]
    if ends:
        parts += [
            box(right - 18, after[-1] - 18, 36, 36, "state", 3),
            text(right, after[-1] + 5, "end", "small", "middle"),
        ]
    parts += [
        text(left, height + 12, "state", "small quiet", "middle"),
        text(middle + wide / 2, height + 12, "joint action, reward", "small quiet", "middle"),
        text(right, height + 12, "next state", "small quiet", "middle"),
    ]
    return svg("game", 600, height + 20, "The game of the counterexample", _game_words(game), parts)


def _equals(name: str, number: str) -> str:
    return f"{name} {number}" if number.startswith("≈") else f"{name} = {number}"


def _game_words(game: Data) -> str:
    states = game["states"]
    sentences = [f"{len(states)} states, discount {game['discount']}."]
    for choice in game["choices"]:
        leads = [f"{states[n['state']]} with probability {n['probability']}" for n in choice["next"]]
        leads += ["the end"] if choice["ends"] else []
        played = "".join(f", {policy} plays it with {p}" for policy, p in choice["played"].items())
        place = f"In {states[choice['state']]}, action {choice['action']}"
        sentences.append(f"{place}: reward {choice['reward']}{played}; then {' or '.join(leads)}.")
    return " ".join(sentences)


# --- the numbers of an instance -------------------------------------------------------------------------------------

BARS_HEIGHT = 64.0
LONGEST_RUN = 60
LABELLED = 15
"""Bars that have room for their numbers."""


def number_bars(ingredients: Sequence[Data]) -> Markup | None:
    """The tables of an instance without a game, as bars; None if there are only single numbers."""
    rows = [row for ingredient in ingredients for row in _series(ingredient)]
    if not rows:
        return None
    parts, y = [], 8.0
    for name, kind, entries, values in rows:
        span = max((abs(v) for v in values), default=0) or 1.0
        negative = any(v < 0 for v in values)
        zero = y + (BARS_HEIGHT / 2 if negative else BARS_HEIGHT - 16)
        scale = (BARS_HEIGHT / 2 - 14 if negative else BARS_HEIGHT - 32) / span
        width = min(64.0, 460.0 / len(values))
        parts.append(text(LABELS - 12, zero + 4, short(name, 20), "small", "end"))
        parts.append(line(LABELS, zero, LABELS + width * len(values), zero, "axis"))
        for number, (entry, value) in enumerate(zip(entries, values, strict=True)):
            x, tall = LABELS + width * number, abs(value) * scale
            if value:
                parts.append(box(x + width * 0.14, zero - tall if value > 0 else zero, width * 0.72, tall, "bar", 1))
            if len(values) <= LABELLED:
                label = zero - tall - 4 if value >= 0 else zero + tall + 12
                parts.append(text(x + width / 2, label, _fitting(entry, value, int(width / 7)), "small", "middle"))
        if len(values) > LABELLED:
            parts.append(text(LABELS, zero + 14, f"{kind} 0", "small quiet"))
            parts.append(text(LABELS + width * len(values), zero + 14, str(len(values) - 1), "small quiet", "end"))
        y += BARS_HEIGHT
    words = " ".join(f"{name}: {', '.join(entries)}." for name, _, entries, _ in rows)
    return svg("bars", LABELS + 470, y + 4, "The numbers of the counterexample", words, parts)


def _fitting(entry: str, value: float, room: int) -> str:
    """A number in so many characters: as it is, else by its leading digits."""
    return entry if len(entry) <= room else short(f"{value:.2g}", room)


def _series(ingredient: Data) -> list[tuple[str, str, list[str], list[float]]]:
    """A table as one row of bars, which are entries; a run as one row for each of its columns, which are steps."""
    values, entries, shape = ingredient["floats"], ingredient["entries"], ingredient["shape"]
    if values is None or len(values) < 2:
        return []
    if len(shape) < 2 or shape[0] <= 4:
        return [(ingredient["name"], "entry", entries, values)] if len(values) <= LONGEST_RUN else []
    columns = len(values) // shape[0]
    return [
        (f"{ingredient['name']}, action {k}", "step", entries[k::columns], values[k::columns])
        for k in range(columns)
        if shape[0] <= LONGEST_RUN
    ]


# --- the proof graph ------------------------------------------------------------------------------------------------

NODE_WIDTH, NODE_HEIGHT, COLUMN, LINE = 204.0, 30.0, 230.0, 40.0
LONGEST_LABEL = 26
"""Characters that fit a box as they are."""


def proof_graph(claims: Sequence[Data]) -> Markup | None:
    """What leans on what, from left to right; None where nothing does."""
    known = {claim["id"]: claim for claim in claims}
    leans = {claim["id"]: [name for name in claim["cites"] if name in known] for claim in claims}
    linked = {name for name, others in leans.items() if others} | {name for others in leans.values() for name in others}
    leans = {name: others for name, others in leans.items() if name in linked}
    if not leans:
        return None
    columns = _columns(leans)
    tallest = max(map(len, columns))
    places = {
        name: (14 + COLUMN * x, 10 + LINE * (y + (tallest - len(column)) / 2))
        for x, column in enumerate(columns)
        for y, name in enumerate(column)
    }
    parts, words = [], []
    for name, others in leans.items():
        for other in others:
            fallen = known[other]["standing"] == "REFUTED"
            stops = [places[step] for step in _way(other, name, columns)]
            for (x1, y1), (x2, y2) in pairwise(stops):
                middles = y1 + NODE_HEIGHT / 2, y2 + NODE_HEIGHT / 2
                parts.append(curve(x1 + NODE_WIDTH, middles[0], x2, middles[1], "edge bad" if fallen else "edge"))
            for x, y in stops[1:-1]:
                y += NODE_HEIGHT / 2
                parts.append(line(x, y, x + NODE_WIDTH, y, "edge bad" if fallen else "edge"))
            words.append(f"{name} leans on {other}" + (" (refuted)" if fallen else ""))
    for name, (x, y) in places.items():
        if not isinstance(name, str):
            continue
        standing = known[name]["standing"]
        tainted = " tainted" if known[name]["tainted_by"] else ""
        parts.append(
            Markup('<a href="#{0}" class="node">{1}{2}{3}</a>').format(
                name,
                box(x, y, NODE_WIDTH, NODE_HEIGHT, f"plate {standing.lower()}{tainted}"),
                text(x + 10, y + 20, ICONS[standing], f"icon {standing.lower()}"),
                _label(x + 24, y + 20, name),
            )
        )
    width = 28 + COLUMN * (len(columns) - 1) + NODE_WIDTH
    height = 10 + LINE * max(map(len, columns))
    graph = svg("graph", width, height, "What leans on what", "; ".join(words) + ".", parts)
    return Markup(str(graph).replace('role="img"', 'role="group"', 1))  # its nodes are links


def _label(x: float, y: float, name: str) -> Markup:
    """The whole name: a long one is set closer, so that it stays in its box."""
    close = Markup(' textLength="{:.0f}" lengthAdjust="spacingAndGlyphs"').format(NODE_WIDTH - 32)
    shown = Markup('<text x="{:.1f}" y="{:.1f}" class="label"{}>{}</text>')
    return shown.format(x, y, close if len(name) > LONGEST_LABEL else "", name)


Lane = tuple[str, int]
"""Room in a column for the lines from one claim that pass through it."""


def _columns(leans: Mapping[str, Sequence[str]]) -> list[list[str | Lane]]:
    """Each claim one column right of all it leans on; in a column, near to what it is linked with."""

    def height(name: str, above: frozenset[str]) -> int:
        path = above | {name}  # of reasons in a circle, the one that closes it does not count
        return 1 + max((height(other, path) for other in leans[name] if other not in path), default=-1)

    depth = {name: height(name, frozenset()) for name in leans}
    columns: list[list[str | Lane]] = [[] for _ in range(max(depth.values()) + 1)]
    links: dict[str | Lane, set[str | Lane]] = {}
    for name, others in leans.items():
        columns[depth[name]].append(name)
        for other in others:
            lanes: list[Lane] = [(other, x) for x in range(depth[other] + 1, depth[name])]
            for lane in lanes:
                columns[lane[1]] += [lane] if lane not in columns[lane[1]] else []
            way: list[str | Lane] = [other, *lanes, name]
            for one, two in pairwise(way):
                links.setdefault(one, set()).add(two)
                links.setdefault(two, set()).add(one)
    for _ in range(12):
        row = {entry: y - len(column) / 2 for column in columns for y, entry in enumerate(column)}
        for column in columns:
            column.sort(key=lambda entry: sum(row[n] for n in links[entry]) / len(links[entry]))
    return columns


def _way(start: str, end: str, columns: Sequence[Sequence[str | Lane]]) -> list[str | Lane]:
    """From a claim to one that leans on it, by the lanes that were left free."""
    last = next(x for x, column in enumerate(columns) if end in column)
    return [start, *((start, x) for x in range(last) if (start, x) in columns[x]), end]
