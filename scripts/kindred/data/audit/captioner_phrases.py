"""What captioners write beside, or in place of, a description: refusals, chat, markup, loops.

Knows English phrases of language models, and how they begin in a few other languages. A caption by
a person is looked at likewise, because captions of other tools come as files too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

PICTURE = r"(?:image|photo|photograph|picture|illustration|snapshot|screenshot|depiction)"
TEXT = r"(?:caption|description|prompt|title|tags?|alt text|summary|answer|response|output)s?"


@dataclass(frozen=True)
class PhraseKind:
    """One kind of what does not belong into a caption. find: the words of a text that are of it, as
    far as they need be shown; None where it has none."""

    kind: str
    find: Callable[[str], str | None]


def phrases_in(text: str) -> Iterator[tuple[str, str]]:
    """(kind, the words found) for each of `KINDS` that a caption has."""
    plain = re.sub("[‘’]", "'", text)
    for one in KINDS:
        if found := one.find(plain):
            yield one.kind, found if len(found) <= 60 else f"{found[:57]}..."


def _first(*patterns: str) -> Callable[[str], str | None]:
    """Finds a text from where the first of some patterns matches, in any case of letters."""
    every = re.compile("|".join(f"(?:{one})" for one in patterns), re.IGNORECASE)

    def find(text: str) -> str | None:
        match = every.search(text)
        return text[match.start() :].strip() if match else None

    return find


CAN_NOT = (
    r"(?:can't|cannot|can not|couldn't|could not|won't|will not|am unable to|'m unable to"
    r"|am not able to|'m not able to)"
)
WORK = (
    rf"(?:see (?:\w+ )?{PICTURE}s?|assist|help|describe|identify|provide|view|access|open|process"
    r"|recognize|recognise"
    r"|caption|generate|create|fulfill|comply|comment|determine|analyze|analyse|engage|continue"
    r"|discuss|share|offer|answer|tell who|make|name|confirm)"
)
ELSEWHERE = (
    r"\b(?:es tut mir leid|lo siento|je suis désolée?|désolée?, je|mi dispiace|desculpe)\b",
    "对不起|抱歉|无法|無法|申し訳",
)
REFUSES = _first(
    *ELSEWHERE,
    rf"\bi\s?{CAN_NOT} (?:\w+ )?{WORK}\b",
    r"\b(?:i'm|i am) (?:very |so |really )?(?:sorry|afraid)\b,?\s*(?:but|i\b|as an|this|that|the)",
    r"^\W*(?:i'm|i am) (?:very |so |really )?sorry\b",
    r"^\W*(?:sorry|unfortunately|regrettably)\b,? (?:but )?(?:i|we|(?:the|this|no) image)\b",
    r"\b(?:i|we) (?:sincerely )?apologi[sz]e\b",
    r"\bmy apologies\b",
    r"\bas an? (?:[\w-]+ ){0,2}(?:ai|artificial intelligence|language model)\b",
    r"\bi'?\s?a?m (?:just |only )?an? (?:[\w-]+ ){0,2}(?:ai|language model)\b",
    r"\b(?:i|we) (?:don't|do not) feel comfortable\b",
    r"\bi(?:'m| am) not comfortable\b",
    r"\bi must (?:decline|refuse)\b",
    r"\bthe (?:assistant|model) (?:can't|cannot|is unable to)\b",
    r"\bfailed to (?:describe|process|load|caption|generate)\b",
    r"\bcontent (?:policy|policies|filter|moderation)\b",
    r"\bunable to (?:\w+ )?(?:describe|identify|view|process|access|provide|caption|generate)\b",
    r"\b(?:against|violates?|within) (?:my|our|the) (?:\w+ )?(?:guidelines|policy|policies)\b",
    rf"\b(?:no|any) {PICTURE} (?:was|were|has been|is) (?:provided|attached|uploaded|given)\b",
    rf"\bplease (?:provide|upload|share|attach|send) (?:me )?(?:with )?(?:the|an|another|your) "
    rf"(?:\w+ )?{PICTURE}\b",
)
# What stands in place of a caption where a program had none.
NOTHING = re.compile(
    r"\W*(?:none|null|nan|n/?a|undefined|unknown|untitled|error|todo|tbd|empty|caption"
    r"|no (?:caption|description|text|data)(?: (?:available|found))?|\[object object\]|\d+"
    r"|\S+\.(?:jpe?g|png|webp|heic|gif|tiff?|bmp)|https?://\S+|error\W.*"
    r"|(?:rate limit|timeout|bad request|internal server error|http \d{3}).*)?\W*",
    re.IGNORECASE,
)


def _refuses(text: str) -> str | None:
    return REFUSES(text) or (text.strip() if NOTHING.fullmatch(text) else None)


CHATS = _first(
    r"^\W*(?:certainly|sure(?: thing)?|of course|absolutely|no problem|understood|got it)\s*[!,.:]",
    r"^\W*(?:ok(?:ay)?|great|alright|yes)\s*!",
    r"\bhere(?:'s| is| are) (?:the|a|an|your|my|one|some|\d) (?:[\w-]+ ){0,3}"
    r"(?:caption|description|prompt)s?\b",
    rf"\bhere(?:'s| is| are)(?: [\w-]+){{0,6}} {TEXT}\b[^.:]{{0,80}}:",
    rf"^\W*(?:[\w-]+ ){{0,3}}{TEXT}\W{{0,2}}:",
    r"\b(?:below|following) is (?:the|an?|your|my|one) (?:[\w-]+ ){0,3}"
    r"(?:caption|description|prompt)\b",
    r"\bhere you (?:go|are)\b|(?:^|\()note:",
    r"\b(?:let me know|feel free to|i hope (?:this|that|it)|hope this helps)\b",
    r"\bwould you like (?:me|another|more|a )",
    r"\bif you (?:need|have|want|would like|'d like) (?:\w+ )?(?:any|more|further|another|other)\b",
    r"\bi(?:'d| would| will|'ll) (?:be (?:happy|glad) to|describe|provide|try to|do my best)\b",
    r"\bis there anything else\b",
    r"<\|[^|<>\s]+\|>|\[/?INST\]|<</?SYS>>|</?(?:think|s|image|answer|caption|assistant|user)>",
    r"(?-i:\b(?:USER|ASSISTANT|HUMAN|SYSTEM|User|Assistant|Human|Instruction|Response):\s)",
    r"^(?:q|a):\s",
)
TELLS_OF_PICTURE = _first(
    rf"\b(?:the|this)(?: \w+)? {PICTURE} (?:\w+ly |also |appears to |seems to )?"
    r"(?:show|depict|feature|capture|display|present|portray|showcase|illustrate|contain|include"
    r"|convey|evoke|appear|seem|exude|highlight|focuse)s?\b",
    rf"\b(?:the|this)(?: \w+)? {PICTURE} is (?:an? |the |of |taken |set )",
    r"\bthe scene (?:depict|capture|convey|evoke|exude)s\b",
    rf"^\W*in (?:the|this)(?: \w+)? {PICTURE}\b",
    rf"^\W*(?:this|it) (?:is|(?:appear|seem)s to be) (?:an? |the )?(?:[\w-]+,? ){{0,3}}{PICTURE} "
    r"(?:of|that|showing|depicting|featuring|with)\b",
    rf"\b(?:the )?overall,? (?:the )?(?:{PICTURE}|mood|atmosphere|composition|scene|tone|style"
    r"|impression|effect)\b",
    r"\bwe can (?:also |clearly )?see\b",
    r"\b(?:das (?:bild|foto) zeigt|la imagen muestra|l'image montre|l'immagine mostra)\b",
    "(?:图片|圖片|图像|照片|画像|写真)(?:中|展示|显示|显示了|描绘|は|に)",
    rf"\b(?:mood|atmosphere|tone|composition) of the {PICTURE}\b",
)
TAGS = r"(?:b|i|u|p|br|hr|em|strong|span|div|ul|ol|li|a|h[1-6]|img|table|tr|td|code|pre|font)"
HAS_MARKUP = _first(
    r"\*\*[^*\n]+\*\*",
    r"(?<![\w*])\*\w[^*\n]{0,80}\w\*(?![\w*])",
    r"(?:^|\s)#{1,6} \w+",
    r"```|~~\w",
    r"^\s*(?:[-*•–]|1[.)]) \S[\s\S]*\s(?:[-*•–]|2[.)]) \S",
    r"\[[^\[\]\n]+\]\(\S+\)",
    rf"</?{TAGS}(?:\s[^<>]*)?/?>",
    r"&(?:amp|quot|lt|gt|nbsp|apos|#\d+|#x[0-9a-f]+);",
    r"\\[nr\"']",
    r"^\s*[\[{]\s*\"\w+\"\s*[:,\]]",
)
ENDS = {'"': '"', "“": "”", "„": "“”", "«": "»", "”": "”", "'": "'", "`": "`"}


def _quoted(text: str) -> str | None:
    """Quotes around the whole, or a quote that begins it and never ends."""
    text = text.strip()
    ends = ENDS.get(text[:1], "")
    if len(text) < 3 or not ends:
        return None
    inside = text[1:].rstrip(".").rstrip()
    if inside[-1:] in ends and not any(sign in inside[:-1] for sign in ends if sign != "'"):
        return f"{text[:30]}..." if len(text) > 33 else text
    return f"{text[:30]}..." if text[0] in '"“„' and not any(e in inside for e in ends) else None


# Words of a phrase -> words that must equal those so many places before. More for short ones, which
# plain English repeats too: "side by side by side", "a man and a man and a man".
REPEATED = {1: 3, 2: 5, 3: 6, 4: 7}
TWICE = 8  # words; a phrase as long need be there only twice
LONGEST = 24  # words of a phrase that is looked for


def _loops(text: str) -> str | None:
    """The words that are said again and again: one after the other, as sentences, or in a list."""
    words = re.findall(r"[\w'-]+", text.casefold())
    for size in range(1, min(LONGEST, len(words) // 2) + 1):
        run = 0
        for place in range(size, len(words)):
            run = run + 1 if words[place] == words[place - size] else 0
            if run >= REPEATED.get(size, max(size, TWICE)):
                return " ".join(words[place - size + 1 : place + 1])
    sentences = [" ".join(re.findall(r"[\w'-]+", one)) for one in re.split(r"[.!?\n]+", text)]
    items = [" ".join(one.split()) for one in text.casefold().split(",")]
    return _often([one.casefold() for one in sentences], 2, 3) or _often(items, 4, 1)


def _often(parts: list[str], least: int, words: int) -> str | None:
    """The first of the parts, of at least so many words, that is there `least` times."""
    long = [part for part in parts if len(part.split()) >= words]
    return next((part for part in long if long.count(part) >= least), None)


def _unfinished(text: str) -> str | None:
    """The end of a text that stops inside a phrase, as at a captioner's most tokens."""
    words = text.split()
    if len(words) < 4:
        return None
    hanging = re.fullmatch(r"(?:a|an|the|and|or|his|their|its|very|while)[,;]?", words[-1])
    return " ".join(words[-4:]) if hanging else None


KINDS = (
    PhraseKind("refusal", _refuses),
    PhraseKind("chat", CHATS),
    PhraseKind("loop", _loops),
    PhraseKind("unfinished", _unfinished),
    PhraseKind("markup", HAS_MARKUP),
    PhraseKind("quoted", _quoted),
    PhraseKind("of-the-picture", TELLS_OF_PICTURE),
)
