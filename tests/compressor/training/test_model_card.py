from dataclasses import replace
from typing import Any, cast

import yaml

from compressor.training.agreement import Agreement
from compressor.training.isolation import Isolation
from compressor.training.model_card import Checks, Facts, model_card
from compressor.training.throughput import Throughput
from compressor.training.validation import Ranking

MANIFEST = {
    "step": "annotate",
    "settings": {"keep": ["gap<=0.05"], "leave_out_source": ["tickets"]},
    "inputs": [{"name": "labelled.jsonl", "sha256": "ab" * 32}],
    "output": {"name": "annotated.jsonl"},
    "counts": {
        "passages": 1200,
        "kept": 1100,
        "sources": {
            "minutes": {
                "passages": 900,
                "licences": {"CC-BY-4.0": 900},
                "languages": {"en": 880, "de": 20},
            },
            "a|b": {"passages": 200, "licences": {"": 200}, "languages": {"fr": 199, "": 1}},
        },
    },
}
FACTS = Facts(
    name="harbour-1",
    licence="Apache-2.0",
    config={"model_type": "bert", "num_hidden_layers": 12, "hidden_size": 384},
    weights_bytes=50_188_611,
    exact=False,
    training={
        "encoder": "some-encoder",
        "settings": {"epochs": 3, "learning_rate": 0.0002},
        "passages": 1000,
        "held_out_passages": 100,
        "auc_heavy": 0.861,
        "auc_light": 0.8412,
        "held_out_words": 31_831,
    },
    manifests=[MANIFEST],
    checks=Checks(
        Agreement(Ranking(0.86, 0.84, 31_831), Ranking(0.8595, 0.8397, 31_831), 0.987, 100),
        Isolation(48, {}),
        Throughput(9000, 17000, 2),
    ),
)


def test_it_says_what_the_data_were_and_under_which_licences() -> None:
    card = model_card(FACTS)
    assert "| minutes | 900 | en, de | CC-BY-4.0 |" in card
    assert "| a\\|b | 200 | fr, not stated | not stated |" in card
    assert card.index("minutes") < card.index("a\\|b")
    assert "annotated.jsonl: 1,100 of 1,200 passages" in card
    assert "labelled.jsonl (SHA-256 abababababab)" in card
    assert "kept where gap<=0.05; left out: tickets" in card
    assert "language: [de, en, fr]" in card


def test_counts_of_several_manifests_are_added_up() -> None:
    assert "| minutes | 1,800 |" in model_card(replace(FACTS, manifests=[MANIFEST, MANIFEST]))


def test_it_says_what_was_trained_and_measured() -> None:
    card = model_card(FACTS)
    assert card.startswith("---\nlicense: apache-2.0\n")
    assert "# harbour-1" in card
    assert "bert: 12 layers, hidden 384, ? heads" in card
    assert "| encoder it began as | some-encoder |" in card
    assert "50.2 MB: 8-bit weights" in card
    assert "| learning rate | 0.0002 |" in card
    assert "1,000 passages to train on, 100 held out" in card
    assert "| AUC of this file, heavy and light labels | 0.8595, 0.8397" in card
    assert "| 98.7% |" in card
    assert "0 of 48" in card
    assert "9,000 in one thread, 17,000 on 2 cores" in card
    assert "was not checked" not in card


def front_matter(card: str) -> dict[str, Any]:
    return cast(dict[str, Any], yaml.safe_load(card.split("---\n")[1]))


def test_a_licence_that_nobody_stated_is_no_identifier() -> None:
    card = model_card(replace(FACTS, licence=""))
    assert "| licence | not stated |" in card
    assert front_matter(card) == {
        "pipeline_tag": "token-classification",
        "library_name": "onnx",
        "tags": ["prompt-compression", "llmlingua-2"],
        "language": ["de", "en", "fr"],
    }


def test_a_licence_that_is_no_identifier_is_another_one() -> None:
    card = model_card(replace(FACTS, licence="internal: ask Legal"))
    assert front_matter(card)["license"] == "other"
    assert "| licence | internal: ask Legal |" in card
    assert front_matter(model_card(FACTS))["license"] == "apache-2.0"


def test_norwegian_is_not_read_as_false() -> None:
    source = {"passages": 2, "licences": {"MIT": 2}, "languages": {"no": 1, "en": 1}}
    manifest = {"output": {}, "counts": {"sources": {"minutes": source}}}
    card = model_card(replace(FACTS, manifests=[manifest]))
    assert front_matter(card)["language"] == ["en", "no"]


def test_what_is_not_known_is_called_so() -> None:
    bare = replace(FACTS, training={}, manifests=[], config={}, checks=Checks(), exact=True)
    card = model_card(bare)
    assert "the checkpoint has no training.json" in card
    assert "exported without the manifests" in card
    assert "Not measured." in card
    assert "was not checked" in card
    assert "32-bit weights" in card
    assert "| encoder it began as | not recorded |" in card
    assert "language:" not in card
    assert "bundled" not in card
