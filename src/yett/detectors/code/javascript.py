"""JavaScript: code that runs what comes from outside, that a page runs by itself when an answer is shown, or that sends away
what a page holds."""

from __future__ import annotations

from yett.detectors.detector import Detector, when

_FROM_OUTSIDE = (
    r"atob|unescape|decodeURI(?:Component)?|String\.fromCharCode|Buffer\.from|(?:window\.|document\.)?location(?:\.(?:hash|search|href))?|"
    r"document\.(?:cookie|referrer|URL)|window\.name|(?:req|request|ctx|event)\.(?:body|query|params|data)|localStorage\.getItem|"
    r"(?:llm|completion|response|reply|answer|user)[A-Za-z_.]{0,30}"
)
_HELD_BY_PAGE = r"document\.cookie|(?:window\.)?(?:localStorage|sessionStorage)"
_WRAPPED = r"(?:(?:encodeURIComponent|encodeURI|escape|btoa|JSON\.stringify)\([ \t]{0,2}){0,2}"
_BY_ITSELF = r"(?i:error|load|toggle|focus|begin|start|mouseover|mouseenter|pointer[a-z]{3,6}|animation[a-z]{3,9})"
# `javascript:void(0)` is how pages write a link that leads nowhere.
_HARMLESS = (
    "void",
    ";",
    "history.",
    "window.print",
    "print(",
    "window.history",
    "//",
    "%20",
    "%3b",
    "undefined",
    "(",
    "=",
)


def _address(text: str) -> bool:
    script = text.partition(":")[2].lower()
    return len(script) > 4 and not script.startswith(_HARMLESS) and any(c in script for c in "(=.")


def _javascript(id: str, pattern: str, anchor: str = "") -> Detector:
    return Detector(id=id, kind="code.js-eval", pattern=pattern, anchor=anchor)


JAVASCRIPT: tuple[Detector, ...] = (
    _javascript(
        "js-eval-outside",
        r"[^A-Za-z0-9_.](?:eval|execScript|setTimeout|setInterval|new[ \t]{1,2}Function|document\.write(?:ln)?)\([ \t\n]{0,3}"
        rf"(?:await[ \t])?({_FROM_OUTSIDE})[(\[)]",
        r"(?:eval|execScript|setTimeout|setInterval|Function|document\.write(?:ln)?)\([ \t\n]*[a-zBS]",
    ),
    _javascript(
        "js-child-process",
        r"require\([\"'](?:node:)?child_process[\"']\)\.(exec|execSync|spawn|spawnSync|execFile)[^A-Za-z]",
    ),
    _javascript(
        "js-sandbox",
        r"[^A-Za-z0-9_](process\.mainModule\.(?:require|constructor)|(?:this\.)?constructor\.constructor)[(._]",
    ),
    Detector(
        id="js-address",
        kind="code.js-eval",
        pattern=r"[\"'(=<][ \t]{0,2}((?i:javascript|vbscript):[A-Za-z0-9!#$%&()*+./:=?@^_~-]{1,60})[\x00-\xff]",
        accept=when(_address),
        anchor=r"(?i:javascript|vbscript):",
    ),
    _javascript(
        "js-handler",
        rf"[ \t/\"'\n](?i:on){_BY_ITSELF}[ \t]{{0,2}}=[ \t]{{0,2}}\\?[\"'`]?"
        rf"(alert|prompt|confirm|eval|fetch|atob|import|{_HELD_BY_PAGE}|document\.(?:location|write)|navigator\.sendBeacon)[(.= ]",
        r"(?i:[ \t/\"'\n]on(?:error|load|toggle|focus|begin|start|mouse|pointer|animation)[a-z]*[ \t]*=)",
    ),
    Detector(
        id="script-page-data",
        kind="exfiltration.script",
        pattern=rf"(?:[\"'`][ \t]{{0,3}}\+[ \t]{{0,3}}|\$\{{[ \t]{{0,2}}|(?:body|data)[\"']?[ \t]{{0,2}}:[ \t]{{0,2}}|"
        rf"(?:send|sendBeacon)\([^\n\x00]{{0,50}}?){_WRAPPED}({_HELD_BY_PAGE})[^A-Za-z0-9_]",
        anchor=r"(?:document\.cookie|localStorage|sessionStorage)",
    ),
)
