"""A word that means about the same: count -> tally, find_row -> locate_row."""

from collections.abc import Iterator

from transformers_py.sites.name_parts import Roll, with_other_words

GROUPS = """
    add insert append attach; all every whole; amount quantity; answer reply response; area region zone
    array vector; average mean; base root; begin start; big large great; body content; border edge margin
    bound limit; build make create construct; cache buffer; calculate compute; call invoke; cell slot
    change modify alter; char character letter symbol; check verify validate test; child descendant
    choose select pick; clean tidy; close shut; closest nearest; code program; collect gather; color colour
    column field; combine merge join; common shared; compare contrast; config settings; convert transform
    copy duplicate; cost price; count tally number; current present; data information; date day
    decode decipher; default standard; delete remove erase drop; delta difference diff; depth height
    dict mapping table; digit figure; distance gap; divide split; done finished; element item entry
    empty blank; encode encipher; end finish stop last; equal same identical; error mistake fault
    even level; exists present; extract pull; factor multiplier; fast quick rapid; fetch retrieve get obtain
    file document; fill pad; filter sieve; final last; find locate search; first initial leading
    fix repair mend; flag marker; flip invert reverse; folder directory; full complete
    func function routine; generate produce; grid board; group cluster bunch; guess estimate; handle manage
    has contains; head front; hidden concealed; id identifier; index position place; input source
    iterate loop; key label; kind type sort; left remaining; length size extent; line row; link connection
    list sequence; load read; local inner; log record; long lengthy; loop cycle; low small little; map chart
    mark grade; match fit; max maximum highest largest; median middle; message note; method way
    min minimum lowest smallest; model pattern; monotonic steady; move shift; multiply times; name title
    new fresh; next following; node vertex; normal usual; nums numbers; num number; odd uneven
    offset displacement; old former previous; open unlock; option choice; order arrangement; out output
    owner holder; pair couple; parent ancestor; parse interpret; part piece portion; path route
    point dot spot; power exponent; prefix beginning; prev previous; prime primary; print show display
    process handle; product yield; put place; queue line; random arbitrary; range span interval; rank level
    rate ratio; raw crude; real actual; rec record; remainder rest; repeat again; replace substitute
    res result; result outcome; return give; right correct; rotate turn; rule law; sample specimen
    save store keep; scale measure; score points mark; seen visited; sequence series; set collection
    shape form; short brief; side flank; sign mark; simple plain; single sole; solve resolve; sorted ordered
    source origin; space blank; speed pace; square quadrate; stack pile; state status condition; step stage
    str string text; strange odd; strip trim; sub part; subject topic; suffix ending; sum total
    swap exchange; tail back; target goal; task job; temp tmp scratch; term word; text string; time moment
    token piece; top upper; total sum; triples triplets; truncate shorten; unique distinct; unit piece
    update refresh; use employ; user client; val value; value amount; valid proper; view look; wait pause
    weight mass; width breadth; window pane; word term; wrong false; year annum; zero nil
"""
"""Words that can stand for each other in names, all those of a group; this house's own choice."""


def _synonyms() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for group in GROUPS.replace("\n", ";").split(";"):
        words = group.split()
        for word in words:
            known = found.setdefault(word, [])
            known += [other for other in words if other != word and other not in known]
    return found


SYNONYMS = _synonyms()


def candidates(old: str, roll: Roll) -> Iterator[str]:
    """One word of the name as another word; what the table doesn't have stays."""
    return with_other_words(old, lambda word: SYNONYMS.get(word, ()), roll)
