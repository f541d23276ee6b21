"""The spelling of Python's lexical tokens, as regular expressions that never backtrack far.

Only single characters are repeated possessively: CPython before 3.11.5 matches possessive groups wrongly
(gh-106052).
"""

import re

# Outside strings and comments, whatever isn't ASCII belongs to a name.
_WORD_PATTERN = r"[A-Za-z_\x80-\U0010ffff][A-Za-z0-9_\x80-\U0010ffff]*+"
_PREFIX = r"(?:[bB][rR]?|[rR][bBfF]?|[fF][rR]?|[uU])?"


def _quoted(quote: str) -> str:
    long = rf"{quote * 3}[^{quote}\\]*+(?:(?:\\.|{quote}(?!{quote}{quote}))[^{quote}\\]*+)*{quote * 3}"
    short = rf"{quote}[^{quote}\\\r\n]*+(?:\\(?:\r\n|.)[^{quote}\\\r\n]*+)*{quote}"
    return rf"{long}|{short}"


_DIGITS = r"[0-9](?:_?[0-9])*"
_EXPONENT = rf"[eE][-+]?{_DIGITS}"
_NUMBER = (
    r"0[xX](?:_?[0-9a-fA-F])+|0[bB](?:_?[01])+|0[oO](?:_?[0-7])+"
    rf"|(?:{_DIGITS}\.(?:{_DIGITS})?|\.{_DIGITS})(?:{_EXPONENT})?[jJ]?|{_DIGITS}(?:{_EXPONENT})?[jJ]?"
)
_OPERATOR = r"\*\*=?|//=?|>>=?|<<=?|->|:=|!=|\.\.\.|[-+*/%&@|^=<>]=?|[~,.:;]"
# Numbers of the groups of LEXEME, in their order; AT_ODD is what fits nowhere.
(
    AT_NAME,
    AT_NUMBER,
    AT_OPERATOR,
    AT_OPEN,
    AT_CLOSE,
    AT_NEWLINE,
    AT_STRING,
    AT_COMMENT,
    AT_JOIN,
    AT_END,
    AT_ODD,
) = range(1, 12)
LEXEME = re.compile(
    rf"""[ \t\f]*+(?:({_WORD_PATTERN}(?!["']))|({_NUMBER})|({_OPERATOR})|([(\[{{])|([)\]}}])|(\r\n?|\n)"""
    rf"""|({_PREFIX}(?:{_quoted('"')}|{_quoted("'")}))|(\#[^\r\n]*+)|(\\(?:\r\n?|\n))|(\Z)|(.))""",
    re.DOTALL,
)
WORD = re.compile(_WORD_PATTERN)  # also where a string follows at once that it is no prefix of: else"x"
STRING_START = re.compile(r"""([A-Za-z]{0,2})('{3}|"{3}|'|")""")
FORMATTED = re.compile(r"(?:[rR][fF]|[fF][rR]?)[\"']")
