"""What a tool returns: mails, pages, JSON, logs, tables, code, tickets …, with one sentence or paragraph put where it may stand.

The same carriers hold attacks and harmless sentences, so that neither the carrier nor the place is what the model learns.
"""

from __future__ import annotations

import html
import json
import random
import re
from collections.abc import Callable, Sequence

Filler = Callable[[], str]  # a harmless paragraph

FIRST = "Ann Ben Carla David Elif Farid Grace Hiro Ines Jonas Kira Liam Maya Noor Olga Pedro Quinn Rosa Sven Tara Umar Vera Wei Ximena Yuki Zoe".split()
LAST = "Adler Brown Costa Dubois Evans Ferrari Garcia Hansen Ito Jensen Kim Lopez Meyer Nowak Olsen Patel Rossi Sato Tran Ueda Varga Weber Xu Yilmaz Zhang".split()
WORDS = "north river apex blue summit delta green orbit quick nova cedar pixel harbor metro lunar prime stone vertex willow amber cobalt".split()
ENDINGS = "com net org io dev co.uk de fr shop app info example ai eu in com.br".split()
MAILERS = "gmail.com outlook.com yahoo.com proton.me hotmail.com icloud.com mail.ru qq.com".split()
FIELDS = "description body content text note comment message summary review details title bio snippet remarks feedback answer value notes reason abstract".split()
THINGS = "order invoice ticket user product event file issue review booking flight hotel patient account message article repository contact device job".split()


def name(source: random.Random) -> str:
    return f"{source.choice(FIRST)} {source.choice(LAST)}"


def host(source: random.Random) -> str:
    return f"{source.choice(WORDS)}{source.choice(['', '-', source.choice(WORDS)])}{source.choice(WORDS)}.{source.choice(ENDINGS)}"


def mail(source: random.Random) -> str:
    where = source.choice(MAILERS) if source.random() < 0.5 else host(source)
    return f"{source.choice(FIRST).lower()}{source.choice(['.', '_', ''])}{source.choice([*LAST, *WORDS]).lower()}{source.choice(['', '', '7', '42', '1988'])}@{where}"


def url(source: random.Random) -> str:
    path = "/".join(source.choice([*WORDS, *THINGS]) for _ in range(source.randint(0, 3)))
    return f"http{source.choice(['s', 's', ''])}://{source.choice(['', 'www.', 'api.', 'docs.'])}{host(source)}/{path}{source.choice(['', '', '?id=', '.html'])}"


def localised(text: str, source: random.Random) -> str:
    """The stand-in addresses of the templates, which must not become what gives an attack away, as any others."""
    text = re.sub(r"[\w.+-]+@[\w-]+\.example\b", lambda _: mail(source), text)
    return re.sub(
        r"(?:https?://|www\.)[\w.-]+(?:\.example(?:\.net)?|203\.0\.113\.\d+)[\w/.?=-]*", lambda _: url(source), text
    )


def _date(source: random.Random) -> str:
    return f"20{source.randint(19, 26)}-{source.randint(1, 12):02}-{source.randint(1, 28):02}"


def _time(source: random.Random) -> str:
    return f"{_date(source)}{source.choice(['T', ' '])}{source.randint(0, 23):02}:{source.randint(0, 59):02}:{source.randint(0, 59):02}{source.choice(['', 'Z', '+02:00', '.482'])}"


def _value(source: random.Random, filler: Filler) -> object:
    return source.choice(
        [source.randint(0, 99999), round(source.random() * 500, 2), source.random() < 0.5, None, name(source), mail(source), url(source),
         _date(source), _time(source), f"{source.getrandbits(48):x}", source.choice(WORDS), filler()]
    )  # fmt: skip


def _record(source: random.Random, filler: Filler) -> dict[str, object]:
    keys = source.sample(
        [
            "id",
            "name",
            "email",
            "status",
            "created_at",
            "price",
            "url",
            "tags",
            "count",
            "owner",
            "city",
            "rating",
            "type",
            "lang",
        ],
        source.randint(2, 7),
    )
    return {f"{key}": _value(source, filler) for key in keys}


def _json(payload: str, filler: Filler, source: random.Random) -> str:
    rows = [_record(source, filler) for _ in range(source.choice([1, 1, 2, 3, 5]))]
    source.choice(rows)[source.choice(FIELDS)] = payload
    whole: object = source.choice(
        [
            rows,
            {source.choice(["results", "items", "data", source.choice(THINGS) + "s"]): rows, "total": len(rows)},
            rows[0] | {"found": True},
        ]
    )
    if isinstance(whole, dict) and payload not in json.dumps(whole, ensure_ascii=False):
        whole[source.choice(FIELDS)] = payload
    return json.dumps(whole, indent=source.choice([None, 2, 4]), ensure_ascii=source.random() < 0.2)


def _python_repr(payload: str, filler: Filler, source: random.Random) -> str:
    return repr(_record(source, filler) | {source.choice(FIELDS): payload} | _record(source, filler))


def _email(payload: str, filler: Filler, source: random.Random) -> str:
    sender = name(source)
    head = f"From: {sender} <{mail(source)}>\nTo: {mail(source)}\nSubject: {filler()[:60]}\nDate: {_time(source)}\n\n"
    parts = [
        f"{source.choice(['Hi', 'Hello', 'Dear', 'Hey'])} {source.choice(FIRST)},",
        *_around(payload, filler, source),
        f"{source.choice(['Best', 'Regards', 'Thanks', 'Cheers'])},\n{sender}",
    ]
    quoted = "\n".join(f"> {line}" for line in filler().splitlines()) if source.random() < 0.3 else ""
    return (head if source.random() < 0.8 else "") + "\n\n".join(parts) + ("\n\n" + quoted if quoted else "")


def _around(payload: str, filler: Filler, source: random.Random) -> list[str]:
    parts = [filler() for _ in range(source.choice([0, 1, 1, 2, 3]))]
    parts.insert(source.randint(0, len(parts)), payload)
    return parts


def _page(payload: str, filler: Filler, source: random.Random) -> str:
    hidden = source.choice(
        ["<p>{}</p>", "<p>{}</p>", "<div>{}</div>", "<!-- {} -->", '<span style="display:none">{}</span>', '<div style="color:white;font-size:1px">{}</div>',
         '<img alt="{}" src="a.png">', '<meta name="description" content="{}">', "<li>{}</li>", "<td>{}</td>", '<input type="hidden" value="{}">']
    )  # fmt: skip
    parts = [f"<p>{html.escape(filler())}</p>" for _ in range(source.choice([1, 2, 3]))]
    parts.insert(
        source.randint(0, len(parts)), hidden.format(html.escape(payload) if source.random() < 0.5 else payload)
    )
    return (
        f"<html><head><title>{filler()[:50]}</title></head><body><h1>{filler()[:40]}</h1>\n"
        + "\n".join(parts)
        + "\n</body></html>"
    )


def _document(payload: str, filler: Filler, source: random.Random) -> str:
    join = source.choice(["\n\n", "\n\n", "\n", " "])
    parts = _around(payload, filler, source)
    if source.random() < 0.3:
        parts.insert(0, source.choice(["# ", "## ", "", "Title: "]) + filler()[:50])
    return join.join(parts)


def _inside(payload: str, filler: Filler, source: random.Random) -> str:
    """Between two sentences of a running text."""
    text = " ".join(filler() for _ in range(source.choice([1, 2, 2])))
    ends = [match.end() for match in re.finditer(r"[.!?。\n] ?", text)] or [len(text)]
    place = source.choice([0, *ends])
    return f"{text[:place]} {payload} {text[place:]}".strip()


def _log(payload: str, filler: Filler, source: random.Random) -> str:
    def line(text: str) -> str:
        return f"{_time(source)} {source.choice(['INFO', 'WARN', 'ERROR', 'DEBUG'])} [{source.choice(WORDS)}-{source.randint(1, 9)}] {text}"

    events = [
        "request completed in 12 ms",
        "GET /api/items 200",
        "cache miss for key user",
        "connection reset by peer",
        "worker started",
        "retrying in 5 s",
        "disk usage 81%",
        "user logged in",
        "job finished",
        "timeout waiting for lock",
    ]
    lines = [line(source.choice(events)) for _ in range(source.randint(2, 9))]
    lines.insert(source.randint(0, len(lines)), line(payload.replace("\n", " ")))
    return "\n".join(lines)


def _table(payload: str, filler: Filler, source: random.Random) -> str:
    mark = source.choice([",", ";", "\t", " | "])
    rows = [
        [
            str(source.randint(1, 999)),
            name(source),
            source.choice(WORDS),
            _date(source),
            filler()[:80].replace("\n", " "),
        ]
        for _ in range(source.randint(2, 7))
    ]
    source.choice(rows)[4] = payload.replace("\n", " ")
    return (
        mark.join(["id", "name", "type", "date", source.choice(FIELDS)])
        + "\n"
        + "\n".join(mark.join(row) for row in rows)
    )


def _search(payload: str, filler: Filler, source: random.Random) -> str:
    found = [(filler()[:60], url(source), filler()[:220]) for _ in range(source.randint(2, 5))]
    place = source.randrange(len(found))
    found[place] = (found[place][0], found[place][1], payload)
    return "\n\n".join(
        f"{source.choice(['', f'{number}. ', f'[{number}] '])}{title}\n{address}\n{snippet}"
        for number, (title, address, snippet) in enumerate(found, 1)
    )


def _code(payload: str, filler: Filler, source: random.Random) -> str:
    opening, closing = source.choice(
        [
            ("# ", ""),
            ("// ", ""),
            ("/* ", " */"),
            ('"""', '"""'),
            ("-- ", ""),
            ("<!-- ", " -->"),
            ("; ", ""),
            ('print("', '")'),
        ]
    )
    body = [
        "def load(path):",
        "    with open(path) as file:",
        "        return json.load(file)",
        "",
        "class Store:",
        "    def __init__(self, size=10):",
        "        self.size = size",
        "for item in items:",
        "    total += item.price",
        "return total",
        "const x = await fetch(url);",
        "if (!x.ok) throw new Error(x.status);",
        "export default App;",
        "int main(void) { return 0; }",
    ]
    lines = source.sample(body, source.randint(3, 9))
    lines.insert(source.randint(0, len(lines)), f"{opening}{payload}{closing}")
    return "\n".join(lines)


def _chat(payload: str, filler: Filler, source: random.Random) -> str:
    lines = [
        f"{source.choice(FIRST)} {source.choice(['', '(10:42 AM)', '[09:15]'])}: {filler()[:160]}"
        for _ in range(source.randint(1, 6))
    ]
    lines.insert(source.randint(0, len(lines)), f"{source.choice(FIRST)}: {payload}")
    return "\n".join(lines)


def _ticket(payload: str, filler: Filler, source: random.Random) -> str:
    return f"{source.choice(['Ticket', 'Issue', 'Case', 'PR', 'Event', 'Review'])} #{source.randint(10, 99999)}\n{source.choice(['Status', 'State', 'Rating', 'Priority'])}: {source.choice(['open', 'closed', '4/5', 'high', 'low'])}\n{source.choice(['Reporter', 'Author', 'Organizer', 'Guest'])}: {name(source)}\n\n{_document(payload, filler, source)}"


def _listing(payload: str, filler: Filler, source: random.Random) -> str:
    files = [
        f"-rw-r--r-- 1 {source.choice(WORDS)} staff {source.randint(10, 99999)} {_date(source)} {source.choice(THINGS)}_{source.choice(WORDS)}.{source.choice(['md', 'py', 'txt', 'csv', 'pdf'])}"
        for _ in range(source.randint(2, 7))
    ]
    return (
        "\n".join(files)
        + f"\n\n$ cat {source.choice(['README.md', 'notes.txt', 'TODO', 'CONTRIBUTING.md'])}\n{_document(payload, filler, source)}"
    )


def _alone(payload: str, _filler: Filler, _source: random.Random) -> str:
    return payload


CARRIERS: Sequence[Callable[[str, Filler, random.Random], str]] = (
    _json, _json, _json, _python_repr, _email, _email, _page, _document, _document, _inside, _inside, _inside, _log, _table, _search, _code, _chat,
    _ticket, _listing, _alone,
)  # fmt: skip
