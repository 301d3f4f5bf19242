"""What happens to a result that is there already: nothing is destroyed by surprise.

A result is never half there (`files.replacing`), so what is there is whole, and a batch that was
killed goes on with `skip` or `update`.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum
from pathlib import Path

from enlarger.cli.errands import Errand, Errands
from enlarger.errors import BadParameter, EnlargerError
from enlarger.imaging.examine import Examined, examine
from enlarger.imaging.formats import ALL_FORMATS
from enlarger.models.store import file_sha256
from enlarger.recipe import Recipe, source_in


class Exists(StrEnum):
    """What is done where a result's file is there before."""

    OWN = "own"
    """Earlier results are replaced, and a file that was named; any other file ends the call at once."""
    SKIP = "skip"
    """The file stays and its picture is passed by, whatever it was made from."""
    UPDATE = "update"
    """The file stays if the same recipe made it from the same input; else as `own`."""
    RENAME = "rename"
    """The file stays; the result is called `name-1`, or the next number that is free."""
    OVERWRITE = "overwrite"
    """The file is replaced, whatever it is."""
    ERROR = "error"
    """The call ends at once, before any work."""


KEEPING = (Exists.SKIP, Exists.RENAME, Exists.ERROR)
"""Policies under which no file is ever replaced, not even one that appears while its result is made."""


def settled(errands: Errands, exists: Exists) -> Errands:
    """The errands, renamed where that was asked.

    Raises BadParameter, naming the first, if a file is there that may not be replaced.
    """
    there = [errand.target for errand in errands.errands if errand.target.exists()]
    match exists:
        case Exists.RENAME:
            return replace(errands, errands=_renamed(errands.errands))
        case Exists.ERROR if there:
            others = f" and {len(there) - 1} more are" if there[1:] else " is"
            raise BadParameter(f"{there[0]}{others} there already", param="exists")
        case Exists.OWN | Exists.UPDATE if not errands.is_named:
            for target in there:
                if _is_foreign(target):
                    raise BadParameter(
                        f"{target} is there and says nothing of being made here; --exists overwrite"
                        " replaces it, --exists skip or rename leaves it",
                        param="exists",
                    )
    return errands


def reason_to_skip(errand: Errand, exists: Exists, recipe: Recipe) -> str | None:
    """Why there is nothing to do, asked when the errand's turn has come; None if there is."""
    if exists is Exists.SKIP and errand.target.exists():
        return "exists"
    if exists is Exists.UPDATE and errand.target.exists() and _is_current(errand, recipe):
        return "up to date"
    return None


def instead(errand: Errand, exists: Exists) -> Errand | None:
    """What to do where a file appeared at a result's name while it was made; None leaves it at that.

    Raises BadParameter if the policy is to meet no file.
    """
    match exists:
        case Exists.RENAME:
            return _renamed((errand,))[0]
        case Exists.ERROR:
            raise BadParameter(f"{errand.target} appeared while its result was made", param="exists")
    return None


def _is_current(errand: Errand, recipe: Recipe) -> bool:
    examined = _examined(errand.target)
    if examined is None:
        return False
    try:
        made_by = Recipe.read_from(examined.said.xmp)
    except BadParameter:
        return False
    source = source_in(examined.said.xmp)
    return made_by.digest == recipe.digest and source == file_sha256(errand.source)


def _is_foreign(path: Path) -> bool:
    """Whether a file does not say that it was made here."""
    examined = _examined(path)
    if examined is None:
        return path.stat().st_size > 0
    try:
        Recipe.read_from(examined.said.xmp)
    except BadParameter:
        return True
    return False


def _examined(path: Path) -> Examined | None:
    try:
        with path.open("rb") as file:
            return examine(file, max_pixels=None, formats=ALL_FORMATS)
    except (EnlargerError, OSError):
        return None


def _renamed(errands: tuple[Errand, ...]) -> tuple[Errand, ...]:
    taken = {errand.target for errand in errands}
    renamed = []
    for errand in errands:
        target, number = errand.target, 0
        while target.exists() or (number and target in taken):
            number += 1
            target = errand.target.with_stem(f"{errand.target.stem}-{number}")
        taken.add(target)
        renamed.append(replace(errand, target=target))
    return tuple(renamed)
