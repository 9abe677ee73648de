import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.azure import (
    AzurePath,
    from_azure,
    to_azure,
    with_model,
    without_api_version,
    without_key,
)
from proxy.errors import RequestRefused
from proxy.model_names import ModelNames


def azure(target: str, *, base_url: str = "https://n.openai.azure.com", model: str = "m") -> str:
    return to_azure(
        target,
        base_url=base_url,
        deployment=None,
        model=model,
        names=ModelNames({"gpt-*": "prod-{model}"}),
        api_version="v1",
    )


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"/v1/chat/completions", None),
        (b"/openai", None),
        (b"/openai/v1/responses", AzurePath(b"/v1/responses", None)),
        (b"/openai/files", AzurePath(b"/v1/files", None)),
        (b"/openai/deployments", AzurePath(b"/v1/deployments", None)),
        (b"/openai/deployments/a%20b/completions", AzurePath(b"/v1/completions", "a b")),
        (b"/openai/deployments/a/x/%41", AzurePath(b"/v1/x/%41", "a")),
    ],
)
def test_from_azure(raw: bytes, found: AzurePath | None) -> None:
    assert from_azure(raw) == found


def test_the_path_is_decoded_as_asgi_does() -> None:
    assert AzurePath(b"/v1/%41%C3%A4", None).path == "/v1/Aä"


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("/embeddings", "/openai/deployments/m/embeddings?api-version=v1"),
        ("/embeddings?a=b", "/openai/deployments/m/embeddings?a=b&api-version=v1"),
        ("/embeddings?api-version=x", "/openai/deployments/m/embeddings?api-version=x"),
        ("/files/f?x-api-version=1", "/openai/files/f?x-api-version=1&api-version=v1"),
        ("/responses", "/openai/responses?api-version=v1"),
    ],
)
def test_to_azure(target: str, url: str) -> None:
    assert azure(target) == url


def test_a_base_url_may_end_in_openai() -> None:
    assert azure("/files", base_url="https://n/openai/") == "/files?api-version=v1"


def test_models_are_mapped() -> None:
    assert azure("/embeddings", model="gpt-4").startswith("/openai/deployments/prod-gpt-4/")


@given(st.text(st.characters(), min_size=1, max_size=20))
def test_a_model_stays_one_segment(model: str) -> None:
    try:
        url = azure("/completions", model=model)
    except RequestRefused:
        return
    path, _, query = url.partition("?")
    assert query == "api-version=v1"
    assert len(path.split("/")) == 5
    assert path.split("/")[3] not in {"", ".", ".."}


@pytest.mark.parametrize(
    ("target", "plain"),
    [
        ("/a", "/a"),
        ("/a?api-version=1", "/a"),
        ("/a?b=1&api-version=1", "/a?b=1"),
        ("/a?api-version=1&b=1", "/a?b=1"),
        ("/a?x-api-version=1", "/a?x-api-version=1"),
    ],
)
def test_without_api_version(target: str, plain: str) -> None:
    assert without_api_version(target) == plain


@pytest.mark.parametrize(
    ("target", "azure", "expected"),
    [
        ("/realtime?model=a", False, "/realtime?model=new%2F1"),
        ("/realtime?x=%20&model=a&y", True, "/realtime?x=%20&deployment=new%2F1&y"),
        ("/realtime?deployment=a", False, "/realtime?model=new%2F1"),
        ("/realtime?model=new%2f1", False, "/realtime?model=new%2f1"),
        ("/realtime?model=a&deployment=b", True, "/realtime?model=a&deployment=b"),
        ("/realtime?my-model=a", True, "/realtime?my-model=a"),
        ("/realtime", True, "/realtime"),
    ],
)
def test_with_model(target: str, azure: bool, expected: str) -> None:
    assert with_model(target, "new/1", azure=azure) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/r?api-key=k", "/r"),
        ("/r?a=1&api-key=k&b=%2B", "/r?a=1&b=%2B"),
        ("/r?API-Key=k&api-key=l", "/r"),
        ("/r?my-api-key=k", "/r?my-api-key=k"),
        ("/r", "/r"),
    ],
)
def test_without_key(target: str, expected: str) -> None:
    assert without_key(target) == expected
