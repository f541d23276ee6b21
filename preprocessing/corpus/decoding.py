"""Bytes of unknown origin become Python text, or are refused with a reason."""

import codecs
import io
import tokenize
import warnings

from preprocessing.errors import BadSource

_UTF_16_32 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)


def decode(data: bytes | str) -> str:
    """The text of a source file: encoding by its cookie or BOM (PEP 263), BOM cut off, newlines as they are.

    Raises BadSource: `null_byte`, `undecodable`.
    """
    text = data if isinstance(data, str) else _decoded(data)
    if "\0" in text:
        raise BadSource("null_byte", f"at character {text.index(chr(0)):,}")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadSource("undecodable", "lone surrogates") from error
    return text.removeprefix("\ufeff")


def _decoded(data: bytes) -> str:
    if data.startswith(_UTF_16_32):
        raise BadSource("undecodable", "UTF-16 or UTF-32, which Python does not read")
    if b"\0" in data:
        raise BadSource("null_byte", f"at byte {data.index(0):,}")
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        return data.decode(encoding)
    except (SyntaxError, UnicodeError, LookupError, ValueError) as error:
        raise BadSource("undecodable", _first_line(error)) from error


def check_syntax(text: str) -> None:
    """Raises BadSource (`syntax_error`, `too_deep`) unless the running Python compiles the text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<sample>", "exec", dont_inherit=True)
    except (RecursionError, MemoryError) as error:
        raise BadSource("too_deep", "nested too deep for Python's compiler") from error
    except SyntaxError as error:
        reason = "too_deep" if "too many" in (error.msg or "") else "syntax_error"
        raise BadSource(reason, f"line {error.lineno}: {_first_line(error)}") from error
    except (ValueError, OverflowError) as error:
        raise BadSource("syntax_error", _first_line(error)) from error


def _first_line(error: Exception) -> str:
    message = error.msg if isinstance(error, SyntaxError) else str(error)
    return (message or type(error).__name__).partition("\n")[0][:200]
