"""`aiRecord`: a finished request on the wire."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from enlarger.accounts import Caller
from enlarger.assets import Asset
from enlarger.dialects.onemin.callers import Spending, team_user
from enlarger.dialects.onemin.order import FEATURE, Order
from enlarger.jobs import Job
from enlarger.moment import zulu_of

LINK_S = 604_800
"""How long the links of an answer live: the vendor's `X-Amz-Expires`."""
KEEP_MS = 1000 * LINK_S + 3_600_000
"""How long results are kept: an hour more, so that no link of the answer outlives its picture."""


def record_of(
    caller: Caller,
    spending: Spending,
    order: Order,
    job: Job,
    results: Sequence[Asset],
    urls: Sequence[str],
) -> dict[str, Any]:
    """A request that was served.

    job      the first of the request's jobs.
    results  its pictures, one or more.
    urls     what opens each of them.
    """
    return {
        "uuid": job.id,
        "userId": caller.key_id,
        "teamId": caller.workspace.id,
        "teamUser": team_user(caller, spending),
        "model": order.offer.model,
        "type": FEATURE,
        "metadata": None,
        "rating": None,
        "feedback": None,
        "conversationId": None,
        "status": "SUCCESS",
        "createdAt": zulu_of(job.created_ms),
        "aiRecordDetail": {
            "promptObject": order.prompt_object,
            "resultObject": [result.id for result in results],
            "responseObject": {},
            # Where relays look for what belongs to the further pictures.
            "signedUrls": list(urls),
        },
        "additionalData": None,
        "temporaryUrl": urls[0],
    }
