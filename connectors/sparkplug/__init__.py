"""Sparkplug B: the host application that edge nodes report to."""
