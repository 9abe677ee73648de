"""One text on a page: every word, kept or dropped, and why. Loads nothing from outside."""

from collections import Counter
from html import escape
from string import Template

from compressor.types import CompressionResult, ExplainedWord

_PAGE = Template("""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What was kept</title>
<style>
:root { color-scheme: light dark; --ink: #1c2024; --paper: #fdfdfc; --faint: #8b8d98;
  --line: #e0e1e6; --prompt: #d8eeff; --fact: #dcf5e3; --block: #efe6fb; --other: #fff1c9; }
@media (prefers-color-scheme: dark) { :root { --ink: #e9eaee; --paper: #16181a; --faint: #7d828b;
  --line: #33373d; --prompt: #14334a; --fact: #17391f; --block: #33254a; --other: #463a12; } }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 16px/1.6 system-ui, sans-serif; }
main { max-width: 46rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
dl { display: flex; flex-wrap: wrap; gap: 1rem 2rem; margin: 0 0 1rem; }
dt { color: var(--faint); font-size: .8rem; } dd { margin: 0; font-size: 1.2rem; }
.legend { display: flex; flex-wrap: wrap; gap: .4rem .6rem; padding: 0 0 1rem; margin: 0 0 1rem;
  border-bottom: 1px solid var(--line); font-size: .85rem; list-style: none; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: plaintext; font: inherit;
  margin: 0; }
s { color: var(--faint); text-decoration-thickness: 1px; }
.prompt { background: var(--prompt); } .fact { background: var(--fact); }
.block { background: var(--block); } .other { background: var(--other); }
.legend span, pre span { border-radius: 3px; padding: .05em 0; } .legend span { padding: 0 .3em; }
p.note { color: var(--faint); font-size: .85rem; }
</style>
<main>
<dl>$figures</dl>
<ul class="legend">$legend</ul>
<pre>$text</pre>
<p class="note">Point at a word to see its keep probability and the reason. $verified</p>
</main>
</html>
""")
_GROUPS = {
    "instruction": "prompt",
    "question": "prompt",
    "code": "block",
    "json": "block",
    "table": "block",
    "forced": "other",
}


def page(text: str, result: CompressionResult) -> str:
    """Return the page, as HTML, of a result that was made with `explain`."""
    figures = {
        "tokens before": f"{result.tokens_before:,}",
        "tokens after": f"{result.tokens_after:,}",
        "kept": f"{result.rate:.1%}",
        "words kept": f"{sum(w.kept for w in result.words):,} of {len(result.words):,}",
    }
    if result.unchanged:
        figures["unchanged"] = result.unchanged
    if result.budget_unmet:
        figures["budget"] = "not met: what is protected takes more"
    return _PAGE.substitute(
        figures="".join(f"<div><dt>{k}</dt><dd>{escape(v)}</dd></div>" for k, v in figures.items()),
        legend=_legend(result),
        text="".join(_marked(text, result.words)),
        verified=escape(_verified(result)),
    )


def _marked(text: str, words: tuple[ExplainedWord, ...]) -> list[str]:
    pieces, at = [], 0
    for word in words:
        pieces += [escape(text[at : word.start]), _word(text, word)]
        at = word.end
    return [*pieces, escape(text[at:])]


def _word(text: str, word: ExplainedWord) -> str:
    chance = "" if word.probability is None else f"keep probability {word.probability:.2f}, "
    title = escape(f"{chance}{'kept' if word.kept else 'dropped'}: {word.why}", quote=True)
    shown = escape(word.of(text))
    if not word.kept:
        return f'<s title="{title}">{shown}</s>'
    group = _group(word)
    style = f' class="{group}"' if group else ""
    return f'<span{style} title="{title}">{shown}</span>'


def _group(word: ExplainedWord) -> str:
    """Return the colour of a protected word; "" for one that stayed on its own merits."""
    how, _, kind = word.why.partition(":")
    if how not in ("protected", "restored"):
        return "prompt" if word.why == "question" else ""
    return _GROUPS.get(kind, "fact")


def _legend(result: CompressionResult) -> str:
    kinds = Counter(word.why for word in result.words if word.kept and _group(word))
    first = {word.why: _group(word) for word in result.words if word.kept}
    marked = [
        f'<li><span class="{first[why]}">{escape(why.replace(":", ": "))}</span> {count}</li>'
        for why, count in kinds.most_common()
    ]
    dropped = sum(not word.kept for word in result.words)
    return "".join([*marked, f"<li><s>dropped</s> {dropped}</li>"])


def _verified(result: CompressionResult) -> str:
    counted = [
        f"{kind}: {count.whole} of {count.called_for}" for kind, count in result.verified.items()
    ]
    return "Protected and counted again: " + "; ".join(counted) + "." if counted else ""
