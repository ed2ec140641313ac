"""What mkdocs calls: pages from the code, the pages of the repository's root, and their links."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
OF_THE_ROOT = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Files of the repository's root, and their pages."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leaves out of the navigation what is not there."""
    config.nav = _there(config.nav or [], Path(config.docs_dir))
    return config


def _there(nav: list[Any], docs: Path) -> list[Any]:
    kept: list[Any] = []
    for entry in nav:
        [(title, place)] = entry.items()
        if isinstance(place, list):
            kept.append({title: _there(place, docs)})
        elif (docs / place).exists() or place in OF_THE_ROOT.values() or place in _generated():
            kept.append(entry)
    return kept


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that lie elsewhere or are made here."""
    for name, page in OF_THE_ROOT.items():
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    for page, make in _generated().items():
        files.append(File.generated(config, page, content=make()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turns links between the root and docs into links of the site, and names of made pages into links."""
    if page.file.src_uri in OF_THE_ROOT.values():
        markdown = re.sub(r"(\]\(|src=\")docs/", r"\1", markdown)
    if page.file.src_uri == "index.md":
        page.meta["hide"] = ["navigation"]  # the tabs above it say all
    up = "../" * page.file.src_uri.count("/")
    for name, place in OF_THE_ROOT.items():
        markdown = re.sub(rf"\]\((?:\.\./)*{re.escape(name)}", f"]({up}{place}", markdown)
    return re.sub(r"`(reference/\w+)`(?=:)", rf"[\1]({up}\1.md)", markdown)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Keeps both ends of an interval on one line."""
    return re.sub(r"\[−?[\d.]+, −?[\d.]+\]", r'<span class="interval">\g<0></span>', html)


def _generated() -> dict[str, Any]:
    """The pages made from the code, by place."""
    sys.path[:0] = [place for place in (str(ROOT / "src"), str(ROOT)) if place not in sys.path]
    from docs.generate import attacks, columns, paper, parameters

    pages = {"parameters": parameters, "columns": columns, "attacks": attacks, "paper": paper}
    return {f"reference/{name}.md": module.page for name, module in pages.items()}
