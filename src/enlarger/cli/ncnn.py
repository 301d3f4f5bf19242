"""`enlarger-ncnn`: the flags, progress lines and exit codes of realesrgan-ncnn-vulkan.

Programs with windows spawn that one and read its standard error; under its name this one serves them
as they are. What it does better is on purpose: `-s` is the size that is wanted and never corrupts the
picture, metadata is kept, a result appears whole or not at all, and a picture that fails is an exit
code that says so. What it ignores: `-m` (weights come from the model store), `-g`, `-j`, `-x`.
"""

from __future__ import annotations

import getopt
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from enlarger.cli.batch import Order, enlarged
from enlarger.cli.errands import Errand
from enlarger.cli.up import enlarging
from enlarger.errors import BadParameter, EnlargerError
from enlarger.imaging import SUFFIXES, Format, outlined
from enlarger.models import known_networks
from enlarger.request import UpscaleRequest
from enlarger.target import Target

if TYPE_CHECKING:
    from enlarger.library import Upscaler

INTERRUPTED = 130
FAILED = 255
"""How -1 reaches the shell."""
LETTERS = "i:o:s:t:m:n:g:j:f:vxh"
TILE_MIN = 32
DEFAULT_MODEL = "realesr-animevideov3"
MODELS = {
    DEFAULT_MODEL: "realesr-animevideov3-x4",
    "realesr-animevideov3-x2": "realesr-animevideov3-x4",
    "realesr-animevideov3-x3": "realesr-animevideov3-x4",
    "upscayl-standard-4x": "realesrgan-x4plus",
    "digital-art-4x": "realesrgan-x4plus-anime",
}
"""Networks by the names that those programs call them, where the catalogue has another. The same
weights, but for x2 and x3 of the video network: there the x4 one's picture is scaled down."""
ABSENT = {"realesrnet-x4plus"}
"""A stand-in under the name of a network that is not here would be a lie."""
FORMATS = ("png", "webp", "jpg")
USAGE = """\
Usage: enlarger-ncnn -i INPUT -o OUTPUT [options]

  -h               this help
  -i INPUT         a picture, or a folder of pictures
  -o OUTPUT        a picture (png, jpg, webp), or a folder that is there
  -s SCALE         how many times as wide and high, 1 to 64; 4 if not given
  -t TILE          side of a tile, 32 or more; 0, the default, is automatic
  -n MODEL         {models}
                   or another name of `enlarger models list`
  -f FORMAT        png, jpg or webp, for results in a folder
  -v               name each result
  -m, -g, -j, -x   understood and of no effect
"""


class Misused(BadParameter):
    """The call is not understood; the help is shown."""


@dataclass(frozen=True)
class Call:
    """What was asked for."""

    source: Path
    target: Path
    request: UpscaleRequest
    format_: str
    """Of results in a folder."""
    tile_px: int | None
    is_verbose: bool


def main() -> None:
    """Run the program: 0 when everything is done, 255 when anything is not."""
    try:
        sys.exit(run(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


def run(arguments: Sequence[str]) -> int:
    """The program; its exit code."""
    try:
        call = parsed(arguments)
        errands = errands_of(call)
        with enlarging() as enlarge:
            done = [_tried(errand, call, enlarge, is_alone=len(errands) == 1) for errand in errands]
        return 0 if all(done) else FAILED
    except Misused:
        names = " | ".join(("realesr-animevideov3", "realesrgan-x4plus", "realesrgan-x4plus-anime"))
        typer.echo(USAGE.format(models=names), err=True, nl=False)
    except EnlargerError as error:
        typer.echo(error.message, err=True)
    return FAILED


def parsed(arguments: Sequence[str]) -> Call:
    """Raises Misused or BadParameter."""
    try:
        # As getopt of the C library: options may follow other words, which are passed over.
        given = dict(getopt.gnu_getopt(list(arguments), LETTERS)[0])
    except getopt.GetoptError as error:
        raise Misused(str(error)) from None
    if "-h" in given or not given.get("-i") or not given.get("-o"):
        raise Misused
    devices = len(given["-g"].split(",")) if "-g" in given else 1
    tiles = _numbers(given.get("-t", "0"))
    if ("-t" in given and len(tiles) != devices) or any(side and side < TILE_MIN for side in tiles):
        raise BadParameter("invalid tilesize argument", param="tile")
    if "-j" in given and not re.fullmatch(r"[1-9]\d*:[1-9]\d*(,[1-9]\d*)*:[1-9]\d*", given["-j"]):
        raise BadParameter("invalid thread count argument", param="jobs")
    format_ = given.get("-f", FORMATS[0])
    if format_ not in FORMATS:
        raise BadParameter("invalid format argument", param="format")
    network = known_networks()[_network(given.get("-n", DEFAULT_MODEL))]
    return Call(
        Path(given["-i"]),
        Path(given["-o"]),
        UpscaleRequest(
            target=Target.factor(_numbers(given.get("-s", "4"))[0]),
            model=network.name,
        ),
        format_,
        # The side without the surroundings that the network wants to see.
        (tiles[0] + 2 * network.halo_px) ** 2 if tiles[0] else None,
        "-v" in given,
    )


def errands_of(call: Call) -> list[Errand]:
    """File to file, or each file of a folder to a folder. Raises BadParameter for anything else."""
    if call.source.is_dir() != call.target.is_dir():
        if call.target.suffix.lower() not in SUFFIXES and not call.target.is_dir():
            raise BadParameter("invalid outputpath extension type", param="output")
        raise BadParameter("input and output must both be files, or both be folders", param="output")
    if not call.source.is_dir():
        if SUFFIXES.get(call.target.suffix.lower()) not in (Format.PNG, Format.JPEG, Format.WEBP):
            raise BadParameter("invalid outputpath extension type", param="output")
        return [Errand(call.source, call.target)]
    errands: list[Errand] = []
    last = None
    for path in sorted(path for path in call.source.iterdir() if path.is_file()):
        # Of two pictures that differ in their endings only, the second keeps its ending in its name.
        stem = path.name if path.stem == last else path.stem
        last = path.stem
        errands.append(Errand(path, call.target / f"{stem}.{call.format_}"))
    return errands


def _tried(errand: Errand, call: Call, enlarge: Upscaler, *, is_alone: bool) -> bool:
    """Do one errand; whether it went well. In a folder, what is no picture is passed over."""
    source = errand.source
    try:
        with source.open("rb") as file:
            outline = outlined(file)
    except (EnlargerError, OSError):
        typer.echo(f"decode image {source} failed", err=True)
        return not is_alone and source.suffix.lower() not in SUFFIXES
    if outline.has_alpha and errand.target.suffix.lower() in (".jpg", ".jpeg"):
        target = errand.target.with_name(f"{errand.target.name}.png")
        typer.echo(f"image {source} has alpha channel ! {source} will output {target}", err=True)
        errand = Errand(source, target)
    try:
        _say_share(0, 1)
        enlarged(enlarge, Order(call.request, tile_px=call.tile_px, max_pixels=None), errand, _say_share)
    except EnlargerError as error:
        typer.echo(f"{source}: {error.message}", err=True)
        return False
    if call.is_verbose:
        typer.echo(f"{source} -> {errand.target} done", err=True)
    return True


def _say_share(done: int, total: int) -> None:
    """A line such as `12.50%`: what the programs that spawn this one read."""
    typer.echo(f"{100 * done / total:.2f}%", err=True)


def _numbers(text: str) -> list[int]:
    """Numbers between commas; what is none is 0, as C reads it."""
    found = [re.match(r"\s*[+-]?\d+", part) for part in text.split(",")]
    return [int(match[0]) if match else 0 for match in found]


def _network(name: str) -> str:
    if name in ABSENT:
        raise BadParameter(f"the weights of {name} are not among the networks here", param="model")
    return MODELS.get(name, name)


if __name__ == "__main__":
    main()
