"""Each default case of the family "optimisation", as a test of its own."""

import pytest
from every_case import default_cases, must_pass

pytestmark = pytest.mark.verification


@pytest.mark.parametrize("case", default_cases("optimisation"))
def test_case(case):
    must_pass(case)
