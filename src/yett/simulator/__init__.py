"""A provider that answers deterministically and misbehaves on request, over real sockets: for tests, benchmarks and the demo.

`behaviour` is the vocabulary (what may be asked of it), `question` and `answer` are what it reads and says, `wire` is how
OpenAI frames that, `script` is the order of bytes, waits and breakages of one reply, `server` plays scripts on sockets.
"""
