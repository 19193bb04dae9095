"""The arithmetic of advice: forecasts, lives, drifts, orders of changeovers. No Django, no database, no clock.

Floats are allowed here, unlike in facts and KPIs: nothing here is a fact, and nobody adds it up.
"""
