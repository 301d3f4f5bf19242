"""`enlarger devices`."""

from __future__ import annotations

import typer

from enlarger.cli.console import read_settings


def devices() -> None:
    """List where networks can run on this machine."""
    from enlarger.engine.runtimes.openvino import OpenVinoRuntime

    device = OpenVinoRuntime(threads=read_settings().threads or None).device
    precisions = ", ".join(device.precisions)
    typer.echo(f"{device.id}  {device.name}, {device.threads} threads, {precisions}")
