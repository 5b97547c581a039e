"""Windows: commands of PowerShell and cmd that destroy, hand over control, persist, or read what they must not."""

from __future__ import annotations

from yett.detectors.detector import Detector

_S = r"[ \t]{1,3}"
_LINE = r"[^\n\x00]"
_Q = r"""["']?"""
_FETCH = r"(?i:downloadstring|downloadfile|invoke-webrequest|invoke-restmethod|iwr|irm|curl|wget|frombase64string)"
_RUN = r"(?i:iex|invoke-expression)"
_NOT_A_LETTER = r"[^A-Za-z]"
# Every beginning of the option is the option.
_ENCODED = r"-(?i:e(?:c|nc|nco|ncod|ncode|ncoded|ncodedc[a-z]{0,6})?)"


def _windows(id: str, pattern: str, anchor: str = "") -> Detector:
    return Detector(id=id, kind="code.shell-dangerous", pattern=pattern, anchor=anchor)


WINDOWS: tuple[Detector, ...] = (
    _windows(
        "powershell-encoded",
        rf"(?i:powershell(?:\.exe)?|pwsh)[ \t](?:[A-Za-z0-9.:/-]{{1,12}}{_S}){{0,5}}{_ENCODED}{_S}{_Q}([A-Za-z0-9+/=]{{16,120}})[\x00-\xff]",
        r"(?i:powershell|pwsh)",
    ),
    _windows("powershell-run-download", rf"{_RUN}[ \t(&]{{1,4}}{_LINE}{{0,60}}?({_FETCH}){_NOT_A_LETTER}", _RUN),
    _windows(
        "powershell-piped-download",
        rf"{_FETCH}[^\n\x00A-Za-z0-9]{_LINE}{{0,70}}?\|[ \t]{{0,3}}({_RUN}){_NOT_A_LETTER}",
        rf"\|[ \t]*{_RUN}",
    ),
    _windows("powershell-socket", rf"(?i:new-object{_S}(?:system\.)?)((?i:net\.sockets\.tcpclient)){_NOT_A_LETTER}"),
    _windows(
        "powershell-defender-off",
        rf"(?i:(?:set|add)-mppreference){_LINE}{{1,60}}?(-(?i:disable[a-z]{{1,30}}|exclusion(?:path|process|extension))){_NOT_A_LETTER}",
        r"(?i:(?:set|add)-mppreference)",
    ),
    _windows("cmd-fetch", rf"(?i:certutil(?:\.exe)?{_S}){_LINE}{{0,30}}?(-(?i:urlcache)){_NOT_A_LETTER}"),
    _windows("cmd-bits", rf"(?i:bitsadmin(?:\.exe)?{_S})(/(?i:transfer)){_NOT_A_LETTER}"),
    _windows(
        "cmd-script-host",
        rf"(?i:mshta(?:\.exe)?|regsvr32(?:\.exe)?[ \t]{_LINE}{{0,40}}?/i:|rundll32(?:\.exe)?)[ \t\"']{{0,3}}((?i:https?|javascript|vbscript)):",
        r"(?i:mshta|regsvr32|rundll32)",
    ),
    _windows(
        "cmd-delete-drive",
        rf"(?i:[^A-Za-z](?:del|erase|rd|rmdir){_S}(?:/[a-z]{_S}){{1,4}}){_Q}([A-Za-z]:)[ \t\r\n\"\x00]",
        r"(?i:(?:del|erase|rd|rmdir)[ \t]+/[a-z])",
    ),
    _windows(
        "cmd-delete-root",
        rf"(?i:[^A-Za-z](?:del|erase|rd|rmdir){_S}(?:/[a-z]{_S}){{1,4}}){_Q}[A-Za-z]:\\{{1,4}}(\*(?:\.\*)?|(?i:windows|users|system32))[ \t\r\n\"\x00\\]",
        r"(?i:(?:del|erase|rd|rmdir)[ \t]+/[a-z])",
    ),
    _windows("cmd-format-drive", rf"(?i:[^A-Za-z]format{_S}[a-z]:{_S})(/[A-Za-z])[^A-Za-z0-9]"),
    _windows(
        "cmd-shadow-copies",
        rf"(?i:vssadmin(?:\.exe)?{_S}delete|wmic{_S}shadowcopy|wbadmin{_S}delete|bcdedit{_S}/set{_LINE}{{1,30}}?recoveryenabled|wevtutil{_S}cl){_S}"
        r"([A-Za-z-]{2,20})[^A-Za-z0-9-]",
        r"(?i:vssadmin|shadowcopy|wbadmin|recoveryenabled|wevtutil)",
    ),
    _windows(
        "cmd-run-key",
        rf"(?i:reg(?:\.exe)?{_S}add{_S}){_Q}(?i:HK(?:LM|CU|EY_[A-Z_]{{1,20}})\\{{1,2}}software\\{{1,2}}microsoft\\{{1,2}}windows\\{{1,2}}currentversion\\{{1,2}})"
        rf"((?i:run(?:once)?)){_NOT_A_LETTER}",
        r"(?i:currentversion\\{1,2}run)",
    ),
    _windows(
        "cmd-add-admin",
        rf"(?i:localgroup{_S}){_Q}(?i:administrators){_Q}{_S}{_Q}[A-Za-z0-9_.$%{{}}-]{{1,30}}{_Q}{_S}(/(?i:add)){_NOT_A_LETTER}",
    ),
    _windows(
        "cmd-save-hive",
        rf"(?i:reg(?:\.exe)?{_S}save{_S}){_Q}(?i:HKLM|HKEY_LOCAL_MACHINE)\\{{1,2}}((?i:sam|system|security)){_NOT_A_LETTER}",
    ),
    _windows("credential-dump", r"((?i:sekurlsa::[a-z]{3,20}|lsadump::[a-z]{2,20}|invoke-mimikatz))[^A-Za-z0-9]"),
)
