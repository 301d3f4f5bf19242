"""Turns the inputs and the output of a call into pairs of files. Pure but for looking at files."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from enlarger.cli.names import BESIDE_THE_INPUT, IN_A_FOLDER, Template
from enlarger.errors import BadParameter, EnlargerError
from enlarger.imaging import SUFFIXES, Format, probe
from enlarger.request import UpscaleRequest
from enlarger.target import Size, Target

PICTURE_SUFFIXES = (".bmp", ".cr2", ".cr3", ".arw", ".dng", ".jp2", ".nef", ".psd", ".svg", ".tga")
"""Endings of pictures that are not read: in a folder they are passed over, and that is said."""
_NUMBERED = re.compile(r"-\d+$")


@dataclass(frozen=True)
class Errand:
    """One picture to enlarge."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Errands:
    """What one call is to do."""

    errands: tuple[Errand, ...]
    passed_over: tuple[Path, ...]
    """Pictures in the named folders whose formats are not read."""
    is_named: bool = False
    """The caller wrote the result's own name."""


@dataclass(frozen=True)
class _Source:
    path: Path
    below: Path
    """Its place below the output folder."""


def plan_errands(
    inputs: Sequence[Path],
    output: Path | None,
    *,
    request: UpscaleRequest,
    format_: Format | None,
    is_folder: bool = False,
    name: Template | None = None,
) -> Errands:
    """What to read and what to write.

    output     a folder if it is one already, has no ending, or takes several pictures; else a file.
               None puts each result beside its input, with the target in its name.
    format_    how results are encoded; None is the ending of an output file, else the input's own.
    is_folder  the caller says that `output` is a folder, whatever its name.
    name       of the results, without the ending, where `output` is no file.

    A folder among the inputs is taken with its subfolders, which are made again in the output. What
    lies in it as the result of another picture of it is no input.

    Raises BadParameter for an input that does not exist, two results of one name, a result that
    would overwrite an input, an output file for several pictures or of another format than asked.
    """
    sources, passed_over = _look(inputs)
    if not sources:
        raise BadParameter("there is no picture that is read in what was named", param="inputs")
    endings = [ending for ending, kind in SUFFIXES.items() if format_ in (None, kind)]
    is_folder = is_folder or (output is not None and (output.is_dir() or not output.suffix))
    if output is None or is_folder:
        template = name or (BESIDE_THE_INPUT if output is None else IN_A_FOLDER)
        errands = []
        for index, source in enumerate(sources, 1):
            folder = source.path.parent if output is None else (output / source.below).parent
            stem = template.fill(_values(source.path, index, template, request))
            errands.append(Errand(source.path, folder / f"{stem}{_ending(source.path, format_)}"))
        results = {errand.target for errand in errands}
        errands = [
            errand for errand in errands if errand.source in inputs or not _is_result(errand, results)
        ]
        is_named = False
    elif len(sources) > 1 or any(path.is_dir() for path in inputs):
        raise BadParameter(
            f"{output} is one file for {len(sources)} pictures; give a folder", param="output"
        )
    elif name is not None:
        raise BadParameter(f"name is for a folder of results; {output} is one file", param="name")
    elif output.suffix.lower() not in endings:
        raise BadParameter(f"{output.name} must end in one of: {', '.join(endings)}", param="output")
    else:
        errands, is_named = [Errand(sources[0].path, output)], True
    _check(errands)
    return Errands(tuple(errands), tuple(passed_over), is_named)


def _look(inputs: Sequence[Path]) -> tuple[list[_Source], list[Path]]:
    """Each picture, and the pictures that are passed over."""
    sources: list[_Source] = []
    passed_over: list[Path] = []
    for path in inputs:
        if path.is_dir():
            files = [file for file in sorted(path.rglob("*")) if file.is_file() and file.name[0] != "."]
            pictures = [file for file in files if file.suffix.lower() in SUFFIXES]
            sources += [_Source(file, file.relative_to(path)) for file in pictures]
            passed_over += [file for file in files if file.suffix.lower() in PICTURE_SUFFIXES]
        elif path.exists():
            sources.append(_Source(path, Path(path.name)))
        else:
            raise BadParameter(f"{path} does not exist", param="inputs")
    return sources, passed_over


def _values(path: Path, index: int, template: Template, request: UpscaleRequest) -> dict[str, str | int]:
    """What the template's fields are for this picture; its header is read only if a field needs it."""
    values: dict[str, str | int] = {
        "stem": path.stem,
        "name": path.name,
        "target": spelt(request.target),
        "mode": str(request.mode),
        "seed": request.seed,
        "index": index,
    }
    if template.fields & {"scale", "width", "height"}:
        try:
            with path.open("rb") as file:
                header = probe(file)
            canvas = request.target.canvas(Size(header.width, header.height))
        except (EnlargerError, OSError):
            # It will fail when its turn comes, and say why; until then it needs some name.
            return values | {"scale": "0", "width": 0, "height": 0}
        factor = canvas.scaled.width / header.width
        values |= {"scale": f"{factor:.3g}", "width": canvas.result.width, "height": canvas.result.height}
    return values


def _ending(source: Path, format_: Format | None) -> str:
    ending = source.suffix if format_ is None else format_.ending
    return ending if ending.lower() in SUFFIXES else Format.PNG.ending


def spelt(target: Target) -> str:
    """A target as part of a file's name: `4x`, `3840x2160-fill`."""
    return str(target).replace(" ", "-").replace("=", "")


def _is_result(errand: Errand, results: set[Path]) -> bool:
    """Whether the source is what this call, or an earlier one that renamed it, makes of another."""
    plain = errand.source.with_stem(_NUMBERED.sub("", errand.source.stem) or errand.source.stem)
    return errand.source in results or (plain in results and plain != errand.target)


def _check(errands: list[Errand]) -> None:
    sources = {errand.source.resolve() for errand in errands}
    targets: dict[Path, Path] = {}
    for errand in errands:
        target = errand.target.resolve()
        if target in sources:
            raise BadParameter(f"{errand.target} would overwrite an input", param="output")
        if target in targets:
            raise BadParameter(
                f"{targets[target]} and {errand.source} would both become {errand.target}",
                param="output",
            )
        targets[target] = errand.source
