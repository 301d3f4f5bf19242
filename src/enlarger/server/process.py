"""The API process: started by the supervisor with a socket that is bound already."""

from __future__ import annotations

import contextlib
import socket
import sys

import uvicorn

from enlarger.bells import API, Bell
from enlarger.database import connect
from enlarger.jobs.durable import API_POOL_SIZE, make_client
from enlarger.lifeline import watch_lifeline
from enlarger.logs import configure_logging
from enlarger.server.app import make_administration, make_app, make_limiter, make_service
from enlarger.server.audit import Audit
from enlarger.server.draining import CLOSING_S, Drain, DrainingServer
from enlarger.server.sign_on import believing
from enlarger.settings import Settings
from enlarger.storage import Links, open_store

KEEP_ALIVE_S = 75
"""Longer than the pools of common clients keep a connection, so that they close it and not we."""


def main() -> None:
    """Serve on the socket whose descriptor is the first argument, until SIGTERM."""
    settings = Settings()
    configure_logging(settings.log_format)
    engine = connect(settings.database, pool_size=API_POOL_SIZE)
    client = make_client(engine)
    links = Links(settings.link_keys_path, public_url=settings.public_url)
    store = open_store(settings.object_store, links)
    limiter = make_limiter(settings)
    bell = Bell(settings.bells_path, API)
    service = make_service(settings, engine, client, store, limiter, bell)
    administration = make_administration(settings, engine, limiter)
    drain = Drain(settings.drain_timeout_s)
    audit = Audit(engine)
    app = make_app(settings, service, administration, engine, client, store, limiter, drain, audit)
    config = uvicorn.Config(
        believing(app, settings.trusted_proxies, settings.sign_on_header),
        log_config=None,
        access_log=False,
        server_header=False,
        lifespan="off",
        # Its own default believes whatever runs on this machine; `believing` does it instead.
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=CLOSING_S,
    )
    server = DrainingServer(config, drain)
    watch_lifeline(server.leave)
    # Beside the first requests: nobody waits until long books have been read.
    audit.begin()
    with contextlib.closing(limiter):
        server.run([socket.socket(fileno=int(sys.argv[1]))])


if __name__ == "__main__":
    main()
