"""`enlarger serve`."""

from __future__ import annotations

import http.client
import os
import shlex
import socket
import threading
import time
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

from enlarger.cli.console import download_progress, read_settings
from enlarger.errors import NotReady
from enlarger.logs import configure_logging
from enlarger.settings import Settings

BACKLOG = 2048
"""Connections that wait in the kernel while the API process is being replaced."""
READY_POLL_S = 0.2
READY_TIMEOUT_S = 180.0
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (where the own page is reached)


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="Port; 0 takes a free one.")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Folder of this installation.")] = None,
) -> None:
    """Start the server and keep it alive until SIGTERM or Ctrl-C."""
    from enlarger.server.setup import owning, set_up
    from enlarger.server.supervisor import Supervisor

    settings = read_settings(host=host, port=port, data_dir=data_dir)
    # Whatever the server writes is its owner's alone, also in a folder that others made for it.
    os.umask(0o077)
    configure_logging(settings.log_format)
    with owning(settings.data_dir):
        listener = _listen(settings)
        with download_progress() as on_bytes:
            drawn_secret = set_up(settings, on_bytes)
        if drawn_secret is not None:
            # At once, and not when the server is ready: it is kept nowhere.
            typer.echo(f"Your key, shown this once and kept nowhere:\n\n  {drawn_secret}\n")
        url = _own_url(listener)
        threading.Thread(target=_announce, args=(url, settings, drawn_secret), daemon=True).start()
        environment = _environment(settings)
        drain_s = settings.drain_timeout_s
        Supervisor(listener, environment, workers=settings.workers, drain_s=drain_s).run()


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        return socket.create_server((settings.host, settings.port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise NotReady(f"cannot listen on {settings.host} port {settings.port}: {error.strerror}") from None


def _environment(settings: Settings) -> dict[str, str]:
    """What the processes get: the flags as variables, and no secret that they have no use for."""
    environment = {name: value for name, value in os.environ.items() if name != "ENLARGER_BOOTSTRAP_KEY"}
    environment["ENLARGER_DATA_DIR"] = str(settings.data_dir.absolute())
    return environment


def _own_url(listener: socket.socket) -> str:
    address, port = listener.getsockname()[:2]
    address = ANY_ADDRESS.get(address, address)
    return f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"


def _announce(url: str, settings: Settings, drawn_secret: str | None) -> None:
    """Say, once the server answers, where it is and how to call it."""
    deadline = time.monotonic() + READY_TIMEOUT_S
    while not _is_ready(url):
        if time.monotonic() > deadline:
            typer.echo(f"not ready after {READY_TIMEOUT_S:.0f} s; see {url}/readyz", err=True)
            return
        time.sleep(READY_POLL_S)
    if drawn_secret is not None:
        key = drawn_secret
    elif settings.bootstrap_key is not None:
        key = "$ENLARGER_BOOTSTRAP_KEY"
    else:
        key = "YOUR_KEY"
        typer.echo("\nThe key was shown at the first start; `enlarger keys create` makes another.")
    photo = resources.files("enlarger") / "samples" / "portrait.jpg"
    typer.echo(
        f"\nEnlarger is ready at {url}. Try it:\n\n"
        f"  curl --fail-with-body {url}/v2beta/stable-image/upscale/fast"
        f' -H "authorization: Bearer {key}"'
        f" -F {shlex.quote(f'image=@{photo}')} -o enlarged.png || cat enlarged.png\n"
    )


def _is_ready(url: str) -> bool:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=2)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except OSError:
        return False
    finally:
        connection.close()
