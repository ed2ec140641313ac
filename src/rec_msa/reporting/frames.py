"""What is around the plots of a figure: headings, and the empty places of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Picture
    from numpy.typing import NDArray


def headed(title: str, note: str) -> str:
    """Returns a title and the note below it as the HTML that plotly understands."""
    return f'<b>{title}</b><br><span style="font-size: 12px">{note}</span>'


def empty_picture(size: tuple[float, float], n_rows: int, n_columns: int, head: str) -> tuple[Picture, NDArray[Any]]:
    """Returns a picture with a heading, and its places, on which nothing is seen until their axes are on.

    It does without pyplot and its global state.

    Args:
        size: Width and height in inches.
        n_rows: Rows of places.
        n_columns: Places of a row.
        head: Title and note.
    """
    from matplotlib.figure import Figure as Picture
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    picture = Picture(figsize=size, layout=ConstrainedLayoutEngine(h_pad=0.1, w_pad=0.1))
    places = picture.subplots(n_rows, n_columns, squeeze=False)
    for place in places.flat:
        place.set_axis_off()
    picture.suptitle(head, x=0.01, ha="left", fontsize=10)
    return picture, places
