"""The little markup that texts of the report may hold, as HTML: code, strong words and links within the page."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

_CODE = re.compile(r"`([^`]+)`")
_STRONG = re.compile(r"\*\*([^*]+)\*\*")
_LINK = re.compile(r"\[([^\]]+)\]\((#[\w-]+)\)")


def to_html(text: str) -> Markup:
    """Returns a text with its markup as HTML, and nothing else of it as HTML."""
    safe = str(escape(text))
    # Code first: what stands in it is no markup.
    parts = _CODE.split(safe)
    marked = [f"<code>{part}</code>" if place % 2 else _marked(part) for place, part in enumerate(parts)]
    return Markup(_LINK.sub(r'<a href="\2">\1</a>', "".join(marked)))


def to_plain(text: str) -> str:
    """Returns a text without its markup."""
    return _LINK.sub(r"\1", _STRONG.sub(r"\1", _CODE.sub(r"\1", text)))


def _marked(text: str) -> str:
    return _STRONG.sub(r"<strong>\1</strong>", text)
