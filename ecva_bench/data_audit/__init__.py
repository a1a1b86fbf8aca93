"""An audit of data sets: what rules that never look reach, and what is wrong with keys, times, texts and splits."""

from .audit import audit_datasets
from .findings import DATA_RULES, BlindScore, DataAudit, DataFinding, DatasetAudit

__all__ = ["DATA_RULES", "BlindScore", "DataAudit", "DataFinding", "DatasetAudit", "audit_datasets"]
