"""`enlarger replay`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from enlarger.cli.batch import Order, do
from enlarger.cli.errands import plan_errands
from enlarger.cli.exists import Exists
from enlarger.cli.names import Template
from enlarger.cli.up import (
    DpiOption,
    ExistsOption,
    FormatOption,
    JsonOption,
    MaxPixelsOption,
    MetadataOption,
    NameOption,
    Quality,
    enlarging,
    reporting,
)
from enlarger.errors import BadParameter, EnlargerError
from enlarger.imaging.examine import examine
from enlarger.imaging.formats import ALL_FORMATS
from enlarger.parameters import parse_choice, parse_format
from enlarger.recipe import Recipe
from enlarger.request import MAX_OUTPUT_PIXELS


def replay(
    result: Annotated[Path, typer.Argument(help="A picture that Enlarger made, its metadata kept.")],
    inputs: Annotated[list[Path], typer.Option("--input", "-i", help="Pictures, or folders of pictures.")],
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="File, or folder; beside each input if not given."),
    ] = None,
    exists: ExistsOption = str(Exists.OWN),
    name: NameOption = None,
    metadata: MetadataOption = "keep",
    quality: Quality = None,
    dpi: DpiOption = "keep",
    format_: FormatOption = None,
    max_pixels: MaxPixelsOption = MAX_OUTPUT_PIXELS,
    as_json: JsonOption = False,
) -> None:
    """Do to other pictures what was done to make this one: the same mode, size, words and seed.

    Given the input that it was made from, by the same version, this gives the same pixels.
    """
    recipe = recipe_in(result)
    chosen = None if format_ is None else parse_format(format_)
    errands = plan_errands(
        inputs,
        None if output is None else Path(output),
        request=recipe.request,
        format_=chosen,
        is_folder=output is not None and output.endswith("/"),
        name=None if name is None else Template.parse(name),
    )
    order = Order(
        recipe.request,
        chosen,
        parse_choice(Exists, "exists", exists),
        metadata,
        quality,
        dpi,
        max_pixels or None,
    )
    with reporting(as_json) as reporter, enlarging() as enlarge:
        for difference in differences(recipe, enlarge.recipe(recipe.request)):
            typer.echo(f"{result}: {difference}; the result may differ from it", err=True)
        code = do(errands, order, enlarge, reporter)
    if code:
        raise typer.Exit(code)


def recipe_in(path: Path) -> Recipe:
    """The recipe that a file carries; its pixels are not read.

    Raises BadParameter if there is no file or no recipe in it, UnsupportedPicture if it is no picture.
    """
    try:
        with path.open("rb") as file:
            examined = examine(file, max_pixels=None, formats=ALL_FORMATS)
        return Recipe.read_from(examined.said.xmp)
    except OSError as error:
        raise BadParameter(f"{path} cannot be read: {error.strerror or error}", param="result") from error
    except EnlargerError as error:
        raise type(error)(f"{path}: {error.message}", param="result") from error


def differences(then: Recipe, now: Recipe) -> list[str]:
    """What serves the recipe's request now and is not what served it then, in words."""
    told = []
    if then.version != now.version:
        told.append(f"made by version {then.version}, this is {now.version}")
    told += [
        f"made with other weights of {name}"
        for name, digest in sorted(then.networks.items())
        if now.networks.get(name, digest) != digest
    ]
    told += [
        f"made with {name}, which is not used now" for name in sorted(then.networks.keys() - now.networks)
    ]
    told += [
        f"made without {name}, which is used now" for name in sorted(now.networks.keys() - then.networks)
    ]
    return told
