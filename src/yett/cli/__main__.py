"""`python -m yett.cli`: the same as `yett`."""

from yett.cli import main

main()
