"""`enlarger compare`."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enlarger.cli.console import fail
from enlarger.cli.sheet import Cell, contact_sheet
from enlarger.cli.up import JsonOption, enlarging
from enlarger.errors import BadParameter, ModelError
from enlarger.files import replacing
from enlarger.models import known_assets, known_networks
from enlarger.target import Target

if TYPE_CHECKING:
    from enlarger.engine.audition import Take
    from enlarger.imaging import Picture

SIDE_RANGE = (16, 512)
"""Of the patch, in input pixels. Larger shows more, takes longer, and makes a larger sheet."""
SCALE = 4
"""Every network's own, so that nothing is seen but the network."""
SHEET_ENDINGS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}
QUALITY = 95
"""Of a JPEG or WebP sheet."""
_PLACE = re.compile(r"(\d+),(\d+)")


def compare(
    picture: Annotated[Path, typer.Argument(metavar="INPUT", help="The picture.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The sheet: .png, .jpg or .webp.")],
    at: Annotated[
        str | None, typer.Option("--at", help="Left,top of the patch; the most detailed one if not given.")
    ] = None,
    side: Annotated[
        int, typer.Option("--size", min=SIDE_RANGE[0], max=SIDE_RANGE[1], help="Side of the patch.")
    ] = 128,
    all_licences: Annotated[
        bool, typer.Option("--all-licences", help="Also networks whose licence forbids commercial use.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Enlarge one patch in every mode and by every network, side by side on a labelled sheet.

    Below each: its licence, the seconds that the patch took, and its consistency, which says how near
    the result, scaled down, is to the input: above 40 dB no difference is seen.
    """
    from enlarger.engine.audition import busiest, candidates, cut_out, heard
    from enlarger.intake import as_image, as_picture

    kind = SHEET_ENDINGS.get(output.suffix.lower())
    if kind is None:
        known = ", ".join(SHEET_ENDINGS)
        raise BadParameter(f"{output.name} must end in one of: {known}", param="output")
    try:
        whole = as_picture(picture)
    except OSError as error:
        raise BadParameter(f"{picture} cannot be read: {error.strerror or error}", param="input") from error
    left, top = busiest(whole, side) if at is None else _place(at)
    patch = cut_out(whole, left, top, side)
    assets = known_assets()
    chosen = candidates(
        known_networks(),
        assets,
        Target.factor(SCALE),
        may_run=lambda name: all_licences or assets[name].commercial,
    )
    takes: list[Take] = []
    with enlarging() as enlarge:
        for candidate in chosen:
            try:
                take = heard(candidate, patch, enlarge.render)
            except ModelError as error:
                # The others can still be compared.
                fail(error, candidate.name)
                continue
            takes.append(take)
            if as_json:
                typer.echo(json.dumps(_event(take, left, top, patch)))
            else:
                typer.echo(f"{candidate.name}: {', '.join(_lines(take)[1:])}", err=True)
    if not takes:
        raise ModelError("there is no network that could be run")
    cells = [Cell(as_image(patch), ("input", f"{patch.width}x{patch.height} at {left},{top}"))]
    cells += [Cell(as_image(take.picture), _lines(take)) for take in takes]
    with replacing(output) as file:
        contact_sheet(cells).save(file, kind, quality=QUALITY, icc_profile=patch.icc_profile)


def _place(text: str) -> tuple[int, int]:
    found = _PLACE.fullmatch(text.replace(" ", ""))
    if found is None:
        raise BadParameter(f"at is {text!r}; it must be two numbers, as in 120,80", param="at")
    return int(found[1]), int(found[2])


def _lines(take: Take) -> tuple[str, ...]:
    return (
        take.candidate.name,
        ", ".join(take.candidate.licences),
        f"{take.seconds:.2f} s, {take.receipt.consistency_db:.1f} dB, {take.receipt.verdict}",
    )


def _event(take: Take, left: int, top: int, patch: Picture) -> dict[str, object]:
    request = take.candidate.request
    return {
        "name": take.candidate.name,
        "mode": str(request.mode),
        "model": request.model,
        "licences": take.candidate.licences,
        "seconds": round(take.seconds, 3),
        "consistency_db": round(take.receipt.consistency_db, 2),
        "colour_drift": round(take.receipt.colour_drift, 3),
        "verdict": str(take.receipt.verdict),
        "patch": {"left": left, "top": top, "width": patch.width, "height": patch.height},
    }
