"""Statistical process control, pure: control charts, rules, capability, gauges and sampling plans.

No Django, no database, no clock. Values come in as `int`, `Decimal` or `Fraction` and leave as `Fraction`. Roots are
rounded to 34 digits; the constants of the normal distribution are worked out in floating point and rounded to nine
decimals, so that every machine has the same ones; everything that is compared with a limit is exact from there on. What
only informs (confidence intervals, p-values) is floating point. What is not known is None.
"""
