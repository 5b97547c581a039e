"""Python: code that runs what comes from outside, hides what it runs, or breaks out of where it runs.

`eval`, `exec` and `subprocess` themselves are in every tenth module; what they are given makes the difference.
"""

from __future__ import annotations

from yett.detectors.code.shell import ROOTS
from yett.detectors.detector import Detector

# Where a program gets text that somebody else may have written, and how text is hidden.
_FROM_OUTSIDE = (
    r"(?:base64\.)?(?:urlsafe_)?b(?:64|32|85)decode|codecs\.decode|(?:bytes|bytearray)\.fromhex|(?:zlib|gzip|lzma|bz2)\.decompress|"
    r"marshal\.loads|(?:requests|httpx|session|client)\.(?:get|post)|(?:urllib\.request\.)?urlopen|input|raw_input|sys\.argv|"
    r"sys\.stdin\.read|(?:flask\.)?request\.(?:args|form|json|data|values|get_json|get_data|GET|POST)|__import__|"
    r"(?:llm|model|completion|response|reply|answer|user)[a-z_.]{0,30}"
)
_COMMANDS = r"(?:/[a-z/]{1,20}/)?(?:rm|curl|wget|nc|ncat|bash|sh|sudo|powershell|chmod|dd|mkfs|useradd|crontab|iptables|shutdown|reboot)"


def _python(id: str, pattern: str, anchor: str = "") -> Detector:
    return Detector(id=id, kind="code.python-exec", pattern=pattern, anchor=anchor)


PYTHON: tuple[Detector, ...] = (
    _python(
        "python-exec-outside",
        rf"[^A-Za-z0-9_.](?:exec|eval)\([ \t\n]{{0,4}}({_FROM_OUTSIDE})[(\[)]",
        r"(?:exec|eval)\([ \t\n]*[a-z_]",
    ),
    _python(
        "python-unpickle-outside",
        rf"(?:pickle|cPickle|dill|marshal|cloudpickle|jsonpickle)\.(?:loads?|decode)\([ \t\n]{{0,3}}({_FROM_OUTSIDE})[(\[]",
        r"(?:ickle|dill|marshal)\.(?:loads?|decode)\(",
    ),
    _python(
        "python-hidden-import",
        r"__import__\([\"'\\]{1,2}(os|subprocess|socket|pty|ctypes|builtins|shutil|base64)[\"'\\]",
    ),
    _python(
        "python-system",
        rf"(?:os\.system|os\.popen|commands\.getoutput|pty\.spawn)\([ \t]{{0,2}}[rbf]?[\"']{{1,3}}({_COMMANDS})[ \"'.]",
        r"(?:os\.system|os\.popen|commands\.getoutput|pty\.spawn)\(",
    ),
    _python("python-sandbox", r"__(?:bases?|mro)__(?:\[-?[0-9]\])?\.(__subclasses__)\("),
    _python("python-builtins", r"(?:__globals__|__dict__)\[[\"'](__builtins__|os|__import__)[\"']"),
    _python("python-dup2", r"os\.dup2\(((?:s|sk|so|soc|sock|socket|c|conn|client)\.fileno\(\))[, )]"),
    _python(
        "python-remove-root",
        rf"(?:shutil\.rmtree|os\.removedirs)\([ \t]{{0,2}}(?:os\.path\.expanduser\([ \t]?)?[rbf]?[\"']({ROOTS})[\"']",
        r"(?:rmtree|removedirs)\(",
    ),
    Detector(
        id="python-send-environment",
        kind="exfiltration.script",
        pattern=r"(?:requests|httpx|session|client)\.(?:post|put|get)\([^\n\x00]{1,80}?(os\.environ)[^A-Za-z0-9_.\[]",
        anchor=r"os\.environ",
    ),
    _python(
        "python-shellcode",
        r"(?:kernel32|windll)\.(VirtualAlloc|CreateRemoteThread|RtlMoveMemory|WriteProcessMemory)[^A-Za-z]",
    ),
)
