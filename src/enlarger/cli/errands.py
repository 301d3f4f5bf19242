"""Turns the inputs and the output of `enlarger up` into pairs of files. Pure but for looking at folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from enlarger.errors import BadParameter
from enlarger.imaging import SUFFIXES, Format
from enlarger.target import Target

PICTURE_SUFFIXES = (".avif", ".bmp", ".gif", ".heic", ".heif", ".jp2", ".jxl", ".psd", ".tif", ".tiff")
"""Endings of pictures that are not read: in a folder they are passed over, and that is said."""


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


def plan_errands(
    inputs: Sequence[Path],
    output: Path | None,
    *,
    target: Target,
    format_: Format | None,
    is_folder: bool = False,
) -> Errands:
    """What to read and what to write.

    output     a folder if it is one already, has no ending, or takes several pictures; else a file.
               None puts each result beside its input, with the target in its name.
    format_    how results are encoded; None is the ending of an output file, else the input's own.
    is_folder  the caller says that `output` is a folder, whatever its name.

    A folder among the inputs is taken with its subfolders, which are made again in the output. What
    lies in it as the result of another picture of it is no input.

    Raises BadParameter for an input that does not exist, two results of one name, a result that
    would overwrite an input, an output file for several pictures or of another format than asked.
    """
    sources, passed_over = _look(inputs)
    if not sources:
        raise BadParameter("there is no PNG, JPEG or WebP in what was named", param="inputs")
    endings = [ending for ending, kind in SUFFIXES.items() if format_ in (None, kind)]
    is_folder = is_folder or (output is not None and (output.is_dir() or not output.suffix))
    if output is None or is_folder:
        errands = [
            Errand(source, _target(source, below, output, target, format_)) for source, below in sources
        ]
        results = {errand.target for errand in errands}
        errands = [errand for errand in errands if errand.source in inputs or errand.source not in results]
    elif len(sources) > 1 or any(path.is_dir() for path in inputs):
        raise BadParameter(
            f"{output} is one file for {len(sources)} pictures; give a folder", param="output"
        )
    elif output.suffix.lower() not in endings:
        raise BadParameter(f"{output.name} must end in one of: {', '.join(endings)}", param="output")
    else:
        errands = [Errand(sources[0][0], output)]
    _check(errands)
    return Errands(tuple(errands), tuple(passed_over))


def _look(inputs: Sequence[Path]) -> tuple[list[tuple[Path, Path]], list[Path]]:
    """Each picture with its path below the output folder, and the pictures that are passed over."""
    sources: list[tuple[Path, Path]] = []
    passed_over: list[Path] = []
    for path in inputs:
        if path.is_dir():
            files = [file for file in sorted(path.rglob("*")) if file.is_file() and file.name[0] != "."]
            sources += [(file, file.relative_to(path)) for file in files if file.suffix.lower() in SUFFIXES]
            passed_over += [file for file in files if file.suffix.lower() in PICTURE_SUFFIXES]
        elif path.exists():
            sources.append((path, Path(path.name)))
        else:
            raise BadParameter(f"{path} does not exist", param="inputs")
    return sources, passed_over


def _target(source: Path, below: Path, output: Path | None, target: Target, format_: Format | None) -> Path:
    ending = source.suffix if format_ is None else format_.ending
    if ending.lower() not in SUFFIXES:
        ending = Format.PNG.ending
    if output is None:
        return source.with_name(f"{source.stem}_{spelt(target)}{ending}")
    return (output / below).with_suffix(ending)


def spelt(target: Target) -> str:
    """A target as part of a file's name: `4x`, `3840x2160-fill`."""
    return str(target).replace(" ", "-").replace("=", "")


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
