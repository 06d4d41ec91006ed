"""Reduces pictures of pages to 64 colours, which no eye tells from the original.

`reduce.py FROM TO NAME...`: FROM and TO are folders, a picture is `NAME.png` in both.
"""

import sys
from pathlib import Path

from PIL import Image


def main(source: Path, target: Path, names: list[str]) -> None:
    """Writes each picture with a palette of its own."""
    for name in names:
        picture = Image.open(source / f"{name}.png").convert("RGB")
        reduced = picture.quantize(64, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        reduced.save(target / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
