"""Brings a record into the cells of a row of `citations`."""

import re
from collections.abc import Iterable
from urllib.parse import unquote

from pipeline.authors import author, is_author
from pipeline.letters import plain, plain_marks, slug
from pipeline.papers import Event, Record

# Study designs that PubMed's publication types say beyond doubt.
_DESIGNS = {
    "randomized controlled trial": "randomized_trial",
    "systematic review": "systematic_review",
    "meta-analysis": "systematic_review",
    "practice guideline": "clinical_guideline",
    "guideline": "clinical_guideline",
}
# With one of these, the design is that of another paper, or of one that is still to come.
_NOT_ITSELF = {"clinical trial protocol", "comment", "editorial", "letter", "news"}
_SMALL = re.compile(
    "a|an|and|as|at|by|de|del|der|des|di|du|e|el|en|et|for|für|in|la|le|of|on|or|s|the|to|und|y|&|"
    "fur|zum|am|im|van|von|with|zur"
)
# What a title says of its paper, or that it is a notice about another.
_BEFELL = {
    "retraction": re.compile(
        r"[\[(]?(?:retracted|withdrawn)(?: (?:article|paper))?[\])]?\s*:"
        r"|.*[\[(]retracted(?: (?:article|paper)\b[^\])]*)?[\])]",
        re.IGNORECASE,
    ),
    "notice": re.compile(
        r"(?:(?:author|publisher|editorial) )?"
        r"(?:retraction(?: note| notice|:)|expression of concern\b"
        r"|(?:correction|corrigendum|erratum)(?: to\b|:))",
        re.IGNORECASE,
    ),
}
# What is longer is no title, and could keep a pattern busy.
_LONG_TITLE = 2_000
_RESOLVER = re.compile(r"^(?:doi: *)?(?:https?://)?(?:dx\.|www\.)?doi\.org/|^doi: *", re.I)
_PAGE = re.compile(r"([A-Za-z]*)(\d+)(.*)")


def cells_of(record: Record) -> dict[str, str]:
    """The cells that a record fills, by column; ids and what is left to the curator not."""
    found = {
        "type": record.kind,
        "study_design": study_design(record.types),
        "authors": "; ".join(filter(is_author, record.authors)),
        "title": title(record.title),
        "journal": journal(record.journal) if record.from_medline else record.journal,
        "journal_abbreviation": record.abbreviation.replace(".", ""),
        "year": _year(record.year),
        "volume": re.sub(r"^(?:vol(?:ume)?\b)?[. ]*0*(?=.)", "", record.volume, flags=re.I),
        "issue": _number(record.issue),
        "pages": pages(record.pages),
        "doi": doi(record.doi),
        "pmid": record.pmid,
        "pmcid": _pmcid(record.pmcid),
        "pii": next((each for each in record.pii if re.match(r"[SB]\d{4}-", each)), ""),
        "issn": next(iter(issns(record.issn)), ""),
        "published_online": record.online,
    }
    return {name: text.strip() for name, text in found.items() if text.strip()}


def left_out(record: Record) -> list[str]:
    """The authors of a record that have no form which the table allows."""
    return [name for name in record.authors if not is_author(name)]


def base_id(cells: dict[str, str]) -> str:
    """The id of a paper without a letter; empty where the first author cannot be written."""
    first = author(cells.get("authors", "").partition("; ")[0]).family
    name = slug(first)
    return f"{name}-{cells['year']}" if name and cells.get("year") else ""


def events(record: Record) -> list[Event]:
    """What befell the paper, by the export or by its own title."""
    found = list(record.events)
    title = record.title[:_LONG_TITLE]
    for kind, pattern in _BEFELL.items():
        if pattern.match(title) and kind not in {event.kind for event in found}:
            found.append(Event(kind, "its title says so"))
    return found


def study_design(types: Iterable[str]) -> str:
    """The study design, where PubMed's publication types say one, and no other beside it."""
    lowered = {each.lower() for each in types}
    designs = {_DESIGNS[each] for each in lowered & _DESIGNS.keys()}
    return designs.pop() if len(designs) == 1 and not lowered & _NOT_ITSELF else ""


def title(text: str) -> str:
    """A title without the stop that catalogs add, and without the brackets of a translated one."""
    inner = re.fullmatch(r"\[(.*)\][.]?", text)
    text = inner[1] if inner else text
    is_short = re.search(r"(?:\b\w\.){2}$|\.\.$", text)  # U.S., or an ellipsis
    return text if is_short else text.removesuffix(".").rstrip()


def journal(text: str) -> str:
    """The name of a journal as journals write it; catalogs write few capitals and add subtitles."""
    name = re.sub(r" \([^()]*(?:\([^()]*\)[^()]*)?\)$", "", text.split(" : ")[0].split(" = ")[0])
    words = name.replace(". ", ": ").rstrip(".").split()
    return " ".join(
        word if number and _SMALL.fullmatch(word) else word[:1].upper() + word[1:]
        for number, word in enumerate(words)
    )


def pages(text: str) -> str:
    """Pages in full: `459-66` is `459-466`, `S12-8` is `S12-S18`. Of several ranges the first."""
    text = re.sub("--+", "-", plain_marks(re.split(r"[;,]", text)[0]))
    text = re.sub(r"^pp?\.? *(?=\d)| ", "", text)
    first, _, last = text.partition("-")
    begin, end = _PAGE.fullmatch(first), _PAGE.fullmatch(last)
    if begin and end and not begin[3]:
        prefix = end[1] or begin[1]
        missing = len(begin[2]) - len(end[2])
        # A prefix of another kind, as in 12-e5, leaves nothing to fill in.
        digits = begin[2][:missing] + end[2] if missing > 0 and prefix == begin[1] else end[2]
        last = f"{prefix}{digits}{end[3]}"
    return first if last in ("", first) else f"{first}-{last}"


def doi(text: str) -> str:
    """A DOI in lower case, without resolver and label."""
    bare = _RESOLVER.sub("", text.strip())
    if bare != text.strip() and "%" in bare:
        bare = unquote(bare)
    return bare.rstrip(".,; ").lower()


def issns(found: Iterable[str]) -> list[str]:
    """ISSNs with hyphen and capital X."""
    bare = [each.replace("-", "").upper() for each in found]
    return [f"{each[:4]}-{each[4:]}" for each in bare]


def _year(text: str) -> str:
    """The year in a date such as `2031 Dec-2032 Jan`, or what stands there instead."""
    found = re.search(r"(?<!\d)\d{4}(?!\d)", text)
    return found[0] if found else text


def _number(text: str) -> str:
    text = re.sub(r"^(?:no|nr|issue|number)\b[. ]*", "", text, flags=re.I)
    text = re.sub(
        r"\b(suppl|pt)\b[. ]*", lambda m: f"{m[1].title()} ", plain_marks(text), flags=re.I
    )
    return re.sub(r" *[/-] *", "-", text).strip().lstrip("0") or text


def _pmcid(text: str) -> str:
    digits = re.fullmatch(r"(?:PMC)?(\d+)(?:\.\d+)?", text.strip(), re.I)
    return f"PMC{digits[1]}" if digits else text


def loose(text: str) -> str:
    """What is left of a text for a comparison that must not stumble over spelling."""
    return re.sub(r"[\W_]+", "", plain(text))
