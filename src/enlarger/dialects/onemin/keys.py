"""Keys of assets: by them clients name pictures, and no file or object is ever called so."""

from __future__ import annotations

import re
import secrets
import unicodedata
from datetime import UTC, datetime
from urllib.parse import unquote, urlsplit

from enlarger.request import OutputFormat

NAME_MAX = 100
"""Characters of a client's file name that become part of a key; its ending stays."""
UPLOADS = "images/"
RESULTS = "development/images/"
"""Where the vendor's own answers have results."""
UNSAFE = ("Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp")
"""Unicode categories that a name is better without: controls, marks that turn text round, line ends."""
TOKEN_BYTES = 8
STAMP = re.compile(r"[0-9]{4}(?:_[0-9]{2}){5}_[0-9]{3}_")
MARK = re.compile(r"_upscaled(?:_[0-9a-f]{16})?")


def upload_key(moment_ms: int, name: str) -> str:
    """The key of an upload: `images/2024_09_30_13_38_59_100_example.png`.

    moment_ms  milliseconds since 1970; uploads of one name need different ones.
    name       as the client called the file, whatever is in it.
    """
    return f"{UPLOADS}{_stamp(moment_ms)}{safe(name)}"


def result_key(moment_ms: int, stem: str, output_format: OutputFormat) -> str:
    """The key of a result: its 64 random bits make it the only one of the installation."""
    token = secrets.token_hex(TOKEN_BYTES)
    return f"{RESULTS}{_stamp(moment_ms)}{stem}_upscaled_{token}.{output_format}"


def stem_of(name: str) -> str:
    """What a picture is called without folder, time and ending, so that results are called after it."""
    last = STAMP.sub("", safe(name), count=1)
    stem, dot, _ = last.rpartition(".")
    return MARK.sub("", stem if dot else last) or "image"


def name_in(url: str) -> str:
    """What a URL calls the file that it leads to."""
    return unquote(urlsplit(url).path).rpartition("/")[2] or "image"


def safe(name: str) -> str:
    """A file name without folders and without characters that do harm, of at most NAME_MAX characters."""
    last = re.split(r"[/\\]", name)[-1]
    clean = "".join("_" if unicodedata.category(one) in UNSAFE else one for one in last)
    stem, dot, ending = clean.rpartition(".")
    if len(clean) > NAME_MAX and dot and len(ending) < NAME_MAX // 2:
        return f"{stem[: NAME_MAX - len(ending) - 1]}.{ending}"
    return clean[:NAME_MAX] or "image"


def _stamp(moment_ms: int) -> str:
    moment = datetime.fromtimestamp(moment_ms / 1000, UTC)
    return f"{moment:%Y_%m_%d_%H_%M_%S}_{moment_ms % 1000:03}_"
