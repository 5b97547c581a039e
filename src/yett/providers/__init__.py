"""The shelf of upstream kinds: what they speak, where they are, how they take a key. One file per kind, listed in `shelf`."""
