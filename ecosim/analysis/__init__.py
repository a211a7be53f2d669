"""What runs are looked at with: figure, report, expectation, survival, concentration."""
