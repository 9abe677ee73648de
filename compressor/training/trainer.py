"""Trains an encoder to be a keep/drop token classifier: LLMLingua-2's training, its flaws mended.

The loss is the cross-entropy between a token's probabilities and the soft label of its word, over
words only. Against experiments/llmlingua2 in the reference's repository: the model sees the source
text and not a list of lemmas, padding and punctuation weigh nothing, documents are never on both
sides of the split, gradients are clipped before the step, the learning rate warms up and decays.
"""

import csv
import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import AutoConfig, AutoModelForTokenClassification

from compressor.classifier.base import PlainTokenizer, batches_by_length
from compressor.classifier.checkpoint import CONTEXT_KEY, read_tokenizer
from compressor.evaluation.datasets import DatasetError
from compressor.training.encoder import EncoderUnavailable, copy_tokenizer
from compressor.training.examples import Example, Passage, digest_of, examples_of, pad
from compressor.training.run_state import STATE, cut_curves, load_state, save_state
from compressor.training.settings import SettingsDiffer, TrainingSettings, claim
from compressor.training.validation import Ranking, ranking
from compressor.windows import CONTEXT_TOKENS, Window, plan_windows

LABELS = {0: "drop", 1: "keep"}
_BEST = "best.pt"
_CURVES = "curves.csv"
_COLUMNS = ("step", "epoch", "loss", "learning_rate", "auc_heavy", "auc_light", "tokens")


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is, for the caller to show."""

    step: int
    steps: int
    epoch: float
    loss: float
    ranking: Ranking | None = None


class Trainer:
    """One run: an encoder's folder and passages in, a classifier's folder out.

    `output` afterwards holds config.json, model.safetensors, the tokenizer, curves.csv and
    training.json; while the run lasts also its state, from which it is taken up again.
    """

    def __init__(
        self, encoder: Path, output: Path, settings: TrainingSettings, passages: Sequence[Passage]
    ) -> None:
        """Load the encoder and cut the passages.

        Raises OSError where the folder is no encoder, EncoderUnavailable where it has too few
        layers, SettingsDiffer where `output` holds another run, DatasetError where there is nothing
        to train on.
        """
        claim(output, {"encoder": str(encoder), **asdict(settings)})
        self.encoder = encoder
        self.output = output
        self.settings = settings
        self.passages = len(passages)
        torch.manual_seed(settings.seed)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = token_classifier(encoder, settings.dropout, settings.layers).to(self.device)
        copy_tokenizer(encoder, output)
        self.tokenizer, self.around = read_tokenizer(output)
        self.padding = int(self.model.config.pad_token_id or 0)
        self._examples = self._cut(passages)
        if not self._examples:
            raise DatasetError("there is no labelled word to train on")
        self._per_epoch = len(self._batches(0))
        self._texts = digest_of(passages)

    @property
    def steps(self) -> int:
        """How many steps the run has."""
        return self._per_epoch * self.settings.epochs

    def train(
        self, held_out: Sequence[Passage], show: Callable[[Progress], None] = lambda progress: None
    ) -> Ranking:
        """Train, keep the best model of all validations, write it, and return its ranking.

        Without held-out words to rank, or where the settings say so, the last model is the best.
        Raises SettingsDiffer where `output` holds a run on other passages.
        """
        settings = self.settings
        run = _Run(self._optimizer(), self.steps, settings, digest_of(held_out, self._texts))
        best = self._resume(run)
        validate_every = math.ceil(self._per_epoch / settings.validations_per_epoch)
        for batch in self._remaining(run):
            run.losses.append(self._step(batch, run))
            found = None
            if run.step % validate_every == 0 or run.step == run.steps:
                found = self.rank(held_out)
                latest = settings.last or math.isnan(found.mean)
                if best is None or latest or found.mean > best.mean:
                    best, run.stale = found, 0
                    torch.save(self.model.state_dict(), self.output / _BEST)
                else:
                    run.stale += 1
                self._log(run, found)
            if found or run.step % settings.save_steps == 0:
                self._save(run, best)
            show(Progress(run.step, run.steps, run.step / self._per_epoch, run.loss, found))
            if run.stale >= settings.patience:
                break
        if best is None:  # a run with settings.json and nothing left to do cannot be
            raise RuntimeError(f"{self.output} holds a state without a validation")
        self._write(best, len(held_out))
        return best

    def rank(self, passages: Sequence[Passage]) -> Ranking:
        """Return how the words of these passages are ranked by the model as it is."""
        self.model.eval()
        found = ranking(passages, self._probabilities)
        self.model.train()
        return found

    def _probabilities(self, text: str) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
        bf16 = self.settings.bf16
        return token_probabilities(self.model, self.tokenizer, self.around, text, bf16=bf16)

    def _cut(self, passages: Sequence[Passage]) -> list[Example]:
        settings = self.settings
        cut = partial(
            examples_of,
            tokenizer=self.tokenizer,
            around=self.around,
            half=settings.half,
            smoothing=settings.smoothing,
        )
        found = (example for passage in passages for example in cut(passage))
        return [example for example in found if example.weights.any()]

    def _batches(self, epoch: int) -> list[list[int]]:
        """Return an epoch's batches of examples: of like lengths, drawn anew and shuffled."""
        rng = np.random.default_rng((self.settings.seed, epoch))
        order = rng.permutation(len(self._examples)).tolist()
        lengths = [len(self._examples[i].ids) for i in order]
        batches = batches_by_length(lengths, self.settings.batch_tokens)
        return [[order[i] for i in batches[k]] for k in rng.permutation(len(batches)).tolist()]

    def _remaining(self, run: "_Run") -> Iterator[list[Example]]:
        while run.step < run.steps:
            # Lengths alone decide how many batches there are, so every epoch has as many.
            epoch, done = divmod(run.step, self._per_epoch)
            for batch in self._batches(epoch)[done:]:
                yield [self._examples[i] for i in batch]

    def _optimizer(self) -> torch.optim.AdamW:
        settings = self.settings
        layers = self.model.config.num_hidden_layers
        groups = []
        for name, parameter in self.model.named_parameters():
            depth = _depth(name, layers)
            fixed = depth <= settings.frozen_layers if depth else not settings.train_embeddings
            if fixed:
                parameter.requires_grad = False
                continue
            rate = settings.learning_rate * settings.layer_decay ** (layers - depth)
            decay = settings.weight_decay if parameter.ndim > 1 else 0.0
            groups.append({"params": [parameter], "lr": rate, "peak": rate, "weight_decay": decay})
        return torch.optim.AdamW(groups)

    def _step(self, batch: Sequence[Example], run: "_Run") -> float:
        settings = self.settings
        run.warm_up_or_decay()
        ids, mask, targets, weights = (
            torch.from_numpy(array).to(self.device) for array in pad(batch, self.padding)
        )
        with torch.autocast(self.device.type, torch.bfloat16, enabled=settings.bf16):
            logits = self.model(input_ids=ids, attention_mask=mask).logits
        chances = torch.log_softmax(logits.float(), dim=-1)
        losses = -(targets * chances[..., 1] + (1 - targets) * chances[..., 0])
        loss = (losses * weights).sum() / weights.sum()
        loss.backward()
        trained = [p for group in run.optimizer.param_groups for p in group["params"]]
        torch.nn.utils.clip_grad_norm_(trained, settings.clip)
        run.optimizer.step()
        run.optimizer.zero_grad(set_to_none=True)
        run.step += 1
        run.tokens += int(mask.sum())
        return float(loss.detach())

    def _save(self, run: "_Run", best: Ranking | None) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizer": run.optimizer.state_dict(),
            "step": run.step,
            "tokens": run.tokens,
            "stale": run.stale,
            "losses": run.losses[-run.recent :],
            "best": asdict(best) if best else None,
            "random": torch.get_rng_state(),
            "texts": run.texts,
        }
        save_state(self.output, state)

    def _resume(self, run: "_Run") -> Ranking | None:
        state = load_state(self.output)
        cut_curves(self.output / _CURVES, 0 if state is None else state["step"])
        if state is None:
            return None
        if state.get("texts") != run.texts:
            raise SettingsDiffer(
                f"{self.output} holds a run on other passages; name another folder, or remove that "
                "one"
            )
        self.model.load_state_dict(state["model"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.step, run.tokens, run.stale = state["step"], state["tokens"], state["stale"]
        run.losses = state["losses"]
        torch.set_rng_state(state["random"])
        return Ranking(**state["best"]) if state["best"] else None

    def _log(self, run: "_Run", found: Ranking) -> None:
        path = self.output / _CURVES
        new = not path.exists()
        with path.open("a", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            if new:
                writer.writerow(_COLUMNS)
            rate = max(group["lr"] for group in run.optimizer.param_groups)
            row: list[object] = [run.step, f"{run.step / self._per_epoch:.2f}", f"{run.loss:.4f}"]
            row += [f"{rate:.2e}", f"{found.heavy:.4f}", f"{found.light:.4f}", run.tokens]
            writer.writerow(row)

    def _write(self, best: Ranking, held_out: int) -> None:
        """Write the best model as a Hugging Face folder, and remove the run's state."""
        if (self.output / _BEST).exists():
            self.model.load_state_dict(torch.load(self.output / _BEST, weights_only=True))
        self.model.save_pretrained(self.output)
        summary = {
            "encoder": self.encoder.name,
            "settings": asdict(self.settings),
            "passages": self.passages,
            "held_out_passages": held_out,
            **{f"auc_{grade}": auc for grade, auc in best.as_dict().items()},
            "held_out_words": best.words,
        }
        (self.output / "training.json").write_text(json.dumps(summary, indent=2) + "\n", "utf-8")
        for name in (STATE, _BEST):
            (self.output / name).unlink(missing_ok=True)


class _Run:
    """What changes from step to step."""

    recent = 50  # steps whose losses are averaged for show

    def __init__(
        self, optimizer: torch.optim.AdamW, steps: int, settings: TrainingSettings, texts: str
    ) -> None:
        self.optimizer = optimizer
        self.texts = texts  # a hash
        self.steps = steps
        self.warmup_steps = max(1, round(steps * settings.warmup))
        self.step = 0
        self.tokens = 0
        self.stale = 0
        self.losses: list[float] = []

    @property
    def loss(self) -> float:
        """The mean loss of the last steps."""
        return float(np.mean(self.losses[-self.recent :])) if self.losses else float("nan")

    def warm_up_or_decay(self) -> None:
        """Set the learning rates of the step to come."""
        if self.step < self.warmup_steps:
            share = (self.step + 1) / self.warmup_steps
        else:
            left = max(1, self.steps - self.warmup_steps)
            share = 0.5 * (1 + math.cos(math.pi * (self.step - self.warmup_steps) / left))
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * share


def token_probabilities(
    model: torch.nn.Module,
    tokenizer: PlainTokenizer,
    around: tuple[int, int],
    text: str,
    *,
    bf16: bool = False,
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return a text's token offsets, (tokens, 2), and keep probabilities, (tokens,)."""
    encoded = tokenizer.encode(text)
    device = next(model.parameters()).device
    parts = [np.zeros(0, np.float32)]
    for window in plan_windows(len(encoded.ids), encoded.ends):
        with torch.inference_mode(), torch.autocast(device.type, torch.bfloat16, enabled=bf16):
            logits = used_logits(model, around, encoded.ids, window).float()
        parts.append(torch.softmax(logits, dim=-1)[:, 1].cpu().numpy())
    return encoded.offsets, np.concatenate(parts)


def used_logits(
    model: torch.nn.Module, around: tuple[int, int], ids: NDArray[np.int64], window: Window
) -> torch.Tensor:
    """Return the logits of a window's used tokens, (used tokens, 2), fed as when it serves."""
    before, after = around
    fed = ids[window.fed_start : window.fed_end]
    whole = torch.from_numpy(np.concatenate(([before], fed, [after])).astype(np.int64))
    logits: torch.Tensor = model(input_ids=whole[None].to(next(model.parameters()).device)).logits
    start = 1 + window.used_start - window.fed_start
    return logits[0, start : start + window.used_end - window.used_start]


def token_classifier(encoder: Path, dropout: float, layers: int = 0) -> Any:  # noqa: ANN401 - untyped there
    """Return a folder's encoder with a keep/drop head, a new one where it has none.

    Of its layers the lowest `layers`, or all. The encoder is in training mode, and in fp32. Raises
    EncoderUnavailable.
    """
    shape = {}
    if layers:
        there = AutoConfig.from_pretrained(encoder).num_hidden_layers
        if layers > there:
            raise EncoderUnavailable(f"{encoder} has {there} layers, and {layers} are wanted of it")
        shape["num_hidden_layers"] = layers
    model = AutoModelForTokenClassification.from_pretrained(
        encoder,
        num_labels=len(LABELS),
        id2label=LABELS,
        label2id={name: index for index, name in LABELS.items()},
        hidden_dropout_prob=dropout,
        # With dropout inside, attention is not fused on the CPU and training takes twice as long.
        attention_probs_dropout_prob=0.0,
        dtype=torch.float32,
        **shape,
    )
    setattr(model.config, CONTEXT_KEY, CONTEXT_TOKENS)  # as its examples are cut
    return model.train()


def _depth(name: str, layers: int) -> int:
    """Return a parameter's layer, counted from 1; 0: the embeddings, `layers`: the head too."""
    parts = name.split(".")
    if "layer" in parts:
        return int(parts[parts.index("layer") + 1]) + 1
    return 0 if "embeddings" in parts else layers
