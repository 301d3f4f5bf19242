"""Turns the inputs and the output of `enlarger up` into pairs of files. Pure but for looking at folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from enlarger.errors import BadParameter
from enlarger.imaging import SUFFIXES, Format


@dataclass(frozen=True)
class Errand:
    """One picture to enlarge."""

    source: Path
    target: Path


def plan_errands(
    inputs: Sequence[Path],
    output: Path | None,
    *,
    scale: float,
    format_: Format | None,
    is_folder: bool = False,
) -> list[Errand]:
    """What to read and what to write.

    output     a folder if it is one already, has no ending, or takes several pictures; else a file.
               None puts each result beside its input, with the factor in its name.
    format_    how results are encoded; None is the ending of an output file, else the input's own.
    is_folder  the caller says that `output` is a folder, whatever its name.

    A folder among the inputs is taken with its subfolders, which are made again in the output.

    Raises BadParameter for an input that does not exist, two results of one name, a result that
    would overwrite an input, or an output file for several pictures.
    """
    sources = list(_sources(inputs))
    if not sources:
        raise BadParameter("there is no PNG, JPEG or WebP in what was named", param="inputs")
    is_folder = is_folder or (output is not None and (output.is_dir() or not output.suffix))
    if output is None or is_folder:
        errands = [
            Errand(source, _target(source, below, output, scale, format_)) for source, below in sources
        ]
    elif len(sources) > 1 or any(path.is_dir() for path in inputs):
        raise BadParameter(
            f"{output} is one file for {len(sources)} pictures; give a folder", param="output"
        )
    elif format_ is None and output.suffix.lower() not in SUFFIXES:
        raise BadParameter(f"{output.name} must end in one of: {', '.join(SUFFIXES)}", param="output")
    else:
        errands = [Errand(sources[0][0], output)]
    _check(errands)
    return errands


def _sources(inputs: Iterable[Path]) -> Iterator[tuple[Path, Path]]:
    """Each picture and its path below the output folder."""
    for path in inputs:
        if path.is_dir():
            for found in sorted(path.rglob("*")):
                if found.suffix.lower() in SUFFIXES and found.is_file() and found.name[0] != ".":
                    yield found, found.relative_to(path)
        elif path.exists():
            yield path, Path(path.name)
        else:
            raise BadParameter(f"{path} does not exist", param="inputs")


def _target(source: Path, below: Path, output: Path | None, scale: float, format_: Format | None) -> Path:
    ending = source.suffix if format_ is None else format_.ending
    if ending.lower() not in SUFFIXES:
        ending = Format.PNG.ending
    if output is None:
        return source.with_name(f"{source.stem}_{scale:g}x{ending}")
    return (output / below).with_suffix(ending)


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
