"""Calls a server with the `1minai_webapi` library, and prints what a program that uses it sees, as JSON.

    oneminai_webapi_client.py BASE_URL KEY PICTURE

The library has its host in constants of its modules, and no parameter for it.
"""

import asyncio
import json
import sys

from oneminai_webapi import client as library
from oneminai_webapi.exceptions import OneMinAIError

HOST = "https://api.1min.ai"


async def error_of(call):
    """What a call that is refused raises."""
    try:
        await call
    except OneMinAIError as error:
        return {
            "class": type(error).__name__,
            "message": str(error),
            "details": getattr(error, "details", None),
        }
    return None


async def main(base_url, key, picture):
    for name, value in list(vars(library).items()):
        if isinstance(value, str) and value.startswith(HOST):
            setattr(library, name, base_url + value.removeprefix(HOST))
    async with library.OneMinAIClient(key, timeout=120) as client:
        user = await client.get_current_user()
        before = await client.get_team_credits()
        asset = await client.upload_asset(picture, asset_type="IMAGE")
        output = await client.upscale_image(asset.asset_key, scale=2)
        seen = {
            "user": [user.user_id, user.email, user.team_id, user.team_name, user.credit, user.plan],
            "members": await client.list_team_members(),
            "models": [model["modelId"] for model in await client.list_models("IMAGE_UPSCALER")],
            "key": asset.asset_key,
            "file_id": asset.file_id,
            "images": [image.url for image in output.images],
            "record": output.record_id,
            "url": output.metadata["temporaryUrl"],
            "spent": before - await client.get_team_credits(),
            "invalid": await error_of(client.upscale_image(asset.asset_key, scale=3)),
            "by_url": await error_of(client.upload_asset_from_url("https://pictures.example/cat.png")),
        }
    async with library.OneMinAIClient("wrong") as stranger:
        seen["stranger"] = await error_of(stranger.get_current_user())
    print(json.dumps(seen))


asyncio.run(main(*sys.argv[1:]))
