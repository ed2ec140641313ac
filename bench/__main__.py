"""Measures areas and prints their tables: ``python -m bench training scoring --runs 3``; ``--page`` writes the page."""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

import rich

from bench.areas import AREAS, Options
from bench.figure import draw_scaling
from bench.limits import limits
from bench.measure import ROOT
from bench.page import fill
from bench.store import TARGET, load, save, sentence, stamp, tables_of
from rec_msa.foundation.errors import DataError
from rec_msa.recommenders.settings import SETTINGS

if TYPE_CHECKING:
    from bench.tables import Table

DOCS = ROOT / "docs"
OWN_CORE = 0.9
"""The share of its core below which a process was not alone."""


def main() -> None:
    """Does what the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"of {', '.join(AREAS)}; all where none is named")
    parser.add_argument("--runs", type=int, help="fresh processes for each row; default: three, fewer of slow ones")
    parser.add_argument("--threads", type=int, default=1, help="cores and threads of each process (default: 1)")
    parser.add_argument("--models", nargs="+", choices=SETTINGS, help="measure these models alone")
    parser.add_argument(
        "--large", action="store_true", help="ingestion of 50 and 100 million rows, and 100,000 x 100,000 ranked, too"
    )
    parser.add_argument("--page", action="store_true", help="write docs/performance.md from bench.json")
    arguments = parser.parse_args()
    unknown = [area for area in arguments.areas if area not in AREAS]
    if unknown:
        parser.error(f"there is no area '{unknown[0]}'; choose from {', '.join(AREAS)}")
    if arguments.page:
        write_page()
        return
    options = Options(arguments.runs, arguments.threads, arguments.large, arguments.models)
    for area in arguments.areas or AREAS:
        measure(area, options)
    rich.print(f"All figures: {TARGET.relative_to(ROOT)}; `python -m bench --page` puts them into docs/performance.md.")


def measure(area: str, options: Options) -> None:
    """Measures one area, prints it and keeps it, so that a suite that is stopped keeps what is done."""
    rich.print(f"[bold]{area}[/bold]")
    start = time.perf_counter()
    try:
        tables = AREAS[area](options)
    except DataError as error:
        rich.print(f"[red]{area} was not measured: {error}[/red]")
        return
    flags = [flag for flag in sys.argv[1:] if flag not in AREAS]
    save(area, tables, stamp(" ".join(["python -m bench", area, *flags]), time.perf_counter() - start))
    for table in tables:
        table.show()


def write_page() -> None:
    """Writes the tables of docs/performance.md and its figure anew."""
    areas = load()
    tables = tables_of(areas)
    blocks = {name: table.markdown() for name, table in tables.items()}
    blocks |= {f"made-{name}": sentence(area["made_by"]) for name, area in areas.items()}
    if areas.keys() == AREAS.keys():
        blocks["total"] = summary(areas, list(tables.values()))
    if "machine" in tables:
        blocks["limits"] = limits(tables).markdown()
    page = DOCS / "performance.md"
    page.write_text(fill(page.read_text(encoding="utf-8"), blocks), encoding="utf-8")
    if "scaling-slopes" in tables:
        draw_scaling(tables, DOCS / "images" / "scaling.png")


def summary(areas: dict[str, Any], tables: list[Table]) -> str:
    """How long the areas took, and how many rows were measured on a core that others used, too."""
    minutes = sum(area["made_by"]["seconds"] for area in areas.values()) / 60
    shares = [share for table in tables for row in table.rows if (share := row.median("core_share")) is not None]
    shared = sum(share < OWN_CORE for share in shares)
    return (
        f"The areas on this page ({', '.join(areas)}) took {minutes:.0f} minutes together. {shared} of {len(shares)} "
        f"rows had less than {OWN_CORE:.0%} of their core: other work ran on the machine, and their seconds show it."
    )


if __name__ == "__main__":
    main()
