"""Counts requests for the event loop, by key and by address, and says no."""

from __future__ import annotations

import asyncio
import hashlib
import ipaddress
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

import sqlalchemy as sa
import structlog

from enlarger.errors import RateLimited
from enlarger.limits.rule import Rule
from enlarger.limits.store import Windows

LOG = structlog.get_logger()
NETWORK_BITS = 64
"""What one subscriber of IPv6 has at least; counting single addresses would count nothing."""


class Limiter:
    """The rules of one installation on its windows; one instance in the API process."""

    def __init__(
        self, windows: Windows, *, key: Rule | None, address: Rule | None, sign_in: Rule | None = None
    ) -> None:
        """
        key      for every key; None counts nothing.
        address  for every IPv4 address and every /64 network of IPv6; None counts nothing.
        sign_in  for attempts to sign in, of every e-mail address and of every address that they
                 come from; None counts nothing.
        """
        self._sign_in = sign_in
        self._windows = windows
        self._key = key
        self._address = address
        # Threads of its own: the common ones may all be busy with pictures.
        self._threads = ThreadPoolExecutor(windows.threads, "limits")

    async def count_key(self, key_id: str) -> None:
        """Count a request of a key. Raises RateLimited, from any process, if it is one too many."""
        await self._count(f"key {key_id}", self._key)

    async def count_address(self, host: str) -> None:
        """Count a request from an address, whoever sends it. Raises RateLimited."""
        await self._count(f"address {network_of(host)}", self._address)

    async def count_sign_in(self, host: str, email: str) -> None:
        """Count an attempt to sign in, right or wrong, before the password is looked at.

        Raises RateLimited: for this e-mail address, wherever it comes from, and for this address,
        whoever it tries to be.
        """
        of_whom = hashlib.sha256(email.encode(errors="surrogatepass")).hexdigest()
        await self._count(f"sign-in from {network_of(host)}", self._sign_in)
        await self._count(f"sign-in {of_whom}", self._sign_in)

    def close(self) -> None:
        """Stop the threads and close the connections; call it when nobody counts any longer."""
        self._threads.shutdown()
        self._windows.close()

    async def _count(self, subject: str, rule: Rule | None) -> None:
        if rule is None:
            return
        loop = asyncio.get_running_loop()
        try:
            # In a copy of the context, so that what is logged there has the request's id.
            judge = partial(copy_context().run, self._windows.judge, subject, rule)
            verdict = await loop.run_in_executor(self._threads, judge)
        except sa.exc.SQLAlchemyError as error:
            # A limit that cannot count lets through: it protects the service and must not end it.
            LOG.error("limits.unavailable", reason=str(error).partition("\n")[0])
            return
        if not verdict.is_allowed:
            raise RateLimited(describe(rule, verdict.retry_after_s), retry_after_s=verdict.retry_after_s)


def network_of(host: str) -> str:
    """What an address counts as: an IPv4 address itself, an IPv6 address its /64 network.

    An IPv4 address in IPv6 clothes is that IPv4 address. All that is no address counts as one.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    network = int(address) >> NETWORK_BITS << NETWORK_BITS
    return f"{ipaddress.IPv6Address(network)}/{NETWORK_BITS}"


def describe(rule: Rule, retry_after_s: int) -> str:
    """What a caller who broke `rule` is told, in the words of Stability's document."""
    allowed = f"{rule.count} requests within a {rule.window_s} second period"
    if rule.penalty_s < rule.window_s:
        return f"You have exceeded the rate limit of {allowed}; try again in {retry_after_s} seconds."
    penalty = f"have been timed out for {rule.penalty_s} seconds"
    return f"You have exceeded the rate limit of {allowed}, and {penalty}."
