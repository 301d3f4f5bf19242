"""Who calls, in 1min.ai's words: a workspace is a team, a key is its user."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Path, Request

from enlarger.accounts import Caller
from enlarger.dialects.credentials import authenticated
from enlarger.errors import NotFound
from enlarger.moment import zulu_of
from enlarger.service import Service

KEY_HEADERS = ("api-key", "authorization", "x-auth-token")
"""The documented one, the one that some clients send, and the web client's."""
CREDIT_LIMIT = 100_000_000
"""What the vendor shows of a member without a limit of its own; here the least."""
TeamId = Annotated[str, Path(alias="teamId")]
EMAIL_DOMAIN = "enlarger.invalid"
"""Clients insist on an address; `.invalid` (RFC 2606) is one that nobody can own."""


async def caller_of(service: Service, request: Request, team_id: str | None = None) -> Caller:
    """Who sends a request.

    team_id  the team that its path names, if it names one.

    Raises BadKey, RateLimited, NotFound for a team that is not the caller's.
    """
    caller = await authenticated(service, request.headers, KEY_HEADERS)
    if team_id not in (None, caller.workspace.id):
        raise NotFound("there is no such team here, or the key is not one of its", param="teamId")
    return caller


def now_ms() -> int:
    """Milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def name_of(caller: Caller) -> str:
    """What people call the key."""
    return caller.terms.name or caller.workspace.name


@dataclass(frozen=True)
class Spending:
    """What a key has spent, and what its workspace has left."""

    spent_micros: int
    left_micros: int | None
    """None where credit is unlimited."""

    @property
    def limit_micros(self) -> int:
        """What a member without a limit of its own is shown: never less than it may spend in all."""
        left = CREDIT_LIMIT if self.left_micros is None else self.left_micros
        return max(CREDIT_LIMIT, self.spent_micros + left)


async def spending_of(service: Service, caller: Caller) -> Spending:
    """Where the caller's money stands."""
    spent, balance = await asyncio.gather(service.spent(caller), service.balance(caller))
    return Spending(spent, None if balance.is_unlimited else balance.available_micros)


def team_user(caller: Caller, spending: Spending) -> dict[str, Any]:
    """The key as a member of its team; credits are micro-credits."""
    limit = caller.terms.cap_micros
    return {
        "teamId": caller.workspace.id,
        "userId": caller.key_id,
        "userName": name_of(caller),
        "userAvatar": "",
        "status": "ACTIVE",
        "role": "ADMIN",
        "creditLimit": spending.limit_micros if limit is None else limit,
        "usedCredit": spending.spent_micros,
        "createdAt": zulu_of(caller.workspace.created_ms),
        "createdBy": "SYSTEM",
        "updatedAt": zulu_of(now_ms()),
        "updatedBy": "SYSTEM",
    }
