"""The gate of a price feed: each part held against the project's own schema, as it streams by.

A feed is cut between its offers, so that head, batches and tail laid end to end are the file,
byte for byte. Each batch is validated as a small feed of its own, between that head and an end.
That says what a validation of the whole would: the schema's rules speak of one offer at a time,
but for the rule that an article stands once, which is held over all batches. A test proves it.

What XML itself forbids, a document type (with it every entity bomb) and what is not UTF-8 are
refused before the schema is asked.
"""

import re
from array import array
from codecs import getincrementaldecoder
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from itertools import islice
from operator import lt
from typing import Any, BinaryIO, cast
from xml.parsers import expat  # nothing beside the standard library says at which byte it is

import attrs
from lxml import etree

NAMESPACE = "kaspiShopping"
#: Bytes that are read, and so about as many are validated, at a time: some hundred offers.
#: Ten times as many are slower and take ten times the memory.
BLOCK = 1 << 15
#: Bytes of one offer, and of what stands before the first, above which it is none.
_LONGEST_OFFER = 1_000_000
_LONGEST_HEAD = 64_000

#: Names as expat says them: namespace, name, and the prefix where there is one.
_ROOT = (NAMESPACE, "kaspi_catalog")
_OFFERS = (NAMESPACE, "offers")
_OFFER = f"{NAMESPACE} offer"
_PREFIXED_OFFER = f"{_OFFER} "
_SCHEMA = "price_feed.xsd"
_SHELVES = 64
_STEP = re.compile(r"/[^/\[]+(?:\[(\d+)\])?")

_TENGE = "a whole number of tenge above 0 and up to a billion, in digits alone"
#: What would be right, by the name of an element or an attribute.
_RIGHT = {
    "price": _TENGE,
    "cityprice": _TENGE,
    "preOrder": "a number of days from 1 to 30, or left out",
    "available": "yes or no",
    "stockCount": "a whole number of pieces, or left out",
    "loanPeriod": "a whole number above 0, or left out",
    "cityId": "the code of a city, as 750000000",
    "storeId": "the code of a point, as PP1 or 30000001_PP1",
}
_NOT_UTF_8 = "this is not UTF-8. Save the feed as UTF-8"
#: Expat and lxml would both follow such a mark.
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
_ORDER = "Right is this order: model, brand, availabilities, then price or cityprices"
_HEAD_ORDER = "Right is this order: company, merchantid, offers"
#: How files begin that are no XML at all.
_NO_XML_AT_ALL = (
    (b"\x1f\x8b", "this is packed with gzip. Unpack it first"),
    (b"PK", "this is a workbook or an archive, no XML: try `scrapy price_list read`"),
)

#: How libxml2 says it, and how we do; {0}, {1}… are what it put in quotes or brackets.
_SPOKEN = (
    (r"Element '(\w+)', attribute '(\w+)': \[facet 'minLength'\]", "{1} is empty"),
    (r"Element '(\w+)', attribute '(\w+)': \[facet '\w+'\] The value '(.*?)' ", "{1} is '{2}'"),
    (r"Element '(\w+)', attribute '(\w+)': '(.*)' is not a valid value", "{1} is '{2}'"),
    (r"Element '(\w+)': \[facet 'minLength'\]", "{0} is empty"),
    (r"Element '(\w+)': (?:\[facet '\w+'\] )?(?:The value )?'(.*?)' is ", "{0} is '{1}'"),
    (r"Element '(\w+)': The attribute '(\w+)' is required", "{0} has no {1}"),
    (r"Element '(\w+)', attribute '([^']+)': The attribute", "{0} may have no {1}"),
    (r"Element '(offers)': Missing child", "there is no offer"),
    (
        r"Element '(\w+)': Missing child element\(s\)\. Expected is (?:one of )?\( (.*) \)",
        "{0} lacks {1}",
    ),
    (
        r"Element '([^']+)': This element is not expected\. Expected is (?:one of )?\( (.*) \)",
        "{0} may not stand here, but {1}",
    ),
    (r"Element '([^']+)': This element is not expected", "{0} may not stand here"),
    (r"Element '(\w+)'.*(?:nillable|specified by)", "{0} may have no other type, nor be nil"),
    (r"Element '(\w+)': Character content", "there is text in {0}, outside its elements"),
    (r"Element '(\w+)': Element content is not allowed", "{0} may hold text alone"),
)

#: What expat says, and what a person makes of it.
_NOT_XML = {
    "no element found": "the feed ends too soon: it is empty, or was cut off",
    "unclosed token": "the feed ends too soon: it was cut off",
    "not well-formed (invalid token)": "this is no XML. In texts & < > are written &amp; &lt; &gt;",
    "undefined entity": "an entity that XML does not know. In texts & is written &amp;",
    "mismatched tag": "an element is closed that was not the last one opened",
    "junk after document element": "something stands behind </kaspi_catalog>",
    "XML or text declaration not at start of entity": "something stands before <?xml",
    "syntax error": "this is no XML: it begins with a text",
    "duplicate attribute": "an attribute stands twice",
    "reference to invalid character number": "a number of a sign that XML forbids",
    "partial character": "the feed ends too soon: it was cut off",
    "unbound prefix": f'a prefix without a namespace. Right is xmlns="{NAMESPACE}"',
}


class BrokenFeed(ValueError):
    """A price feed that the marketplace would refuse: `line` counts from 1, `reason` says why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}")
        self.line = line
        self.reason = reason


@attrs.frozen
class Batch:
    """Some offers, as they stand in the file from that line on; the last one holds the end."""

    line: int
    head: bytes
    body: bytes
    tail: bytes

    @property
    def document(self) -> bytes:
        """The batch as a feed of its own."""
        return b"".join((self.head, self.body, self.tail))

    def line_in_feed(self, line: int) -> int:
        """Where a line of the batch's own document stands in the file."""
        return max(1, line - self.head.count(b"\n") + self.line - 1)


def batches(file: BinaryIO) -> Iterator[Batch]:
    """Cut a feed into batches, from where the file stands. Raises BrokenFeed for what is no XML."""
    yield from _Knife().cut(file)


class _Knife:
    """Finds the byte at which each batch begins: the first offer behind each block that was read.

    In between it hears nothing of what it reads, which halves the time. An offer inside an offer,
    or behind the offers, misleads it, but then the batch is no XML, and such a feed is broken
    anyway.
    """

    def __init__(self) -> None:
        self._parser = parser = expat.ParserCreate("utf-8", " ")
        parser.namespace_prefixes = True
        parser.ordered_attributes = True
        parser.XmlDeclHandler = self._declared
        parser.StartDoctypeDeclHandler = self._typed
        parser.StartElementHandler = self._opened
        parser.EndElementHandler = self._closed
        self._open: list[tuple[str, ...]] = []
        self._found: tuple[int, int] | None = None
        self._kept, self._at, self._line = b"", 0, 1
        self._head: bytes | None = None
        self._tail = b""

    def cut(self, file: BinaryIO) -> Iterator[Batch]:
        while block := file.read(BLOCK):
            if not self._at and not self._kept:
                _begins_as_xml(block)
            self._kept += block
            self._parse(block, last=False)
            yield from self._cut_off()
            self._bound()
        self._parse(b"", last=True)
        yield from self._cut_off()
        yield Batch(self._line, self._head or b"", self._kept, b"")

    def _cut_off(self) -> Iterator[Batch]:
        """What stands before the offer that was found; the next one is looked for."""
        if self._found:
            at, line = self._found
            piece, self._kept = self._kept[: at - self._at], self._kept[at - self._at :]
            if self._head is None:
                self._head, self._tail = piece, _closing(self._open)
            else:
                yield Batch(self._line, self._head, piece, self._tail)
            self._at, self._line, self._found = at, line, None
            self._parser.StartElementHandler = self._begun

    def _bound(self) -> None:
        """Keep what is kept small, whatever the file is. Raises BrokenFeed."""
        longest = _LONGEST_HEAD if self._head is None else BLOCK + _LONGEST_OFFER
        if len(self._kept) > longest:
            raise BrokenFeed(self._line, f"no offer ends within {longest:,} bytes from here")

    def _parse(self, block: bytes, *, last: bool) -> None:
        try:
            self._parser.Parse(block, last)
        except expat.ExpatError as error:
            raise BrokenFeed(error.lineno, self._why(error)) from None

    def _why(self, error: expat.ExpatError) -> str:
        said = expat.errors.messages[error.code]
        if not _is_utf8(self._kept):
            return _NOT_UTF_8
        at = max(0, self._parser.ErrorByteIndex - self._at)
        if self._kept[at : at + 1] < b" " and self._kept[at:]:
            return f"a sign that XML forbids ({self._kept[at]:#04x})"
        return _NOT_XML.get(said, f"this is no XML: {said}")

    def _declared(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.upper().replace("-", "") != "UTF8":
            raise BrokenFeed(1, f"the feed's encoding is {encoding}. Right is UTF-8")

    def _typed(self, *_: object) -> None:
        line = self._parser.CurrentLineNumber
        raise BrokenFeed(line, "a price feed has no document type, and so no entities")

    def _opened(self, name: str, attributes: Sequence[str]) -> None:
        """Something of the head, or the first offer."""
        words = tuple(name.split(" "))
        if not self._open and words[:2] != _ROOT:
            raise BrokenFeed(self._parser.CurrentLineNumber, _not_a_feed(words))
        if len(self._open) == 2 and self._open[1][:2] == _OFFERS:
            self._parser.EndElementHandler = None
            self._begun(_OFFER, attributes)
        else:
            self._open.append(words)

    def _closed(self, _name: str) -> None:
        self._open.pop()

    def _begun(self, name: str, _attributes: Sequence[str]) -> None:
        """Something in the offers, or behind them."""
        if name == _OFFER or name.startswith(_PREFIXED_OFFER):
            self._found = self._parser.CurrentByteIndex, self._parser.CurrentLineNumber
            self._parser.StartElementHandler = None


def _closing(names: Sequence[tuple[str, ...]]) -> bytes:
    """The end of everything that is open, in the feed's own prefixes."""
    called = (f"{name[2]}:{name[1]}" if len(name) == 3 else name[1] for name in reversed(names))
    return "".join(f"</{name}>" for name in called).encode()


def _not_a_feed(words: Sequence[str]) -> str:
    namespace = f"the namespace {words[0]!r}" if len(words) > 1 else "no namespace"
    return (
        f"the feed begins with {words[min(1, len(words) - 1)]} in {namespace}. "
        f'Right is <kaspi_catalog xmlns="{NAMESPACE}">'
    )


def _begins_as_xml(block: bytes) -> None:
    """Raises BrokenFeed for what is another kind of file."""
    if block.startswith(_UTF_16):
        raise BrokenFeed(1, _NOT_UTF_8)
    for beginning, said in _NO_XML_AT_ALL:
        if block.startswith(beginning):
            raise BrokenFeed(1, said)


def _is_utf8(text: bytes) -> bool:
    """Whether it is, but for a sign that is cut off at its end."""
    try:
        getincrementaldecoder("utf-8")().decode(text)
    except UnicodeDecodeError:
        return False
    return True


class Gate:
    """Lets batches pass that the schema allows."""

    def __init__(self) -> None:
        self._schema = _schema()
        self._parser = _parser()

    def tree(self, batch: Batch) -> etree._Element:
        """The batch as a tree, its kaspi_catalog. Raises BrokenFeed."""
        try:
            catalog = etree.fromstring(batch.document, self._parser)
        except etree.XMLSyntaxError as error:
            raise self._torn(batch, error) from None
        if not self._schema.validate(catalog):
            raise _complaint(batch, catalog, self._schema.error_log)
        return catalog

    def _torn(self, batch: Batch, error: etree.XMLSyntaxError) -> BrokenFeed:
        """What stands where no offer may, so that the batch was cut within it."""
        catalog = etree.fromstring(batch.document, _parser(recover=True))
        if catalog is not None and not self._schema.validate(catalog):
            return _complaint(batch, catalog, self._schema.error_log)
        said = (error.msg or "").partition(",")[0]
        return BrokenFeed(batch.line_in_feed(error.lineno or 1), f"this is no XML: {said}")


def _parser(*, recover: bool = False) -> etree.XMLParser:
    """Follows nothing out of the feed, and keeps what the schema speaks of alone."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        collect_ids=False,
        recover=recover,
    )


def offers_of(catalog: etree._Element) -> etree._Element:
    """The element whose children are the offers of a catalog that passed the gate."""
    return catalog[2]


def _complaint(batch: Batch, catalog: etree._Element, log: Any) -> BrokenFeed:
    """The schema's first complaint, in plain words and with the article that it is about."""
    entry = log[0]
    # The path of what is wrong is /*/*[3]/*[57]/*[4]: the fourth element of the 57th offer.
    steps = [int(step or 1) for step in _STEP.findall(entry.path or "")]
    in_offer = len(steps) >= 3 and steps[1] == 3
    said = _spoken(entry.message, _ORDER if in_offer else _HEAD_ORDER)
    if in_offer:
        sku = offers_of(catalog)[steps[2] - 1].get("sku")
        said = said if sku is None else f"offer {sku!r}: {said}"
    return BrokenFeed(batch.line_in_feed(entry.line), said)


def _spoken(message: str, order: str) -> str:
    plain = message.replace(f"{{{NAMESPACE}}}", "")
    for pattern, sentence in _SPOKEN:
        if found := re.match(pattern, plain, re.DOTALL):
            names = [name or "" for name in found.groups()]
            right = _RIGHT.get(names["attribute" in pattern])
            remedy = order if "may not stand" in sentence else right and f"Right is {right}"
            return ". ".join(filter(None, (sentence.format(*names), remedy)))
    return plain


@cache
def _schema() -> etree.XMLSchema:
    """The schema without its rule on articles, which takes half its time and ends with a batch."""
    schema = etree.fromstring((files(__package__) / _SCHEMA).read_bytes())
    [rule] = schema.iter("{http://www.w3.org/2001/XMLSchema}unique")
    schema[0].remove(rule)
    return etree.XMLSchema(schema)


class Articles:
    """Which articles were seen: eight bytes each, so that a million take 8 MB.

    As long as they come in order none can stand twice, and none is remembered. Then they are, as
    hashes. Two equal hashes are a suspicion only: the feed is read again, and the articles
    themselves are compared.
    """

    def __init__(self) -> None:
        self._hashes = [array("q") for _ in range(_SHELVES)]
        self._last = ""
        self._in_order = True
        #: How many came before the first that was out of order.
        self.before = 0

    def add(self, skus: Sequence[str]) -> None:
        """Hear of some more."""
        if self._in_order and all(map(lt, (self._last, *skus), skus)):
            self._last = skus[-1]
            self.before += len(skus)
        else:
            self._in_order = False
            self.remember(skus)

    def remember(self, skus: Iterable[str]) -> None:
        """Keep the hashes of some more."""
        shelves = self._hashes
        for number in map(hash, skus):
            shelves[number % _SHELVES].append(number)

    @property
    def may_repeat(self) -> bool:
        """Whether any may stand twice."""
        return not self._in_order

    @property
    def suspects(self) -> frozenset[int]:
        """Hashes that came more than once."""
        found: set[int] = set()
        for shelf in self._hashes:
            if len(set(shelf)) < len(shelf):
                found.update(number for number, times in Counter(shelf).items() if times > 1)
        return frozenset(found)


def repeated(file: BinaryIO, articles: Articles) -> BrokenFeed | None:
    """The first article that stands twice, or None.

    The file stands where a feed begins that passed the gate, and that these are the articles of.
    """
    if not articles.may_repeat:
        return None
    start = file.tell()
    articles.remember(sku for sku, _ in islice(_placed(file), articles.before))
    file.seek(start)
    suspects = articles.suspects
    return _twice(file, suspects) if suspects else None


def _twice(file: BinaryIO, suspects: Container[int]) -> BrokenFeed | None:
    seen: dict[str, int] = {}
    for sku, line in _placed(file):
        if hash(sku) in suspects:
            if sku in seen:
                said = f"offer {sku!r}: it stands in the feed already, in line {seen[sku]}"
                return BrokenFeed(line, said)
            seen[sku] = line
    return None


def _placed(file: BinaryIO) -> Iterator[tuple[str, int]]:
    """The articles of a feed, and the line of each."""
    gate = Gate()
    for batch in batches(file):
        for offer in offers_of(gate.tree(batch)):
            yield offer.get("sku", ""), batch.line_in_feed(cast("int", offer.sourceline))


def catalogs(file: BinaryIO) -> Iterator[etree._Element]:
    """Each batch of a feed as a tree that passed the gate. Raises BrokenFeed.

    The file must be one in which it can be sought: it is looked for articles that stand twice.
    """
    start, gate, articles = file.tell(), Gate(), Articles()
    for batch in batches(file):
        catalog = gate.tree(batch)
        articles.add([offer.get("sku", "") for offer in offers_of(catalog)])
        yield catalog
    file.seek(start)
    if found := repeated(file, articles):
        raise found
