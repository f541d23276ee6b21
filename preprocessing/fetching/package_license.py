"""The licence of a package as an SPDX expression, from its metadata or the text of its licence.

License: MIT License                                →  MIT
Classifier: License :: OSI Approved :: BSD License  →  BSD-3-Clause, if LICENSE has its third clause
"""

import re
from collections.abc import Iterable
from email.parser import BytesParser

# What stands in the field License, or in a classifier, of packages without an SPDX expression (lower case).
_NAMES = {
    "mit": "MIT",
    "mit license": "MIT",
    "the mit license": "MIT",
    "apache": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache 2.0": "Apache-2.0",
    "apache-2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache software license": "Apache-2.0",
    "apache software license 2.0": "Apache-2.0",
    "bsd-2-clause": "BSD-2-Clause",
    "bsd-3-clause": "BSD-3-Clause",
    "isc": "ISC",
    "isc license (iscl)": "ISC",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mpl-2.0": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
    "zpl 2.1": "ZPL-2.1",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
}
_BSD = "redistribution and use in source and binary forms"
_THIRD_CLAUSE = re.compile(r"neither the names? of|names? of .{0,200}may not be used to endorse|"
                           r"names? of .{0,200}not be used to endorse")  # fmt: skip
_MIT = "permission is hereby granted, free of charge, to any person obtaining a copy"


def expression(metadata: bytes, texts: Iterable[bytes] = ()) -> str:
    """SPDX expression of a package: METADATA or PKG-INFO says it, or else the only licence text does.

    `texts` are the contents of its licence files, of which no more are read than needed. Empty if neither
    tells.
    """
    fields = BytesParser().parsebytes(metadata, headersonly=True)
    if stated := fields.get("License-Expression"):
        return str(stated)
    named = [
        str(line).rpartition(" :: ")[2] for line in fields.get_all("Classifier", []) if "License" in line
    ]
    for names in ([str(fields.get("License", ""))], named):
        if known := {_NAMES[name.lower()] for name in names if name.lower() in _NAMES}:
            return " AND ".join(sorted(known))
    told = {_of_text(text.decode(errors="replace")) for text in texts}
    return told.pop() if len(told) == 1 else ""


def _of_text(text: str) -> str:
    words = " ".join(text.lower().split())
    if _BSD in words:
        return "BSD-3-Clause" if _THIRD_CLAUSE.search(words) else "BSD-2-Clause"
    if _MIT in words:
        return "MIT"
    return "Apache-2.0" if "apache license version 2.0" in words else ""
