"""Tables of a page: columns with a heading, rows with a heading, groups of rows. Layer 4, no IO."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from connform.reporters.html.markup import Markup, element


class Column:
    """A column of a table: its heading, its cells, and how it is laid out."""

    def __init__(self, title: str, cells: Sequence[str], style: str = "") -> None:
        """Take the cells; `style` is a class of the style sheet: `wide` for a column that a phone leaves out, `number`."""
        self.title, self.cells, self.style = title, cells, style


def table(caption: str, columns: Sequence[Column], style: str = "", groups: Mapping[str, int] | None = None) -> Markup:
    """Return a table without its empty columns; the first column that is left heads the rows.

    Args:
        caption: what the table shows, for who can't see where it stands.
        columns: each with a cell for every row.
        style: a class of the style sheet.
        groups: titles, and how many rows follow each; all rows are in a group, or none.
    """
    filled = [column for column in columns if any(column.cells)]
    if not filled:
        return Markup()
    head = element("tr", *(element("th", one.title, scope="col", class_=one.style) for one in filled))
    rows = [
        element(
            "tr",
            element("th", first, scope="row", class_=filled[0].style),
            *(element("td", cell, class_=column.style) for column, cell in zip(filled[1:], others, strict=True)),
        )
        for first, *others in zip(*(one.cells for one in filled), strict=True)
    ]
    bodies = []
    for title, number in (groups or {"": len(rows)}).items():
        heading = element(
            "th", title, " ", element("span", f"{number}", class_="muted"), scope="rowgroup", colspan=len(filled)
        )
        bodies.append(element("tbody", element("tr", heading, class_="group") if title else "", *rows[:number]))
        rows = rows[number:]
    return element("table", element("caption", caption, class_="unseen"), element("thead", head), *bodies, class_=style)
