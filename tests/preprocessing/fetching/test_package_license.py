import pytest

from preprocessing.fetching import package_license

BSD = b"Redistribution and use in source and binary\nforms, with or without modification, are permitted"
THIRD = BSD + b"\n3. Neither the name of the project nor the names of its contributors may be used"
MIT = b"Permission is hereby granted, free of charge, to any person\nobtaining a copy of this software"


@pytest.mark.parametrize(
    ("metadata", "texts", "wanted"),
    [
        ("License-Expression: MIT OR Apache-2.0\nLicense: BSD", [], "MIT OR Apache-2.0"),
        ("License: MIT License", [], "MIT"),
        ("License: Copyright 2008 Somebody\nClassifier: License :: OSI Approved :: MIT License", [], "MIT"),
        ("Classifier: License :: OSI Approved :: BSD License", [BSD], "BSD-2-Clause"),
        ("Classifier: License :: OSI Approved :: BSD License", [THIRD], "BSD-3-Clause"),
        ("License: see LICENSE", [MIT], "MIT"),
        ("Name: two", [MIT, BSD], ""),
        ("Name: none", [], ""),
    ],
)
def test_expression(metadata: str, texts: list[bytes], wanted: str) -> None:
    assert package_license.expression(f"Name: x\n{metadata}\n\nLicense: GPL\n".encode(), texts) == wanted
