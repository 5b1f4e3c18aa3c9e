"""The private form as a page: plain HTML, protected as the other pages, throttled when its addresses are guessed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
import pytest

from tests.web.app_fixture import WebFixture
from web.dependencies import FormAnswers, FormResult, FormStatus
from web.throttle import BURST

NAME, NUMBER = "王小明", "11010519491231002X"
TYPED = {"name": NAME, "number": NUMBER}
STATUSES = {
    FormStatus.UNKNOWN: (404, "没有找到这个页面"),
    FormStatus.OVER: (410, "这个页面不能再用了"),
    FormStatus.NOT_YOURS: (403, "这不是给你的页面"),
    FormStatus.TAKEN: (200, "资料已提交"),
}


@dataclass
class FakeForm:
    """A form whose answers are given by the test; it knows one address."""

    result: FormResult = field(default_factory=lambda: FormResult(FormStatus.TAKEN))
    taken: list[FormAnswers] = field(default_factory=list)

    async def status(self, token: str) -> FormStatus:
        return FormStatus.OPEN if token == "known" else FormStatus.UNKNOWN

    async def send(self, token: str, answers: FormAnswers, language: str) -> FormResult:
        self.taken.append(answers)
        return self.result if token == "known" else FormResult(FormStatus.UNKNOWN)


@pytest.fixture
def form() -> FakeForm:
    return FakeForm()


@pytest.fixture
def visitor(form: FakeForm) -> httpx.AsyncClient:
    return WebFixture(more={"form": form}).phone("browser")


async def test_it_is_a_plain_form_that_posts_to_itself(visitor: httpx.AsyncClient) -> None:
    page = await visitor.get("/f/known")

    assert page.status_code == 200
    assert '<form method="post"' in page.text
    assert "action=" not in page.text
    assert "不经过 Telegram" in page.text
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("framed", [True, False])
async def test_only_telegram_may_frame_it_and_only_our_own_script_runs(form: FakeForm, framed: bool) -> None:
    page = await WebFixture(more={"form": form, "framed": framed}).phone("browser").get("/f/known")
    policy = page.headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'self' https://*.telegram.org" in policy
    assert ("http://127.0.0.1:*" in policy) is framed


@pytest.mark.parametrize("status", STATUSES)
async def test_each_outcome_has_a_page_of_its_own(
    form: FakeForm, visitor: httpx.AsyncClient, status: FormStatus
) -> None:
    form.result = FormResult(status)
    code, words = STATUSES[status]

    page = await visitor.post("/f/known", data=TYPED)

    assert (page.status_code, form.taken) == (code, [FormAnswers(NAME, NUMBER)])
    assert words in page.text
    assert NAME not in page.text
    assert NUMBER not in page.text


async def test_a_mistake_is_said_at_its_field_and_nothing_must_be_typed_again(
    form: FakeForm, visitor: httpx.AsyncClient
) -> None:
    form.result = FormResult(FormStatus.WRONG, {"number": "位数不对"}, elsewhere="https://intl.example/")

    page = await visitor.post("/f/known?lang=en", data={"name": '<b>"王', "number": "1101"})

    assert page.status_code == 422
    assert '<p class="problem" id="number-problem" role="alert">位数不对</p>' in page.text
    assert 'value="&lt;b&gt;&#34;王"' in page.text
    assert 'value="1101"' in page.text
    assert '<a href="https://intl.example/">To the international site</a>' in page.text


async def test_a_name_to_check_comes_back_with_the_next_press(form: FakeForm, visitor: httpx.AsyncClient) -> None:
    form.result = FormResult(FormStatus.WRONG, {"name": "?"}, asks_check=True)
    page = await visitor.post("/f/known", data={"name": "高兴", "number": NUMBER})
    form.result = FormResult(FormStatus.WRONG, {"number": "?"})
    checked = await visitor.post("/f/known", data={"name": "高兴", "number": "1", "checked": "高兴"})

    assert 'name="checked" value="高兴"' in page.text
    assert 'name="checked" value="高兴"' in checked.text
    assert form.taken[1].checked == "高兴"


async def test_what_telegram_says_of_the_person_comes_along(form: FakeForm, visitor: httpx.AsyncClient) -> None:
    await visitor.post("/f/known", data={**TYPED, "init_data": "user=1&hash=2"})

    assert form.taken == [FormAnswers(NAME, NUMBER, init_data="user=1&hash=2")]


@pytest.mark.parametrize(
    ("content", "headers", "code"),
    [
        (b"x" * (16 * 1024 + 1), {}, 413),
        (b"name=a&number=b", {"Sec-Fetch-Site": "cross-site"}, 403),
        (b"name=a&number=b", {"Origin": "https://elsewhere.example"}, 403),
    ],
)
async def test_a_form_of_another_site_or_a_huge_one_is_not_taken(
    form: FakeForm, visitor: httpx.AsyncClient, content: bytes, headers: Mapping[str, str], code: int
) -> None:
    page = await visitor.post("/f/known", content=content, headers=headers)

    assert (page.status_code, form.taken) == (code, [])


@pytest.mark.parametrize("content", [b"\xff\xfe", b"&" * 100, b"a=1&" * 20, b""])
async def test_a_body_that_is_no_form_counts_as_empty(
    form: FakeForm, visitor: httpx.AsyncClient, content: bytes
) -> None:
    await visitor.post("/f/known", content=content)

    assert form.taken == [FormAnswers()]


async def test_guessed_addresses_are_throttled_with_those_of_codes(visitor: httpx.AsyncClient) -> None:
    answers = [
        (await visitor.get(f"/{kind}/guess{number}")).status_code for number in range(BURST // 2 + 2) for kind in "fv"
    ]

    assert answers[:BURST] == [404] * BURST
    assert set(answers[BURST:]) == {429}


async def test_a_program_without_the_form_has_no_such_address(web_app: WebFixture) -> None:
    assert (await web_app.phone("browser").get("/f/known")).status_code == 404
