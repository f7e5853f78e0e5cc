"""Small real pictures."""

from __future__ import annotations

import io

from PIL import Image


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 6), colour: str = "teal") -> bytes:
    """The bytes of a picture in one colour; equal arguments give equal bytes."""
    out = io.BytesIO()
    with Image.new("RGB", size, colour) as image:
        image.save(out, kind)
    return out.getvalue()
