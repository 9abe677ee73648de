"""Training on tiny random encoders, on a rule that they can learn: words with a capital stay."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the torch extra: make test-all")
transformers = pytest.importorskip("transformers", reason="needs the torch extra: make test-all")
pytestmark = [
    pytest.mark.torch,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
]

from compressor.classifier.torch import TorchClassifier  # noqa: E402 - needs torch
from compressor.training.encoder import (  # noqa: E402
    EncoderUnavailable,
    copy_tokenizer,
    encoder_folder,
)
from compressor.training.examples import gather, read_annotated  # noqa: E402
from compressor.training.run_state import cut_curves  # noqa: E402 - needs torch
from compressor.training.self_training import text_probabilities  # noqa: E402
from compressor.training.settings import SettingsDiffer, TrainingSettings  # noqa: E402
from compressor.training.trainer import Progress, Trainer  # noqa: E402
from compressor.training.validation import Ranking, ranking  # noqa: E402
from compressor.windows import CONTEXT_TOKENS  # noqa: E402
from tests.compressor.tiny_checkpoints import FAMILIES, write_checkpoint  # noqa: E402
from tests.compressor.training.annotated_texts import write  # noqa: E402

QUICK = TrainingSettings(
    epochs=3, batch_tokens=600, learning_rate=0.01, train_embeddings=True, patience=9, bf16=False
)


@pytest.fixture(scope="module", params=FAMILIES)
def encoder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_checkpoint(request.param, tmp_path_factory.mktemp("encoder"))


@pytest.fixture(scope="module")
def annotated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("data") / "annotated.jsonl", 120)


def weights(folder: Path) -> dict[str, object]:
    model = transformers.AutoModelForTokenClassification.from_pretrained(folder)
    return dict(model.state_dict())


def test_it_learns_the_rule_and_writes_a_checkpoint_that_serves(
    encoder: Path, annotated: Path, tmp_path: Path
) -> None:
    passages, held_out = gather([annotated], None)
    trainer = Trainer(encoder, tmp_path / "out", QUICK, passages)
    before = trainer.rank(held_out)
    shown: list[Progress] = []
    best = trainer.train(held_out, shown.append)
    assert before.heavy < 0.75
    assert best.heavy > 0.99
    assert [progress.step for progress in shown] == list(range(1, trainer.steps + 1))
    assert sum(progress.ranking is not None for progress in shown) == QUICK.epochs

    classifier = TorchClassifier(str(tmp_path / "out"))
    served = ranking(held_out, lambda text: text_probabilities(classifier, text))
    assert served.heavy == pytest.approx(best.heavy, abs=1e-3)

    left = {path.name for path in (tmp_path / "out").iterdir()}
    assert left == {
        *("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"),
        *("curves.csv", "training.json", "settings.json"),
    }
    config = json.loads((tmp_path / "out" / "config.json").read_text("utf-8"))
    assert config["id2label"] == {"0": "drop", "1": "keep"}
    assert config["window_context"] == CONTEXT_TOKENS  # served as its examples were cut
    curves = (tmp_path / "out" / "curves.csv").read_text("utf-8")
    rows = list(csv.DictReader(curves.splitlines()))
    assert [row["epoch"] for row in rows] == ["1.00", "2.00", "3.00"]
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"])
    summary = json.loads((tmp_path / "out" / "training.json").read_text("utf-8"))
    assert summary["passages"] == len(passages)
    assert summary["auc_heavy"] == pytest.approx(best.heavy, abs=1e-4)


def test_a_run_that_was_interrupted_ends_where_one_in_one_go_does(
    encoder: Path, annotated: Path, tmp_path: Path
) -> None:
    passages, held_out = gather([annotated], None)
    settings = replace(QUICK, epochs=2, save_steps=2)
    whole = Trainer(encoder, tmp_path / "whole", settings, passages)
    whole.train(held_out)

    class Interrupted(Exception):
        pass

    def interrupt(progress: Progress) -> None:
        if progress.step == whole.steps - 3:
            raise Interrupted

    with pytest.raises(Interrupted):
        Trainer(encoder, tmp_path / "parts", settings, passages).train(held_out, interrupt)
    steps: list[int] = []
    resumed = Trainer(encoder, tmp_path / "parts", settings, passages)
    resumed.train(held_out, lambda progress: steps.append(progress.step))
    assert 3 <= len(steps) <= 5
    for (name, one), other in zip(
        weights(tmp_path / "whole").items(), weights(tmp_path / "parts").values(), strict=True
    ):
        assert torch.equal(one, other), name


def test_a_run_is_not_taken_up_with_other_passages(
    encoder: Path, annotated: Path, tmp_path: Path
) -> None:
    passages, held_out = gather([annotated], None)

    class Interrupted(Exception):
        pass

    def interrupt(progress: Progress) -> None:
        raise Interrupted

    settings = replace(QUICK, save_steps=1)
    with pytest.raises(Interrupted):
        Trainer(encoder, tmp_path, settings, passages).train(held_out, interrupt)
    for others, validation in ((passages[1:], held_out), (passages, held_out[1:])):
        with pytest.raises(SettingsDiffer, match="a run on other passages; name another folder"):
            Trainer(encoder, tmp_path, settings, others).train(validation)


def test_a_finished_run_that_is_given_again_has_curves_of_its_own(
    encoder: Path, annotated: Path, tmp_path: Path
) -> None:
    passages, held_out = gather([annotated], None)
    for _ in range(2):
        Trainer(encoder, tmp_path, QUICK, passages).train(held_out)
    rows = (tmp_path / "curves.csv").read_text("utf-8").splitlines()
    assert len(rows) == 1 + QUICK.epochs


def test_what_is_done_again_is_cut_from_the_curves(tmp_path: Path) -> None:
    path = tmp_path / "curves.csv"
    path.write_bytes(b"step,loss\r\n8,0.5\r\n16,0.4\r\n24,0.3\r\n")
    cut_curves(path, 16)
    assert path.read_bytes() == b"step,loss\r\n8,0.5\r\n16,0.4\r\n"
    cut_curves(path, 0)
    assert not path.exists()
    cut_curves(path, 8)  # killed before there was one
    assert not path.exists()


def test_an_auc_that_is_not_known_is_written_as_json_has_it(
    encoder: Path, annotated: Path, tmp_path: Path
) -> None:
    passages, _ = gather([annotated], None)
    settings = replace(QUICK, epochs=4, patience=1)
    trainer = Trainer(encoder, tmp_path, settings, passages[:6])
    soft = [replace(p, labels=np.full_like(p.labels, 0.4)) for p in passages[6:8]]
    steps: list[int] = []
    trainer.train(soft, lambda progress: steps.append(progress.step))
    assert steps[-1] == trainer.steps  # nothing is known that it could be the worse for
    written = (tmp_path / "training.json").read_text("utf-8")
    assert json.loads(written)["auc_heavy"] is None
    assert "NaN" not in written


def test_other_settings_do_not_go_on_with_a_run(
    encoder: Path, annotated: Path, tmp_path: Path
) -> None:
    passages = list(read_annotated(annotated))
    Trainer(encoder, tmp_path, QUICK, passages)
    Trainer(encoder, tmp_path, QUICK, passages)
    with pytest.raises(SettingsDiffer, match="another epochs, seed; name another folder"):
        Trainer(encoder, tmp_path, replace(QUICK, epochs=1, seed=5), passages)


def test_training_stops_when_validation_gets_no_better(
    encoder: Path, annotated: Path, tmp_path: Path
) -> None:
    passages, held_out = gather([annotated], None)
    settings = replace(QUICK, epochs=6, learning_rate=0.0, patience=1)
    trainer = Trainer(encoder, tmp_path / "best", settings, passages)
    steps: list[int] = []
    trainer.train(held_out, lambda progress: steps.append(progress.step))
    assert len(steps) == trainer.steps // 3  # one validation sets the mark, one fails to pass it
    trainer = Trainer(encoder, tmp_path / "last", replace(settings, last=True), passages)
    trainer.train(held_out, lambda progress: steps.append(progress.step))
    assert steps[-1] == trainer.steps  # the last model is wanted, so there is nothing to stop for


@pytest.mark.parametrize("last", [True, False])
def test_the_last_model_is_written_where_that_is_wanted(
    encoder: Path, annotated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, last: bool
) -> None:
    passages, held_out = gather([annotated], None)
    trainer = Trainer(encoder, tmp_path, replace(QUICK, last=last), passages)
    falling = iter((0.9, 0.8, 0.7))
    monkeypatch.setattr(trainer, "rank", lambda _: Ranking(auc := next(falling), auc, 1))
    found = trainer.train(held_out)
    assert found.heavy == (0.7 if last else 0.9)
    written = json.loads((tmp_path / "training.json").read_text("utf-8"))
    assert written["auc_heavy"] == found.heavy


def test_frozen_embeddings_stay_as_they_are(encoder: Path, annotated: Path, tmp_path: Path) -> None:
    passages = list(read_annotated(annotated))[:6]
    settings = replace(QUICK, epochs=1, train_embeddings=False)
    trainer = Trainer(encoder, tmp_path / "a", settings, passages)
    before = weights(encoder)
    trainer.train([])
    after = weights(tmp_path / "a")
    changed = {name for name, one in before.items() if not torch.equal(one, after[name])}
    assert changed
    assert not {name for name in changed if "embeddings" in name}


def test_the_lowest_layers_stay_as_they_are_where_that_is_wanted(
    encoder: Path, annotated: Path, tmp_path: Path
) -> None:
    settings = replace(QUICK, epochs=1, train_embeddings=False, frozen_layers=1)
    trainer = Trainer(encoder, tmp_path / "a", settings, list(read_annotated(annotated))[:6])
    before = weights(encoder)
    trainer.train([])
    after = weights(tmp_path / "a")
    changed = {name for name, one in before.items() if not torch.equal(one, after[name])}
    assert {name for name in changed if "layer.1." in name}
    assert not {name for name in changed if "layer.0." in name or "embeddings" in name}


def test_the_lowest_layers_alone_can_be_a_classifier(
    encoder: Path, annotated: Path, tmp_path: Path
) -> None:
    settings = replace(QUICK, layers=1, learning_rate=0.0)
    passages = list(read_annotated(annotated))[:6]
    Trainer(encoder, tmp_path / "a", settings, passages).train([])
    before, after = weights(encoder), weights(tmp_path / "a")
    assert {name for name in after if "layer.0." in name}
    assert not {name for name in after if "layer.1." in name}
    assert all(torch.equal(one, before[name]) for name, one in after.items())


def test_more_layers_than_the_encoder_has_are_refused(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match="has 2 layers, and 3 are wanted"):
        Trainer(encoder, tmp_path, replace(QUICK, layers=3), [])


def test_nothing_to_train_on_is_refused(encoder: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no labelled word"):
        Trainer(encoder, tmp_path, QUICK, [])


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match=r"no config\.json"):
        encoder_folder(str(tmp_path))


def test_a_tokenizer_that_is_only_a_vocabulary_is_converted(tmp_path: Path) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    out.mkdir()
    write_checkpoint("bert", folder)
    vocabulary = json.loads((folder / "tokenizer.json").read_text("utf-8"))["model"]["vocab"]
    (folder / "tokenizer.json").unlink()
    lines = sorted(vocabulary, key=vocabulary.get)
    (folder / "vocab.txt").write_text("\n".join(lines) + "\n", "utf-8")
    copy_tokenizer(folder, out)
    assert json.loads((out / "tokenizer.json").read_text("utf-8"))["model"]["vocab"] == vocabulary
