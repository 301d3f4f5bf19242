"""`enlarger up`."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from enlarger.cli.batch import Order, do, foretell
from enlarger.cli.console import download_progress, read_settings
from enlarger.cli.errands import plan_errands
from enlarger.cli.exists import Exists
from enlarger.cli.names import Template
from enlarger.cli.reporters import Reporter, json_lines, terminal
from enlarger.errors import BadParameter
from enlarger.imaging import Picture, decode
from enlarger.parameters import parse_choice, parse_format
from enlarger.request import MAX_OUTPUT_PIXELS

if TYPE_CHECKING:
    from enlarger.library import Upscaler

Quality = Annotated[
    int | None, typer.Option("--quality", help="1 to 100 of lossy formats; 95 if not given.")
]
MetadataOption = Annotated[
    str, typer.Option("--metadata", help="keep, private (no place, serial numbers, names) or strip.")
]
DpiOption = Annotated[
    str,
    typer.Option("--dpi", help="keep (the number), scale (a print keeps its size), or pixels per inch."),
]
FormatOption = Annotated[
    str | None,
    typer.Option("--format", "-f", help="Such as png, jpeg, webp, tiff; else as the output or the input."),
]
ExistsOption = Annotated[
    str,
    typer.Option(
        "--exists",
        help="Where a result's file is there: own (replaces earlier results, refuses other files), skip,"
        " update (skips what the same recipe made from the same input), rename, overwrite, error.",
    ),
]
NameOption = Annotated[
    str | None,
    typer.Option(
        "--name",
        help="Name of results, such as '{stem}_{scale}x'; also {name}, {target}, {mode},"
        " {width}, {height}, {seed}, {index}.",
    ),
]
ScaleOption = Annotated[
    float | None, typer.Option("--scale", "-s", help="Factor, 1 to 64; 4 if no size is given.")
]
ToOption = Annotated[
    str | None,
    typer.Option("--to", help="Size in words: 3840w, 2160h, '3840x2160 fill', 24MP, A3@300dpi."),
]
ModeOption = Annotated[str, typer.Option("--mode", help="fast, conservative or creative.")]
ModelOption = Annotated[
    str | None,
    typer.Option("--model", "-n", help="A network by name instead of fast's own; see `models list`."),
]
TileOption = Annotated[
    int | None, typer.Option("--tile", "-t", min=0, help="Side of a tile in pixels; 0 is automatic.")
]
MaxPixelsOption = Annotated[
    int, typer.Option("--max-pixels", min=0, help="Largest result; 0 for no limit.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="One event a line on standard output.")]


def up(
    inputs: Annotated[
        list[Path] | None, typer.Argument(metavar="INPUT", help="Pictures, or folders of pictures.")
    ] = None,
    more_inputs: Annotated[
        list[Path] | None, typer.Option("--input", "-i", help="The same, as an option.")
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", help="File, or folder; beside each input if not given."),
    ] = None,
    scale: ScaleOption = None,
    to: ToOption = None,
    mode: ModeOption = "fast",
    model: ModelOption = None,
    prompt: Annotated[str, typer.Option("--prompt", help="What the picture shows.")] = "",
    negative_prompt: Annotated[str, typer.Option("--negative-prompt", help="What it does not show.")] = "",
    creativity: Annotated[
        float | None, typer.Option("--creativity", help="0 to 1; more makes more texture.")
    ] = None,
    seed: Annotated[int, typer.Option("--seed", help="Of what is random in creative.")] = 0,
    style_preset: Annotated[
        str | None, typer.Option("--style-preset", help="Such as analog-film, anime, cinematic.")
    ] = None,
    styles: Annotated[
        list[Path] | None,
        typer.Option("--style", help="A picture whose palette creative takes over; may be repeated."),
    ] = None,
    style_fidelity: Annotated[
        float, typer.Option("--style-fidelity", help="0 to 1; more takes over more of the palette.")
    ] = 0.5,
    tile_style: Annotated[
        bool, typer.Option("--tile-style", help="Each part takes the style of the same part.")
    ] = False,
    detail: Annotated[
        float, typer.Option("--detail", help="-1 to 1; more makes stronger fine detail.")
    ] = 0.0,
    fractality: Annotated[
        float, typer.Option("--fractality", help="0 to 1; more makes finer texture.")
    ] = 0.5,
    image_fidelity: Annotated[
        float, typer.Option("--image-fidelity", help="0 to 1; more stays nearer to the input.")
    ] = 0.75,
    prompt_fidelity: Annotated[
        float, typer.Option("--prompt-fidelity", help="0 to 1; more makes more of the words.")
    ] = 0.5,
    refinement: Annotated[
        int, typer.Option("--refinement", help="Further passes of creative, 0 to 4.")
    ] = 1,
    creativity_decay: Annotated[
        float, typer.Option("--creativity-decay", help="0 to 1; more leaves more to later passes.")
    ] = 0.5,
    seamless: Annotated[
        str, typer.Option("--seamless", help="none, texture (all borders fit) or skybox (left and right).")
    ] = "none",
    exists: ExistsOption = str(Exists.OWN),
    name: NameOption = None,
    metadata: MetadataOption = "keep",
    quality: Quality = None,
    dpi: DpiOption = "keep",
    tile: TileOption = None,
    format_: FormatOption = None,
    max_pixels: MaxPixelsOption = MAX_OUTPUT_PIXELS,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, with tiles, memory and time.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Enlarge pictures. A result appears whole or not at all; an input is never overwritten.

    `enlarger photo.jpg` is the same as `enlarger up photo.jpg`.
    """
    from enlarger.library import digest_of, make_request

    pictures = [_style(path) for path in styles or ()]

    chosen = None if format_ is None else parse_format(format_)
    request = make_request(
        mode=mode,
        scale=scale,
        target=to,
        prompt=prompt,
        negative_prompt=negative_prompt,
        creativity=creativity,
        seed=seed,
        model=model,
        style_preset=style_preset,
        style_pictures=tuple(digest_of(picture) for picture in pictures),
        style_fidelity=style_fidelity,
        tile_style=tile_style,
        detail=detail,
        fractality=fractality,
        image_fidelity=image_fidelity,
        prompt_fidelity=prompt_fidelity,
        refinement=refinement,
        creativity_decay=creativity_decay,
        seamless=seamless,
    )
    order = Order(
        request,
        chosen,
        parse_choice(Exists, "exists", exists),
        metadata,
        quality,
        dpi,
        max_pixels or None,
        tile * tile if tile else None,
        tuple(pictures),
    )
    errands = plan_errands(
        named(inputs, more_inputs),
        # A str and not a Path until here: a Path forgets the slash that says "folder".
        None if output is None else Path(output),
        request=request,
        format_=chosen,
        is_folder=output is not None and output.endswith("/"),
        name=None if name is None else Template.parse(name),
    )
    act = foretell if dry_run else do
    with reporting(as_json) as reporter, enlarging() as enlarge:
        code = act(errands, order, enlarge, reporter)
    if code:
        raise typer.Exit(code)


def _style(path: Path) -> Picture:
    try:
        with path.open("rb") as file:
            return decode(file)
    except OSError as error:
        raise BadParameter(f"style {path} cannot be read: {error.strerror}", param="style") from error


def named(*lists: list[Path] | None) -> list[Path]:
    """All inputs in one list. Raises BadParameter if there are none."""
    inputs = [path for paths in lists for path in paths or ()]
    if not inputs:
        raise BadParameter("name a picture, or a folder of pictures", param="inputs")
    return inputs


@contextmanager
def reporting(as_json: bool) -> Iterator[Reporter]:
    """What tells how it goes."""
    with json_lines() if as_json else terminal() as reporter:
        yield reporter


@contextmanager
def enlarging() -> Iterator[Upscaler]:
    """The engine, with the progress of what it has to fetch. SIGTERM ends it as Ctrl-C does."""
    from enlarger.library import Upscaler

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with download_progress() as on_bytes, Upscaler(settings=read_settings(), on_bytes=on_bytes) as enlarge:
        yield enlarge
