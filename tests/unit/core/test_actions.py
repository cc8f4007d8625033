"""Actions: what no case foresaw is loud."""

import pytest

from revops.core.actions import Hold, assert_never


def test_what_nobody_handles_is_an_error_that_shows_it():
    """
    A member of a union for which there is no case is named in the error.
    """
    with pytest.raises(AssertionError, match=r"^unhandled: Hold\(until=9\)$"):
        assert_never(Hold(until=9))
