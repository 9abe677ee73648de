"""Tiny random checkpoints of LLMLingua-2's two families, made on the spot. Need torch."""

import json
import re
import unicodedata
from pathlib import Path

from tokenizers import (
    AddedToken,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
)

FAMILIES = ("bert", "xlm-roberta")
CORPUS = [
    "The committee did not approve the budget of 4,250 euros.",
    "It will meet again on 14 March, said the chair.",
    "naïve café 東京 <s> [CLS] </s> [SEP] <pad> [PAD]",
    "See https://example.com/a?b=c: 3.14 (or x² + y²), don't you?",
    "Members of the public asked about repairs near an old bridge, others about lower taxes!",
] * 4
SPECIAL = {
    "xlm-roberta": ["<s>", "<pad>", "</s>", "<unk>"],  # and <mask> at the end
    "bert": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
}
_NAMES = {
    "xlm-roberta": {
        "tokenizer_class": "XLMRobertaTokenizer",
        **{"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"},
        **{"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"},
    },
    "bert": {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": False,
        "strip_accents": False,
        **{"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"},
        **{"sep_token": "[SEP]", "mask_token": "[MASK]"},
    },
}


def write_checkpoint(
    family: str, folder: Path, *, seed: int = 0, spread: float = 0.02, width: int = 32
) -> Path:
    """Write config, weights and tokenizer; `spread` is the standard deviation of the weights."""
    # Here, as the module is imported where there is no torch too.
    import torch  # noqa: PLC0415
    import transformers  # noqa: PLC0415

    tokenizer = _wordpiece() if family == "bert" else _unigram()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps(_NAMES[family]))
    torch.manual_seed(seed)
    config = transformers.AutoConfig.for_model(
        family,
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=width,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=width * 3 // 2,
        max_position_embeddings=520,
        pad_token_id=SPECIAL[family].index("[PAD]" if family == "bert" else "<pad>"),
        num_labels=2,
        initializer_range=spread,
    )
    transformers.AutoModelForTokenClassification.from_config(config).save_pretrained(folder)
    return folder


def write_vocabulary_only(family: str, tokenizer: Path, folder: Path) -> None:
    """Write a tokenizer.json's vocabulary as the file that slow tokenizers read.

    XLM-R's needs sentencepiece. Its own order there is <unk> <s> </s>, without <pad> and <mask>.
    """
    vocabulary = json.loads(tokenizer.read_text("utf-8"))["model"]["vocab"]
    if family == "bert":
        lines = sorted(vocabulary, key=vocabulary.get)
        (folder / "vocab.txt").write_text("\n".join(lines) + "\n", "utf-8")
        return
    from sentencepiece import sentencepiece_model_pb2 as pieces  # noqa: PLC0415

    model = pieces.ModelProto()
    special = {*SPECIAL[family], "<mask>"}
    own = [(piece, score, 1) for piece, score in vocabulary if piece not in special]
    for piece, score, kind in [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3), *own]:
        model.pieces.add(piece=piece, score=score, type=kind)
    model.trainer_spec.model_type = 1
    model.trainer_spec.unk_id = 0
    model.normalizer_spec.add_dummy_prefix = True
    (folder / "sentencepiece.bpe.model").write_bytes(model.SerializeToString())


def _words() -> list[str]:
    return sorted(set(re.findall(r"[^\W\d_]+", " ".join(CORPUS))))


def _characters() -> list[str]:
    return sorted({c for text in CORPUS for c in unicodedata.normalize("NFKC", text) if c > " "})


def _wordpiece() -> Tokenizer:
    """Return BERT's cased pipeline over every other word of the corpus, its parts and characters.

    Written out, as a trainer would not choose the same vocabulary every time.
    """
    words = _words()
    whole = [*_characters(), *words[::2]]
    parts = [f"##{part}" for part in [*_characters(), *(w[len(w) // 2 :] for w in words[1::2])]]
    vocabulary = dict.fromkeys([*SPECIAL["bert"], *whole, *parts])
    tokenizer = Tokenizer(
        models.WordPiece({t: i for i, t in enumerate(vocabulary)}, unk_token="[UNK]")
    )
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=False, strip_accents=False)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in SPECIAL["bert"]])
    return tokenizer


def _unigram() -> Tokenizer:
    """Return XLM-R's pipeline (NFKC, white space, metaspace, unigram) over the same."""
    words = _words()
    scored = [(f"▁{word}", -4.0) for word in words[::2]]
    scored += [(part, -5.0) for part in dict.fromkeys(w[len(w) // 2 :] for w in words[1::2])]
    scored += [(c, -8.0) for c in [*_characters(), "▁"]]
    named = {piece: score for piece, score in scored}
    special = [*SPECIAL["xlm-roberta"], "<mask>"]
    vocabulary = [*((t, 0.0) for t in special[:-1]), *named.items(), ("<mask>", 0.0)]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace()]
    )
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([AddedToken(t, special=True) for t in special])
    return tokenizer
