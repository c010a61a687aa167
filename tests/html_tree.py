"""An HTML document as a tree, read by the parser of the standard library."""

from collections.abc import Iterator
from html.parser import HTMLParser

VOID = {"br", "hr", "img", "input", "link", "meta", "source"}


class Element:
    """An element: its name, its attributes and what is in it."""

    def __init__(self, tag: str, attributes: dict[str, str], parent: "Element | None"):
        self.tag = tag
        self.attributes = attributes
        self.parent = parent
        self.inside: list[Element | str] = []

    @property
    def text(self) -> str:
        """All text in it."""
        return "".join(each if isinstance(each, str) else each.text for each in self.inside)

    @property
    def words(self) -> str:
        """Its text with single blanks, as a browser shows it."""
        return " ".join(self.text.split())

    @property
    def classes(self) -> set[str]:
        """Its classes."""
        return set(self.attributes.get("class", "").split())

    def all(self, tag: str = "", cls: str = "", **attributes: str) -> "Iterator[Element]":
        """The elements in it that have this name, this class and these attributes, in order."""
        for each in self.inside:
            if isinstance(each, Element):
                if (
                    tag in ("", each.tag)
                    and (not cls or cls in each.classes)
                    and attributes.items() <= each.attributes.items()
                ):
                    yield each
                yield from each.all(tag, cls, **attributes)

    def one(self, tag: str = "", cls: str = "", **attributes: str) -> "Element":
        """The only such element."""
        (found,) = self.all(tag, cls, **attributes)
        return found

    def above(self, tag: str) -> "Element":
        """The nearest element around it that has this name."""
        found = self.parent
        while found is not None and found.tag != tag:
            found = found.parent
        assert found is not None, tag
        return found


class Reader(HTMLParser):
    """Builds the tree, and notes each end that has no start."""

    def __init__(self) -> None:
        super().__init__()
        self.root = self.here = Element("", {}, None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"{tag} has an attribute twice"
        element = Element(tag, {name: value or "" for name, value in attrs}, self.here)
        self.here.inside.append(element)
        if tag not in VOID:
            self.here = element

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """An element of SVG with nothing in it."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """End an element, the one that was begun last."""
        assert self.here.tag == tag, f"{tag} ends in {self.here.tag}"
        assert self.here.parent is not None
        self.here = self.here.parent

    def handle_data(self, data: str) -> None:
        """Text."""
        self.here.inside.append(data)


def tree(text: str) -> Element:
    """The document; an element that ends in another fails the test."""
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.here is reader.root, f"{reader.here.tag} does not end"
    return reader.root
