"""What outlives a call: keys, limits, the audit journal. One file per backend, each behind a port of `yett.ports`."""
