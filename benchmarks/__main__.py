"""`python -m benchmarks [--json FILE]`, from the repository root: measure everything, print one table."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from benchmarks.command import measure_command
from benchmarks.door import measure_door
from benchmarks.encoding import measure_encoding
from benchmarks.engines import CASES, compare
from benchmarks.growth import measure_growth
from benchmarks.interference import Stopwatch
from benchmarks.machine import TURNS, best
from benchmarks.quality import measure_quality
from benchmarks.receipts import measure_receipts
from benchmarks.subjects import Subject
from benchmarks.table import Figures, render


def main() -> None:
    """Measure, print, and write the file if one is asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write every figure to FILE")
    arguments = parser.parse_args()
    figures = measure()
    print(render(figures))
    if arguments.json is not None:
        arguments.json.write_text(json.dumps(asdict(figures), indent=2) + "\n", "utf-8")


def measure() -> Figures:
    """Everything, saying on standard error what is under way."""
    stopwatch = Stopwatch.start()
    _say("the machine")
    with Subject("machine") as machine:
        machine_turns = [machine.run() for _ in range(TURNS)]
        comparisons = []
        for case in CASES:
            _say(f"{case.network} {case.side_px}x{case.side_px} against ncnn")
            comparison, turns = compare(case, machine)
            comparisons.append(comparison)
            machine_turns += turns
        rates = best(machine.ready, machine_turns)
    _say("encoding")
    encoding = measure_encoding()
    _say("how time and memory grow")
    growth = measure_growth()
    _say("quality")
    quality = measure_quality()
    _say("receipts")
    receipts = measure_receipts()
    # Before the server: processes of its own outlive those that we wait for, and would count as others.
    others_share = stopwatch.others_share()
    _say("the server")
    door = measure_door()
    _say("enlarger up")
    # Last: what ran before it has left the compiled network where a second start finds it.
    command = measure_command()
    return Figures(
        machine=rates,
        engines=tuple(comparisons),
        encoding=encoding,
        quality=quality,
        growth=growth,
        receipts=receipts,
        door=door,
        command=command,
        wall_s=stopwatch.wall_s(),
        others_share=others_share,
    )


def _say(what: str) -> None:
    print(f"measuring {what} ...", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
