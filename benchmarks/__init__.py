"""What this machine can do, what Enlarger makes of it, and what `ncnn` makes of it: `python -m benchmarks`.

One run, one table. Every comparison takes its measurements in turn (A B A B), because the speed of a
shared machine drifts by more than most differences that are worth knowing. No figure is asserted.
"""
