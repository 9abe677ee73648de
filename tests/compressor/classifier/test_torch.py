"""Tiny random checkpoints of LLMLingua-2's two families, in folders whose names say nothing."""

import json
from pathlib import Path

import numpy as np
import pytest
from tokenizers import (
    BertWordPieceTokenizer,
    Tokenizer,
    models,
    pre_tokenizers,
    trainers,
)

from compressor.classifier.base import Classifier, ClassifierUnavailable
from compressor.classifier.registry import load_classifier

torch = pytest.importorskip("torch", reason="needs the torch extra: make test-all")
transformers = pytest.importorskip("transformers", reason="needs the torch extra: make test-all")
pytestmark = pytest.mark.torch

CORPUS = [
    "The committee did not approve the budget of 4,250 euros.",
    "It will meet again on 14 March, said the chair.",
    "naïve café 東京 <s> [CLS] </s> [SEP] <pad> [PAD]",
] * 4
SPECIAL = {
    "xlm-roberta": ["<s>", "<pad>", "</s>", "<unk>", "<mask>"],
    "bert": ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"],
}


def wordpiece(folder: Path) -> int:
    tokenizer = BertWordPieceTokenizer(lowercase=False, strip_accents=False)
    tokenizer.train_from_iterator(
        CORPUS, vocab_size=300, special_tokens=SPECIAL["bert"], show_progress=False
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {
        "tokenizer_class": "BertTokenizerFast",
        "do_lower_case": False,
        **{"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"},
        **{"sep_token": "[SEP]", "mask_token": "[MASK]"},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    return tokenizer.get_vocab_size()


def unigram(folder: Path) -> int:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=200,
        special_tokens=SPECIAL["xlm-roberta"],
        unk_token="<unk>",
        show_progress=False,
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    names = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        **{"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>"},
        **{"pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"},
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(names))
    return tokenizer.get_vocab_size()


@pytest.fixture(scope="module", params=sorted(SPECIAL))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def checkpoint(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = tmp_path_factory.mktemp("renamed")
    vocabulary = wordpiece(folder) if family == "bert" else unigram(folder)
    torch.manual_seed(0)
    config = transformers.AutoConfig.for_model(
        family,
        vocab_size=vocabulary,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=48,
        max_position_embeddings=520,
        pad_token_id=SPECIAL[family].index("<pad>" if family != "bert" else "[PAD]"),
        num_labels=2,
    )
    transformers.AutoModelForTokenClassification.from_config(config).save_pretrained(folder)
    return folder


def load(folder: Path) -> Classifier:
    return load_classifier(str(folder))


def test_probabilities_are_those_of_the_model_with_its_own_special_tokens(
    family: str, checkpoint: Path
) -> None:
    classifier = load(checkpoint)
    encoded = classifier.encode(CORPUS[0])
    [window] = classifier.windows(encoded)
    ours = classifier.keep_probabilities(encoded, window)

    names = SPECIAL[family]
    start, end = ("[CLS]", "[SEP]") if family == "bert" else ("<s>", "</s>")
    ids = [names.index(start), *encoded.ids.tolist(), names.index(end)]
    model = transformers.AutoModelForTokenClassification.from_pretrained(checkpoint).eval()
    with torch.inference_mode():
        theirs = model(input_ids=torch.tensor([ids])).logits[0, 1:-1].softmax(-1)[:, 1]
    assert ours == pytest.approx(theirs.numpy(), abs=1e-6)


def test_the_text_of_special_tokens_is_plain_text(family: str, checkpoint: Path) -> None:
    text = f"before {SPECIAL[family][0]} {SPECIAL[family][2]} after"
    encoded = load(checkpoint).encode(text)
    control = {i for i, name in enumerate(SPECIAL[family]) if "unk" not in name.lower()}
    assert not set(encoded.ids.tolist()) & control


def test_offsets_are_characters_of_the_text(checkpoint: Path) -> None:
    encoded = load(checkpoint).encode("The café did not")
    assert encoded.offsets[-1, 1] == len("The café did not")
    assert (np.diff(encoded.offsets[:, 0]) >= 0).all()


def test_a_long_text_takes_several_windows(checkpoint: Path) -> None:
    classifier = load(checkpoint)
    encoded = classifier.encode(" ".join(CORPUS * 20))
    windows = classifier.windows(encoded)
    outputs = [classifier.keep_probabilities(encoded, w) for w in windows]
    assert len(windows) > 1
    assert sum(map(len, outputs)) == len(encoded.ids)


def test_the_revision_follows_the_weights(checkpoint: Path, tmp_path: Path) -> None:
    model = transformers.AutoModelForTokenClassification.from_pretrained(checkpoint)
    with torch.no_grad():
        model.classifier.bias[0] += 1
    model.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(checkpoint).save_pretrained(tmp_path)
    assert load(tmp_path).revision != load(checkpoint).revision == load(checkpoint).revision


def test_a_checkpoint_of_another_task_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    model = transformers.AutoModelForTokenClassification.from_pretrained(
        checkpoint, num_labels=5, ignore_mismatched_sizes=True
    )
    model.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(checkpoint).save_pretrained(tmp_path)
    with pytest.raises(ClassifierUnavailable, match="5 labels"):
        load(tmp_path)


def test_a_folder_without_weights_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ClassifierUnavailable, match="cannot load"):
        load(tmp_path)
