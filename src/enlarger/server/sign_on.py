"""What is believed of a proxy: whose request it passes on, and whom it has let in."""

from __future__ import annotations

import ipaddress

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from enlarger.dialects.own.who import SIGNED_ON


def believing(app: ASGIApp, trusted_proxies: str | None, sign_on_header: str | None) -> ASGIApp:
    """`app` behind the proxies that are believed; without any, as it is.

    trusted_proxies  addresses and networks, with commas.
    sign_on_header   in lower case; None takes nobody's word.
    """
    if trusted_proxies is None:
        return app
    # Outside of what replaces the proxy's address by the client's: who speaks to us is what counts.
    # (uvicorn and starlette say the same of an application in types of their own.)
    inner: ASGIApp = ProxyHeadersMiddleware(app, trusted_proxies)  # type: ignore[arg-type, assignment]
    return inner if sign_on_header is None else SignOn(inner, trusted_proxies, sign_on_header)


class SignOn:
    """Takes a believed proxy's word for who a member is, and nobody else's."""

    def __init__(self, app: ASGIApp, trusted_proxies: str, header: str) -> None:
        self._app = app
        self._trusted = [ipaddress.ip_network(entry.strip()) for entry in trusted_proxies.split(",")]
        self._header = header.encode("latin-1")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self._is_trusted(scope):
            values = [value for name, value in scope["headers"] if name == self._header]
            # A second one would be the client's, that the proxy did not take away.
            if len(values) == 1 and values[0].strip():
                email = values[0].decode("latin-1").strip()
                scope = {**scope, "state": {**scope.get("state", {}), SIGNED_ON: email}}
        await self._app(scope, receive, send)

    def _is_trusted(self, scope: Scope) -> bool:
        host, _ = scope.get("client") or ("", 0)
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._trusted)
