"""What series of values say beyond their sums: pure functions of numbers, floats throughout. None of them becomes an
amount, and none reads the record."""
