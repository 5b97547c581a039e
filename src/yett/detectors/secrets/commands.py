"""Commands: passwords that are arguments of programs, where a flag or a place gives them, not a name.

Sources: each program's own manual page (mysql(1), sshpass(1), ldapsearch(1), htpasswd(1), unzip(1), redis-cli, rabbitmqctl(8), …);
Microsoft's reference of `net`, `cmdkey`, `sqlcmd` and PowerShell's ConvertTo-SecureString.
"""

from __future__ import annotations

from yett.detectors import entropy
from yett.detectors.detector import Detector, when
from yett.detectors.secrets.structures import VALUE

_PROGRAMS = (
    # -p or --password's short form
    r"mysql|mysqldump|mysqladmin|mysqlimport|mariadb(?:-dump)?|sshpass|psexec(?:64)?|mongo(?:sh|dump|restore|export|import)?|cqlsh|7z[ar]?|rar|unrar|"
    r"(?:docker|podman|nerdctl|buildah|skopeo|crane|az|helm registry|oc|cf|argocd|rancher|jf) login|az acr login|influx|bosh|twine upload|xfreerdp|"
    # -P
    r"unzip|zip|sqlcmd|bcp|isql|osql|tsql|mosquitto_(?:pub|sub)|snmp(?:get|walk)|"
    # -a, -w, -pw, -N, -k
    r"redis-cli|valkey-cli|ldap(?:search|add|modify|delete|passwd|whoami)|plink|pscp|psftp|putty|ssh-keygen|openssl enc|winexe|smbclient|rabbitmqadmin"
)
_WORD = r"[^ \t\r\n\x00]"


def _typed(text: str) -> bool:
    """What is typed at a prompt stands as it is; a number is a port."""
    return text[0] not in "/-" and not text.isdigit() and entropy.password(text, quoted=True)


def _argument(id: str, before: str, *, least: int = 5) -> Detector:
    return Detector(
        id=id,
        kind="secret.password",
        pattern=rf"""(?i:{before})["']?({VALUE}{{{least},64}})""",
        accept=when(_typed),
        tail=f"{VALUE}*",
    )


COMMANDS: tuple[Detector, ...] = (
    _argument("password-command", rf"[^a-z](?:{_PROGRAMS})[^\r\n\x00|;]{{0,60}}?[ ]-(?:p|a|w|pw|n|k)[ ]?"),
    _argument("password-net", rf"net[ ](?:user[ ]{_WORD}{{1,32}}|use[ ](?:[a-z*]:?[ ])?\\\\{{1,4}}{_WORD}{{3,60}})[ ]"),
    _argument(
        "password-account",
        rf"(?:htpasswd[ ]-[a-z]{{0,6}}b[a-z]{{0,6}}[ ]{_WORD}{{1,60}}|rabbitmqctl[ ](?:add_user|change_password|authenticate_user))[ ]{_WORD}{{1,32}}[ ]",
    ),
    _argument("password-httpie", r"[ ](?:-a|--auth)[ =][\"']?[a-z0-9._@-]{1,40}:"),
    _argument("password-after-user", r"[ ]-u[ ]?[\"']?[a-z0-9._@\\-]{1,40}[%,]"),
    _argument(
        "password-switch",
        r"[ ]/(?:pass|password|pwd)[:=]|[ ]/rp[ ]|[ ]/user:[^ \t\r\n\x00]{1,48}[ ]|(?:freerdp|rdesktop|runas)[^\r\n\x00]{0,60}?[ ][/-]p:?[ ]?",
    ),
    _argument(
        "password-directive",
        r"[^a-z](?:requirepass|masterauth|bindpw|rootpw|vncpasswd|snmp-server community|key-string|auth-user-pass|(?:pre-shared|tacacs-server|radius-server)[ -]key|wpa-psk|"
        r"(?:enable|chap|pap|username[ ][a-z0-9._-]{1,32})[ ](?:password|secret))(?:[ ][0-9])?[ \t]{1,8}",
    ),
    _argument(
        "password-here",
        r"[^a-z](?:kinit|sudo|passwd|su|login|gpg|ssh-add|openssl|mysql|kdestroy|ldap[a-z]{3,8})[^\r\n\x00|;<]{0,40}<<<[ ]?",
    ),
    # A line of PostgreSQL's password file: a host, a port, a database, a user.
    _argument("password-file", r"[a-z0-9_.*-]{1,48}:(?:[0-9]{4,5}|[*]):[a-z0-9_.*-]{1,32}:[a-z0-9_.@*-]{1,32}:"),
    _argument("password-identified", r"identified with [a-z0-9_]{2,30} (?:by|as)[ ]"),
    Detector(
        id="secure-string",
        kind="secret.password",
        pattern=rf"""(?i:convertto-securestring)(?:[ ]-(?i:string))?[ ]{{1,3}}["']({VALUE}{{5,64}})""",
        accept=when(_typed),
        tail=f"{VALUE}*",
    ),
)
