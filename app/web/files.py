"""Reports as files: PDF to look at or keep, CSV for a spreadsheet."""

from __future__ import annotations

from flask import Response, stream_with_context

from app.reports.document import Document
from app.reports.document_csv import document_csv
from app.reports.document_pdf import document_pdf
from app.web.access import current_actor


def pdf_answer(document: Document) -> Response:
    """Answer with the report as PDF, shown in the browser under a name to keep it by."""
    return Response(
        document_pdf(document, current_actor().time_zone),
        mimetype="application/pdf",
        headers={"Content-Disposition": f'inline; filename="{document.name}.pdf"'},
    )


def csv_answer(document: Document) -> Response:
    """Answer with the report as CSV, to be kept."""
    return Response(
        stream_with_context(document_csv(document)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{document.name}.csv"'},
    )
