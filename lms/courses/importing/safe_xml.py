"""XML from strangers: no entities, no DTD, nothing fetched, and errors that name the line."""

from xml.etree.ElementTree import Element, ParseError, tostring

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from lms.courses.importing.errors import BrokenSource, UnsafeSource


def parse_xml(text: str, *, file: str) -> Element:
    try:
        root: Element = fromstring(text, forbid_dtd=True)
    except DefusedXmlException:
        raise UnsafeSource("declares entities or a document type, which no course export needs.", file=file) from None
    except ParseError as error:
        raise BrokenSource("is not well-formed XML.", file=file, line=error.position[0]) from None
    return root


def inner_html(element: Element, *, file: str) -> str:
    """Everything between an element's tags, as HTML."""
    try:
        children = [tostring(child, encoding="unicode", method="html") for child in element]
    except RecursionError:
        raise UnsafeSource("its elements are nested too deeply.", file=file) from None
    return (element.text or "") + "".join(children)
