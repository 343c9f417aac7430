"""Stage 4: whom to test, what to test next, how sure one can be of an untested lesion, what can be acted on."""

from her2crc.recommend.actions import recommend_actions
from her2crc.recommend.caveats import collect_caveats
from her2crc.recommend.next_tests import recommend_tests
from her2crc.recommend.retest import estimate_retest
from her2crc.recommend.testing import recommend_testing

__all__ = ["collect_caveats", "estimate_retest", "recommend_actions", "recommend_testing", "recommend_tests"]
