"""Model files on the page: the route that reads them, what is kept of them, and what Classify may ask of them."""

from __future__ import annotations

import asyncio
import io
import json
import re
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import gradio as gr
import pytest
import torch
from fastapi.testclient import TestClient
from httpx import ASGITransport, AsyncClient
from onnx import TensorProto, helper
from PIL import Image
from safetensors.torch import save

from explorer.errors import ExplorerError
from explorer.inference import decode
from explorer.inference.checkpoint import Checkpoint
from explorer.inference.weights.recognise import network_shapes, recognise
from explorer.inspection import Graph, inspect
from explorer.network import build
from explorer.spec import PRESETS, ResNetSpec, Shortcut, ZeroPlacement, to_query
from explorer.ui import builder
from explorer.ui.checks.panel import list_checks
from explorer.ui.classify import networks
from explorer.ui.classify.photo import classify
from explorer.ui.diagram.panel import describe, draw, tint
from explorer.ui.kit import model_files
from explorer.ui.kit.model_files import FILE, OPEN_FILES, OpenFile
from explorer.ui.kit.photos import PHOTOS
from explorer.ui.kit.sessions import Limits, SessionStore
from explorer.ui.model_file import panel as files
from explorer.ui.server import create_app, may_open_files
from explorer.views.model_file import panel as opened
from tests.support.answers import ask
from tests.support.paths import DATA

T = TypeVar("T")
TINY = PRESETS["cifar_resnet20"].with_(depths=(1, 1), widths=(4, 8))
EVIL = "<img src=x onerror=alert(1)>.pth"
PORT = DATA / "checkpoints" / "cifar10-resnet20-optionA-12fca82f.th"


def finished(work: Coroutine[Any, Any, T]) -> T:
    """What ``work`` gives, from a thread of its own: browser tests in this process leave a loop running in this one."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def weights(spec: ResNetSpec = TINY, **changed: torch.Tensor) -> bytes:
    named = {name.replace("__", "."): tensor for name, tensor in changed.items()}
    return save({**build(spec, seed=1).state_dict(), **named})


def graph(stride: int = 1) -> bytes:
    """x + conv(x); with stride 8 the convolution's 1×1 map broadcasts."""
    made = helper.make_graph(
        [
            helper.make_node("Conv", ["x", "w"], ["y"], pads=[1, 1, 1, 1], strides=[stride, stride]),
            helper.make_node("Add", ["y", "x"], ["sum"]),
        ],
        "<script>alert(1)</script>",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor_value_info("sum", TensorProto.FLOAT, [1, 3, 8, 8])],
        [helper.make_tensor("w", TensorProto.FLOAT, [3, 3, 3, 3], [0.0] * 81)],
    )
    return bytes(helper.make_model(made, opset_imports=[helper.make_opsetid("", 20)]).SerializeToString())


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with TestClient(create_app(build=gr.Blocks, model_files=True)) as client:
        yield client


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder that temporary files go to; nothing may be left in it."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    yield folder
    assert list(folder.glob("resnet-explorer-*")) == []


def sent(client: TestClient, data: bytes, name: str = "mine.safetensors") -> dict[str, str]:
    answer = client.post(files.ROUTE, params={"name": name}, content=data)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


@pytest.fixture(scope="module")
def tiny(client: TestClient) -> Checkpoint:
    """What the page has of the file ``weights()``."""
    return OPEN_FILES.find(sent(client, weights())["token"]).checkpoint


@pytest.fixture
def token(tiny: Checkpoint) -> str:
    return OPEN_FILES.put(OpenFile("mine.safetensors", tiny))


def refused(answer: Any, status: int) -> str:
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/plain")
    assert "/tmp" not in answer.text
    return answer.text


def wish(do: str, token: str) -> str:
    return json.dumps({"do": do, "token": token})


# ---- the route ---------------------------------------------------------------------------------------------


def test_weights_are_recognised_and_their_network_is_handed_to_the_builder(client: TestClient) -> None:
    answer = sent(client, weights())
    assert "Recognised from names and shapes: ResNet-6: basic blocks 1-1; widths 4, 8" in answer["html"]
    count = sum(parameter.numel() for parameter in build(TINY, device="meta").parameters())
    assert f"{count:,} parameters. All names and shapes match (strict loading)." in answer["html"]
    assert answer["html"].count("data-field=") == 2
    assert 'data-field="zero_pad"' in answer["html"]
    assert 'data-do="classify"' in answer["html"]
    do, token, file = files.parse_action(wish("open", answer["token"]), "page")
    assert file is not None
    assert (do, token) == ("open", answer["token"])
    assert OPEN_FILES.of("page")[0] == (token, file)
    assert files.network_of(file, do) == TINY


def test_v1_and_v1_5_are_said_to_be_undeterminable(tiny: Checkpoint) -> None:
    recognition = recognise(network_shapes(TINY.with_(block="bottleneck")))
    html = opened.weights("a.pth", replace(tiny, recognition=recognition), files.LABELS)
    assert "v1.5) is undeterminable from weights: v1.5, torchvision&#x27;s, is assumed." in html
    assert 'data-field="stride_on"' in html


@pytest.mark.skipif(not PORT.exists(), reason="the third party's checkpoint is not here")
def test_the_third_partys_checkpoint_is_option_a_with_zeros_on_each_side(client: TestClient) -> None:
    answer = sent(client, PORT.read_bytes(), PORT.name)
    assert "The prefix “module.” was taken off" in answer["html"]
    assert "half on each side is assumed, as in akamaster/pytorch_resnet_cifar10" in answer["html"]
    spec = files.network_of(OPEN_FILES.find(answer["token"]), "open")
    assert spec == PRESETS["cifar_resnet20"].with_(zero_pad=ZeroPlacement.SPLIT)


def test_controls_that_are_pointed_to_are_in_the_builder() -> None:
    with gr.Blocks():
        form = builder.create(ResNetSpec())
    assert {field: form.field(field).label for field in files.LABELS} == files.LABELS


def test_other_weights_name_the_nearest_network_and_change_nothing(client: TestClient) -> None:
    answer = sent(client, weights(PRESETS["resnet18"], layer1__0__se__weight=torch.zeros(3)))
    assert "The nearest is ResNet-18 (resnet18); it differs in:" in answer["html"]
    assert "&#x27;layer1.0.se.weight&#x27;: expected nothing, got 3" in answer["html"]
    assert "Show the nearest: ResNet-18" in answer["html"]
    assert 'data-do="classify"' not in answer["html"]
    file = OPEN_FILES.find(answer["token"])
    assert files.network_of(file, "open") is None
    assert files.network_of(file, "show") == PRESETS["resnet18"]
    assert (file.size, file.can_classify) == (0, False)


@pytest.mark.parametrize(
    ("data", "name", "match"),
    [
        (b"\x80\x02cos\nsystem\n(S'true'\ntR.", "a.pth", "it is a bare pickle, which can run code; it was not opened"),
        (b"GIF89a and so on", "../../etc/passwd", "it starts with 'GIF89a a'"),
        (b"GIF89a and so on", "a.ONNX", "it is damaged, or no ONNX file"),
    ],
)
def test_other_files_are_rejected_with_a_sentence(client: TestClient, data: bytes, name: str, match: str) -> None:
    before = OPEN_FILES.of("page")
    answer = client.post(files.ROUTE, params={"name": name}, content=data)
    assert set(answer.json()) == {"error"}
    assert match in answer.json()["error"]
    assert "/tmp" not in answer.text
    assert OPEN_FILES.of("page") == before


def test_a_body_is_shown_with_what_is_left_over_and_cannot_classify(client: TestClient) -> None:
    state = {f"encoder.{k}": v for k, v in build(TINY, seed=1).state_dict().items() if not k.startswith("fc.")}
    answer = sent(client, save({**state, "decoder.weight": torch.ones(2)}))
    assert "the body of ResNet-6" in answer["html"]
    assert "Left over, and not part of this network: &#x27;decoder&#x27; (1 tensor)." in answer["html"]
    assert "It has no classifier, so Classify cannot use it." in answer["html"]
    count = sum(v.numel() for k, v in state.items() if k.endswith(("weight", "bias")))
    assert f"{count:,} parameters. All names and shapes match (strict loading)." in answer["html"]
    file = OPEN_FILES.find(answer["token"])
    assert (files.network_of(file, "open"), file.can_classify) == (TINY.with_(num_classes=1000), False)


def test_outside_names_are_text(tiny: Checkpoint) -> None:
    graph = Graph(replace(inspect(TINY), name=EVIL), (EVIL,))
    for html in (opened.weights(EVIL, tiny, {}), opened.graph(EVIL, graph)):
        assert "<img" not in html
        assert "<bdi>&lt;img src=x onerror=alert(1)&gt;.pth</bdi>" in html


def test_a_large_file_is_refused_before_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_MAX_MODEL_MB", "1")
    client = TestClient(create_app(build=gr.Blocks, model_files=True))
    assert refused(client.post(files.ROUTE, content=bytes(2**20 + 1)), 413) == (
        "The request is too large; at most 1 MiB are taken."
    )
    assert "starts with" in client.post(files.ROUTE, content=bytes(2**20)).json()["error"]

    def chunks() -> Iterator[bytes]:
        yield from (bytes(2**19) for _ in range(3))

    assert "upload was interrupted" in refused(client.post(files.ROUTE, content=chunks()), 408)


@pytest.mark.parametrize("word", ["0", "-1", "many", "1.5", ""])
def test_the_limit_is_a_number(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_MAX_MODEL_MB", word)
    with pytest.raises(ExplorerError, match=r"RESNET_EXPLORER_MAX_MODEL_MB: got .*, expected a whole number of MiB"):
        files.max_bytes()


def test_other_routes_keep_their_limit(client: TestClient) -> None:
    assert refused(client.post("/other", content=bytes(28 * 2**20)), 413).startswith("The request is too large")


def test_files_are_off_where_they_are_switched_off() -> None:
    client = TestClient(create_app(build=gr.Blocks))
    assert refused(client.post(files.ROUTE, content=weights()), 403) == files.OFF
    assert refused(client.get(files.ROUTE), 403) == files.OFF
    assert "is disabled" in files.panel(allowed=False).html_template
    assert "input" not in files.panel(allowed=False).html_template


@pytest.mark.parametrize(
    ("host", "wanted", "word", "on"),
    [
        ("127.0.0.1", None, "", True),
        ("localhost", None, "0", False),
        ("0.0.0.0", None, "", False),
        ("192.168.1.5", None, "1", True),
        ("0.0.0.0", True, "0", True),
        ("127.0.0.1", False, "1", False),
    ],
)
def test_files_are_on_where_only_this_machine_asks(
    host: str, wanted: bool | None, word: str, on: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_MODEL_FILES", word)
    assert may_open_files(host, wanted) is on


def test_the_switch_is_1_or_0(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RESNET_EXPLORER_MODEL_FILES", "yes")
    with pytest.raises(ExplorerError, match=r"RESNET_EXPLORER_MODEL_FILES: got 'yes', expected 1 \(on\) or 0 \(off\)"):
        may_open_files("127.0.0.1")


def test_two_files_at_once_and_a_polite_word_for_the_third() -> None:
    async def scenario() -> None:
        go_on, halfway = asyncio.Event(), asyncio.Semaphore(0)

        async def slowly() -> AsyncIterator[bytes]:
            yield b"no "
            halfway.release()
            await go_on.wait()
            yield b"weights"

        transport = ASGITransport(create_app(build=gr.Blocks, model_files=True))
        async with AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
            first = [asyncio.create_task(client.post(files.ROUTE, content=slowly())) for _ in range(2)]
            for _ in first:
                await asyncio.wait_for(halfway.acquire(), 30)
            third = await client.post(files.ROUTE, content=b"")
            assert (refused(third, 503), third.headers["retry-after"]) == (files.BUSY, "2")
            assert refused(await client.get(files.ROUTE), 503) == files.BUSY
            go_on.set()
            assert ["no weigh" in (await answer).json()["error"] for answer in first] == [True, True]
            assert (await client.get(files.ROUTE)).status_code == 204

    finished(scenario())


def test_a_sender_who_falls_silent_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_SILENCE", 0.05)

    async def scenario() -> str:
        async def silent() -> AsyncIterator[bytes]:
            yield b"half"
            await asyncio.sleep(30)

        transport = ASGITransport(create_app(build=gr.Blocks, model_files=True))
        async with AsyncClient(transport=transport, base_url="http://test") as client:
            return refused(await client.post(files.ROUTE, content=silent()), 408)

    assert finished(scenario()) == "The upload was interrupted. Open the file again."


# ---- what is kept ------------------------------------------------------------------------------------------


def test_the_files_opened_last_are_kept_for_the_page_that_opened_them(tiny: Checkpoint) -> None:
    assert OPEN_FILES.limits == Limits(count=4, size=2**30, seconds=3600)
    first = OPEN_FILES.put(OpenFile("first.pth", tiny), "another page")
    for number in range(4):
        files.parse_action(wish("open", OPEN_FILES.put(OpenFile(f"{number}.pth", tiny))), "page")
    with pytest.raises(ExplorerError, match=r"^Your session expired\. Open the file again\.$"):
        OPEN_FILES.find(first)
    assert [file.name for _, file in OPEN_FILES.of("page")] == ["3.pth", "2.pth", "1.pth", "0.pth"]
    OPEN_FILES.close("page")
    assert OPEN_FILES.of("page") == []


def test_who_guesses_nothing_sees_nothing_of_others(token: str) -> None:
    files.parse_action(wish("open", token), "page")
    files.parse_action(wish("show", token), "another page")
    assert token in dict(OPEN_FILES.of("page"))
    assert OPEN_FILES.of("another page") == []


def test_memory_is_bounded(tiny: Checkpoint) -> None:
    """By the weights, and by the network once it is loaded."""
    once = OpenFile("", tiny).size
    assert once == sum(tensor.nbytes for tensor in tiny.state.values()) > 0
    store = SessionStore[OpenFile](model_files.GONE, Limits(size=4 * once - 1), size=lambda file: file.size)
    first, second = (store.put(OpenFile(name, tiny), "page") for name in ("a", "b"))
    file = store.find(first)
    file.classifier(file.spec_for(""), "cpu")
    assert file.size == 3 * once
    assert [token for token, _ in store.of("page")] == [first]
    with pytest.raises(ExplorerError):
        store.find(second)


@pytest.mark.parametrize("value", ["", "{}", "[]", "null", '{"do": "show"}', "x" * 5000, None, 7])
def test_a_wish_that_is_none_is_refused(value: Any) -> None:
    with pytest.raises(ExplorerError, match="Invalid request"):
        files.parse_action(value, "page")


def test_a_closed_file_is_gone(token: str) -> None:
    assert files.parse_action(wish("close", token), "page") == ("close", token, None)
    with pytest.raises(ExplorerError, match="session expired"):
        files.parse_action(wish("show", token), "page")


# ---- graphs ------------------------------------------------------------------------------------------------


def test_a_graph_is_drawn_described_and_checked_under_its_token(client: TestClient) -> None:
    answer = sent(client, graph(), "net.onnx")
    assert "✓ 1 of 1 shortcuts match" in answer["html"]
    query = FILE + answer["token"]
    drawn = ask(draw, {"query": query, "open": "all"})
    assert "&lt;script&gt;" in drawn["svg"] or "script" not in drawn["svg"]
    assert "<script" not in drawn["svg"]
    assert [role for *_, role in drawn["edges"]].count("main") >= 2
    assert "3×8×8" in ask(describe, {"query": query, "node": "input"})["html"]
    checks = ask(list_checks, {"query": query})["rows"]
    assert checks.count("data-node=") == 1
    assert "<script" not in checks
    refusal = ask(tint, {"query": query, "by": "gradient"})["error"]
    assert refusal == "Gradients are measured only in networks of the builder, and an ONNX file is shown."
    file = OPEN_FILES.find(answer["token"])
    assert (files.network_of(file, "open"), file.can_classify) == (None, False)


def test_a_sum_that_broadcasts_is_seen_in_a_graph(client: TestClient) -> None:
    assert "✕ 1 of 1 shortcuts does not match" in sent(client, graph(stride=8), "net.onnx")["html"]


def test_a_graph_that_is_gone_is_said() -> None:
    assert "session expired" in ask(draw, {"query": FILE + "nothing"})["error"]
    assert "session expired" in ask(list_checks, {"query": FILE + "nothing"})["error"]


# ---- in Classify -------------------------------------------------------------------------------------------


def asked(token: str, spec: ResNetSpec = TINY) -> str:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(buffer, "PNG")
    photo = PHOTOS.put(decode(buffer.getvalue()), "page")
    query = f"{to_query(spec)}&open=layer1&at=stem"
    return str(ask(classify, {"token": photo, "variant": FILE + token, "network": query})["html"])


def scores(html: str) -> list[str]:
    return re.findall(r'title="(0\.\d+)"', html)


def test_the_builder_says_what_the_weights_do_not(token: str) -> None:
    after, halves = asked(token), asked(token, TINY.with_(zero_pad="split"))
    assert "Option A puts zeros: After the channels." in after
    assert "Option A puts zeros: Half on each side." in halves
    assert scores(after) != scores(halves)
    assert scores(asked(token, PRESETS["resnet50"])) == scores(after)
    broken = asked(token, TINY.with_(shortcut=Shortcut.IDENTITY))
    assert "With this choice the network cannot run. layer2.0: the branch gives 8×16×16" in broken


def test_the_answer_is_that_of_the_weights(token: str) -> None:
    model = build(TINY, seed=1).eval()
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    red = ((torch.tensor([1.0, 0.0, 0.0]) - mean) / std).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    with torch.inference_mode():
        expected = torch.softmax(model(red)[0], 0).topk(5).values
    assert [float(score) for score in scores(asked(token))] == pytest.approx(expected.tolist(), abs=2e-6)


def test_broken_weights_are_inspected_and_not_asked(client: TestClient) -> None:
    answer = sent(client, weights(fc__bias=torch.full((10,), float("nan"))))
    assert "1 of 32 tensors contain NaN or infinity, for example &#x27;fc.bias&#x27;" in answer["html"]
    assert 'data-do="classify"' not in answer["html"]
    assert files.network_of(OPEN_FILES.find(answer["token"]), "open") == TINY
    assert "these weights cannot classify photos" in asked(answer["token"])


def test_photos_have_three_channels(tiny: Checkpoint) -> None:
    recognition = replace(tiny.recognition, spec=TINY.with_(in_channels=1))
    html = opened.weights("grey.pth", replace(tiny, recognition=recognition), {})
    assert "It reads 1 channels, but photos have 3, so Classify cannot use it." in html


def test_a_page_chooses_among_its_own_files(tiny: Checkpoint) -> None:
    token = OPEN_FILES.put(OpenFile("mine\u202e.pth", tiny))
    files.parse_action(wish("open", token), "page of files")
    assert networks.choices("page of files")[0] == ("your file: mine\u202e.pth", FILE + token)
    assert networks.choices("another page") == networks.choices()
    assert FILE + token not in dict(networks.choices()).values()
    assert "ResNet-6, 10 classes" in networks.about(FILE + token)
    OPEN_FILES.close("page of files")
    assert "session expired" in networks.about(FILE + token)
    assert "session expired" in asked(token)
