"""Proofs of identity, without sockets and clocks: what a token or certificate says, and whether it is true."""
