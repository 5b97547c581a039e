"""The shelf of second opinions: services that judge a text. Wire shapes only: request bytes in, verdict out. One file per kind."""
