"""Avatars: from a reference (a file below the configured folder, or an https address) to checked bytes.

Only whole JPEG and PNG pictures of at most 5 MiB and 25 million pixels come out; what a file or a server
calls itself counts for nothing. Never leaves the folder, not through a link either; never guesses a type,
never runs what a picture could hold (no SVG). Safe from many threads; opens nothing until asked.
"""

from __future__ import annotations

import hashlib
import io
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final, cast

from PIL import Image

from connectors.sdk.contract import Timeouts
from connectors.sdk.form import FilePart
from connectors.sdk.model import Json
from connectors.sdk.public_web import MAX_BYTES, FetchError, PublicWeb

MAX_PIXELS: Final = 25_000_000  # at most 100 MB once unpacked
LONGEST_S: Final = 10.0  # for fetching one: it counts against the lease of the write that follows
KINDS: Final[Mapping[bytes, tuple[str, str, str]]] = {  # first bytes: Pillow's name, media type, ending
    b"\xff\xd8\xff": ("JPEG", "image/jpeg", "jpg"),
    b"\x89PNG\r\n\x1a\n": ("PNG", "image/png", "png"),
}


class PictureError(ValueError):
    """No picture that may be sent. The message says why, and holds no path of this machine."""


@dataclass(frozen=True, slots=True)
class Picture:
    """`digest` is the SHA-256 of the bytes, in hexadecimal digits."""

    file: FilePart
    digest: str


class Pictures:
    """`folder` is None where only addresses may be named."""

    def __init__(self, folder: Path | None, web: PublicWeb) -> None:
        self._folder = folder
        self._web = web

    def check(self, reference: str) -> None:
        """Whether this reference could be loaded, without looking. Raises `PictureError`."""
        if _is_address(reference):
            self._checked_address(reference)
        else:
            self._checked_name(reference)

    def load(self, reference: str) -> Picture:
        """Read, fetch and check. Raises `PictureError`."""
        if not _is_address(reference):
            return picture_of(self._read(reference))
        try:
            return picture_of(self._web.fetch(reference))
        except FetchError as error:
            raise PictureError(str(error)) from None

    def _checked_address(self, reference: str) -> None:
        try:
            self._web.check(reference)
        except FetchError as error:
            raise PictureError(str(error)) from None

    def _checked_name(self, reference: str) -> Path:
        if self._folder is None:
            raise PictureError("a file is named, but options.picture_folder is not set")
        name = PurePosixPath(reference)
        if name.is_absolute() or ".." in name.parts or not name.parts or "\x00" in reference:
            raise PictureError("the file is not named by its place below options.picture_folder")
        return self._folder

    def _read(self, reference: str) -> bytes:
        folder = self._checked_name(reference)
        try:
            root = folder.resolve(strict=True)
            path = (root / reference).resolve(strict=True)
            if not path.is_relative_to(root):
                raise PictureError("the file lies outside of options.picture_folder")
            return _file_bytes(path)
        except (OSError, RuntimeError) as error:  # RuntimeError: a circle of links
            raise PictureError(f"the file cannot be read ({type(error).__name__})") from None


def pictures_from(options: Mapping[str, Json], timeouts: Timeouts) -> Pictures:
    """As `options.picture_folder` and `options.picture_hosts` say. Raises `ValueError`."""
    folder = options.get("picture_folder")
    hosts = options.get("picture_hosts", [])
    if folder is not None and (not isinstance(folder, str) or not folder.strip()):
        raise ValueError("options.picture_folder must be the path of a folder")
    if not isinstance(hosts, list) or not all(isinstance(host, str) and host.strip() for host in hosts):
        raise ValueError("options.picture_hosts must be a list of host names")
    hurried = replace(timeouts, deadline_s=min(timeouts.deadline_s, LONGEST_S))
    web = PublicWeb(hurried, cast("list[str]", hosts))
    return Pictures(None if folder is None else Path(folder), web)


def picture_of(content: bytes) -> Picture:
    """The picture these bytes are. Raises `PictureError`."""
    if len(content) > MAX_BYTES:
        raise PictureError(f"the picture is larger than {MAX_BYTES} bytes")
    kind = next((kind for magic, kind in KINDS.items() if content.startswith(magic)), None)
    if kind is None:
        raise PictureError("the content is neither a JPEG nor a PNG picture")
    name, media_type, ending = kind
    _verify(content, name)
    digest = hashlib.sha256(content).hexdigest()
    return Picture(FilePart(f"avatar-{digest[:12]}.{ending}", media_type, content), digest)


def _verify(content: bytes, kind: str) -> None:
    """Opened twice, since a verified picture cannot be read any more: its parts first, then its pixels."""
    try:
        with Image.open(io.BytesIO(content), formats=(kind,)) as picture:
            pixels = picture.width * picture.height
            if pixels <= MAX_PIXELS:
                picture.verify()
        if pixels <= MAX_PIXELS:
            with Image.open(io.BytesIO(content), formats=(kind,)) as picture:
                picture.load()
            return
    except Exception as error:  # noqa: BLE001  # each decoder raises what it likes over hostile bytes
        raise PictureError(f"the content is not a whole {kind} picture ({type(error).__name__})") from None
    raise PictureError(f"the picture has {pixels} pixels, at most {MAX_PIXELS} are taken")


def _file_bytes(path: Path) -> bytes:
    """At most one byte more than may be sent. A link put there since the path was found is not followed."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise PictureError("the name is not that of a file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)


def _is_address(reference: str) -> bool:
    """Anything with a scheme: what is no https address must not be looked for as a file."""
    return "://" in reference
