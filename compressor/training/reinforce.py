"""Tunes a classifier by what its choices are worth to a task: REINFORCE, as in TACO-RL.

Source: Shandilya et al., "TACO-RL: Task Aware Prompt Compression Optimization with Reinforcement
Learning", arXiv 2409.13035. The policy keeps every word by itself with the classifier's keep
probability; a choice's reward raises or lowers the probability of all of it. Two things differ.
The paper pays a fixed penalty for choices of the wrong length; here all log-odds of a text are
moved alike until the expected length is right, since that is what a rate does when the classifier
serves, and only the ranking learns. And a choice is compared with the others drawn for the same
text (leave one out, Kool et al. 2019), not with nothing, which takes much of the noise away.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from compressor.classifier.base import PlainTokenizer
from compressor.classifier.checkpoint import read_tokenizer
from compressor.evaluation.datasets import Document, Question
from compressor.training.encoder import copy_tokenizer
from compressor.training.rewards import Reward
from compressor.training.run_state import STATE, load_state, save_state
from compressor.training.settings import SettingsDiffer, TuningSettings, claim
from compressor.training.trainer import token_classifier, used_logits
from compressor.windows import Window, plan_windows
from compressor.words import Word, is_mark, split_words

_START = "start.pt"
_RECENT = 10  # steps whose rewards are averaged for show
_HALVINGS = 30
_WIDEST = 30.0  # log-odds; a shift beyond keeps everything or nothing


@dataclass(frozen=True, slots=True)
class TuningProgress:
    """A step's number, the mean reward of its choices, and that of the last ten steps."""

    step: int
    steps: int
    reward: float
    recent: float


class Tuner:
    """One run: a classifier's folder, documents with questions, and a reward in; a folder out.

    `output` afterwards holds config.json, model.safetensors, the tokenizer and tuning.json; while
    the run lasts also its state, from which it is taken up again.
    """

    def __init__(
        self, classifier: Path, output: Path, settings: TuningSettings, reward: Reward
    ) -> None:
        """Load the classifier.

        Raises OSError where the folder is none, SettingsDiffer where `output` holds another run.
        """
        named = {"classifier": str(classifier), "reward": _name(reward)}
        claim(output, {**named, **asdict(settings)})
        torch.manual_seed(settings.seed)
        self.output = output
        self.settings = settings
        self.reward = reward
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = token_classifier(classifier, dropout=0.0).to(self.device)
        for name, parameter in self.model.named_parameters():
            if ".embeddings." in name:
                parameter.requires_grad = settings.train_embeddings
        copy_tokenizer(classifier, output)
        self.tokenizer, self.around = read_tokenizer(output)

    def tune(
        self,
        documents: Sequence[Document],
        show: Callable[[TuningProgress], None] = lambda progress: None,
        read: Callable[[], None] = lambda: None,
    ) -> list[float]:
        """Tune, write the classifier, and return every step's mean reward.

        `read` is called after each text that was read before the first step. Raises ValueError
        where no document has a question, SettingsDiffer where `output` holds a run on other texts.
        """
        settings = self.settings
        texts = [Text.of(document, self.tokenizer) for document in documents if document.questions]
        if not texts:
            raise ValueError("no document has a question to be rewarded for")
        starts = self._starts(texts, read)
        trained = [p for p in self.model.parameters() if p.requires_grad]
        optimizer = torch.optim.AdamW(trained, lr=settings.learning_rate, weight_decay=0.0)
        run = _Run(optimizer, torch.Generator(self.device).manual_seed(settings.seed))
        self._resume(run)
        batches = self._batches(len(texts))
        for batch in batches[len(run.rewards) :]:
            share, generator = 1 / len(batch), run.generator
            earned = [self._learn(texts[i], starts[i], share, generator) for i in batch]
            torch.nn.utils.clip_grad_norm_(trained, settings.clip)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            run.rewards.append(float(np.mean(earned)))
            step = len(run.rewards)
            if step % settings.save_steps == 0 or step == len(batches):
                self._save(run)
            recent = float(np.mean(run.rewards[-_RECENT:]))
            show(TuningProgress(step, len(batches), run.rewards[-1], recent))
        self._write(run.rewards)
        return run.rewards

    def _batches(self, texts: int) -> list[list[int]]:
        """Return the batches of all epochs, by the texts' numbers: the same ones in every call."""
        settings, size = self.settings, self.settings.batch
        rng = np.random.default_rng(settings.seed)
        orders = [rng.permutation(texts).tolist() for _ in range(settings.epochs)]
        return [order[i : i + size] for order in orders for i in range(0, len(order), size)]

    def _starts(self, texts: Sequence["Text"], read: Callable[[], None]) -> list[torch.Tensor]:
        """Return each text's log-odds by the classifier as it was given.

        Computed once a run and kept on disk: when the run is taken up the weights have changed.
        """
        which = _digest(texts)
        start = load_state(self.output, _START)
        if start is None:
            found = []
            for text in texts:
                with torch.no_grad():
                    found.append(self._log_odds(text).cpu())
                read()
            start = {"texts": which, "log_odds": found}
            save_state(self.output, start, _START)
        elif start["texts"] != which:
            raise SettingsDiffer(
                f"{self.output} holds a run on other texts or questions; name another folder, or "
                "remove that one"
            )
        return [log_odds.to(self.device) for log_odds in start["log_odds"]]

    def _save(self, run: "_Run") -> None:
        state = {
            "model": self.model.state_dict(),
            "optimizer": run.optimizer.state_dict(),
            "rewards": run.rewards,
            "choices": run.generator.get_state(),
            "random": torch.get_rng_state(),
        }
        save_state(self.output, state)

    def _resume(self, run: "_Run") -> None:
        state = load_state(self.output)
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        run.optimizer.load_state_dict(state["optimizer"])
        run.rewards = state["rewards"]
        run.generator.set_state(state["choices"])
        torch.set_rng_state(state["random"])

    def _learn(
        self, text: "Text", start: torch.Tensor, share: float, generator: torch.Generator
    ) -> float:
        """Add one text's gradients; return the mean reward of its choices."""
        settings = self.settings
        free = self._log_odds(text)
        log_odds = at_rate(free, settings.rate)
        chances = torch.sigmoid(log_odds)
        drawn = chances.detach().expand(settings.samples, -1)
        choices = torch.bernoulli(drawn, generator=generator)
        earned = torch.tensor(
            [
                self.reward(text.text, text.shortened(choice.bool().cpu().numpy()), text.questions)
                for choice in choices
            ],
            device=self.device,
        )
        likelihood = torch.nn.functional.logsigmoid(torch.where(choices == 1, log_odds, -log_odds))
        gained = (advantages(earned)[:, None] * likelihood).sum(dim=1).mean()
        entropy = _entropy(log_odds).mean()
        # Of the probabilities as they are, so that thresholds go on meaning what they meant.
        moved = _divergence(free, start).mean()
        loss = -(gained / len(text.words)) - settings.entropy * entropy + settings.stay * moved
        (share * loss).backward()
        return float(earned.mean())

    def _log_odds(self, text: "Text") -> torch.Tensor:
        """Return each word's log-odds of being kept, the mean of its tokens': (words,)."""
        parts = [used_logits(self.model, self.around, text.ids, window) for window in text.windows]
        logits = torch.cat(parts)
        of_words: torch.Tensor = text.mean.to(self.device) @ (logits[:, 1] - logits[:, 0])
        return of_words

    def _write(self, rewards: Sequence[float]) -> None:
        """Write the classifier as a Hugging Face folder, and remove the run's state."""
        self.model.save_pretrained(self.output)
        summary = {"settings": asdict(self.settings), "rewards": [round(r, 4) for r in rewards]}
        (self.output / "tuning.json").write_text(json.dumps(summary, indent=1) + "\n", "utf-8")
        for name in (STATE, _START):
            (self.output / name).unlink(missing_ok=True)


@dataclass(slots=True)
class _Run:
    """What changes from step to step; `generator` draws the choices."""

    optimizer: torch.optim.AdamW
    generator: torch.Generator
    rewards: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Text:
    """A document's text and what the classifier sees of it.

    `words` have tokens of their own; `mean`, (words, tokens), takes token outputs to word ones.
    """

    text: str
    questions: tuple[Question, ...]
    words: list[Word]
    ids: NDArray[np.int64]
    windows: list[Window]
    mean: torch.Tensor

    @classmethod
    def of(cls, document: Document, tokenizer: PlainTokenizer) -> "Text":
        """Cut a document's text into words and tokens; marks are no words here."""
        text = document.text
        encoded = tokenizer.encode(text)
        words = []
        rows = []
        for word in split_words(text):
            inside = (encoded.offsets[:, 0] < word.end) & (encoded.offsets[:, 1] > word.start)
            if inside.any() and not is_mark(text, word):
                words.append(word)
                rows.append(inside / inside.sum())
        mean = torch.from_numpy(np.array(rows, np.float32).reshape(len(words), -1))
        windows = plan_windows(len(encoded.ids), encoded.ends)
        return cls(text, document.questions, words, encoded.ids, windows, mean)

    def shortened(self, kept: NDArray[np.bool_]) -> str:
        """Return the words that are kept, those that touch in the source without a space."""
        parts: list[str] = []
        end = -1
        for word, keep in zip(self.words, kept.tolist(), strict=True):
            if keep:
                parts += [" "] if end != word.start and parts else []
                parts.append(self.text[word.start : word.end])
                end = word.end
        return "".join(parts)


def advantages(rewards: torch.Tensor) -> torch.Tensor:
    """Return by how much each reward is above the mean of the others: (samples,)."""
    count = len(rewards)
    if count == 1:
        return rewards
    return (rewards - rewards.mean()) * (count / (count - 1))


def at_rate(log_odds: torch.Tensor, rate: float) -> torch.Tensor:
    """Return the log-odds moved alike until their probabilities' mean is `rate`."""
    low, high = -_WIDEST, _WIDEST
    fixed = log_odds.detach()
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if float(torch.sigmoid(fixed + middle).mean()) < rate:
            low = middle
        else:
            high = middle
    return log_odds + (low + high) / 2


def _entropy(log_odds: torch.Tensor) -> torch.Tensor:
    chances = torch.sigmoid(log_odds)
    kept, dropped = torch.nn.functional.logsigmoid(torch.stack((log_odds, -log_odds)))
    return -(chances * kept + (1 - chances) * dropped)


def _divergence(log_odds: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """Return each word's Kullback-Leibler divergence from its probability at the start."""
    chances = torch.sigmoid(log_odds)
    now = torch.nn.functional.logsigmoid(torch.stack((log_odds, -log_odds)))
    then = torch.nn.functional.logsigmoid(torch.stack((start, -start)))
    return chances * (now[0] - then[0]) + (1 - chances) * (now[1] - then[1])


def _digest(texts: Sequence[Text]) -> str:
    """Return a hash of the texts and of their questions."""
    digest = hashlib.sha256()
    for text in texts:
        asked = [[question.id, question.text, *question.answers] for question in text.questions]
        digest.update(json.dumps([text.text, asked]).encode())
    return digest.hexdigest()


def _name(reward: Reward) -> str:
    """Return what a reward is called in code, by its class where it is an object."""
    named = reward if hasattr(reward, "__qualname__") else type(reward)
    return f"{named.__module__}:{getattr(named, '__qualname__', '')}"
