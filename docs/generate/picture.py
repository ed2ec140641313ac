"""The picture of the first page, drawn from the published results: ``python -m docs.generate.picture`` writes it.

An SVG of plain shapes with a ground of its own, so that it reads on light pages and on dark ones.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

DOCS = Path(__file__).resolve().parents[1]
PICTURE = DOCS / "images" / "result.svg"
SHOWN = {
    "random": ("random items", "reference"),
    "popularity": ("popular items", "reference"),
    "knn_lists": ("a look-up of answers", "reference"),
    "ptd": ("clone of what a tenth of the users did", "attack"),
    "ptq": ("… and the target's answers about them", "attack"),
    "ptaq": ("… and other users' data", "attack"),
    "retrain": ("the target trained once more", "reference"),
}
"""The bars from top to bottom: what is read, and which colour it has."""
COLOURS = {"reference": "#8a8f98", "attack": "#0072b2"}
LEFT, WIDTH, ROW, TOP = 300, 400, 30, 66
STYLE = "font-family='system-ui, -apple-system, Segoe UI, Roboto, sans-serif' fill='#1c1d1f'"


def drawn() -> str:
    """The picture as SVG."""
    found = _shares()
    height = TOP + ROW * (len(SHOWN) + 1) + 14
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 760 {height}' role='img' {STYLE}>",
        "<title>What repeats the lists of a recommender</title>",
        f"<rect width='760' height='{height}' rx='8' fill='#ffffff'/>",
        "<text x='20' y='28' font-size='16' font-weight='600'>How much of a recommender’s list is repeated, for users "
        "never asked about</text>",
        "<text x='20' y='49' font-size='13' fill='#4a4d52'>MovieLens-1M, target bpr, lists of 50 items, mean of five "
        "seeds, 60 users each</text>",
    ]
    for place, (name, (label, kind)) in enumerate(SHOWN.items()):
        parts += _bar(TOP + ROW * place, label, found[name], COLOURS[kind])
    parts += _bar(TOP + ROW * len(SHOWN), "the target itself", 1.0, "#d9dbe0")
    return "\n".join([*parts, "</svg>", ""])


def _bar(y: int, label: str, share: float, colour: str) -> list[str]:
    written = "1" if share == 1 else f"{share:.2f}".lstrip("0")
    return [
        f"<text x='{LEFT - 12}' y='{y + 18}' font-size='14' text-anchor='end'>{label}</text>",
        f"<rect x='{LEFT}' y='{y + 4}' width='{WIDTH * share:.0f}' height='{ROW - 9}' rx='3' fill='{colour}'/>",
        f"<text x='{LEFT + WIDTH * share + 8:.0f}' y='{y + 18}' font-size='14' font-weight='600'>{written}</text>",
    ]


def _shares() -> pd.Series:
    """Agr@50 on held-out users by attack and reference, mean over seeds."""
    rows = pd.read_parquet(DOCS / "published" / "08_reporting" / "agreement.parquet").query(
        "dataset == 'ml-1m' and target == 'bpr' and group == 'heldout' and k == 50 and against == 'undefended' "
        "and defense == 'none' and (clone == 'bpr' or clone != clone)"
    )
    return rows[rows["attack"].isin(SHOWN)].groupby("attack")["agreement"].mean()


if __name__ == "__main__":
    PICTURE.write_text(drawn(), encoding="utf-8")
