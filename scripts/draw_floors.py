"""Draw the floors of the house from the import contract and from what each app says of itself:
docs/images/floors.svg.
"""

import ast
import textwrap
import tomllib
from pathlib import Path
from xml.sax.saxutils import escape

PROJECT = Path(__file__).resolve().parent.parent
PICTURE = PROJECT / "docs" / "images" / "floors.svg"
WIDTH, MARGIN, GAP, LINE = 1080, 10, 6, 18
CHARACTERS = 0.145
"""How many characters of the small text one unit of width holds."""
STYLE = (
    ".f{fill:#eef3fb;stroke:#b9c8e2}.n{fill:#1757c2;font-weight:700}.t{fill:#141a24;font-weight:600}"
    ".s{fill:#566175;font-size:13px}"
)


def floors() -> list[list[str]]:
    """Return the apps of each floor, the highest first."""
    configuration = tomllib.loads((PROJECT / "pyproject.toml").read_text())
    layers = configuration["tool"]["importlinter"]["contracts"][0]["layers"]
    return [[app.strip() for app in layer.split("|")] for layer in layers]


def said_of(app: str) -> str:
    """Return the first sentence that an app says of itself."""
    text = ast.get_docstring(ast.parse((PROJECT / app / "__init__.py").read_text())) or ""
    return text.partition("\n")[0].rstrip(".")


def drawing() -> str:
    """Return the picture."""
    boxes, y = [], MARGIN
    for apps in floors():
        width = (WIDTH - 2 * MARGIN - GAP * (len(apps) - 1)) / len(apps)
        wrapped = [textwrap.wrap(said_of(app), int((width - 40) * CHARACTERS)) for app in apps]
        height = 34 + LINE * max(map(len, wrapped))
        for place, (app, lines) in enumerate(zip(apps, wrapped, strict=True)):
            x = MARGIN + place * (width + GAP)
            said = "".join(
                f'<text class="s" x="{x + 18:.0f}" y="{y + 44 + n * LINE}">{escape(line)}</text>'
                for n, line in enumerate(lines)
            )
            boxes.append(
                f'  <g><rect class="f" x="{x:.0f}" y="{y}" width="{width:.0f}" height="{height}" rx="8"/>'
                f'<text class="t" x="{x + 18:.0f}" y="{y + 24}">{app}</text>{said}</g>'
            )
        y += height + GAP
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y - GAP + MARGIN}" font-family="system-ui, sans-serif" '
        'font-size="15" role="img" aria-label="The floors of the house">'
    )
    return "\n".join([head, f"  <style>{STYLE}</style>", *boxes, "</svg>", ""])


if __name__ == "__main__":
    PICTURE.write_text(drawing())
