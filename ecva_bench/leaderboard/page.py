"""Tables as one HTML page that needs nothing else: no server, no network, no script to be complete.

A pure function of the tables. Every text is escaped, and a content-security policy lets the page run its own script
and use its own style, and load nothing. The script (`page.js`) only sorts, unfolds what a link leads to, and leaves out
columns; style and script stand beside this file.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from html import escape
from importlib.resources import files

from ..untrusted import one_line
from .page_table import section
from .table import Table


def as_html(tables: Sequence[Table], *, title: str) -> str:
    """Return the page of tables, a list of contents first."""
    style, script = (files(__package__).joinpath(f"page.{kind}").read_text(encoding="utf-8") for kind in ("css", "js"))
    policy = f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'"
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            "<head>",
            '<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="color-scheme" content="light dark">',
            f"<title>{_text(title)}</title>",
            f"<style>{style}</style>",
            "</head>",
            "<body>",
            f"<header><h1>{_text(title)}</h1></header>",
            f'<nav aria-label="Tables"><details><summary>All tables ({len(tables)})</summary><ol>',
            *_contents(tables),
            "</ol></details></nav>",
            "<main>",
            *(section(table, number) for number, table in enumerate(tables, 1)),
            "</main>",
            f"<script>{script}</script>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _contents(tables: Sequence[Table]) -> list[str]:
    """Return a line for each table; those whose title goes on from another's, after a colon, share its line."""
    lines: dict[str, list[str]] = {}
    for number, table in enumerate(tables, 1):
        head, _, rest = table.title.partition(": ")
        link = f'<a href="#t{number}">{_text(rest if head in lines and rest else table.title)}</a>'
        lines.setdefault(head if rest and head in lines else table.title, []).append(link)
    return [f"<li>{' · '.join(links)}</li>" for links in lines.values()]


def _text(text: str) -> str:
    return escape(one_line(text))


def _hash(content: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()}"
