"""Configuration: yett.toml and the policies beside it, read, checked as a whole, and compiled into one immutable Snapshot."""
