"""The content of text files as UTF-8, in blocks of whole lines."""

from __future__ import annotations

import codecs
from typing import TYPE_CHECKING

from openbell.errors import ConfigError
from openbell.importers.files.import_files import open_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from openbell.importers.files.import_files import ImportSource

__all__ = ["BLOCK_BYTES", "LONGEST_LINE", "read_head", "require_encoding", "text_blocks"]

BLOCK_BYTES = 24 << 20
"""The number of bytes of a file that are read at once."""

LONGEST_LINE = 8 << 20
"""The most bytes of a line; a file with a longer one is refused."""


def text_blocks(
    source: ImportSource, size: int, encoding: str | None = None, *, longest: int | None = None
) -> Iterator[bytes]:
    """Yield the content as UTF-8 in blocks of whole lines, each ended by a newline.

    Args:
        source: The file.
        size: The number of bytes that are read at once.
        encoding: The encoding of the text; None: UTF-8, or UTF-16 with a byte-order mark.
        longest: The most bytes of a line; None: `LONGEST_LINE`.

    Raises:
        OSError: The file cannot be read or decoded, or has a line that is too long. A damaged file raises EOFError,
            zlib.error or zipfile.BadZipFile.
    """
    with open_bytes(source) as file:
        decode = _Utf8(encoding)
        left = b""
        while content := file.read(size):
            content = left + decode(content)
            cut = content.rfind(b"\n") + 1
            left = content[cut:]
            if len(left) > (longest or LONGEST_LINE):
                raise OSError(
                    f"a line is longer than {(longest or LONGEST_LINE) >> 20} MB: this is not a table of bars"
                )
            if cut:
                yield content[:cut]
        left += decode(b"", final=True)
        if left.strip():
            yield left + b"\n"


def read_head(source: ImportSource, size: int) -> bytes:
    """Read the first bytes of a file, decompressed but not decoded.

    Raises:
        OSError: As for `text_blocks`.
    """
    with open_bytes(source) as file:
        return file.read(size)


def require_encoding(name: str | None) -> None:
    """Refuse an encoding that Python does not know.

    Raises:
        ConfigError: There is no such encoding, or it is not one of text.
    """
    try:
        "".encode(name or "utf-8")
    except (LookupError, ValueError):  # ValueError for a NUL in the name, and for the codec "undefined"
        raise ConfigError(f"unknown encoding {name!r}. Write for example utf-8, gbk, shift_jis or cp1252.") from None


class _Utf8:
    """Converter of a file's blocks to UTF-8 with newlines at line ends."""

    def __init__(self, encoding: str | None) -> None:
        self._encoding = encoding
        self._decode: codecs.IncrementalDecoder | None = None
        self._first = True
        self._bare_returns = False

    def __call__(self, content: bytes, *, final: bool = False) -> bytes:
        if self._first and content:
            content = self._begin(content)
        if self._decode is not None:
            try:
                content = self._decode.decode(content, final).encode()
            except UnicodeError as exc:
                raise OSError(f"it is not encoded in {self._encoding}: {exc}") from exc
        return content.replace(b"\r", b"\n") if self._bare_returns else content

    def _begin(self, content: bytes) -> bytes:
        """Find encoding and line ends in the first block.

        The block is returned without a UTF-8 byte-order mark.
        """
        self._first = False
        if content.startswith(codecs.BOM_UTF8):
            return content[3:] if self._encoding in (None, "utf-8", "utf8", "utf-8-sig") else content
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            self._encoding = "utf-16"
        if self._encoding is not None:
            self._decode = codecs.getincrementaldecoder(self._encoding)()
        # Old Macs, and some spreadsheets on new ones, end lines with a carriage return alone.
        self._bare_returns = b"\r" in content and b"\n" not in content
        return content
