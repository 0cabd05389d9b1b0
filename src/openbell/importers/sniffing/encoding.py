"""Detection of the encoding of a text file from its first bytes."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from openbell.importers.sniffing.column_names import role_of
from openbell.importers.sniffing.detection import Detection

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["sniff_encoding"]

_BY_NAMES = ("gb18030", "big5", "shift_jis", "euc_jp", "euc_kr", "cp1251", "cp1250", "cp1252", "cp1254", "cp1253")
_HEAD = 4096
_FEWEST_ROLES = 3
_FEWEST_BYTES = 40


def sniff_encoding(head: bytes) -> tuple[str | None, Detection | None]:
    """Find the encoding of a text.

    Args:
        head: The first bytes of the text.

    Returns:
        The encoding and its detection; None for both where the text is UTF-8 or has a byte-order mark.
    """
    if head.startswith((codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _is_utf8(head):
        return None, None
    if (wide := _utf16(head)) is not None:
        return wide, Detection("encoding", wide, "every other byte is 0", "certain")
    # Known names of columns are better evidence than the frequencies of letters in a header of ten words.
    known, name = max((_known_names(head, name), -n, name) for n, name in enumerate(_BY_NAMES))[::2]
    if known >= _FEWEST_ROLES:
        return name, Detection("encoding", name, f"read like this, {known} columns have known names", "certain")
    best = _by_frequencies(head)
    if best is not None:
        return best, Detection(
            "encoding", best, "by the frequency of letters; use --encoding if it is another", "likely"
        )
    why = "it is not UTF-8, and nothing shows what it is; use --encoding"
    return "cp1252", Detection("encoding", "cp1252", why, "unsure")


def _is_utf8(head: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return False
    return not _utf16(head)


def _utf16(head: bytes) -> str | None:
    """Return the UTF-16 encoding of a text by its zero bytes, or None."""
    even, odd = head[:_HEAD:2].count(0), head[1:_HEAD:2].count(0)
    if len(head) < _FEWEST_BYTES:
        return None
    most = 0.4 * max(1, len(head[:_HEAD]) // 2)
    return "utf-16-le" if odd > most and not even else "utf-16-be" if even > most and not odd else None


def _known_names(head: bytes, encoding: str) -> int:
    """Return the most columns with known names in a line.

    The line is read in an encoding, and only names that are not ASCII count.
    """
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(head[:_HEAD])
    except UnicodeDecodeError:
        return 0
    return max((len(set(roles) - {None}) for roles in _roles_of_lines(text)), default=0)


def _roles_of_lines(text: str) -> Iterator[list[str | None]]:
    for line in text.splitlines()[:20]:
        for separator in (",", ";", "\t", "|"):
            yield [role_of(field.strip('" ')) for field in line[:2000].split(separator) if not field.isascii()]


def _by_frequencies(head: bytes) -> str | None:
    from charset_normalizer import from_bytes  # imported here, because that takes longer than reading most files

    best = from_bytes(head[:_HEAD]).best()
    return best.encoding if best is not None else None
