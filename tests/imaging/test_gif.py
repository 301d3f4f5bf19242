"""XMP in GIFs, where only Adobe's specification says how it lies."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from enlarger.imaging import gif

PACKET = '<?xpacket begin="\ufeff"?><x:xmpmeta>häß'.encode() + b"~" * 3_000 + b"</x:xmpmeta>"


def moving(colours: int) -> bytes:
    buffer = io.BytesIO()
    frames = [Image.fromarray(np.full((4, 5), value, np.uint8)).quantize(colours) for value in (9, 99, 200)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:], loop=0, comment=b"by hand")
    return buffer.getvalue()


@pytest.mark.parametrize("colours", [2, 16, 256])
def test_what_goes_in_comes_out_and_others_read_the_pictures(colours: int) -> None:
    data = moving(colours)
    assert gif.packet_in(io.BytesIO(data)) is None
    place = gif.behind_colours(data)
    assert place is not None
    told = data[: place[0]] + gif.extension(PACKET) + data[place[1] :]
    assert gif.packet_in(io.BytesIO(told)) == PACKET
    with Image.open(io.BytesIO(data)) as before, Image.open(io.BytesIO(told)) as after:
        assert after.n_frames == before.n_frames
        for number in range(before.n_frames):
            before.seek(number)
            after.seek(number)
            np.testing.assert_array_equal(before.convert("RGB"), after.convert("RGB"))


def test_a_damaged_gif_costs_no_more_than_its_packet() -> None:
    data = moving(4)
    place = gif.behind_colours(data)
    assert place is not None
    told = data[: place[0]] + gif.extension(PACKET) + data[place[1] :]
    rng = np.random.default_rng(3)
    for _ in range(500):
        broken = bytearray(told)
        for at in rng.integers(0, len(told), 4):
            broken[at] = rng.integers(0, 256)
        gif.packet_in(io.BytesIO(broken[: rng.integers(0, len(told))]))
