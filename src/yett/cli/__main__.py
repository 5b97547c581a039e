"""`python -m yett.cli`: the same as `yett`."""

from yett.cli import main

if __name__ == "__main__":  # processes that are spawned import this file
    main()
