"""Every table; importing this package registers all of them."""

from app.models.audit import AuditEvent, AuditHead
from app.models.bank import (
    AccountType,
    ConnectionPath,
    ConnectionStatus,
    FinancialAccount,
    FinancialConnection,
    FinancialTransaction,
    TransactionStatus,
    Upload,
    UploadState,
)
from app.models.base import Base, OrganizationOwned, db
from app.models.job import JobKind, JobRun, JobStatus
from app.models.ledger import (
    GlAccount,
    GlAccountType,
    GlEntry,
    JournalEntry,
    JournalSource,
    LedgerBankAccount,
    LedgerImport,
    LedgerImportState,
)
from app.models.organization import Membership, Organization, Role, User
from app.models.reconciliation import (
    Certification,
    Match,
    MatchingRule,
    MatchItem,
    MatchOrigin,
    MatchState,
    Reconciliation,
    ReconciliationStatus,
)

__all__ = [
    "AccountType",
    "AuditEvent",
    "AuditHead",
    "Base",
    "Certification",
    "ConnectionPath",
    "ConnectionStatus",
    "FinancialAccount",
    "FinancialConnection",
    "FinancialTransaction",
    "GlAccount",
    "GlAccountType",
    "GlEntry",
    "JobKind",
    "JobRun",
    "JobStatus",
    "JournalEntry",
    "JournalSource",
    "LedgerBankAccount",
    "LedgerImport",
    "LedgerImportState",
    "Match",
    "MatchItem",
    "MatchOrigin",
    "MatchState",
    "MatchingRule",
    "Membership",
    "Organization",
    "OrganizationOwned",
    "Reconciliation",
    "ReconciliationStatus",
    "Role",
    "TransactionStatus",
    "Upload",
    "UploadState",
    "User",
    "db",
]
