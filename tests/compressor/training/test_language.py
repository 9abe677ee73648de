import pytest

from compressor.training.language import guess_language


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The council met on Monday and it was said that the budget is not for this year.", "en"),
        ("Der Rat hat sich am Montag nicht mit dem Haushalt für das nächste Jahr befasst.", "de"),
        (
            "Le conseil ne s'est pas réuni lundi pour parler du budget de la ville et des écoles.",
            "fr",
        ),
        ("El consejo no se reunió el lunes para hablar del presupuesto de la ciudad.", "es"),
        ("O conselho não se reuniu para falar do orçamento da cidade, mas os membros foram.", "pt"),
        ("Il consiglio non si è riunito per parlare del bilancio della città di quest'anno.", "it"),
        ("De raad heeft het niet over de begroting van de stad gehad en dat is voor ons.", "nl"),
        ("会議では新しい予算について話し合いました。", "ja"),
        ("理事会昨天讨论了新的预算。", "zh"),
        ("Совет обсудил новый бюджет.", "ru"),
        ("alpha = compute(beta, gamma)", ""),
        ("123 456", ""),
        ("", ""),
    ],
)
def test_the_language_of_a_sentence(text: str, language: str) -> None:
    assert guess_language(text) == language
