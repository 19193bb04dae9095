"""MQTT with JSON: topics say whose, payloads say what."""
