"""Pictures from a folder and out of bytes: what is taken and what never leaves."""

from __future__ import annotations

import hashlib
import os
import struct
import threading
import zlib
from pathlib import Path

import pytest

from connectors.sdk.contract import Timeouts
from connectors.sdk.model import Json
from connectors.sdk.pictures import PictureError, Pictures, picture_of, pictures_from
from connectors.sdk.public_web import MAX_BYTES, PublicWeb
from tests.connectors.images import picture

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def pictures(folder: Path | None) -> Pictures:
    return Pictures(folder, PublicWeb())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of pictures, with a picture outside of it."""
    inside = tmp_path / "pictures"
    (inside / "2024").mkdir(parents=True)
    (inside / "mira.png").write_bytes(picture())
    (inside / "2024" / "omar.jpg").write_bytes(picture("JPEG"))
    (tmp_path / "secret.png").write_bytes(picture(colour="red"))
    return inside


@pytest.mark.parametrize(
    ("kind", "media_type", "ending"), [("PNG", "image/png", "png"), ("JPEG", "image/jpeg", "jpg")]
)
def test_a_png_and_a_jpeg_are_taken_as_they_are(kind: str, media_type: str, ending: str) -> None:
    content = picture(kind)
    taken = picture_of(content)
    assert taken.digest == hashlib.sha256(content).hexdigest()
    assert (taken.file.content, taken.file.media_type) == (content, media_type)
    assert taken.file.name == f"avatar-{taken.digest[:12]}.{ending}"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        SVG,
        b"GIF89a" + b"0" * 40,
        picture("GIF"),
        picture("BMP"),
        picture("TIFF"),
        picture("WEBP"),
        b"MZ",
        b"%PDF-1.7",
    ],
    ids=["empty", "svg", "gif-like", "gif", "bmp", "tiff", "webp", "program", "pdf"],
)
def test_what_begins_like_neither_is_refused(content: bytes) -> None:
    with pytest.raises(PictureError, match="neither a JPEG nor a PNG picture"):
        picture_of(content)


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_a_picture_cut_anywhere_is_refused(kind: str, share: float) -> None:
    content = picture(kind, (64, 64))
    with pytest.raises(PictureError, match=f"not a whole {kind} picture"):
        picture_of(content[: int(len(content) * share)])


@pytest.mark.parametrize("magic", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"])
def test_something_else_behind_the_first_bytes_of_a_picture_is_refused(magic: bytes) -> None:
    with pytest.raises(PictureError, match="not a whole"):
        picture_of(magic + SVG * 20)


def test_a_damaged_picture_is_refused() -> None:
    content = bytearray(picture(size=(64, 64)))
    content[len(content) // 2] ^= 0xFF
    with pytest.raises(PictureError, match="not a whole PNG picture"):
        picture_of(bytes(content))


def bomb(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that says to be this large."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("width", "height", "words"),
    [
        (5001, 5000, "has 25005000 pixels, at most 25000000 are taken"),
        (12_000, 12_000, "not a whole PNG picture"),
        (60_000, 60_000, "not a whole PNG picture"),
    ],
)
def test_a_picture_that_unpacks_into_too_much_is_refused_unopened(
    width: int, height: int, words: str
) -> None:
    with pytest.raises(PictureError, match=words):
        picture_of(bomb(width, height))


def test_a_picture_of_more_bytes_than_five_mebibytes_is_refused() -> None:
    with pytest.raises(PictureError, match=f"larger than {MAX_BYTES} bytes"):
        picture_of(picture() + b"\0" * MAX_BYTES)


def test_a_file_is_named_by_its_place_in_the_folder(folder: Path) -> None:
    assert pictures(folder).load("mira.png").file.content == picture()
    assert pictures(folder).load("2024/omar.jpg").file.media_type == "image/jpeg"


def test_the_target_is_told_nothing_of_our_paths(folder: Path) -> None:
    assert "mira" not in pictures(folder).load("mira.png").file.name


@pytest.mark.parametrize(
    "reference",
    [
        "../secret.png",
        "2024/../../secret.png",
        "/etc/passwd",
        "..",
        ".",
        "2024/..",
        "mira.png\x00.txt",
        "//secret.png",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused_without_looking(folder: Path, reference: str) -> None:
    for act in (pictures(folder).check, pictures(folder).load):
        with pytest.raises(PictureError, match="named by its place below"):
            act(reference)


def test_a_link_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "out.png").symlink_to("../secret.png")
    (folder / "up").symlink_to("..")
    for reference in ("out.png", "up/secret.png"):
        with pytest.raises(PictureError, match="lies outside of"):
            pictures(folder).load(reference)


def test_a_link_within_the_folder_is_followed(folder: Path) -> None:
    (folder / "same.png").symlink_to("mira.png")
    assert pictures(folder).load("same.png").file.content == picture()


def test_a_folder_that_is_a_link_itself_is_the_folder_it_leads_to(folder: Path) -> None:
    (folder.parent / "current").symlink_to("pictures")
    assert pictures(folder.parent / "current").load("mira.png").file.content == picture()


def test_what_is_no_readable_file_is_refused(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    (folder / "round.png").symlink_to("round.png")
    for reference, words in (
        ("2024", "not that of a file"),
        ("pipe.png", "not that of a file"),
        ("nobody.png", r"cannot be read \(FileNotFoundError\)"),
        ("round.png", "cannot be read"),
        ("x" * 300, "cannot be read"),
    ):
        with pytest.raises(PictureError, match=words) as raised:
            pictures(folder).load(reference)
        assert str(folder) not in str(raised.value)


def test_a_file_longer_than_the_limit_is_not_read_to_its_end(folder: Path) -> None:
    with (folder / "huge.png").open("wb") as file:
        file.truncate(2**40)
    with pytest.raises(PictureError, match="larger than"):
        pictures(folder).load("huge.png")


def test_without_a_folder_no_file_can_be_named() -> None:
    with pytest.raises(PictureError, match=r"options\.picture_folder is not set"):
        pictures(None).load("mira.png")


def test_a_folder_that_is_gone_is_a_refusal(tmp_path: Path) -> None:
    with pytest.raises(PictureError, match="cannot be read"):
        pictures(tmp_path / "gone").load("mira.png")


@pytest.mark.parametrize(
    "reference", ["http://a.example.com/x.png", "ftp://x/y.png", "file:///etc/passwd", "://x"]
)
def test_what_has_another_scheme_is_neither_fetched_nor_read(folder: Path, reference: str) -> None:
    for act in (pictures(folder).check, pictures(folder).load):
        with pytest.raises(PictureError, match="only an https"):
            act(reference)


def test_many_threads_check_pictures_at_once() -> None:
    contents = [picture(colour=colour) for colour in ("red", "blue", "green", "teal")]
    digests: dict[int, str] = {}

    def check(n: int) -> None:
        digests[n] = picture_of(contents[n]).digest

    threads = [threading.Thread(target=check, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert digests == {n: hashlib.sha256(contents[n]).hexdigest() for n in range(4)}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"picture_folder": 7}, "picture_folder must be the path of a folder"),
        ({"picture_folder": " "}, "picture_folder must be the path of a folder"),
        ({"picture_hosts": "a.example.com"}, "picture_hosts must be a list of host names"),
        ({"picture_hosts": [7]}, "picture_hosts must be a list of host names"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, Json], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        pictures_from(options, Timeouts())


def test_the_options_name_folder_and_hosts(folder: Path) -> None:
    loaded = pictures_from({"picture_folder": str(folder), "picture_hosts": ["CDN.example.com"]}, Timeouts())
    assert loaded.load("mira.png").file.content == picture()
    loaded.check("https://cdn.example.com/x.png")
    with pytest.raises(PictureError, match=r"elsewhere\.example\.com is not among"):
        loaded.check("https://elsewhere.example.com/x.png")
