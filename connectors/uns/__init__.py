"""What the plant does, for whoever listens to a broker: states,
orders and KPIs as retained topics (a unified namespace).
"""
