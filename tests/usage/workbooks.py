"""Excel workbooks made by hand, so that what is wrong with them can be made too."""

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
CONTENT_TYPES = "http://schemas.openxmlformats.org/package/2006/content-types"
# Number formats of Excel: general, date, date and time, time, duration.
STYLES = {"date": 1, "datetime": 2, "time": 3, "duration": 4}
FORMATS = (0, 14, 22, 21, 46)


@dataclass(frozen=True)
class Cell:
    """A number with a number format, or the XML of a cell's inside with its type."""

    value: str
    style: str = ""
    kind: str = ""


Value = str | int | float | bool | Cell | None


def workbook(rows: Sequence[Sequence[Value]], **more: str | bytes) -> bytes:
    """A workbook with one sheet. `more` are further files in it, by name, or others in place of its own."""
    return zipped(parts({"Sheet1": sheet(rows)}) | {name: _bytes(content) for name, content in more.items()})


def parts(sheets: Mapping[str, str], *, hidden: Sequence[str] = ()) -> dict[str, bytes]:
    """The files in a workbook, by name; `sheets` are the XML of sheets by their names."""
    numbered = list(enumerate(sheets.items(), 1))
    states = dict.fromkeys(hidden, ' state="hidden"')
    listed = "".join(
        f'<sheet name={quoteattr(name)} sheetId="{n}"{states.get(name, "")} r:id="rId{n}"/>'
        for n, (name, _) in numbered
    )
    relations = "".join(
        f'<Relationship Id="rId{n}" Type="{OFFICE}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n, _ in numbered
    )
    formats = "".join(f'<xf numFmtId="{number}"/>' for number in FORMATS)
    texts = {
        "[Content_Types].xml": f'<Types xmlns="{CONTENT_TYPES}"/>',
        "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="rId1" '
        f'Type="{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets>{listed}</sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}">{relations}'
        f'<Relationship Id="rId99" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs>{formats}</cellXfs></styleSheet>',
    } | {f"xl/worksheets/sheet{n}.xml": content for n, (_, content) in numbered}
    return {name: text.encode() for name, text in texts.items()}


def sheet(rows: Sequence[Sequence[Value]]) -> str:
    """The XML of a sheet whose first row is row 1. None is a cell that is not there."""
    cells = "".join(
        f'<row r="{y}">{"".join(_cell(f"{letters(x)}{y}", value) for x, value in enumerate(row, 1))}</row>'
        for y, row in enumerate(rows, 1)
    )
    return f'<worksheet xmlns="{MAIN}"><sheetData>{cells}</sheetData></worksheet>'


def zipped(files: Mapping[str, bytes]) -> bytes:
    """A ZIP archive."""
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return output.getvalue()


def letters(column: int) -> str:
    """The name of a column: 1 is A, 27 is AA."""
    name = ""
    while column:
        column, digit = divmod(column - 1, 26)
        name = chr(65 + digit) + name
    return name


def _cell(place: str, value: Value) -> str:
    if value is None:
        return ""
    if isinstance(value, Cell):
        style = f' s="{STYLES[value.style]}"' if value.style else ""
        kind = f' t="{value.kind}"' if value.kind else ""
        return f'<c r="{place}"{style}{kind}><v>{value.value}</v></c>'
    if isinstance(value, bool):
        return f'<c r="{place}" t="b"><v>{int(value)}</v></c>'
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{place}"><v>{value!r}</v></c>'


def _bytes(content: str | bytes) -> bytes:
    return content.encode() if isinstance(content, str) else content
