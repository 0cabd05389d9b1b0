"""Pages as a parser sees them."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from typing import Any


class Page(HTMLParser):
    """The elements and texts of a page.

    Attributes:
        elements: Names and attributes of all elements, in order.
        scripts: Attributes and texts of the scripts.
        styles: Texts of the styles.
        text: All other text.
    """

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.text = ""
        self._open = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag if tag in ("script", "style") else ""
        if tag == "script":
            self.scripts.append((dict(attrs), ""))
        if tag == "style":
            self.styles.append("")

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open == "script":
            attributes, text = self.scripts[-1]
            self.scripts[-1] = attributes, text + data
        elif self._open == "style":
            self.styles[-1] += data
        else:
            self.text += data

    @property
    def data(self) -> Any:
        """What the scripts read."""
        return json.loads(next(text for attributes, text in self.scripts if attributes.get("id") == "data"))

    @property
    def policy(self) -> dict[str, str]:
        """The directives of the content security policy."""
        content = next(
            str(attributes["content"])
            for tag, attributes in self.elements
            if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
        )
        return {name: value for name, _, value in (part.strip().partition(" ") for part in content.split(";"))}

    def addresses(self) -> list[str]:
        """All addresses that a browser loads by itself."""
        found = [v for _, attributes in self.elements for k, v in attributes.items() if k in ("src", "srcset", "data")]
        found += [str(a.get("href")) for tag, a in self.elements if tag in ("link", "image", "use")]
        return [*map(str, found), *re.findall(r"url\(|@import", "".join(self.styles))]


def hash_of(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
