"""Rows of the table on what the engine promises: each with its promise, so that a reader can judge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.growth import WAITING_TARGET, Growth
from benchmarks.quality import Creative, Quality
from benchmarks.receipts import MEASURES, REPAIRED_PLAN, Receipts

Row = tuple[str, str, str, str]
MIB = 2**20
FLAT_FROM_PX = 1_000_000
"""Of input: at 2x its result has 4 megapixels, at 4x 16."""
WAITING_LIMITS_S = {"conservative": 30, "creative": 90}
"""Before these real clients give up, or leave off asking."""


def quality_rows(quality: Quality) -> Iterator[Row]:
    """How near to the truth, and how near to the input."""
    classical = quality.classical
    what = f"fast 4x, {classical.photos} photographs made small by MATLAB's bicubic"
    yield (
        f"{what}: luma PSNR (promise: 1.5 dB over bicubic)",
        f"{classical.fast_db:.2f} dB",
        f"bicubic {classical.bicubic_db:.2f} dB",
        f"{classical.fast_db - classical.bicubic_db:+.2f} dB",
    )
    yield (
        f"{what}: against the same weights (promise: within 0.02 dB)",
        f"{classical.fast_db:.3f} dB",
        f"ncnn {classical.ncnn_db:.3f} dB",
        f"{classical.fast_db - classical.ncnn_db:+.3f} dB",
    )
    yield from _creative_rows("64x64 to 4x", quality.small, quality.fast_fine_energy["small"])
    yield from _creative_rows("1 megapixel to 2x", quality.megapixel, quality.fast_fine_energy["megapixel"])
    for refined in quality.refined:
        yield (
            f"9.4 MP at their own size, creativity {refined.creativity:g}: to itself (40 dB at least)",
            f"{refined.psnr_db:.1f} dB",
            "",
            "",
        )
        yield "... energy of the finest octave over the input's", f"{refined.fine_energy:.2f}", "", ""
    damaged = quality.damaged
    yield (
        f"JPEG of quality 40 to 4x: blocks (truth {damaged.truth_blocks:.2f})",
        f"{damaged.conservative_blocks:.2f}",
        f"fast {damaged.fast_blocks:.2f}",
        f"{damaged.fast_blocks / damaged.conservative_blocks:.2f}",
    )
    yield (
        "JPEG of quality 40 to 4x: PSNR to the undamaged truth (promise: not lower)",
        f"{damaged.conservative_db:.2f} dB",
        f"fast {damaged.fast_db:.2f} dB",
        f"{damaged.conservative_db - damaged.fast_db:+.2f} dB",
    )


def _creative_rows(what: str, figures: Sequence[Creative], fast_energy: float) -> Iterator[Row]:
    for one in figures:
        name = f"conservative {one.method}, {what}, creativity {one.creativity:g}"
        yield f"{name}: least consistency (45 dB at least)", f"{one.consistency_db:.1f} dB", "", ""
        yield (
            f"{name}: fine energy, share of the truth's (rising)",
            f"{100 * one.fine_energy:.0f} %",
            f"fast {100 * fast_energy:.0f} %",
            "",
        )
        yield f"{name}: luma PSNR beside fast's", f"{one.from_fast_db:+.2f} dB", "", ""
    fall = figures[0].from_fast_db - figures[-1].from_fast_db
    yield (
        f"conservative, {what}: falls from least to most creativity (0.6 dB at most)",
        f"{fall:.2f} dB",
        "",
        "",
    )


def growth_rows(growth: Sequence[Growth]) -> Iterator[Row]:
    """Time and memory by size, then how long a client of the slow routes waits."""
    fast = [one for one in growth if one.mode == "fast"]
    for one in fast:
        yield (
            f"fast 4x, {_megapixels(one)}: time per input megapixel",
            f"{one.seconds_per_megapixel:.2f} s",
            f"all threads {one.processor_s * 1e6 / (one.width * one.height):.2f} s",
            "",
        )
    rates = [one.seconds_per_megapixel for one in fast]
    yield "fast 4x: slowest over fastest (promise: at most 1.3)", f"{max(rates) / min(rates):.2f}", "", ""
    for one in growth:
        if one.target != WAITING_TARGET and one.width * one.height >= FLAT_FROM_PX:
            limit = "1.0" if one.mode == "fast" else "2.0"
            yield (
                f"{one.mode} {one.target}, {_megapixels(one)}: memory (below {limit} GiB)",
                f"{one.peak_bytes / MIB:.0f} MiB",
                f"planned {one.planned_bytes / MIB:.0f} MiB",
                f"{one.planned_bytes / one.peak_bytes:.2f}",
            )
    for one in growth:
        if one.target == WAITING_TARGET:
            what = f"{one.mode} {one.width}x{one.height} to 4 megapixels, {one.method}"
            yield (
                f"{what}: time (below {WAITING_LIMITS_S[one.mode]} s)",
                f"{one.seconds:.1f} s",
                f"all threads {one.processor_s:.1f} s",
                "",
            )


def receipt_rows(receipts: Receipts) -> Iterator[Row]:
    """The worst clean result and the mildest fault beside the limits."""
    for plan, cells in receipts.clean.items():
        for measure in MEASURES:
            warn, fail = receipts.limits[measure]
            worst = cells[measure]
            beside = "" if plan == REPAIRED_PLAN else f"warn {warn:g}, fail {fail:g}"
            yield (
                f"receipt, {plan}, worst clean {measure}",
                f"{worst.value:.3g} ({worst.where})",
                beside,
                "",
            )
    for fault, cells in receipts.faults.items():
        values = ", ".join(f"{measure} {cells[measure].value:.3g}" for measure in MEASURES)
        yield f"receipt of {fault}, mildest", "", values, ""


def _megapixels(one: Growth) -> str:
    return f"{one.width * one.height / 1e6:.1f} MP"
