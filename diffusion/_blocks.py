"""Bytes of a file of text: decompressed, cut into blocks of whole lines, blanks squeezed. No parsing here."""

from __future__ import annotations

import bz2
import lzma
import os
import zlib
from collections.abc import Generator, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from ._progress import progress
from .errors import MissingDataError, ReadError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Block", "blocks", "checked_file", "count_lines", "has_padded_number", "is_untidy", "magic", "squeeze"]

CHUNK = 1 << 18
BLOCK = 1 << 23
LONGEST = 1 << 27  # bytes of a line: what is longer is no edge file, and would have to be held whole
NEWLINE, RETURN, TAB, SPACE, ZERO = 10, 13, 9, 32, 48

_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz"}
_PACKED = {b"PK\x03\x04": "zip", b"\x28\xb5\x2f\xfd": "zstd", b"7z\xbc\xaf": "7z"}
_TABLES = {b"PAR1": "parquet", b"ARROW1": "feather", b"FEA1": "feather"}


class Block(NamedTuple):
    """Whole lines of a file: the bytes, the number of the first line (from 1) and where they start."""

    data: bytes
    line: int
    offset: int


def checked_file(path: str | os.PathLike[str], holds: str = "edge") -> Path:
    """Return `path` as an existing, readable, non-empty file, or say what is wrong with it."""
    file = Path(path)
    if file.is_dir():
        raise ReadError(f"'{file}' is a folder: give the path of one file")
    if not file.exists():
        if not file.parent.is_dir():
            raise MissingDataError(f"there is no file '{file}': the folder '{file.parent}' does not exist either")
        hint = did_you_mean(file.name, sorted(entry.name for entry in file.parent.iterdir() if entry.is_file()))
        raise MissingDataError(f"there is no file '{file.name}' in the folder '{file.parent}': check the path.{hint}")
    if not file.is_file():
        raise ReadError(f"'{file}' is not a regular file: save what it yields to a file first")
    if file.stat().st_size == 0:
        raise ReadError(f"'{file}' is empty (0 bytes): it should hold at least one {holds}")
    return file


def magic(path: Path) -> str | None:
    """Return ``"parquet"`` or ``"feather"`` if the first bytes of a file say so; refuse archives."""
    with _opened(path) as file:
        head = file.read(8)
    for mark, name in _PACKED.items():
        if head.startswith(mark):
            raise ReadError(f"'{path}' is a {name} file: unpack it first, or pack it with gzip, bzip2 or xz")
    return next((name for mark, name in _TABLES.items() if head.startswith(mark)), None)


def blocks(path: Path, *, size: int = BLOCK, show: bool = True) -> Generator[Block, None, None]:
    """Yield the text of a file, decompressed, in blocks of about `size` bytes that end at the end of a line."""
    held: list[bytes] = []  # pieces of a line that has not ended
    line, offset = 1, 0
    for data in _gathered(path, size, show):
        end = data.rfind(b"\n") + 1
        if not end:
            held.append(data)
            if sum(map(len, held)) > LONGEST:
                raise ReadError(
                    f"'{path}', line {line + sum(map(count_lines, held))}: the line is longer than {LONGEST:,} bytes, which no edge is"
                )
            continue
        block = b"".join([*held, data[:end]]) if held else data[:end]
        held = [data[end:]] if end < len(data) else []
        yield Block(block, line, offset)
        line += count_lines(block)
        offset += len(block)
    if held:
        yield Block(b"".join(held), line, offset)


def count_lines(block: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(block, np.uint8) == NEWLINE))


def is_untidy(block: bytes, delimiter: int) -> bool:
    """Whether some fields are not separated by exactly one `delimiter`, or a line begins or ends with a blank."""
    other = b" " if delimiter == TAB else b"\t"
    if other in block:
        return True
    data = np.frombuffer(block, np.uint8)
    if data[0] <= SPACE or data[-1] == delimiter:
        return True
    crlf = b"\r" in block
    for part in _slices(data):
        gap = part <= SPACE
        pair = gap[1:] & gap[:-1]
        if crlf:
            pair &= part[:-1] != RETURN
        if pair.any():
            return True
    return False


def squeeze(block: bytes, delimiter: int) -> bytes:
    """Turn each run of blanks and tabs into one `delimiter`, and drop those at the ends of lines; lines stay lines."""
    pieces, start = [], 0
    while start < len(block):
        end = block.rfind(b"\n", start, start + CHUNK) + 1 or block.find(b"\n", start) + 1 or len(block)
        pieces.append(_squeezed(np.frombuffer(block, np.uint8, end - start, start), delimiter))
        start = end
    return b"".join(pieces)


def _squeezed(data: NDArray[np.uint8], delimiter: int) -> bytes:
    keep = (data != SPACE) & (data != TAB)
    keep[:-1] |= data[1:] > SPACE  # of a run, the last blank stays, and only before a field
    data = data[keep]
    blank = (data == SPACE) | (data == TAB)
    leading = blank.copy()
    leading[1:] &= data[:-1] == NEWLINE
    data[blank] = delimiter
    return bytes(data[~leading].data)


def has_padded_number(block: bytes, delimiter: int) -> bool:
    """Whether some field may begin like ``007`` or ``0x1f``, which a number could not give back as it was written."""
    data = np.frombuffer(b"\n" + block[:2], np.uint8), np.frombuffer(block, np.uint8)
    for part in (data[0], *_slices(data[1])):
        before, after = part[:-2], part[2:]
        hit = part[1:-1] == ZERO
        hit &= (before <= 44) | (before == delimiter)  # blanks, line ends, quotes and commas are all below '-'
        hit &= (after >= ZERO) & (after != delimiter)
        if hit.any():
            return True
    return False


def _slices(data: NDArray[np.uint8]) -> Iterator[NDArray[np.uint8]]:
    """Yield overlapping slices that fit a processor's cache, which is three times as fast as one long array."""
    for start in range(0, data.size, CHUNK):
        yield data[start : start + CHUNK + 2]


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise ReadError(f"cannot open '{path}' ({error.strerror or error}): make the file readable") from None


def _gathered(path: Path, size: int, show: bool) -> Iterator[bytes]:
    """Join the small pieces a decompressor gives to pieces of at least `size` bytes."""
    held: list[bytes] = []
    n_held = 0
    for piece in _pieces(path, size, show):
        held.append(piece)
        n_held += len(piece)
        if n_held >= size:
            yield b"".join(held) if len(held) > 1 else piece
            held, n_held = [], 0
    if held:
        yield b"".join(held)


def _pieces(path: Path, size: int, show: bool) -> Iterator[bytes]:
    total = path.stat().st_size
    bar: Any = nullcontext()
    if show:
        bar = progress(total=total, description=f"reading {path.name}", unit="B", unit_scale=True)
    with _opened(path) as file, bar:
        head = file.read(6)
        file.seek(0)
        packing = next((name for mark, name in _MAGIC.items() if head.startswith(mark)), None)
        unpacker: Any = None if packing is None else _unpacker(packing)
        first = True
        while chunk := file.read(size if packing is None else CHUNK):
            if show:
                bar.update(len(chunk))
            if packing is None:
                yield chunk.removeprefix(b"\xef\xbb\xbf") if first else chunk
                first = False
                continue
            while chunk:
                if unpacker.eof:  # several packed files in a row count as one; zeros between them are padding
                    chunk = chunk.lstrip(b"\x00")
                    if not chunk:
                        break
                    unpacker = _unpacker(packing)
                try:
                    for piece in _unpacked(unpacker, chunk):
                        yield piece.removeprefix(b"\xef\xbb\xbf") if first else piece
                        first = False
                except (zlib.error, OSError, lzma.LZMAError, EOFError, ValueError) as error:
                    raise ReadError(
                        f"'{path}' is damaged: the {packing} data cannot be unpacked ({error}); get the file again"
                    ) from None
                chunk = unpacker.unused_data
        if packing is not None and not unpacker.eof:
            raise ReadError(
                f"'{path}' is truncated: the {packing} data ends before its end mark, "
                f"after {total:,} bytes; get the file again"
            )


def _unpacker(packing: str) -> Any:
    if packing == "gzip":
        return zlib.decompressobj(wbits=31)  # checks the checksum and the length too
    return bz2.BZ2Decompressor() if packing == "bzip2" else lzma.LZMADecompressor()


def _unpacked(unpacker: Any, chunk: bytes) -> Iterator[bytes]:
    """Yield what packed bytes hold in pieces of bounded size: a few may hold gigabytes of blank lines."""
    while True:
        piece = unpacker.decompress(chunk, BLOCK)
        if piece:
            yield piece
        # zlib gives back what it has not looked at, the others keep it.
        chunk = getattr(unpacker, "unconsumed_tail", b"")
        if unpacker.eof or (not chunk and len(piece) < BLOCK and getattr(unpacker, "needs_input", True)):
            return
