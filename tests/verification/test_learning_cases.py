"""Each default case of the family "learning", as a test of its own."""

import pytest
from every_case import default_cases, must_pass

pytestmark = pytest.mark.verification


@pytest.mark.parametrize("case", default_cases("learning"))
def test_case(case):
    must_pass(case)
