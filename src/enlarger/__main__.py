"""The `enlarger` program, also as `python -m enlarger`."""

import sys

INTERRUPTED = 130
"""Exit code of a program that Ctrl-C ended: 128 and the signal's number."""


def main() -> None:
    """Run the command line. An interruption is an exit code, even while it is being loaded."""
    try:
        from enlarger.cli import run

        run()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
