"""What tools of assistants return: inboxes, calendars, reviews, statements, channels, pages, with one text put where people write.

As in `carriers`, the same forms hold attacks and harmless texts. They are JSON, YAML, XML and plain lists as services write them.
"""

from __future__ import annotations

import json
import random
import textwrap
from collections.abc import Callable

from injection_data.carriers import FIRST, LAST, THINGS, WORDS, Filler, host, mail, name, url

Row = dict[str, object]


def _day(source: random.Random) -> str:
    return f"20{source.randint(19, 26)}-{source.randint(1, 12):02}-{source.randint(1, 28):02}"


def _rows(
    payload: str, filler: Filler, source: random.Random, field: str, make: Callable[[], Row], most: int = 5
) -> list[Row]:
    """Some records, one of which has the payload in `field`: alone, before or after something harmless."""
    rows = [{**make(), field: filler()[:300]} for _ in range(source.randint(1, most))]
    text = source.choice(
        [payload, payload, f"{filler()[:200]} {payload}", f"{payload} {filler()[:200]}", f"{filler()[:160]} {payload} {filler()[:160]}"]
    )  # fmt: skip
    source.choice(rows)[field] = text
    return rows


def _dumped(whole: object, source: random.Random) -> str:
    return json.dumps(whole, indent=source.choice([None, None, 1, 2]), ensure_ascii=source.random() < 0.15)


def _shuffled(row: Row, source: random.Random) -> Row:
    items = list(row.items())
    source.shuffle(items)
    return dict(items)


def inbox(payload: str, filler: Filler, source: random.Random) -> str:
    def make() -> Row:
        return {"id": str(source.randint(0, 999)), "sender": mail(source), "recipients": [mail(source)], "subject": filler()[:50], "read": source.random() < 0.5, "timestamp": f"{_day(source)} 09:{source.randint(10, 59)}:00", "attachments": []}  # fmt: skip

    rows = [_shuffled(row, source) for row in _rows(payload, filler, source, source.choice(["body", "text", "content", "snippet"]), make, 4)]  # fmt: skip
    return (
        _yaml(rows)
        if source.random() < 0.5
        else _dumped(rows if source.random() < 0.6 else {"messages": rows, "unread": len(rows)}, source)
    )


def calendar(payload: str, filler: Filler, source: random.Random) -> str:
    def make() -> Row:
        return {"id": source.randint(1, 99), "title": filler()[:40], "start": f"{_day(source)} {source.randint(7, 19)}:00", "end": f"{_day(source)} 20:00", "location": source.choice(["Room 4", "Zoom", host(source), "Cafe Nord", ""]), "participants": [mail(source)], "status": "confirmed"}  # fmt: skip

    rows = _rows(payload, filler, source, source.choice(["description", "title", "notes", "summary"]), make, 4)
    return _yaml(rows) if source.random() < 0.5 else _dumped({"events": rows}, source)


def reviews(payload: str, filler: Filler, source: random.Random) -> str:
    rows = _rows(payload, filler, source, source.choice(["review", "text", "comment", "content", "body"]), lambda: {"rating": source.randint(1, 5), "author": name(source), "verified": source.random() < 0.7})  # fmt: skip
    thing = {
        "name": f"{source.choice(WORDS).title()} {source.choice(['Hotel', 'Blender', 'Bistro', 'Jacket', 'Museum'])}",
        "score": round(source.uniform(1, 5), 1),
    }
    if source.random() < 0.3:
        return "\n".join(f"{'★' * int(str(row['rating']))} {row['author']}: {[*row.values()][-1]}" for row in rows)
    return _dumped(source.choice([rows, {**thing, "reviews": rows}, {"product_details": thing, "reviews": rows}]), source)  # fmt: skip


def statement(payload: str, filler: Filler, source: random.Random) -> str:
    rows = _rows(payload, lambda: filler()[:60], source, source.choice(["subject", "reference", "memo", "description", "note"]), lambda: {"id": source.randint(1, 99), "sender": f"DE{source.getrandbits(60)}", "recipient": name(source), "amount": round(source.uniform(1, 2000), 2), "date": _day(source)})  # fmt: skip
    if source.random() < 0.3:
        return "date;amount;name;reference\n" + "\n".join(
            f"{row['date']};{row['amount']};{row['recipient']};{[*row.values()][-1]}" for row in rows
        )
    return _dumped({"balance": round(source.uniform(0, 9999), 2), "transactions": rows}, source)


def channel(payload: str, filler: Filler, source: random.Random) -> str:
    field = source.choice(["text", "body", "message", "content"])
    rows = _rows(payload, filler, source, field, lambda: {"sender": source.choice(FIRST), "channel": source.choice(["general", "random", "dev"]), "ts": f"{_day(source)}T10:{source.randint(10, 59)}"}, 6)  # fmt: skip
    if source.random() < 0.4:
        return "\n".join(
            f"{source.choice(['', '> ', '- '])}[{row['ts']}] {row['sender']}: {row[field]}" for row in rows
        )
    return _dumped(rows, source)


def xml(payload: str, filler: Filler, source: random.Random) -> str:
    item = source.choice(["item", "entry", "record", "result", "row", *THINGS])
    field = source.choice(["description", "note", "content", "summary", "comment"])
    rows = _rows(payload, filler, source, field, lambda: {"id": source.randint(1, 9999), "title": filler()[:40], "link": url(source)})  # fmt: skip
    inner = "\n".join(
        f"  <{item}>" + "".join(f"<{key}>{value}</{key}>" for key, value in row.items()) + f"</{item}>" for row in rows
    )
    return f'<?xml version="1.0"?>\n<{item}s>\n{inner}\n</{item}s>'


def profile(payload: str, filler: Filler, source: random.Random) -> str:
    row: Row = {"name": name(source), "email": mail(source), "city": source.choice(WORDS).title(), "phone": f"+{source.randint(10**9, 10**11)}", "company": f"{source.choice(LAST)} Ltd", "since": _day(source)}  # fmt: skip
    row[source.choice(["bio", "about", "notes", "headline", "status", "address"])] = payload
    row = _shuffled(row, source)
    return source.choice([_yaml([row]), _dumped(row, source), "\n".join(f"{key.title()}: {value}" for key, value in row.items())])  # fmt: skip


def readme(payload: str, filler: Filler, source: random.Random) -> str:
    parts = [f"# {source.choice(WORDS)}-{source.choice(THINGS)}", filler()[:300]]
    for title in source.sample(["Installation", "Usage", "Contributing", "License", "FAQ", "Notes", "Configuration"], source.randint(1, 4)):  # fmt: skip
        parts += [f"## {title}", source.choice(["", "- ", "1. "]) + filler()[:300]]
    parts.insert(source.randint(1, len(parts)), source.choice(["", "", "- ", "> ", "<!-- "]) + payload)
    return "\n\n".join(parts)


def paper(payload: str, filler: Filler, source: random.Random) -> str:
    """Text out of a PDF: wrapped lines, page numbers."""
    text = " ".join([filler(), payload, filler()] if source.random() < 0.6 else [filler(), filler(), payload])
    lines = textwrap.wrap(text, source.choice([48, 60, 76, 90]))
    if len(lines) > 4:
        lines.insert(source.randrange(len(lines)), f"Page {source.randint(1, 40)} of 40")
    return "\n".join(lines)


def thread(payload: str, filler: Filler, source: random.Random) -> str:
    title = source.choice(["Issue", "Discussion", "Topic", "Ticket", "Question"])
    parts = [f"{title} #{source.randint(1, 9999)}: {filler()[:60]} ({source.choice(['open', 'closed', 'resolved'])})"]
    posts = [filler()[:400] for _ in range(source.randint(1, 4))]
    posts.insert(source.randint(0, len(posts)), payload)
    parts += [f"{name(source)} {source.choice(['wrote', 'commented', 'replied'])} on {_day(source)}:\n{post}" for post in posts]  # fmt: skip
    return "\n\n".join(parts)


def history(payload: str, filler: Filler, source: random.Random) -> str:
    parts = [
        f"commit {source.getrandbits(160):040x}\nAuthor: {name(source)} <{mail(source)}>\nDate:   {_day(source)}\n\n    {text}"
        for text in [payload, *(filler()[:120] for _ in range(source.randint(1, 4)))]
    ]
    source.shuffle(parts)
    return "\n\n".join(parts)


def listing(payload: str, filler: Filler, source: random.Random) -> str:
    """A shop, a menu, search results of places."""
    rows = _rows(payload, filler, source, source.choice(["description", "details", "info", "snippet"]), lambda: {"title": f"{source.choice(WORDS)} {source.choice(THINGS)}", "price": f"{source.randint(1, 300)}.99", "url": url(source), "stock": source.randint(0, 80)})  # fmt: skip
    if source.random() < 0.4:
        return "\n\n".join(f"{row['title']} - ${row['price']}\n{[*row.values()][-1]}\n{row['url']}" for row in rows)
    return _dumped({"results": rows, "page": 1}, source)


def _yaml(rows: list[Row]) -> str:
    lines = []
    for row in rows:
        for place, (key, value) in enumerate(row.items()):
            shown = json.dumps(value) if isinstance(value, list | bool) else str(value).replace("\n", "\n    ")
            lines.append(f"{'- ' if not place else '  '}{key}: {shown}")
    return "\n".join(lines)


RECORDS: tuple[Callable[[str, Filler, random.Random], str], ...] = (
    inbox, inbox, calendar, reviews, reviews, statement, channel, channel, xml, profile, readme, paper, thread, history, listing,
)  # fmt: skip
