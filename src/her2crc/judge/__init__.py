"""Stage 3: every criteria set on every specimen, and on the patient."""

from her2crc.judge.concordance import compare_specimens, untested_sites
from her2crc.judge.verdicts import Judgement, agreement_of, judge, judged_facts

__all__ = ["Judgement", "agreement_of", "compare_specimens", "judge", "judged_facts", "untested_sites"]
