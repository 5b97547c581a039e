"""Shell: commands of Unix shells that destroy, hand over control, persist, or read what they must not.

A command is found by the word that makes it what it is: the shell that a download is piped into, the path that is deleted. So what
is redacted cannot be run, and what a stream holds back is one word.
"""

from __future__ import annotations

from yett.detectors.detector import EDGE, Detector

_S = r"[ \t]{1,4}"
_OPTIONS = rf"(?:-[A-Za-z-]{{1,20}}{_S}){{0,3}}"
_QUOTE = r"""["'`\\]{0,2}"""
_END = r"[^A-Za-z0-9_-]"
_LINE = r"[^\n\x00]"
_SH = r"(?:/(?:usr/)?bin/)?(?:ba|z|da|k|c|tc|fi)?sh"
_SUDO = rf"(?:sudo{_S}(?:-[A-Za-z]{{1,3}}{_S})?)?"
_INTERPRETER = rf"{_SUDO}(?:/usr/bin/env[ \t])?({_SH}|python[23]?|perl|ruby|node|php){_END}"
_FETCH = r"(?:curl|wget|fetch|aria2c)"
# What the automaton looks for, so that it need not follow every `curl` to the end of its line.
_PIPED = r"\|[ \t]*(?:sudo[ \t]|/|(?:ba|z|da|k|c|tc|fi)?sh|python|perl|ruby|node|php)"
# Directories whose loss is the loss of the machine, of a user's work, or of all that is mounted.
ROOTS = (
    r"/(?:\*|(?:bin|boot|dev|etc|home|lib|lib64|opt|root|sbin|srv|usr|var|mnt|media|Users|System|Library)(?:/\*?)?)?"
    r"|~(?:/\*?)?|\$HOME(?:/\*?)?"
)
_HELD_FILES = (
    r"/etc/(?:shadow|gshadow|sudoers|passwd|krb5\.keytab)|/proc/(?:self|1|[0-9]{1,7})/environ|(?:[/~$A-Za-z0-9._-]{0,40}/)?"
    r"(?:\.ssh/(?:id_[a-z0-9]{2,10}|authorized_keys)|\.aws/credentials|\.kube/config|\.docker/config\.json|\.netrc|"
    r"\.git-credentials|\.gnupg/[a-z.-]{1,30}|\.config/gcloud/[a-z_.]{1,40}|\.azure/[a-zA-Z.]{1,30}|\.pypirc|\.bash_history)"
)
_HELD = (
    r"/etc/(?:g?shadow|sudoers|passwd|krb5)|/environ|"
    r"\.(?:ssh/|aws/cred|kube/conf|docker/conf|netrc|git-cred|gnupg/|config/gcloud|azure/|pypirc|bash_hist)"
)
_READ = (
    rf"(?:(?:cat|less|more|head|tail|tac|strings|xxd|base64|nl|od|type|Get-Content|gc){_S}(?:-[A-Za-z0-9-]{{1,16}}{_S}){{0,3}}|"
    rf"(?:cp|mv|tar|zip|scp|rsync){_S}(?:[A-Za-z0-9._/-]{{1,20}}{_S}){{0,3}})"
)
_SEND = r"(?:-[dFT]|--data(?:-binary|-raw|-urlencode)?|--form|--upload-file|--post-file|--body-file)"
_STARTUP = (
    r"/etc/(?:crontab|cron\.[a-z]{1,8}/[a-z._-]{1,30}|rc\.local|profile(?:\.d/[a-z._-]{1,30})?|sudoers(?:\.d/[a-z._-]{1,30})?|"
    r"ld\.so\.preload|passwd|shadow)|/var/spool/cron/[a-z/_-]{1,40}|[/~$A-Za-z0-9._-]{0,40}/\.ssh/authorized_keys"
)
_DEVICE = r"/dev/(?:sd[a-z]|hd[a-z]|vd[a-z]|xvd[a-z]|nvme[0-9]n[0-9]|mmcblk[0-9]|disk[0-9])(?:p?[0-9]{1,2})?"


def _shell(id: str, pattern: str, anchor: str = "") -> Detector:
    return Detector(id=id, kind="code.shell-dangerous", pattern=pattern, anchor=anchor)


SHELL: tuple[Detector, ...] = (
    # control handed to what somebody else wrote
    _shell("shell-pipe-download", rf"{_FETCH}[ \t]{_LINE}{{1,80}}?\|[ \t]{{0,3}}{_INTERPRETER}", _PIPED),
    _shell(
        "shell-pipe-decoded",
        rf"(?:base64{_S}(?:-d|-D|--decode)|xxd{_S}-r){_LINE}{{0,60}}?\|[ \t]{{0,3}}{_INTERPRETER}",
        _PIPED,
    ),
    _shell(
        "shell-run-download",
        rf"[^A-Za-z0-9_./-](?:{_SH}|eval|source|\.)(?:{_S}-c)?{_S}{_QUOTE}(?:<\(|\$\(|`){_QUOTE}{_SUDO}({_FETCH}){_END}",
        rf"(?:<\(|\$\(|`){_QUOTE}(?:sudo[ \t]+)?(?:-[A-Za-z]+[ \t]+)?{_FETCH}",
    ),
    _shell(
        "shell-save-and-run",
        rf"{_FETCH}[ \t]{_LINE}{{1,50}}?(?:&&|;)[ \t]{{0,3}}chmod{_S}(?:\+x|[0-7]?7[0-7]{{2}}|[ua]\+x){_S}"
        rf"[A-Za-z0-9._/-]{{1,24}}[ \t]{{0,2}}(?:&&|;)[ \t]{{0,3}}(\.?/[A-Za-z0-9._/-]{{1,40}}){_END}",
        r"chmod[ \t]+(?:\+x|[0-7]?7[0-7]{2}|[ua]\+x)",
    ),
    _shell("shell-device-tcp", r"(/dev/(?:tcp|udp)/[A-Za-z0-9.$_-]{1,60}/[0-9$][A-Za-z0-9_]{0,12})[^A-Za-z0-9_]"),
    _shell(
        "shell-netcat",
        rf"{EDGE}n(?:c|cat|etcat)(?:\.(?:traditional|openbsd|exe))?{_S}(?:[A-Za-z0-9.:$-]{{1,20}}{_S}){{0,3}}"
        rf"(?:-[a-z]{{0,4}}[ec]|--exec|--sh-exec){_S}{_QUOTE}({_SH}|cmd(?:\.exe)?|powershell(?:\.exe)?){_END}",
        rf"{EDGE}n(?:c|cat|etcat)(?:\.[a-z]+)?[ \t]",
    ),
    _shell(
        "shell-netcat-pipe",
        rf"{EDGE}(?:(?:ba|z)?sh{_S}-i|mkfifo|mknod){_LINE}{{1,80}}?\|[ \t]{{0,3}}(n(?:c|cat|etcat))[ \t]",
        r"\|[ \t]*n(?:c|cat|etcat)[ \t]",
    ),
    _shell("shell-socat", rf"{EDGE}socat{_S}{_LINE}{{0,60}}?((?i:exec|system)):", r"(?i:exec|system):"),
    _shell(
        "shell-script-socket",
        rf"""(?:perl|ruby|lua|php)[ \t]{{1,3}}-[a-z]{{1,3}}[ \t]{{1,3}}["']?{_LINE}{{0,60}}?"""
        r"((?:IO::)?Socket(?:::INET)?|fsockopen|TCPSocket)[^A-Za-z0-9_]",
        r"(?:perl|ruby|lua|php)[ \t]+-[a-z]",
    ),
    _shell(
        "php-web-shell",
        r"[^A-Za-z0-9_](?:system|exec|passthru|shell_exec|eval|assert|popen|proc_open)\([ \t]{0,2}"
        r"(?:base64_decode\([ \t]{0,2}|@)?(\$_(?:GET|POST|REQUEST|COOKIE))\[",
    ),
    _shell(
        "php-eval-decoded",
        r"[^A-Za-z0-9_](?:eval|assert)\([ \t]{0,2}(base64_decode|gzinflate|gzuncompress|str_rot13|hex2bin)\(",
    ),
    # destruction
    _shell(
        "shell-remove-root",
        rf"{EDGE}rm{_S}(?:-[A-Za-z-]{{1,16}}{_S}){{0,2}}(?:-[A-Za-z]{{0,4}}[rR][A-Za-z]{{0,4}}|--recursive|--no-preserve-root){_S}"
        rf"(?:-[A-Za-z-]{{1,18}}{_S}){{0,2}}{_QUOTE}({ROOTS})[ \t\r\n;&|\"'`\\)\x00]",
        rf"{EDGE}rm[ \t]+-",
    ),
    _shell("shell-remove-forced", rf"{EDGE}rm{_S}{_OPTIONS}(--no-preserve-root){_END}"),
    _shell(
        "shell-overwrite-device",
        rf"(?:[ \t]of=|>[ \t]{{0,3}}|(?:shred|wipefs|blkdiscard|mkfs(?:\.[a-z0-9]{{2,6}})?)[ \t]"
        rf"(?:-[A-Za-z0-9-]{{1,12}}[ \t]{{1,3}}){{0,4}})({_DEVICE})[^A-Za-z0-9_]",
        r"/dev/(?:sd|hd|vd|xvd|nvme|mmcblk|disk)",
    ),
    _shell("shell-fork-bomb", r":\(\)[ \t]{0,3}\{[ \t]{0,3}:[ \t]{0,3}\|[ \t]{0,3}(:)[ \t&;]"),
    _shell("shell-kill-all", rf"{EDGE}kill{_S}-(?:9|KILL|SIGKILL){_S}(-1){_END}"),
    # persistence
    _shell(
        "shell-crontab",
        rf"\|[ \t]{{0,3}}{_SUDO}crontab{_S}(?:-u{_S}[a-z]{{1,20}}{_S})?(-)[^A-Za-z0-9-]",
        r"\|[ \t]*(?:sudo|crontab)[ \t]",
    ),
    _shell(
        "shell-append-startup",
        rf"(?:[ \t]>>?|tee{_S}(?:-a|--append)[ \t])[ \t]{{0,3}}{_QUOTE}({_STARTUP})[^A-Za-z0-9]",
        r"/(?:etc|var/spool/cron|\.ssh)/",
    ),
    _shell(
        "shell-sudo-all",
        r"ALL[ \t]{0,2}=[ \t]{0,2}\((?:ALL|root)(?:[ \t]{0,2}:[ \t]{0,2}ALL)?\)[ \t]{0,3}NOPASSWD:[ \t]{0,3}(ALL)[^A-Za-z0-9]",
    ),
    _shell("shell-setuid", rf"{EDGE}chmod{_S}{_OPTIONS}((?:[ugoa]{{0,4}}\+[rwx]{{0,3}}s|[2467][0-7]{{3}}))[ \t]"),
    # what others must not read, and protection that is taken away
    _shell(
        "shell-read-secret",
        rf"{EDGE}{_READ}{_QUOTE}({_HELD_FILES}){_END}",
        _HELD,
    ),
    _shell("shell-send-secret", rf"{_SEND}[ \t=]{{1,3}}{_QUOTE}(?:[a-z]{{1,20}}=)?@?({_HELD_FILES}){_END}", _HELD),
    _shell(
        "shell-send-output",
        rf"{_SEND}[ \t=]{{1,3}}{_QUOTE}(?:[a-z]{{1,20}}=)?{_QUOTE}(?:`|\$\()[ \t]?(env|printenv|cat|history|base64|tar|whoami|id|hostname|ls|find|gzip)"
        rf"{_END}",
        r"(?:`|\$\()[ \t]?(?:env|printenv|cat|history|base64|tar|whoami|id|hostname|ls|find|gzip)",
    ),
    _shell(
        "shell-pipe-out",
        rf"\|[ \t]{{0,3}}(?:curl|wget){_LINE}{{0,60}}?[ \t](?:-[dFT][ \t]?|(?:--data(?:-binary|-raw)?|--upload-file|--post-file)[ =])"
        rf"{_QUOTE}(?:[a-z]{{1,20}}=)?(@?-)[ \t\"'\n\x00]",
        r"\|[ \t]*(?:curl|wget)",
    ),
    _shell(
        "shell-name-lookup",
        rf"{EDGE}(?:nslookup|dig|ping)[ \t]{_LINE}{{0,30}}?(?:`|\$\()[ \t]?(env|cat|base64|whoami|id|hostname|uname|xxd){_END}",
        rf"{EDGE}(?:nslookup|dig|ping)[ \t]",
    ),
    _shell(
        "shell-metadata-service",
        r"(169\.254\.169\.254/(?:latest/(?:meta-data/iam|user-data|api/token)|metadata/(?:identity|instance)|computeMetadata)"
        r"[A-Za-z0-9/_-]{0,60})[^A-Za-z0-9]",
    ),
    _shell("shell-chmod-all", rf"{EDGE}chmod{_S}{_OPTIONS}((?:0?777|a[+=]rwx|ugo[+=]rwx))[ \t]", rf"{EDGE}chmod[ \t]"),
    _shell(
        "shell-container-escape",
        r"""(?:-v|--volume|--mount|source=|src=)[ \t=]{0,3}["']?(/(?:(?:var/)?run/docker\.sock|run/containerd/containerd\.sock)?)[:,]""",
        r"""docker\.sock|containerd\.sock|(?:-v|--volume|--mount|source=|src=)[ \t=]*["']?/[:,]""",
    ),
    _shell(
        "shell-container-privileged",
        rf"(?:docker|podman|nerdctl){_S}run{_S}{_LINE}{{0,80}}?(--privileged|--pid=host){_END}",
        r"--privileged|--pid=host",
    ),
    _shell(
        "shell-firewall-off",
        rf"{EDGE}(?:ip6?tables{_S}(?:-t{_S}[a-z]{{1,10}}{_S})?|nft{_S}|ufw{_S}(?:--force{_S})?|setenforce{_S})"
        r"(-F|--flush|flush|disable|0)[ \t\r\n;&|`\x00]",
        r"(?:tables|nft|ufw|setenforce)[ \t]",
    ),
    _shell(
        "shell-history-off",
        rf"{EDGE}(?:history|unset|export){_S}(-c|HISTFILE|HISTSIZE=0|HISTFILE=/dev/null)[ \t\r\n;&|`\x00]",
        r"(?:history|unset|export)[ \t]+(?:-c|HIST)",
    ),
    _shell(
        "shell-log-wipe",
        rf"(?:[\n;&|] ?>[ \t]{{1,2}}|truncate{_S}(?:-s|--size){_S}0{_S}|shred{_S}{_OPTIONS}|{EDGE}rm{_S}{_OPTIONS})"
        rf"(/var/log/(?:auth\.log|syslog|secure|wtmp|lastlog|messages|audit/audit\.log|\*))[^A-Za-z0-9_/-]",
        r"/var/log/(?:auth|sys|sec|wtmp|last|mess|audit|\*)",
    ),
)
