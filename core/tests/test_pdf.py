"""What every PDF is written with."""

from threading import Event, Thread
from types import SimpleNamespace

from core import pdf


def test_fonts_are_there_for_whoever_asks_while_another_registers_them(monkeypatch):
    known, seen = [], []
    at_bold, go_on = Event(), Event()

    def register(name):
        if name == pdf.BOLD:
            at_bold.set()
            assert go_on.wait(20)
        known.append(name)

    reportlab = SimpleNamespace(getRegisteredFontNames=lambda: known, registerFont=register)
    monkeypatch.setattr(pdf, "pdfmetrics", reportlab)
    monkeypatch.setattr(pdf, "TTFont", lambda name, file: name)

    def ask():
        pdf.register_fonts()
        seen.append(list(known))

    first, second = Thread(target=ask), Thread(target=ask)
    first.start()
    assert at_bold.wait(20)
    second.start()
    # It may not be done before the first one is.
    second.join(0.3)
    go_on.set()
    first.join()
    second.join()
    assert seen == [[pdf.SANS, pdf.BOLD]] * 2
