"""The vendor's Python sample of the creative upscale and its result, with only host and key changed."""

import sys
import time
from pathlib import Path

import requests

HOST, KEY, PHOTO, TARGET = sys.argv[1:]

response = requests.post(
    f"{HOST}/v2beta/stable-image/upscale/creative",
    headers={"authorization": f"Bearer {KEY}", "accept": "image/*"},
    files={"image": Path(PHOTO).open("rb")},  # noqa: SIM115 (as the vendor writes it)
    data={"prompt": "a cup of coffee", "output_format": "webp"},
    timeout=120,
)
generation_id = response.json().get("id")

while True:
    response = requests.request(
        "GET",
        f"{HOST}/v2beta/results/{generation_id}",
        headers={"accept": "image/*", "authorization": f"Bearer {KEY}"},
        timeout=120,
    )
    if response.status_code != 202:
        break
    time.sleep(0.5)

if response.status_code == 200:
    Path(TARGET).write_bytes(response.content)
else:
    raise Exception(str(response.json()))
