"""A stand-in for `llmlingua.PromptCompressor`, by its own parameter and result names.

    from compressor.llmlingua import PromptCompressor

Where it gives something else than LLMLingua-2 it is on purpose: docs/llmlingua.md says where, and
why. Source of the names: llmlingua/prompt_compressor.py at 0.2.2.
"""

import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any, Self, Unpack

import numpy as np

from compressor.budget import share
from compressor.classifier.registry import BUNDLED, load_classifier
from compressor.contexts import (
    SEPARATOR,
    ReadText,
    fit_together,
    joined,
    read_texts,
    surviving,
)
from compressor.engine import Compressor
from compressor.json_compression import KeySettings, compress_json, json_text
from compressor.llmlingua_parameters import (
    OF_LLMLINGUA_1,
    CompressedPrompt,
    PromptOptions,
    WordOptions,
    context_filter,
    read_json_config,
)
from compressor.structured import compress_structured
from compressor.types import ALL_KINDS, Kind, Settings, Span, TokenCounter
from compressor.words import Word

_DOLLARS_A_TOKEN = 0.06 / 1000  # what LLMLingua reckons with


class PromptCompressor:
    """Compresses prompts with an LLMLingua-2 classifier: the bundled one, a folder, or a hub name.

    `device_map` is `cuda`, `cpu` or `mps` for PyTorch checkpoints; others are chosen by what there
    is. `encoding` is what tokens are counted in. `model_config` and `open_api_config` have no
    effect. Raises ClassifierUnavailable, ValueError for `use_llmlingua2=False`.
    """

    def __init__(
        self,
        model_name: str = BUNDLED,
        device_map: str = "auto",
        model_config: Mapping[str, Any] | None = None,
        open_api_config: Mapping[str, Any] | None = None,
        use_llmlingua2: bool = True,
        llmlingua2_config: Mapping[str, Any] | None = None,
        *,
        encoding: str = "cl100k_base",
        protect: frozenset[Kind] = ALL_KINDS,
        compressor: Compressor | None = None,
    ) -> None:
        if not use_llmlingua2:
            raise ValueError("only LLMLingua-2 is here: leave use_llmlingua2 out, or say True")
        for name, value in (("model_config", model_config), ("open_api_config", open_api_config)):
            if value:
                warnings.warn(f"{name} has no effect here", UserWarning, stacklevel=2)
        unknown = set(llmlingua2_config or ()) - {"max_batch_size", "max_force_token"}
        if unknown:
            raise TypeError(f"llmlingua2_config: {', '.join(sorted(unknown))} is not known")
        self._encoding = encoding
        self._protect = protect
        if compressor is None:
            device = device_map if device_map.startswith(("cuda", "cpu", "mps")) else None
            compressor = Compressor(load_classifier(model_name, device=device))
        self._compressor = compressor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the classifier threads."""
        self._compressor.close()

    def __call__(self, *args: Any, **options: Any) -> CompressedPrompt:  # noqa: ANN401
        """Do as `compress_prompt` does."""
        return self.compress_prompt(*args, **options)

    def compress_prompt_llmlingua2(
        self,
        context: str | Sequence[str],
        rate: float = 0.5,
        target_token: float = -1,
        **options: Unpack[PromptOptions],
    ) -> CompressedPrompt:
        """Compress contexts; the options are those of `compress_prompt`."""
        return self.compress_prompt(context, rate=rate, target_token=target_token, **options)

    def compress_prompt(
        self,
        context: str | Sequence[str],
        instruction: str = "",
        question: str = "",
        rate: float = 0.5,
        target_token: float = -1,
        *,
        use_context_level_filter: bool | None = None,
        use_token_level_filter: bool = True,
        target_context: int = -1,
        context_level_rate: float = 1.0,
        context_level_target_token: float = -1,
        force_context_ids: Iterable[int] | None = None,
        return_word_label: bool = False,
        word_sep: str = "\t\t|\t\t",
        label_sep: str = " ",
        concate_question: bool = True,
        **options: Unpack[WordOptions],
    ) -> CompressedPrompt:
        """Compress contexts, and put instruction and question around them word for word.

        `rate` is of the contexts' tokens; `target_token`, where positive, is a cap on the whole
        prompt. `use_context_level_filter` drops whole contexts first: None is yes where a
        parameter of that level is given. `options` are token_to_word, force_tokens,
        force_reserve_digit, drop_consecutive and chunk_end_tokens.
        Raises ValueError for what cannot be, TypeError for a parameter that LLMLingua has not.
        """
        contexts = [context] if isinstance(context, str) else list(context)
        settings = self._settings(rate, target_token, options)
        wanted = context_filter(
            use_context_level_filter,
            use_token_level_filter,
            rate=rate,
            target_token=target_token,
            target_context=target_context,
            context_level_rate=context_level_rate,
            context_level_target_token=context_level_target_token,
            force=force_context_ids,
        )
        frame = _Frame(instruction, question if concate_question else "")
        counter = self._compressor.counter(self._encoding)
        read = read_texts(self._compressor, contexts, settings)
        survived = surviving(read, [c.score for c in read], wanted, counter)
        kept: dict[int, tuple[Span, ...]] = {i: (Span(0, len(read[i].text)),) for i in survived}
        if use_token_level_filter:
            kept |= _cut({i: read[i] for i in survived}, frame, settings, counter, joined(read))
        texts = [_slices(contexts[i], kept[i]) for i in survived]
        found = _result(counter, frame, joined(read), _join(texts), settings.target_tokens)
        found["compressed_prompt_list"], found["survived_contexts"] = texts, list(survived)
        if return_word_label:
            found["fn_labeled_original_prompt"] = word_sep.join(
                f"{text.text[word.start : word.end]}{label_sep}{label:d}"
                for index, text in enumerate(read)
                for word, label in _labels(text, kept.get(index, ()))
            )
        return found

    def structured_compress_prompt(
        self,
        context: str | Sequence[str],
        instruction: str = "",
        question: str = "",
        rate: float = 0.5,
        target_token: float = -1,
        *,
        use_context_level_filter: bool = False,
        use_token_level_filter: bool = True,
        force_context_ids: Iterable[int] | None = None,
        concate_question: bool = True,
        **options: Unpack[WordOptions],
    ) -> CompressedPrompt:
        """Compress contexts with `<llmlingua, rate=…, compress=…>` tags (see structured.py).

        Other parameters are those of `compress_prompt`. Raises TagError besides.
        """
        contexts = [context] if isinstance(context, str) else list(context)
        settings = self._settings(rate, target_token, options)
        wanted = context_filter(
            use_context_level_filter,
            use_token_level_filter,
            rate=rate,
            target_token=target_token,
            force=force_context_ids,
        )
        frame = _Frame(instruction, question if concate_question else "")
        done = compress_structured(
            self._compressor,
            contexts,
            settings,
            context_filter=wanted,
            frame=frame.around,
            fine=use_token_level_filter,
        )
        counter = self._compressor.counter(self._encoding)
        texts = ["".join(part.text for part in done.contexts[i]) for i in done.survived]
        found = _result(counter, frame, done.source, done.text, settings.target_tokens)
        found["compressed_prompt_list"], found["survived_contexts"] = texts, list(done.survived)
        return found

    def compress_json(
        self,
        json_data: Mapping[str, Any],
        json_config: str | Mapping[str, Mapping[str, Any]],
        instruction: str = "",
        question: str = "",
        rate: float = 0.5,
        target_token: float = -1,
        *,
        use_keyvalue_level_filter: bool = False,
        use_token_level_filter: bool = True,
        **options: Unpack[WordOptions],
    ) -> CompressedPrompt:
        """Compress the long strings of an object by `{key: {rate, compress, pair_remove, …}}`.

        `json_config` is that, or the path of a JSON file with it. `compressed_prompt` is the
        object, which has no place for instruction and question: send them beside it.
        """
        if instruction or question:
            warnings.warn("instruction and question are no part of the object", stacklevel=2)
        keys = {
            key: KeySettings.read(key, own) for key, own in read_json_config(json_config).items()
        }
        settings = self._settings(rate, target_token, options)
        fine = use_token_level_filter
        wanted = context_filter(
            use_keyvalue_level_filter, fine, rate=rate, target_token=target_token
        )
        done = compress_json(
            self._compressor, json_data, keys, settings, pair_filter=wanted, fine=fine
        )
        counter = self._compressor.counter(self._encoding)
        found = _result(counter, _Frame(), json_text(json_data), done.text, settings.target_tokens)
        found["compressed_prompt"] = done.data
        found["compressed_prompt_list"] = [done.text]
        found["survived_contexts"] = [i for i, k in enumerate(json_data) if k not in done.removed]
        return found

    def _settings(self, rate: float, target_token: float, options: WordOptions) -> Settings:
        """Return the settings of a call; `options` are the parameters that are left."""
        left: dict[str, Any] = dict(options)
        # Line breaks and spaces stay with the words around them, so they need no force.
        force = left.pop("force_tokens", None) or ()
        if not isinstance(force, str):  # which Settings refuses
            force = tuple(str(token) for token in force if str(token).strip())
        ends = left.pop("chunk_end_tokens", None) or ()
        fields: dict[str, Any] = {
            "force_tokens": force,
            "token_to_word": left.pop("token_to_word", "mean"),
            "force_digits": bool(left.pop("force_reserve_digit", False)),
            "drop_consecutive": bool(left.pop("drop_consecutive", False)),
            "chunk_end_tokens": ends if isinstance(ends, str) else tuple(ends),
        }
        for name in left:
            if name not in OF_LLMLINGUA_1:
                raise TypeError(f"'{name}' is no parameter of LLMLingua's")
            warnings.warn(f"{name} is of LLMLingua 1 and has no effect", UserWarning, stacklevel=3)
        fields |= {"target_tokens": int(target_token)} if target_token > 0 else {"rate": rate}
        return Settings(encoding=self._encoding, protect=self._protect, **fields)


class _Frame:
    """What stands around the contexts and stays: the instruction before, the question after."""

    def __init__(self, instruction: str = "", question: str = "") -> None:
        self._instruction = instruction
        self._question = question

    def around(self, text: str) -> str:
        return _join([self._instruction, text, self._question])


def _join(texts: Iterable[str]) -> str:
    return SEPARATOR.join(text for text in texts if text.strip())


def _slices(text: str, kept: Sequence[Span]) -> str:
    return "".join(text[s.start : s.end] for s in kept)


def _cut(
    survivors: Mapping[int, ReadText],
    frame: _Frame,
    settings: Settings,
    counter: TokenCounter,
    source: str,
) -> dict[int, tuple[Span, ...]]:
    """Return what to keep of each survivor that has words: a rate is of `source`, all contexts."""
    filled = {index: text for index, text in survivors.items() if text.words}
    around: Callable[[str], str] = frame.around
    if settings.rate is not None:
        around = str
        target = max(1, share(settings.rate, counter.count(source)))
        settings = replace(settings, rate=None, target_tokens=target)

    def render(kept: Sequence[Sequence[Span]]) -> str:
        texts = (_slices(c.text, own) for c, own in zip(filled.values(), kept, strict=True))
        return around(_join(texts))

    kept = fit_together(list(filled.values()), render, settings, counter)
    return dict(zip(filled, kept, strict=True))


def _labels(text: ReadText, kept: Sequence[Span]) -> Iterable[tuple[Word, bool]]:
    """Yield the words with whether they are kept."""
    inside = np.zeros(len(text.text) + 1, np.bool_)
    for span in kept:
        inside[span.start : span.end] = True
    return ((word, bool(inside[word.start : word.end].all())) for word in text.words)


def _result(
    counter: TokenCounter, frame: _Frame, source: str, text: str, cap: int | None
) -> CompressedPrompt:
    before, prompt = counter.count(frame.around(source)), frame.around(text)
    after = counter.count(prompt)
    ratio = before / after if before and after else 1.0
    return CompressedPrompt(
        compressed_prompt=prompt,
        compressed_prompt_list=[],
        origin_tokens=before,
        compressed_tokens=after,
        ratio=f"{ratio:.1f}x",
        rate=f"{100 / ratio:.1f}%",
        saving=f", Saving ${(before - after) * _DOLLARS_A_TOKEN:.1f} in GPT-4.",
        survived_contexts=[],
        budget_unmet=cap is not None and after > cap,
    )
