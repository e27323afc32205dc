"""What other tools read in prompts and captions as more than words: weights, options, wildcards,
placeholders, files to load. Here all of it is read as words.

Knows the writing of kohya's tools, AUTOMATIC1111, ComfyUI, InvokeAI, Midjourney, ai-toolkit and
DreamBooth. Remarks in parentheses or brackets, as people write them, are no such thing, and `{J}`
in a prompt is ours.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice

NUMBER = r"[-+]?(?:\d+(?:\.\d+)?|\.\d+)"
WEIGHT = r"[-+]?(?:[0-2](?:\.\d+)?|\.\d+)"  # 0 to 2.99: "(at 10:30)" is a time
DECIMAL = r"[-+]?[0-2]?\.\d+"
HTML = "b|i|u|p|s|br|hr|em|strong|span|div|ul|ol|li|code|pre|think|image"  # markup, and no tokens
# Words that make what stands in brackets a remark: "Ada [left]", "Ben [in red]", "Cy [aged 7]".
REMARKS = frozenset(
    """
    left right middle centre center top bottom back front foreground background above below behind
    upper lower far near sic unclear unknown illegible blurred hidden in on at to of by with from
    and or not is was aged age her his their my our the
    """.split()  # noqa: SIM905
)
MOST_WORDS = 3  # in brackets that give weight
FEWEST = 3  # items of a list
MOST = 100  # pieces of one kind that are told of a text
Span = tuple[int, int]
Finder = Callable[[str, bool], Iterator[Span]]  # (text, whether it is a prompt) -> where it stands


@dataclass(frozen=True)
class SyntaxKind:
    """One way of writing that means something elsewhere. what: in words, with whose it is; cure: in
    a prompt. certain: no plain English looks so. Prompts are looked at more strictly than captions,
    in which people remark in brackets."""

    kind: str
    what: str
    cure: str
    certain: bool
    find: Finder


@dataclass(frozen=True)
class ForeignSyntax:
    """What was found in a text, of one kind: all of it, in the order written."""

    kind: SyntaxKind
    written: tuple[str, ...]


def foreign_syntax(
    text: str, names: Collection[str] = (), *, in_prompt: bool
) -> list[ForeignSyntax]:
    """What a text holds of other tools' writing, a kind once. names: words that are our own
    characters'. In a prompt `{...}` without a choice is left to who fills in placeholders."""
    taken: list[Span] = []
    own = {name.casefold() for name in names}
    result = []
    for kind in KINDS:
        found = []
        for start, end in islice(kind.find(text, in_prompt), MOST):
            apart = all(end <= other[0] or start >= other[1] for other in taken)
            if apart and text[start:end].casefold() not in own:
                taken.append((start, end))
                found.append(" ".join(text[start:end].split()))
        if found:
            result.append(ForeignSyntax(kind, tuple(dict.fromkeys(found))))
    return result


def _matches(*patterns: str, flags: re.RegexFlag = re.NOFLAG) -> Finder:
    """Finds what any of some patterns matches."""
    every = re.compile("|".join(f"(?:{one})" for one in patterns), flags)

    def find(text: str, in_prompt: bool) -> Iterator[Span]:
        return (match.span() for match in every.finditer(text))

    return find


def _any_of(*finders: Finder) -> Finder:
    """Finds what any of some finders finds."""

    def find(text: str, in_prompt: bool) -> Iterator[Span]:
        return (span for one in finders for span in one(text, in_prompt))

    return find


def _braces(text: str, in_prompt: bool) -> Iterator[Span]:
    """Words in braces, in captions alone: nothing fills them in there."""
    found = re.finditer(r"(?<!\{)\{+[^{}|]*\}+", text)
    return (match.span() for match in found if not in_prompt)


def _emphasis(text: str, in_prompt: bool) -> Iterator[Span]:
    """Words in brackets that are no remark: in a prompt all, in a caption what is an item of its
    own in a list or stands behind an article. And parentheses around whole items, if several."""
    items = list(re.finditer(r"[^,]+", text))
    whole = [text[slice(*_trimmed(item))] for item in items]
    for match in re.finditer(r"\[([^\[\]\n]{1,80})\]", text):
        listed = len(items) >= FEWEST and match.group() in whole
        behind_article = re.search(r"\b(?:a|an|the) $", text[: match.start()], re.IGNORECASE)
        if not _is_remark(match[1]) and (in_prompt or listed or behind_article):
            yield match.span()
    around = [item for item in items if re.fullmatch(r"\([^()]+\)", text[slice(*_trimmed(item))])]
    if len(around) >= 2:
        yield from map(_trimmed, around)


def _is_remark(inside: str) -> bool:
    words = re.findall(r"\w+", inside.casefold())
    told = ": " in inside or any(word[0].isdigit() for word in words)
    return told or len(words) > MOST_WORDS or not REMARKS.isdisjoint(words)


def _trimmed(item: re.Match[str]) -> Span:
    """Where an item of a list stands, without space around it and the point at the end."""
    said = item.group()
    start = item.start() + len(said) - len(said.lstrip())
    return start, start + len(said.strip().removesuffix("."))


OPTIONS = (
    "n|w|h|d|s|l|g|b|fs|ow|oh|ct|cm|seed|steps|scale|cfg|width|height|neg|negative|no|ar|v|q|niji"
    "|negative[-_]prompt|guidance[-_]scale|sampler|lora|stylize|chaos|tile|iw|sref|cref|cw|sw|hd"
    "|uplight|ctrl[-_]img|network[-_]multiplier"
)
# Those that are words in English too, as behind a dash: "Ada --of the two".
WITH_NUMBER = "i|t|m|am|of|size|aspect|style|quality|stop|weird|video"
KINDS = (
    SyntaxKind(
        "options",
        "options of other tools",
        "set size and seeds with `size` and `seeds`, and `steps`, `guidance_scale` and "
        "`negative` in the prompt set",
        True,
        _matches(
            rf"(?<!\S)--(?:{OPTIONS})(?![\w-])(?:[ =](?!--)\S+)?",
            rf"(?<!\S)--(?:{WITH_NUMBER})[ =]{NUMBER}\b",
            rf"(?<!\S)[—–](?:{OPTIONS})[ =]{NUMBER}\b",
            r"(?<!\S)--[a-z][\w-]*=\S+",
            r"\bNegative prompt:.*",
            r"\bSteps: \d+,? (?:Sampler|CFG|Seed|Size).*",
            flags=re.IGNORECASE | re.DOTALL,
        ),
    ),
    SyntaxKind(
        "files",
        "instructions to load files, as in AUTOMATIC1111 and ComfyUI",
        "to load a LoRA, write a variant with `adapter` and `weight`; embeddings can't be loaded",
        True,
        _matches(
            r"<(?:lora|lyco|lycoris|loha|hypernet|hypernetwork|embed|embedding|ti|wlora)\s*:[^<>]*>",
            r"<\w+:[^<>]+>",
            r"\b(?:embedding|lora):\w[\w./\\:-]*",
            flags=re.IGNORECASE,
        ),
    ),
    SyntaxKind(
        "placeholders",
        "placeholders of other tools",
        "write `{J}` for the name of character J, `{J.class}` for the class noun",
        True,
        _any_of(
            _braces,
            _matches(
                r"\[(?:trigger(?:[-_ ]?word)?|name|names|filewords|filename|v|v\*|token|instance"
                r"|instance[-_]token|identifier|subject|subject[-_]name|class|class[-_]name|character"
                r"|concept|person|caption|prompt|placeholder)\]",
                r"<(?:trigger(?:[-_ ]?word)?|name|v\*?|s\*|token|subject|concept|placeholder|s\d)>",
                r"%[a-z]\w*%|\$(?:\{\w+\}|(?:trigger|name|token|caption|prompt)\b)",
                flags=re.IGNORECASE,
            ),
        ),
    ),
    SyntaxKind(
        "weights",
        "weights of words, as in AUTOMATIC1111 and ComfyUI",
        "all words count alike, so write what matters first or use stronger words",
        True,
        _matches(
            rf"\((?:[^()]|\([^()]*\))+?(?<![\d\s:(])\s?:(?:{WEIGHT}|\s{DECIMAL})\s?\)",
            r"(?<!\()\({2,}[^()]+\){2,}",
            rf"\([^()]+\){WEIGHT}(?!\w)",
            rf"\[[^\[\]|]*[^\d\s:\[]:{NUMBER}\]",
            r"(?<!\[)\[{2,}[^\[\]]+\]{2,}",
            rf"(?<![\w.:]){WEIGHT}::\w[^:]*::",
            rf"\w::{NUMBER}",
            r"\.(?:swap|blend|and)\([^()]*\)",
        ),
    ),
    SyntaxKind(
        "choices",
        "choices and wildcards of other tools",
        "write one prompt for each choice",
        True,
        _matches(
            r"\{[^{}]*\|[^{}]*\}",
            r"\[[^\[\]]*\|[^\[\]]*\]",
            r"(?<!\w)__[\w*./-]*[^\W_][\w*./-]*__(?!\w)",
        ),
    ),
    SyntaxKind(
        "separators",
        "separators of other tools",
        "write one text without separators",
        False,
        _matches(
            r"(?<![A-Z] )\bBREAK\b(?! [A-Z]{2})", r"\bADD(?:COL|ROW|COMM|BASE)\b", r"\w::(?=\s|$)"
        ),
    ),
    SyntaxKind(
        "emphasis",
        "brackets or signs that make words stronger or weaker in other tools",
        "remove the signs, unless they belong to the text",
        False,
        _any_of(
            _matches(r"\)(?:\++|-{2,})(?=[\s,.]|$)", r"\b\w{2,}\+{2,}(?=[\s,.]|$)", r"\\[()\[\]]"),
            _emphasis,
        ),
    ),
    SyntaxKind(
        "tokens",
        "trigger words of other trainings",
        "write `{J}` for the name of character J, or keep the word for an adapter that was "
        "trained with it",
        False,
        _matches(
            r"(?<![\w-])(?:(?i:sks|ohwx|zwx)|TOK)(?![\w-])",
            rf"<(?!(?:{HTML})>)[\w-]+>",
            r"(?<![\w*])[SV]\*(?!\w)",
        ),
    ),
)
