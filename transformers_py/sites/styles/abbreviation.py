"""Words cut short or spelt out: index -> idx, get_msg -> get_message, count -> cnt."""

from collections.abc import Iterator

from transformers_py.sites.name_parts import Roll, parts, with_other_words

PAIRS = """
    accumulator:acc address:addr amount:amt answer:ans append:app argument:arg arguments:args array:arr
    attribute:attr authentication:auth average:avg background:bg begin:beg binary:bin boolean:bool
    buffer:buf button:btn calculate:calc callback:cb category:cat character:char characters:chars
    check:chk child:ch class:cls coefficient:coef color:clr column:col columns:cols command:cmd common:com
    compare:cmp complete:compl concatenate:concat condition:cond config:cfg connection:conn context:ctx
    control:ctrl coordinate:coord copy:cp count:cnt counter:ctr current:cur database:db date:dt decimal:dec
    default:dflt delete:del delta:dlt dependency:dep description:desc destination:dst development:dev
    dictionary:dict difference:diff dimension:dim direction:dir directory:dir distance:dist divide:div
    document:doc element:elem elements:elems encode:enc environment:env error:err even:ev event:evt
    example:ex exception:exc execute:exec expected:exp expression:expr extension:ext factor:fac feature:feat
    field:fld figure:fig file:f find:fnd flag:flg format:fmt frequency:freq function:func generate:gen
    generator:gen group:grp hash:h height:ht identifier:ident image:img index:idx information:info
    initial:init initialize:init input:inp insert:ins instance:inst integer:int interval:intvl item:itm
    iterator:it key:k label:lbl language:lang largest:lgst last:lst left:l length:len level:lvl library:lib
    line:ln list:lst location:loc lower:lo manager:mgr matrix:mat maximum:max mean:avg median:med
    memory:mem message:msg middle:mid minimum:min module:mod multiply:mul name:nm negative:neg next:nxt
    node:nd number:num numbers:nums object:obj operation:op operator:op option:opt options:opts order:ord
    original:orig output:out package:pkg page:pg pair:pr parameter:param parameters:params parent:par
    password:pwd path:pth pattern:pat pixel:px point:pt pointer:ptr position:pos positive:pos prefix:pre
    previous:prev price:prc prime:prm print:prt probability:prob process:proc product:prod property:prop
    quantity:qty query:q random:rand range:rng rectangle:rect reference:ref register:reg remainder:rem
    remove:rm replace:repl request:req response:resp result:res results:ress return:ret reverse:rev
    right:r rotate:rot sample:smp score:scr second:sec section:sect select:sel separator:sep sequence:seq
    service:svc similar:sim size:sz smallest:smst sort:srt source:src space:sp specification:spec
    square:sq standard:std start:st state:st statistics:stats status:stat string:s strings:strs
    subtract:sub sum:sm suffix:suf synchronize:sync system:sys table:tbl target:tgt temperature:temp
    temporary:tmp text:txt threshold:thr time:t timestamp:ts total:tot transaction:txn translate:trans
    tuple:tup tuples:tups unique:uniq upper:up utility:util value:val values:vals variable:var vector:vec
    version:ver volume:vol weight:wt width:wd window:win word:wrd words:wrds zero:z
"""
"""Whole words and how programmers cut them; this house's own list."""
_ALONE = {
    "a": "array",
    "c": "char",
    "d": "dictionary",
    "f": "file",
    "i": "index",
    "k": "key",
    "l": "items",
    "m": "matrix",
    "n": "number",
    "p": "point",
    "q": "query",
    "r": "result",
    "s": "string",
    "t": "time",
    "v": "value",
    "w": "word",
    "x": "value",
}
"""What a name of one letter may stand for."""


def _both_ways() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pair in PAIRS.split():
        word, short = pair.split(":")
        found.setdefault(word, []).append(short)
        if len(short) > 1:
            found.setdefault(short, []).append(word)
    return found


FORMS = _both_ways()


def candidates(old: str, roll: Roll) -> Iterator[str]:
    """One word of the name shortened or spelt out; a name of one letter is spelt out."""
    yield from with_other_words(old, lambda word: FORMS.get(word, ()), roll)
    letters = [part for part in parts(old) if part[0].isalpha()]
    if len(letters) == 1:
        yield from with_other_words(old, lambda word: [_ALONE[word]] if word in _ALONE else [], roll)
