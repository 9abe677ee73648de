import asyncio
from typing import Any

import pytest

from compressor.calibration import NamedThresholds, UnknownThreshold
from compressor.types import CacheState, Failure, Kind, Outcome, Settings, VerifiedCount
from policies.types import Policy, Protections
from proxy.pipeline import Pipeline
from proxy.savings import Treatment
from tests.fakes import FakeCompressor, FakeTokenizers
from tests.proxy.pipelines import LONG, POLICIES, SHORT, chat, config, prepare


@pytest.fixture
def compressor() -> FakeCompressor:
    return FakeCompressor()


@pytest.fixture
def pipeline(compressor: FakeCompressor) -> Pipeline:
    return Pipeline(config(), compressor, FakeTokenizers())


async def test_the_report_covers_every_part(pipeline: Pipeline, compressor: FakeCompressor) -> None:
    compressor.cache = CacheState.MEMORY
    body = chat([{"type": "text", "text": LONG}], "short", "")
    body = body.replace(b'"messages": [', b'"messages": [{"role":"system","content":"a b c d e"},')
    report = (await prepare(pipeline, body)).report
    assert (report.policy, report.treatment) == ("half", Treatment.COMPRESSED)
    assert (report.tokens_before, report.tokens_after, report.tokens_sent) == (14, 10, 10)
    assert (report.encoding, report.tokens_estimated, report.note) == ("words", False, None)
    assert report.compress_ms > 0
    assert [
        (part.path, part.role, part.reason, part.tokens_before, part.tokens_after, part.cache)
        for part in report.parts
    ] == [
        ("messages[0].content", "system", "role system is not in the policy's roles", 5, 5, None),
        ("messages[1].content[0].text", "user", "rate 0.5", 8, 4, "memory"),
        ("messages[2].content", "user", "1 tokens, below min_tokens 4", 1, 1, None),
        ("messages[3].content", "user", "has no tokens", 0, 0, None),
    ]


async def test_the_compressor_gets_the_policys_settings(compressor: FakeCompressor) -> None:
    await prepare(Pipeline(config("cap"), compressor, FakeTokenizers()), chat(LONG))
    await prepare(Pipeline(config("half"), compressor, FakeTokenizers()), chat(LONG))
    (text, settings_, tenant, deadline_ms), (_, half, _, half_deadline) = compressor.calls
    assert (text, tenant, deadline_ms, half_deadline) == (LONG, "t-1", 2000, 900)
    assert (settings_.target_tokens, settings_.rate) == (3, None)
    assert (settings_.force_tokens, settings_.encoding) == (("two",), "words")
    assert (half.rate, half.protect) == (0.5, frozenset(Kind))


async def test_a_named_threshold_is_a_number_before_the_compressor_sees_it(
    compressor: FakeCompressor,
) -> None:
    policies = {**POLICIES, "half": Policy(name="half", threshold="mine", min_tokens=4)}
    changed = config().model_copy(update={"policies": policies})
    thresholds = NamedThresholds("given", {"mine": 0.375})
    pipeline = Pipeline(changed, compressor, FakeTokenizers(), thresholds=thresholds)
    prepared = await prepare(pipeline, chat(LONG))
    ((_, given, _, _),) = compressor.calls
    assert given.threshold == 0.375
    assert prepared.report.parts[0].reason == "threshold mine (0.375)"


def test_a_policy_whose_threshold_has_no_number_is_refused_at_start(
    compressor: FakeCompressor,
) -> None:
    policies = {**POLICIES, "half": Policy(name="half", threshold="mine")}
    changed = config().model_copy(update={"policies": policies})
    with pytest.raises(UnknownThreshold, match="'mine'; it has aggressive, balanced, gentle"):
        Pipeline(changed, compressor, FakeTokenizers())


async def test_forced_digits_and_consecutive_words_pass_through(compressor: FakeCompressor) -> None:
    update = {"force_digits": True, "drop_consecutive": True}
    policies = {**POLICIES, "half": POLICIES["half"].model_copy(update=update)}
    changed = config().model_copy(update={"policies": policies})
    await prepare(Pipeline(changed, compressor, FakeTokenizers()), chat(LONG))
    await prepare(Pipeline(config(), compressor, FakeTokenizers()), chat(LONG))
    passed, plain = (call[1] for call in compressor.calls)
    assert (passed.force_digits, passed.drop_consecutive) == (True, True)
    assert (plain.force_digits, plain.drop_consecutive) == (False, False)


async def test_a_policys_words_are_not_forced_where_it_switches_that_off(
    compressor: FakeCompressor,
) -> None:
    update = {"protect": Protections(forced=False)}
    policies = {**POLICIES, "cap": POLICIES["cap"].model_copy(update=update)}
    changed = config("cap").model_copy(update={"policies": policies})
    await prepare(Pipeline(changed, compressor, FakeTokenizers()), chat(LONG))
    assert compressor.calls[0][1].force_tokens == ()


def asking(compressor: FakeCompressor) -> Pipeline:
    changed = POLICIES["half"].model_copy(update={"question_aware": True})
    policies = {**POLICIES, "half": changed}
    changed_config = config().model_copy(update={"policies": policies})
    return Pipeline(changed_config, compressor, FakeTokenizers())


async def test_a_question_aware_policy_passes_on_what_the_last_user_message_asks(
    compressor: FakeCompressor,
) -> None:
    report = (await prepare(asking(compressor), chat(LONG, LONG, "who is it"))).report
    assert [call[1].question for call in compressor.calls] == ["who is it"] * 2
    assert [part.reason for part in report.parts] == [
        "rate 0.5, question-aware",
        "rate 0.5, question-aware",
        "3 tokens, below min_tokens 4",
    ]


async def test_a_long_last_message_is_asked_off_the_loop(compressor: FakeCompressor) -> None:
    document = "They went on and on about it. " * 200
    await prepare(asking(compressor), chat(f"{document}\n\nWho went on?"))
    assert compressor.calls[0][1].question == "Who went on?"


async def test_a_last_message_that_asks_nothing_is_compressed_blind_and_says_so(
    compressor: FakeCompressor,
) -> None:
    document = "They went on and on about it. " * 40
    report = (await prepare(asking(compressor), chat(document))).report
    assert compressor.calls[0][1].question is None
    assert report.parts[0].reason == "rate 0.5, question-blind: the last user message asks nothing"


async def test_switched_off_nothing_of_the_question_reaches_the_compressor(
    compressor: FakeCompressor,
) -> None:
    report = (await prepare(Pipeline(config(), compressor, FakeTokenizers()), chat(LONG))).report
    assert compressor.calls[0][1] == Settings(rate=0.5, encoding="words")
    assert report.parts[0].reason == "rate 0.5"


async def test_protections_that_are_off_are_left_out(compressor: FakeCompressor) -> None:
    protect = Protections(json=False, quote=False)
    policies = {**POLICIES, "half": POLICIES["half"].model_copy(update={"protect": protect})}
    changed = config().model_copy(update={"policies": policies})
    await prepare(Pipeline(changed, compressor, FakeTokenizers()), chat(LONG))
    assert compressor.calls[0][1].protect == frozenset(Kind) - {Kind.JSON, Kind.QUOTE}


async def test_parts_are_compressed_at_the_same_time(
    pipeline: Pipeline, compressor: FakeCompressor
) -> None:
    compressor.hang = True
    running = asyncio.create_task(prepare(pipeline, chat(LONG, LONG + " 1", LONG + " 2")))
    async with asyncio.timeout(5):
        while compressor.running < 3:
            await asyncio.sleep(0)
    compressor.release.set()
    assert (await running).report.treatment is Treatment.COMPRESSED


async def test_a_cancelled_request_cancels_its_parts(
    pipeline: Pipeline, compressor: FakeCompressor
) -> None:
    compressor.hang = True
    running = asyncio.create_task(prepare(pipeline, chat(LONG, LONG + " 1")))
    async with asyncio.timeout(5):
        while compressor.running < 2:
            await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert compressor.running == 0


async def test_nothing_to_compress_sends_the_same_object(
    pipeline: Pipeline, compressor: FakeCompressor
) -> None:
    body = chat("short", None, [{"type": "image_url", "image_url": {"url": LONG}}])
    prepared = await prepare(pipeline, body)
    assert prepared.body is body
    assert prepared.report.treatment is Treatment.UNCHANGED
    assert prepared.report.compress_ms == 0
    assert compressor.calls == []


@pytest.mark.parametrize("longer", [LONG + " nine", LONG.replace(" ", "\n"), LONG])
async def test_a_text_that_saves_no_tokens_stays(
    pipeline: Pipeline, compressor: FakeCompressor, longer: str
) -> None:
    compressor.rewrite = {LONG: longer}
    body = chat(LONG)
    prepared = await prepare(pipeline, body)
    assert prepared.body is body
    report = prepared.report
    assert (report.treatment, report.tokens_after) == (Treatment.UNCHANGED, 8)
    assert report.parts[0].reason.startswith("left as it is (rate 0.5): ")


async def test_shadow_measures_and_sends_the_same_object(compressor: FakeCompressor) -> None:
    body = chat(LONG)
    prepared = await prepare(Pipeline(config("watch"), compressor, FakeTokenizers()), body)
    assert prepared.body is body
    report = prepared.report
    assert report.treatment is Treatment.SHADOW
    assert (report.tokens_before, report.tokens_after, report.tokens_sent) == (8, 4, 8)
    assert report.parts[0].tokens_after == 4


async def test_shadow_with_nothing_to_compress_is_unchanged(compressor: FakeCompressor) -> None:
    prepared = await prepare(Pipeline(config("watch"), compressor, FakeTokenizers()), chat("a"))
    assert prepared.report.treatment is Treatment.UNCHANGED


async def test_a_policy_that_is_off_still_counts(compressor: FakeCompressor) -> None:
    body = chat(LONG)
    prepared = await prepare(Pipeline(config("none"), compressor, FakeTokenizers()), body)
    assert prepared.body is body
    assert (prepared.report.treatment, prepared.report.tokens_sent) == (Treatment.OFF, 8)
    assert prepared.report.parts[0].reason == "policy is off"
    assert compressor.calls == []


@pytest.mark.parametrize("failure", list(Failure))
async def test_a_failed_part_goes_as_the_original(
    pipeline: Pipeline, compressor: FakeCompressor, failure: Failure
) -> None:
    compressor.failure = failure
    body = chat(LONG)
    prepared = await prepare(pipeline, body)
    assert prepared.body is body
    report = prepared.report
    assert (report.treatment, report.tokens_sent) == (Treatment.FAILED_OPEN, 8)
    assert report.parts[0].failure == failure.value
    assert report.parts[0].reason.startswith("sent as the original: ")
    assert "{" not in report.parts[0].reason


async def test_one_failed_part_leaves_the_others_compressed() -> None:
    class FailsOnBad(FakeCompressor):
        async def compress(self, text: str, *args: Any, **keywords: Any) -> Outcome:
            outcome = await super().compress(text, *args, **keywords)
            if text.startswith("bad"):
                return Outcome(text, CacheState.MISS, None, Failure.DEADLINE, 900.0)
            return outcome

    body = chat(LONG, "bad a b c d")
    prepared = await prepare(Pipeline(config(), FailsOnBad(), FakeTokenizers()), body)
    failed = [part.failure for part in prepared.report.parts]
    assert prepared.report.treatment is Treatment.FAILED_OPEN
    assert failed == [None, "deadline"]
    assert prepared.body == body.replace(LONG.encode(), SHORT.encode())
    assert "900 ms" in prepared.report.parts[1].reason


async def test_what_was_verified_is_summed_up_in_the_report(
    pipeline: Pipeline, compressor: FakeCompressor
) -> None:
    compressor.verified = {
        Kind.NUMBER: VerifiedCount(9, 4, 4, restored=1),
        Kind.NEGATION: VerifiedCount(5, 3, 2),
    }
    changed, short = (await prepare(pipeline, chat(LONG, "short"))).report.parts
    assert (changed.protected, changed.restored, changed.lost) == (7, 1, 1)
    assert (short.protected, short.restored, short.lost) == (0, 0, 0)
