"""What all figures share: colours, marks, lines, and a ground that takes on the viewer's theme."""

from __future__ import annotations

# Colours of Okabe and Ito's, which colour-blind people tell apart; these stand out on white and on black.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
NEUTRAL = "#808080"
SYMBOLS = {"circle": "o", "square": "s", "diamond": "D", "triangle-up": "^", "x": "X", "triangle-down": "v"}
"""Marks by plotly's name, and matplotlib's."""
DASHES = {"solid": "-", "dash": "--", "dot": ":"}
"""Lines by plotly's name, and matplotlib's."""
ATTACK_LOOKS = {
    "ptd": (COLOURS[0], "circle"),
    "ptq": (COLOURS[1], "square"),
    "pta": (COLOURS[2], "diamond"),
    "ptaq": (COLOURS[3], "triangle-up"),
    "qsd": (COLOURS[4], "x"),
    "random_sequences": (COLOURS[5], "triangle-down"),
}
"""The colour and the mark of each of the paper's attacks, and of the baseline of QSD, the same in every figure."""
GRID_ALPHA = 0.25
GRID = f"rgba(128, 128, 128, {GRID_ALPHA})"
CLEAR = {"template": "none", "paper_bgcolor": "rgba(0, 0, 0, 0)", "plot_bgcolor": "rgba(0, 0, 0, 0)"}
"""plotly's layout without a ground and without a text colour of its own."""
LEGEND_BELOW = {"orientation": "h", "x": 0, "y": 0, "yref": "container", "yanchor": "bottom"}
"""plotly's legend at the foot of a figure."""
