"""Tiny random checkpoints of LLMLingua-2's two families, in folders whose names say nothing."""

import json
import random
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from compressor.classifier.base import (
    BatchClassifier,
    Classifier,
    ClassifierUnavailable,
    Encoded,
    batches_by_length,
)
from compressor.classifier.registry import load_classifier
from compressor.engine import Compressor
from compressor.tokens import Tokenizers
from compressor.types import Settings
from compressor.windows import Window
from compressor.words import split_words
from tests.compressor.tiny_checkpoints import (
    CORPUS,
    SPECIAL,
    write_checkpoint,
    write_vocabulary_only,
)

torch = pytest.importorskip("torch", reason="needs the torch extra: make test-all")
transformers = pytest.importorskip("transformers", reason="needs the torch extra: make test-all")
pytestmark = pytest.mark.torch
torch.set_num_threads(1)  # for models this small, more only get in each other's way


TOKENIZERS = Tokenizers()
HALF = Settings(rate=0.5, protect=frozenset())
TEXTS = [" ".join(CORPUS[i : i + n]) for i, n in ((0, 1), (1, 3), (2, 1), (0, 20), (3, 7))]


@pytest.fixture(scope="module", params=sorted(SPECIAL))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def checkpoint(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(family, tmp_path_factory.mktemp("renamed"))


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
    encoded = classifier.encode(" ".join(CORPUS * 3))
    windows = classifier.windows(encoded)
    outputs = [classifier.keep_probabilities(encoded, w) for w in windows]
    assert len(windows) > 1
    assert sum(map(len, outputs)) == len(encoded.ids)


def overlaps(classifier: Classifier) -> set[int]:
    """How many tokens each window of a long text, but for the first, shares with what is before."""
    windows = classifier.windows(classifier.encode(" ".join(CORPUS * 8)))
    assert len(windows) >= 8
    return {w.used_start - w.fed_start for w in windows[1:]}


def with_window_context(checkpoint: Path, folder: Path, context: object) -> Path:
    copy = shutil.copytree(checkpoint, folder / str(context))
    config = json.loads((copy / "config.json").read_text())
    (copy / "config.json").write_text(json.dumps({**config, "window_context": context}))
    return copy


def test_no_window_sees_another_unless_the_checkpoint_says_so(
    checkpoint: Path, tmp_path: Path
) -> None:
    as_published = load(checkpoint)
    other = load(with_window_context(checkpoint, tmp_path, 24))
    assert overlaps(as_published) == {0}
    assert overlaps(other) == {24}
    assert other.revision != as_published.revision


@pytest.mark.parametrize("context", [-1, 128, 1.5, "16", True, None])
def test_a_context_that_is_none_is_refused(
    checkpoint: Path, tmp_path: Path, context: object
) -> None:
    with pytest.raises(ClassifierUnavailable, match=r"'window_context' .* from 0 to 127"):
        load(with_window_context(checkpoint, tmp_path, context))


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


def test_a_folder_without_weights_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ClassifierUnavailable, match="holds neither"):
        load(tmp_path)
    shutil.copy(checkpoint / "config.json", tmp_path)
    with pytest.raises(ClassifierUnavailable, match="cannot load"):
        load(tmp_path)


def windows_of(classifier: Classifier) -> list[tuple[Encoded, Window]]:
    encoded = [classifier.encode(text) for text in TEXTS]
    return [(e, window) for e in encoded for window in classifier.windows(e)]


@pytest.mark.parametrize("budget", [1, 600, 100_000])
def test_batched_is_the_same_as_one_by_one(checkpoint: Path, budget: int) -> None:
    classifier = load(checkpoint)
    assert isinstance(classifier, BatchClassifier)
    assert classifier.batch_tokens == 0  # there is no GPU in the tests
    asked = windows_of(classifier)
    alone = [classifier.keep_probabilities(*one) for one in asked]
    classifier.batch_tokens = budget
    together = classifier.keep_probabilities_of(asked)
    assert len({window.tokens for _, window in asked}) > 3
    for one, other in zip(alone, together, strict=True):
        assert one.shape == other.shape
        assert np.abs(one - other).max() < 1e-5


def test_the_engine_batches_where_the_classifier_asks_for_it(checkpoint: Path) -> None:
    plain, batching = load(checkpoint), load(checkpoint)
    assert isinstance(batching, BatchClassifier)
    batching.batch_tokens = 4096
    calls: list[int] = []
    run = batching.keep_probabilities_of

    def counted(asked: Sequence[tuple[Encoded, Window]]) -> list[np.ndarray]:
        calls.append(len(asked))
        return run(asked)

    batching.keep_probabilities_of = counted  # type: ignore[method-assign]
    text = " ".join(TEXTS * 4)
    with (
        Compressor(plain, TOKENIZERS, workers=1) as one,
        Compressor(batching, TOKENIZERS, workers=1) as other,
    ):
        assert other.classify([text], HALF)[0].probabilities == pytest.approx(
            one.classify([text], HALF)[0].probabilities, abs=1e-5
        )
    assert max(calls) > 1


@pytest.mark.parametrize(("lengths", "budget"), [([], 9), ([5], 1), ([3, 9, 4, 1, 9], 12)])
def test_batches_stay_within_their_padded_budget(lengths: list[int], budget: int) -> None:
    batches = batches_by_length(lengths, budget)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    for batch in batches:
        padded = max(lengths[i] for i in batch) * len(batch)
        assert padded <= budget or len(batch) == 1


def test_the_tokens_are_those_of_the_tokenizer_file(checkpoint: Path) -> None:
    """Not those of the pipeline that transformers rebuilds from its vocabulary."""
    text = "naïve x² and y² … 14 March!"
    written = Tokenizer.from_file(str(checkpoint / "tokenizer.json"))
    expected = written.encode(text, add_special_tokens=False)
    assert load(checkpoint).encode(text).ids.tolist() == expected.ids


def test_a_folder_with_only_a_vocabulary_is_converted(
    family: str, checkpoint: Path, tmp_path: Path
) -> None:
    if family == "xlm-roberta":
        pytest.importorskip("sentencepiece", reason="needs sentencepiece: make test-all")
    for name in ("config.json", "model.safetensors", "tokenizer_config.json"):
        shutil.copy(checkpoint / name, tmp_path)
    write_vocabulary_only(family, checkpoint / "tokenizer.json", tmp_path)
    whole, converted = load(checkpoint), load(tmp_path)
    for text in (CORPUS[0], CORPUS[4], "naïve café"):
        assert converted.encode(text).ids.tolist() == whole.encode(text).ids.tolist()
        (a, window), (b, _) = (
            (c.encode(text), c.windows(c.encode(text))[0]) for c in (whole, converted)
        )
        assert (
            whole.keep_probabilities(a, window) == converted.keep_probabilities(b, window)
        ).all()


def test_a_sentencepiece_file_without_its_package_is_explained(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("config.json", "model.safetensors"):
        shutil.copy(checkpoint / name, tmp_path)
    (tmp_path / "tokenizer_config.json").write_text('{"tokenizer_class": "XLMRobertaTokenizer"}')
    (tmp_path / "sentencepiece.bpe.model").write_bytes(b"\x0e no tiktoken file")
    monkeypatch.setattr("compressor.classifier.torch.find_spec", lambda name: None)
    with pytest.raises(ClassifierUnavailable, match="pip install sentencepiece"):
        load(tmp_path)


@pytest.mark.parametrize("kept", [0, 0.9])
def test_weights_that_did_not_come_whole_are_refused(
    checkpoint: Path, tmp_path: Path, kept: float
) -> None:
    shutil.copytree(checkpoint, tmp_path, dirs_exist_ok=True)
    weights = tmp_path / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(ClassifierUnavailable, match="cannot load"):
        load(tmp_path)


def test_weights_of_another_shape_are_refused(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path, dirs_exist_ok=True)
    config = json.loads((tmp_path / "config.json").read_text())
    config["intermediate_size"] += 2
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(ClassifierUnavailable, match="cannot load"):
        load(tmp_path)


def test_a_tokenizer_that_is_not_the_models_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    shutil.copytree(checkpoint, tmp_path, dirs_exist_ok=True)
    model = transformers.AutoModelForTokenClassification.from_pretrained(checkpoint)
    model.resize_token_embeddings(20)
    model.save_pretrained(tmp_path)
    with pytest.raises(ClassifierUnavailable, match="only knows 20"):
        load(tmp_path)


def test_a_gpu_that_is_not_there_is_said_to_be_missing(checkpoint: Path) -> None:
    if not torch.cuda.is_available():
        with pytest.raises(ClassifierUnavailable, match="no GPU for device 'cuda:0'"):
            load_classifier(str(checkpoint), device="cuda:0")
    assert load_classifier(str(checkpoint), device="cpu").encode("x")


def kept_words(classifier: Classifier, text: str) -> set[int]:
    """Return the numbers of the words that a compression to a half keeps."""
    with Compressor(classifier, TOKENIZERS, workers=1) as compressor:
        result = compressor.compress(text, HALF)
    inside = np.zeros(len(text), np.bool_)
    for span in result.kept:
        inside[span.start : span.end] = True
    return {i for i, word in enumerate(split_words(text)) if inside[word.start : word.end].all()}


# Random weights spread their probabilities less evenly than trained ones, for which
# docs/benchmarks.md has what was measured: over 98 % in 8 bits.
@pytest.mark.parametrize(("exact", "agreement"), [(True, 0.999), (False, 0.96)])
def test_exported_it_keeps_the_same_words(
    family: str, tmp_path: Path, exact: bool, agreement: float
) -> None:
    export = pytest.importorskip("compressor.training.export", reason="needs the export extra")
    folder = write_checkpoint(family, tmp_path, seed=1, spread=0.3, width=64)
    torch_form = load_classifier(str(folder), backend="torch")
    export.export(folder, folder / "model.onnx", exact=exact)
    onnx_form = load_classifier(str(folder), backend="onnx")
    chance = random.Random(4)
    same = total = 0
    for _ in range(4):
        text = " ".join(chance.choice(" ".join(CORPUS).split()) for _ in range(500))
        theirs, ours = kept_words(torch_form, text), kept_words(onnx_form, text)
        same += len(theirs & ours)
        total += len(theirs)
    assert same / total >= agreement
