"""The IDX format in which MNIST is published: gzip over a magic number, big-endian sizes and bytes."""

import math
import zlib

import numpy as np

from rmtlottery.refusal import Refusal

GZIP = 31
UNSIGNED_BYTES = 8


def idx(packed: bytes, shape: tuple[int, ...], where: str) -> np.ndarray:
    """The array of unsigned bytes, which must have this shape: so no more than that is ever unpacked."""
    start = 4 + 4 * len(shape)
    content = unpacked(packed, start + math.prod(shape), where)
    if content[:4] != bytes([0, 0, UNSIGNED_BYTES, len(shape)]) or len(content) < start:
        magic = content[:4].hex()
        raise Refusal(f"{where} is no IDX file of bytes in {len(shape)} dimensions: it begins {magic or 'with nothing'}")
    found = tuple(int(size) for size in np.frombuffer(content[4:start], ">u4"))
    if found != shape:
        raise Refusal(f"{where} declares the shape {found} where {shape} was expected")
    if len(content) < start + math.prod(shape):
        raise Refusal(f"{where} ends after {len(content) - start} of the {math.prod(shape)} bytes that it declares")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def unpacked(packed: bytes, most: int, where: str) -> bytes:
    """What the gzip file holds, refused as soon as it is more than `most` bytes: a bomb must not fill the memory."""
    stream = zlib.decompressobj(GZIP)
    try:
        content = stream.decompress(packed, most + 1)
    except zlib.error as error:
        raise Refusal(f"{where} is no gzip file, or a damaged one ({error}); get it again") from None
    if len(content) > most or stream.unused_data:
        raise Refusal(f"{where} goes on after the {most} bytes that were expected of it; get it again")
    if not stream.eof:
        raise Refusal(f"{where} is cut off: its gzip stream does not end; get it again")
    return content
