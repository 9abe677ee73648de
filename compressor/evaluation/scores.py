"""Summary scores from their libraries: ROUGE (rouge-score) and BERTScore (bert-score)."""

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from compressor.evaluation.extra import load
from compressor.words import is_mark, is_unspaced, split_words

_ROUGE = ("rouge1", "rouge2", "rougeL")
# A tokenizer whose configuration names no longest text says 1e30, more than its library can take.
_ANY_LENGTH = 1 << 31
_USUAL_TOKENS = 512
_POSITIONS_BEFORE = 2  # RoBERTa counts its positions from 2 on, and has as many more


# Predictions, and for each its gold texts -> every prediction's F1 against the best of them.
BertScorer = Callable[[Sequence[str], Sequence[Sequence[str]]], list[float]]


class ScorerUnavailable(Exception):
    """The model of a score cannot be loaded; the message names it and says why."""


class _Words:
    """Tersely's words in lower case, for texts without spaces between words."""

    def tokenize(self, text: str) -> list[str]:
        return [text[w.start : w.end].lower() for w in split_words(text) if not is_mark(text, w)]


def require_rouge() -> None:
    """Raise MissingExtra where ROUGE's library is not installed."""
    _scorers()


def _scorers() -> ModuleType:
    return load("rouge_score.rouge_scorer", "ROUGE")


def rouge(prediction: str, golds: Sequence[str]) -> Mapping[str, float]:
    """Return the F1 of ROUGE-1, -2 and -L against the best of the gold texts, 0 to 1.

    Without stemming and with the library's own words, as in LLMLingua-2's evaluation; Chinese,
    Japanese and Thai are cut by Tersely's segmenter instead, since the library knows a-z only.
    Raises MissingExtra.
    """
    scorer = _scorers().RougeScorer
    unspaced = any(is_unspaced(char) for gold in golds for char in gold)
    scores = scorer(list(_ROUGE), use_stemmer=False, tokenizer=_Words() if unspaced else None)
    found = [scores.score(gold, prediction) for gold in golds]
    return {name: max((float(f[name].fmeasure) for f in found), default=0.0) for name in _ROUGE}


def rouge_mean(scores: Mapping[str, float]) -> float:
    """Return the geometric mean of ROUGE-1, -2 and -L (ZeroSCROLLS)."""
    product = 1.0
    for name in _ROUGE:
        product *= scores[name]
    return float(product ** (1 / len(_ROUGE)))


def bert_scorer(model: str, layers: int | None = None) -> BertScorer:
    """Return BERTScore's F1 (Zhang et al., 2020), unscaled, as in LLMLingua-2's evaluation.

    `model` is a hub name, downloaded at first use (the library's own for English is roberta-large),
    or a folder; a folder needs the number of `layers` to use.
    Raises MissingExtra and ScorerUnavailable.
    """
    library = load("bert_score", "BERTScore (with the torch extra)")
    if layers is None and model not in library.utils.model2layers:
        raise ScorerUnavailable(f"BERTScore knows no best layer of '{model}': say how many to use")
    try:
        scorer = library.BERTScorer(model_type=model, num_layers=layers)
    except (AssertionError, OSError, ValueError) as error:
        raise ScorerUnavailable(f"cannot load '{model}' for BERTScore: {error}") from error
    _limit_length(scorer)

    def f1(predictions: Sequence[str], golds: Sequence[Sequence[str]]) -> list[float]:
        said = [index for index, prediction in enumerate(predictions) if prediction.strip()]
        scores = [0.0] * len(predictions)  # an empty text's, which the library cannot encode
        if said:
            found = scorer.score([predictions[i] for i in said], [list(golds[i]) for i in said])
            for index, value in zip(said, found[2].tolist(), strict=True):
                scores[index] = float(value)
        return scores

    return f1


def _limit_length(scorer: Any) -> None:  # noqa: ANN401 - of an optional library
    """Cut texts at the model's last position where its tokenizer does not say how long they may be.

    deberta-xlarge-mnli, the library's best model, is one of these (Tiiiger/bert_score#205).
    """
    tokenizer = scorer._tokenizer
    if tokenizer.model_max_length < _ANY_LENGTH:
        return
    positions = getattr(scorer._model.config, "max_position_embeddings", 0)
    room = positions - _POSITIONS_BEFORE
    tokenizer.model_max_length = room if room > 0 else _USUAL_TOKENS
