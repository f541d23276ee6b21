"""What each rewrite alone, and all together, make of the pinned texts: digests as lines.

tests/transformers_py/test_golden.py pins another text, and says that a new text asks for a new version.
"""

from collections.abc import Iterator
from hashlib import sha256

from tests.pin import product, sources
from tests.pin.product import Intensity

INTENSITIES = ((Intensity(rate=0.4), 1), (Intensity(rate=1.0), 2), (Intensity(count=3), 1))


def pins() -> Iterator[tuple[str, list[str]]]:
    """Name of the golden file, and its lines: one for each text and rewrite, a digest for each intensity."""
    yield "texts", list(_lines())


def _lines() -> Iterator[str]:
    names = product.rewrites()
    sets = {name: [name] for name in names} | {"all": names}
    for file, text in sources.texts():
        rewritten = product.rewriter(text)
        for name, members in sets.items():
            made = [rewritten(members, intensity, seed) for intensity, seed in INTENSITIES]
            yield " ".join([file, name, *(sha256(one.encode()).hexdigest()[:12] for one in made)])
