"""Sends requests with the `openai` library, and prints what a program that uses it sees, as JSON.

    openai_sdk.py BASE_URL REQUESTS

REQUESTS is a JSON list of `{"key", "headers", "params"}`. Where `params` is null, models are asked for.
"""

import json
import sys

import openai


def generate(client, headers, params):
    """An upscale: what the method has no parameter for goes by `extra_body`."""
    own = {name: params.pop(name) for name in ("model", "prompt", "output_format", "n") if name in params}
    raw = client.images.with_raw_response.generate(**own, extra_body=params, extra_headers=headers)
    result = raw.parse()
    return {
        "created": result.created,
        "b64_json": result.data[0].b64_json,
        "url": result.data[0].url,
        "billed_amount": result.usage.billed_amount,
        "total_tokens": result.usage.total_tokens,
        "text_tokens": result.usage.input_tokens_details.text_tokens,
        "seed": raw.headers["x-enlarger-seed"],
        "request_id": raw.headers["x-request-id"],
    }


def models(client):
    """The models as the library lists them, and each of them again by its name."""
    listed = [model.id for model in client.models.list()]
    return [client.models.retrieve(name).id for name in listed]


def outcome(base_url, request):
    """What one request came to: what is used of the answer, or of the error."""
    with openai.OpenAI(base_url=base_url, api_key=request["key"]) as client:
        try:
            if request["params"] is None:
                return {"models": models(client)}
            return generate(client, request["headers"], request["params"])
        except openai.APIStatusError as error:
            return {
                "class": type(error).__name__,
                "status": error.status_code,
                "code": error.code,
                "type": error.type,
                "param": error.param,
                "message": error.message,
                "request_id": error.request_id,
            }


_, base_url, requests = sys.argv
print(json.dumps([outcome(base_url, request) for request in json.loads(requests)]))
