"""One line of code where nothing around it is code: a signature, an assignment, an import."""

import re

_LONGEST = 300  # characters
_SIGN = r"(?:[-+*/|&^]=|[=!<>]=|:=|=>|->|::|\+\+|&&|\|\|)"
# A call, tight, with nothing between its brackets or with what words of prose have not: party(ies).
_CALL = r"\w\((?:\)|[^()\n]{0,200}[,=*&\"'\[_.<>(])"
_VARIABLES = r"[A-Za-z_][\w.\[\]]{0,60}(?:, ?[A-Za-z_][\w.\[\]]{0,60}){0,6}"
_LINE = re.compile(
    r"[ \t]{0,40}(?:(?:async )?def \w{1,80}\(.{0,200}\).{0,80}:(?: ?\.\.\.)?|"
    r"class [A-Z]\w{0,80}(?:\([\w., =\[\]]{0,120}\))?:|"
    r"from [\w.]{1,80} import [\w*]{1,80}(?:, ?\w{1,80}){0,12}|import [\w.]{1,80} as \w{1,40}|"
    r"#include ?[<\"][\w./+-]{1,80}[>\"]|"
    r"return [\w.]{1,80}\(.{0,200}\)|"
    r"(?:export )?(?:const|let|var|val|auto|final) [^=\n]{1,80}[^=\n ] = \S.{0,200}[\w)\]};]|"
    rf"{_VARIABLES} (?:[-+*/|]|:)?= [\w.]{{1,80}}\(.{{0,200}}\)(?:\[[^\]\n]{{1,40}}\])?;?|"
    rf".{{0,200}}(?:{_SIGN}|{_CALL}).{{0,200}}[;}}]|"
    r".{0,200}[(=].{0,200}(?:\{|\{.{1,200};\s?\}))[ \t\r]*$"
)
_ENDS = tuple(";{}:)]")
_BEGINS = re.compile(
    r"[ \t]{0,40}(?:from|import|export|#include|const|let|var|val|auto|final|async) ?\S"
)


def is_code_line(line: str) -> bool:
    """Whether a line, whatever stands around it, can be nothing but code."""
    if len(line) > _LONGEST:
        return False
    likely = line.rstrip().endswith(_ENDS) or line.endswith("...") or _BEGINS.match(line)
    return bool(likely) and _LINE.match(line) is not None
