"""Detectors: text in, findings out. Patterns stand on a shelf, one automaton finds which of them may apply, RE2 finds
where, a validator decides; a window does the same for text that arrives in pieces. Nothing here performs I/O."""
