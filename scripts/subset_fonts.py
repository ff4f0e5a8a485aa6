"""Makes the fonts that the HTML report carries, from TeX Gyre Pagella and TeX Gyre Pagella Math.

    apt-get install fonts-texgyre fonts-texgyre-math      # or the same files from a TeX distribution
    pip install fonttools brotli
    python scripts/subset_fonts.py /usr/share/texmf/fonts/opentype/public mappo_verify/report/fonts

Letters, signs and digits that the report can show are kept; of the mathematics font also its table of constants and every
larger variant of a bracket, a sum or a root, so that a radical still grows over what stands under it.  The licence asks that
a changed font is called by another name, so the subsets are.
"""

from __future__ import annotations

import sys
from pathlib import Path

from fontTools import subset
from fontTools.ttLib import TTFont

TEXT = ",".join(
    [
        "U+20-7E,U+A0-FF,U+131,U+391-3A9,U+3B1-3C9",
        "U+2010-2015,U+2018-201D,U+2026,U+2032,U+2190-2193,U+2212,U+221E,U+2248,U+2264,U+2265",
    ]
)
MATHEMATICS = ",".join(
    [
        "U+20-7E,U+A0,U+AC,U+AF,U+B0,U+B1,U+B7,U+D7,U+F7",
        "U+2C6,U+2C7,U+2D8-2DD,U+302-304,U+307,U+338",  # accents
        "U+391-3A9,U+3B1-3C9,U+3D1,U+3D5,U+3D6,U+3F0,U+3F1,U+3F5",  # upright Greek
        "U+2016,U+2026,U+2032-2034,U+203E,U+2061-2064",
        "U+210E,U+2112,U+2113,U+2130,U+2190-2194,U+21A6,U+21D2,U+21D4",
        "U+2200-2209,U+220F-2213,U+2215,U+2217-221E,U+2223-222B,U+223C,U+2243,U+2248,U+2260-226B,U+2282-2287,U+22A4,U+22A5",
        "U+22C0-22C5,U+22EF,U+2308-230B,U+2329,U+232A,U+25A0,U+25A1,U+27E8,U+27E9",
        "U+1D434-1D467,U+1D53C,U+1D6A4,U+1D6A5,U+1D6E2-1D71B,U+1D5B3",  # italic letters, blackboard E, sans-serif T
    ]
)
FONTS = {
    "tex-gyre-math/texgyrepagella-math.otf": (
        "report-math.woff2",
        "Report Math",
        MATHEMATICS,
        ["ssty", "dtls", "flac", "mkmk"],
    ),
    "tex-gyre/texgyrepagella-regular.otf": (
        "report-regular.woff2",
        "Report Text",
        TEXT,
        ["kern", "liga", "onum", "tnum", "lnum"],
    ),
    "tex-gyre/texgyrepagella-bold.otf": (
        "report-bold.woff2",
        "Report Text",
        TEXT,
        ["kern", "liga", "onum", "tnum", "lnum"],
    ),
}


def make(source: Path, target: Path, family: str, unicodes: str, features: list[str]) -> None:
    """One subset, renamed."""
    options = subset.Options()
    options.flavor, options.layout_features, options.notdef_outline = "woff2", features, True
    options.drop_tables += ["FFTM"]
    font = TTFont(source, recalcTimestamp=False)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=subset.parse_unicodes(unicodes))
    subsetter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 3, 4, 6, 16):
            record.string = family.replace(" ", "" if record.nameID == 6 else " ")
    cff = font["CFF "].cff
    cff.fontNames[0] = family.replace(" ", "")
    font.flavor = "woff2"
    font.save(target)
    print(f"{target}: {target.stat().st_size:,} bytes")


if __name__ == "__main__":
    fonts, out = Path(sys.argv[1]), Path(sys.argv[2])
    for name, (result, family, unicodes, features) in FONTS.items():
        make(fonts / name, out / result, family, unicodes, features)
