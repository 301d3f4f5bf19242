"""`python -m enlarger` is the command line."""

from enlarger.cli import main

main()
