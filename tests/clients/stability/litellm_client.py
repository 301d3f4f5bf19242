"""LiteLLM's image edits by Stability, with only base URL and key changed. Prints what it got as JSON."""

from __future__ import annotations

import base64
import io
import json
import struct
import sys
from pathlib import Path
from typing import Any

import litellm


def edit(mode: str, picture: bytes, **options: Any) -> Any:
    """What LiteLLM makes of one upscale: each picture's size, or the error's kind and text."""
    file = io.BytesIO(picture)
    file.name = "photo.png"
    prompt = options.pop("prompt", "")
    try:
        response = litellm.image_edit(model=f"stability/{mode}", image=file, prompt=prompt, **options)
    except Exception as error:
        return [type(error).__name__, str(error)]
    return [size_of(base64.b64decode(item.b64_json)) for item in response.data]


def size_of(png: bytes) -> list[int]:
    """Width and height, from a PNG's header."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    return list(struct.unpack(">II", png[16:24]))


photo = Path(sys.argv[1]).read_bytes()
print(
    json.dumps(
        {
            "fast": edit("fast", photo),
            "conservative": edit("conservative", photo, prompt="a cup", creativity=0.3, seed=7),
            "creative": edit("creative", photo, prompt="a cup", negative_prompt="", style_preset="anime"),
            "no prompt": edit("conservative", photo),
            "no picture": edit("fast", b"no pixels"),
            "no key": edit("fast", photo, api_key="wrong"),
        }
    )
)
