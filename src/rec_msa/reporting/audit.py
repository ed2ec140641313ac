"""An audit of one recommender: what an outsider could copy of it, as a page, as Markdown and for programs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rec_msa.reporting.audit_findings import headline
from rec_msa.reporting.audit_json import audit_json
from rec_msa.reporting.audit_page import audit_page
from rec_msa.reporting.audit_results import Audited, AuditResults
from rec_msa.reporting.writing import files_of, to_markdown, to_page

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from rec_msa.reporting.document import Report


@dataclass(frozen=True)
class AuditReport:
    """What an audit says.

    Attributes:
        page: The page, of which ``html`` is the file.
        markdown: The same as Markdown; ``files`` are its pictures and tables, in the folder ``page.folder``.
        json: The same for programs: ``rec_msa.reporting.audit_json.Audit``.
        headline: Its first sentence.
        worst: The highest mean agreement of held-out users, over all attacks, plain models and look-ups without a
            defense, at the length of list that most was measured at: what ``audit.fail_above`` is compared with.
    """

    page: Report
    markdown: str
    json: dict[str, Any]
    headline: str
    worst: float

    @property
    def html(self) -> str:
        """The page as one file that needs no network."""
        return to_page(self.page)

    @property
    def files(self) -> dict[str, Figure | pd.DataFrame]:
        """What lies beside the Markdown, by the file's name."""
        return files_of(self.page)


def audit(results: AuditResults) -> AuditReport:
    """Returns what the results of one target come to.

    Raises:
        DataError: There are no results of an attack without a defense, or those of several targets.
    """
    audited = Audited(results)
    page = audit_page(audited)
    numbers = audit_json(audited).model_dump(mode="json")
    return AuditReport(page, to_markdown(page), numbers, headline(audited), audited.worst.value)
