"""A report is whole in itself, shows data as data, and reads well in a browser."""

from __future__ import annotations

import base64
import fcntl
import hashlib
import html
import html.parser
import itertools
import json
import os
import re
import select
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrtool import __version__
from cxrtool.core.errors import CxrtoolError, one_line
from cxrtool.figures import html_page
from cxrtool.figures.tables import Cell, ReportTable
from cxrtool.files import png

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
# Seconds that the browser may take for one answer.
PATIENCE = 60
PICTURE = png.encode(np.zeros((20, 30), np.uint8), {})
WIDE = png.encode(np.zeros((20, html_page.LARGE + 1), np.uint8), {})
SVG = (
    b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="45pt">'
    b"<style>rect {fill: red}</style><script>document.title = 1</script>"
    b'<rect width="9" height="9"/></svg>'
)
HOSTILE = [
    "<script>document.title='x'</script>",
    '"><img src=x onerror=alert(1)>',
    "a\nb\r\nc",
    "\u202egnp.exe",
    "&amp;",
    "'",
    "</style><style>",
    "`",
    "``",
    "`a`b`",
    "\x00\x1b[31m",
    "\ud800",
    "العربية",
    "肺炎",
    "x" * 300,
    "",
    " ",
    "-->",
    "]]>",
]


def whole_page(names: list[str]) -> html_page.Page:
    """Make a page with a part of every kind and these names wherever there may be one."""
    page = html_page.Page("".join(names), " ".join(names))
    for name in names:
        section = page.section(name)
        section.text(name, name * 2)
        section.code(name)
        for level in ("good", "bad", "note"):
            section.finding(level, name)
        section.table(ReportTable(names, [names, [name] * len(names)]), name)
        section.picture(PICTURE, name, name)
        section.picture(WIDE, name, name)
        section.picture(SVG, name)
        section.heading(name)
        entry = html_page.Entry(name, name, "bad", [0.5, (0.5, 0.4, 0.6), None], name, name)
        section.entries([name, "word", name, "b", "c"], [entry, entry], name)
    return page


# --- the text of the page -------------------------------------------------------------------------

# Elements that have no end.
VOID = {"meta", "img"}
KNOWN = VOID | {
    "html",
    "head",
    "title",
    "style",
    "script",
    "body",
    "header",
    "nav",
    "main",
    "footer",
    "section",
    "h1",
    "h2",
    "h3",
    "p",
    "a",
    "ol",
    "li",
    "b",
    "strong",
    "small",
    "code",
    "pre",
    "figure",
    "figcaption",
    "div",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
}


class Reader(html.parser.HTMLParser):
    """Read a page, and insist that every element is ended where it should be."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.declarations: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_decl(self, decl: str) -> None:
        self.declarations.append(decl)

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        self.texts.append((tag, ""))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.texts:
            self.texts.append((self.open[-1], data))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag: str) -> list[str]:
        """Return the text of every element of a kind that has text only."""
        parts: list[str] = []
        for name, data in self.texts:
            if name == tag and data == "":
                parts.append("")
            elif name == tag:
                parts[-1] += data
        return parts


def check(page: html_page.Page) -> Reader:
    """Check what holds for every page."""
    text = page.render()
    reader = Reader(text)
    assert reader.declarations == ["DOCTYPE html"]
    names = [about["id"] for _, about in reader.elements if "id" in about]
    assert len(set(names)) == len(names)
    for _, about in reader.elements:
        assert not [name for name in about if name.startswith("on") or name == "style"]
        for reference in ("aria-labelledby", "href"):
            if reference in about:
                assert (about[reference] or "").removeprefix("#") in names
        assert (about.get("src") or "data:image/").startswith("data:image/")
    assert all("alt" in picture for picture in reader.all("img"))
    assert {tag for tag, _ in reader.elements} <= KNOWN
    assert len(reader.all("script")) == len(reader.all("style")) == len(reader.all("title")) == 1
    return reader


def test_a_page_says_its_language_its_width_and_what_it_is() -> None:
    page = html_page.Page("A title", "A lead.")
    page.section("One").text("Some text.")
    reader = check(page)
    assert reader.all("html") == [{"lang": "en"}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in reader.all(
        "meta"
    )
    assert reader.text("title") == reader.text("h1") == ["A title"]
    lead, paragraph, disclaimer, made = reader.text("p")
    assert (lead, paragraph) == ("A lead.", "Some text.")
    assert "Research software, not a medical device" in disclaimer
    assert made == f"Made by cxrtool {__version__}."


def test_the_policy_lets_the_page_run_its_own_script_and_style_alone() -> None:
    reader = check(html_page.Page("t"))
    (policy,) = [m["content"] or "" for m in reader.all("meta") if "http-equiv" in m]
    for tag in ("script", "style"):
        (content,) = reader.text(tag)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}';" in policy
    assert policy.startswith("default-src 'none';")
    assert "img-src data:;" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    for content in (*reader.text("script"), *reader.text("style")):
        assert not re.search(r"https?:|@import|url\(", content)


def test_whatever_a_name_holds_it_stays_data() -> None:
    reader = check(whole_page(HOSTILE))
    assert len(reader.all("section")) == len(HOSTILE)
    assert reader.text("h2") == [one_line(name) for name in HOSTILE]
    assert [p["alt"] for p in reader.all("img")][::3] == [one_line(name) for name in HOSTILE]


@given(st.text(st.characters(), max_size=30))
def test_any_text_stays_data(name: str) -> None:
    page = html_page.Page(name)
    page.section(name).table(ReportTable([name], [[name]]), "")
    reader = check(page)
    assert reader.text("h1") == reader.text("h2") == reader.text("title") == [one_line(name)]
    assert all(c.isprintable() or c == "\n" for c in "".join(reader.text("p")))


def test_a_page_is_the_same_bytes_again(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        html_page.write(tmp_path / name, whole_page(["a", "b"]))
    first = (tmp_path / "a.html").read_bytes()
    assert first == (tmp_path / "b.html").read_bytes()
    assert first.decode("utf-8").endswith("</html>\n")


def test_a_page_that_cannot_be_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "a.html"
    html_page.write(file, html_page.Page("old"))
    before = file.read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(CxrtoolError, match=r"a\.html: full"):
        html_page.write(file, html_page.Page("new"))
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(("sections", "contents"), [(0, 0), (3, 0), (4, 4), (9, 9)])
def test_contents_are_listed_when_there_are_many(sections: int, contents: int) -> None:
    page = html_page.Page("t")
    for i in range(sections):
        page.section(f"Part <{i}>")
    reader = check(page)
    assert reader.text("a") == [f"Part <{i}>" for i in range(contents)]


def test_a_text_links_to_tables_of_the_page_and_to_nothing_else() -> None:
    page = html_page.Page("A page")
    section = page.section("One")
    section.text("See [Table 2](#table-2).", "[Table 1](#table-2) [Table 3](https://a.example)")
    text = page.render()
    assert '<p>See <a href="#table-2">Table 2</a>.</p>' in text
    assert text.count("<a ") == 1
    assert "[Table 3](https://a.example)" in text


def test_a_command_keeps_its_lines() -> None:
    page = html_page.Page("t")
    page.section("s").code("cxrtool ingest a \\\n  | cxrtool split > 'b'\t\n")
    assert check(page).text("code") == ["cxrtool ingest a \\\n  | cxrtool split > 'b'\\t\n"]


def test_a_verdict_has_its_own_word_and_paragraphs_may_have_a_lead() -> None:
    page = html_page.Page("t")
    page.section("s").finding("bad", "because", "not identifiable")
    page.section("s").text("of `this`", lead="Why")
    reader = check(page)
    assert reader.text("strong") == ["not identifiable."]
    assert reader.text("b") == ["Why."]


def test_entries_have_their_sentences_below_their_numbers() -> None:
    page = html_page.Page("t")
    entries = [
        html_page.Entry("a", "shown", "bad", [(0.5, 0.4, 0.6), None], "It is `so`.", "Do this."),
        html_page.Entry("b", "", None, [1.5, 3], "It is not."),
    ]
    page.section("s").entries(["name", "verdict", "value", "n"], entries, "caption")
    reader = check(page)
    assert reader.text("th") == ["name", "verdict", "value", "n", "a", "b"]
    assert reader.text("strong") == ["shown"]
    assert [c.get("data-name") for c in reader.all("td") if "data-name" in c] == ["value", "n"] * 2
    text = page.render()
    assert "0.500<small> [0.400, 0.600]</small>" in text
    assert "It is <code>so</code>. <b>Next:</b> Do this." in text
    assert text.count("<b>Next:</b>") == 1


def test_a_section_may_be_for_the_screen_only() -> None:
    page = html_page.Page("t", compact=True)
    page.section("all")
    page.section("screen", printed=False)
    reader = check(page)
    assert [s.get("class") for s in reader.all("section")] == [None, "screen"]
    assert reader.all("body") == [{"class": "compact"}]


def test_findings_are_told_apart_in_words() -> None:
    page = html_page.Page("t")
    section = page.section("s")
    for level in ("good", "bad", "note"):
        section.finding(level, "see `a<b`")
    reader = check(page)
    assert reader.text("strong") == ["Good.", "Problem.", "Note."]
    assert reader.text("code") == ["a<b"] * 3


# --- tables ---------------------------------------------------------------------------------------


def cells(rows: list[list[Cell]]) -> list[tuple[str, str | None, str | None]]:
    """Return every cell as its HTML, the value that it sorts by, and its class."""
    page = html_page.Page("t")
    page.section("s").table(ReportTable([f"c{i}" for i in range(len(rows[0]))], rows), "caption")
    check(page)
    body = page.render().partition("<tbody>")[2].partition("</tbody>")[0]
    found = re.findall(r"<t[hd]([^>]*)>(.*?)</t[hd]>", body)
    return [
        (
            inside,
            *(
                next(iter(re.findall(f'{key}="([^"]*)"', about)), None)
                for key in ("data-value", "class")
            ),
        )
        for about, inside in found
    ]


@pytest.mark.parametrize(
    ("cell", "shown", "value"),
    [
        (0.93456, "0.935", "0.93456"),
        (12, "12", "12.0"),
        (1234.5, "1,234.5", "1234.5"),
        ((0.9, 0.8, 0.95), "0.900<small> [0.800, 0.950]</small>", "0.9"),
        ((float("nan"), 0.8, 0.95), "", None),
        ((0.9, float("nan"), float("nan")), "0.900", "0.9"),
        (float("inf"), "inf", "Infinity"),
        (float("nan"), "", None),
        (None, "", None),
        ("", "", None),
        ("0.93 [0.90, 0.95]", "0.93<small> [0.90, 0.95]</small>", "0.93"),
        ("0.93 (0.90-0.95)", "0.93<small> (0.90-0.95)</small>", "0.93"),
        ("-inf", "-inf", "-Infinity"),
        ("1e-3", "1e-3", "0.001"),
        ("12 %", "12 %", "12.0"),
        ("1e999", "1e999", "Infinity"),
        (np.float64(0.5), "0.500", "0.5"),
        (np.int64(3), "3", "3.0"),
    ],
)
def test_a_number_is_shown_short_and_sorts_by_its_value(
    cell: Cell, shown: str, value: str | None
) -> None:
    assert cells([["a", cell], ["b", 1]])[1] == (shown, value, "number")


@pytest.mark.parametrize(
    "cell", ["normal", "3 lungs", "1_000", "12-lead", "nan", "infant", "2020/1"]
)
def test_a_text_sorts_by_its_letters(cell: str) -> None:
    assert cells([["a", cell], ["b", 1]])[1] == (cell, None, None)


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        cells([["a", 1], ["b"]])


def test_a_table_without_rows_says_so() -> None:
    page = html_page.Page("t")
    page.section("s").table(ReportTable(["a", "b"], []), "Nothing")
    reader = check(page)
    assert reader.text("td") == ["no rows"]
    assert reader.all("td") == [{"colspan": "2"}]


# --- pictures -------------------------------------------------------------------------------------


def test_pictures_are_inside_the_page(tmp_path: Path) -> None:
    (tmp_path / "p.png").write_bytes(PICTURE)
    page = html_page.Page("t")
    section = page.section("s")
    section.picture(tmp_path / "p.png", "a", "caption")
    section.picture(SVG, "b")
    section.picture(b"\xff\xd8\xff\xe0 jpeg", "c")
    section.picture(WIDE, "d")
    pictures = check(page).all("img")
    kinds = ["image/png", "image/svg+xml", "image/jpeg", "image/png"]
    contents = [PICTURE, SVG, b"\xff\xd8\xff\xe0 jpeg", WIDE]
    for picture, kind, content in zip(pictures, kinds, contents, strict=True):
        head, _, data = (picture["src"] or "").partition(",")
        assert head == f"data:{kind};base64"
        assert base64.b64decode(data) == content
    sizes = [(p.get("width"), p.get("height"), p.get("class")) for p in pictures]
    wide = (str(html_page.LARGE + 1), "20", "large")
    assert sizes == [("30", "20", None), ("120", "60", None), (None, None, None), wide]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "p: it is no PNG, JPEG or SVG. Name a picture of such a kind."),
        (b"\x89PNG\r\n\x1a\n", "p: it is no PNG, JPEG or SVG. Name a picture of such a kind."),
        (b"<html>", "p: it is no PNG, JPEG or SVG. Name a picture of such a kind."),
        (None, "p: no such file or directory. Check the path."),
    ],
)
def test_what_is_no_picture_is_refused_by_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        Path("p").write_bytes(content)
    with pytest.raises(CxrtoolError) as caught:
        html_page.Page("t").section("s").picture("p", "alt")
    assert str(caught.value) == message


def test_a_fifo_is_no_picture(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p")
    with pytest.raises(CxrtoolError, match="p: it is not a regular file"):
        html_page.Page("t").section("s").picture(tmp_path / "p", "alt")


# --- in a browser ---------------------------------------------------------------------------------


def high_pipe() -> tuple[int, int]:
    """Open a pipe away from the descriptors 3 and 4, which the browser listens and speaks on."""
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]


class Browser:
    """Headless Chromium without a network, told what to do through a pipe (DevTools protocol)."""

    def __init__(self, profile: Path) -> None:
        (hear, self._tell), (self._listen, speak) = high_pipe(), high_pipe()
        options = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--remote-debugging-pipe",
            f"--user-data-dir={profile}",
        ]
        command = f'exec "$0" "$@" 3<&{hear} 4>&{speak} {hear}<&- {speak}>&-'
        self._process = subprocess.Popen(
            ["bash", "-c", command, str(CHROMIUM), *options],
            pass_fds=(hear, speak),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        os.close(hear)
        os.close(speak)
        self._rest, self._numbers = b"", itertools.count(1)
        self._session: dict[str, str] = {}
        self.events: list[dict[str, Any]] = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        joined = self.call("Target.attachToTarget", targetId=target, flatten=True)
        self._session = {"sessionId": joined["sessionId"]}
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": params, **self._session}
        os.write(self._tell, json.dumps(message).encode() + b"\0")
        while (answer := self._read()).get("id") != number:
            self.events.append(answer)
        assert "error" not in answer, answer
        return answer["result"]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            assert select.select([self._listen], [], [], PATIENCE)[0], "the browser is silent"
            part = os.read(self._listen, 1 << 20)
            assert part, "the browser has ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        answer: dict[str, Any] = json.loads(message)
        return answer

    def open(self, file: Path, width: int = 1200, dark: bool = False) -> None:
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=800,
            deviceScaleFactor=1,
            mobile=width < 500,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.events.clear()
        self.call("Page.navigate", url=file.as_uri())
        while not self.found("Page.loadEventFired"):
            self.events.append(self._read())

    def found(self, *methods: str) -> list[dict[str, Any]]:
        return [event["params"] for event in self.events if event.get("method") in methods]

    def run(self, script: str) -> Any:
        answer = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def violations(self) -> list[str]:
        """Say what axe-core finds against WCAG 2 (A and AA) and good practice, and where."""
        axe = pytest.importorskip("axe_core_python", reason="pip install axe-core-python")
        self.run((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
        found = "r.violations.map((v) => v.id + ': ' + v.nodes.map((n) => n.html).join(' | '))"
        answer = self.call(
            "Runtime.evaluate",
            expression=f"axe.run().then((r) => ({{ passed: r.passes.length, found: {found} }}))",
            awaitPromise=True,
            returnByValue=True,
        )["result"]["value"]
        assert answer["passed"] > 10, "axe-core looked at nothing"
        lines: list[str] = answer["found"]
        return lines

    def press(self, key: str, code: int, text: str = "") -> None:
        about = {"key": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def close(self) -> None:
        os.close(self._tell)
        os.close(self._listen)
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("install chromium")
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def page_file(tmp_path: Path) -> Path:
    file = tmp_path / "page.html"
    html_page.write(file, whole_page(HOSTILE))
    return file


def test_a_browser_has_nothing_to_complain_of_or_to_fetch(
    browser: Browser, page_file: Path
) -> None:
    browser.open(page_file)
    complaints = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    assert browser.found(*complaints) == []
    urls = {
        event["request"]["url"].partition(",")[0]
        for event in browser.found("Network.requestWillBeSent")
    }
    kinds = {"data:image/png;base64", "data:image/svg+xml;base64"}
    assert urls == {page_file.as_uri()} | kinds
    assert browser.run("[...document.images].every((i) => i.complete && i.naturalWidth > 0)")
    assert browser.run("document.title") == browser.run("document.querySelector('h1').textContent")


def test_a_browser_runs_no_script_but_the_page_s_own(browser: Browser, page_file: Path) -> None:
    text = page_file.read_text(encoding="utf-8")
    added = "<script>document.title = 'run'</script><p style='color: red' onclick='x()'>p</p>"
    page_file.write_text(text.replace("</main>", f"{added}</main>"), encoding="utf-8")
    browser.open(page_file)
    assert browser.run("document.title") != "run"
    refusals = " ".join(event["entry"]["text"] for event in browser.found("Log.entryAdded"))
    assert refusals.count("Content Security Policy") >= 2


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 768, 1200, 1600])
def test_a_page_is_no_wider_than_its_window(
    browser: Browser, page_file: Path, width: int, dark: bool
) -> None:
    browser.open(page_file, width, dark)
    assert browser.run("document.documentElement.scrollWidth") <= width
    # On a phone a large picture is scrolled in its frame; elsewhere it fits.
    fits = "[...document.images].every((i) => i.width <= i.closest('figure').clientWidth)"
    assert browser.run(fits) is (width > 500)
    ground = browser.run("getComputedStyle(document.documentElement).backgroundColor")
    assert (ground == "rgb(255, 255, 255)") is not dark
    # Pictures have a white ground of their own, as their letters are black.
    assert (
        browser.run("getComputedStyle(document.images[0]).backgroundColor") == "rgb(255, 255, 255)"
    )


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [360, 1200])
def test_a_page_is_accessible(browser: Browser, tmp_path: Path, width: int, dark: bool) -> None:
    file = tmp_path / "page.html"
    html_page.write(file, whole_page(["AUC by hospital", "<covid> & `normal`"]))
    browser.open(file, width, dark)
    assert browser.violations() == []


def test_a_mistake_in_accessibility_is_found(browser: Browser, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    html_page.write(file, whole_page(["AUC by hospital"]))
    browser.open(file)
    browser.run("document.images[0].removeAttribute('alt')")
    assert [line.partition(":")[0] for line in browser.violations()] == ["image-alt"]


def test_texts_stand_out_from_their_ground(browser: Browser, page_file: Path) -> None:
    for dark in (False, True):
        browser.open(page_file, dark=dark)
        pairs = browser.run(
            """[...document.querySelectorAll("h1, p, a, strong, td, small, code, figcaption")]
            .map((e) => { let g = e; const ground = (x) => getComputedStyle(x).backgroundColor;
              while (g.parentElement && ground(g) === "rgba(0, 0, 0, 0)") g = g.parentElement;
              return [getComputedStyle(e).color, ground(g)]; })"""
        )
        for pair in {tuple(pair) for pair in pairs}:
            low, high = sorted(luminance(colour) for colour in pair)
            assert (high + 0.05) / (low + 0.05) >= 4.5, pair


def luminance(colour: str) -> float:
    """Weigh a colour as WCAG 2 does."""
    parts = np.array([int(part) for part in re.findall(r"\d+", colour)[:3]]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.fixture
def table_file(tmp_path: Path) -> Path:
    page = html_page.Page("t")
    rows: list[list[Cell]] = [
        ["b", (0.9, 0.8, 1), "10 %"],
        ["a", None, "9 %"],
        ["ä", float("inf"), ""],
        ["C", (0.1, 0, 1), "x"],
        ["b10", float("-inf"), "100"],
        ["b9", (0.25, 0, 1), "y"],
    ]
    page.section("s").table(ReportTable(["name", "AUC", "share"], rows), "caption")
    page.section("s").table(ReportTable(["only"], [["row"]]), "caption")
    html_page.write(tmp_path / "table.html", page)
    return tmp_path / "table.html"


def columns(browser: Browser) -> tuple[list[str], list[str | None]]:
    names = browser.run(
        "[...document.querySelector('tbody').rows].map((r) => r.cells[0].textContent)"
    )
    orders = browser.run(
        "[...document.querySelector('thead').rows[0].cells].map((c) => c.ariaSort)"
    )
    return names, orders


def test_a_click_sorts_a_table_and_a_second_one_turns_it(
    browser: Browser, table_file: Path
) -> None:
    browser.open(table_file)
    click = "document.querySelectorAll('th [role=button]')[{}].click()"
    assert columns(browser) == (["b", "a", "ä", "C", "b10", "b9"], ["none"] * 3)
    browser.run(click.format(1))
    assert columns(browser) == (["b10", "C", "b9", "b", "ä", "a"], ["none", "ascending", "none"])
    browser.run(click.format(1))
    assert columns(browser) == (["ä", "b", "b9", "C", "b10", "a"], ["none", "descending", "none"])
    browser.run(click.format(0))
    assert columns(browser) == (["a", "ä", "b", "b9", "b10", "C"], ["ascending", "none", "none"])
    browser.run(click.format(2))
    assert columns(browser)[0] == ["a", "b", "b10", "C", "b9", "ä"]


def test_the_keyboard_sorts_a_table(browser: Browser, table_file: Path) -> None:
    browser.open(table_file)
    # The first stop is the frame that scrolls, the second the first column's head.
    for _ in range(3):
        browser.press("Tab", 9)
    assert browser.run("document.activeElement.textContent") == "AUC"
    browser.run("document.body.style.minHeight = '3000px'")
    browser.press("Enter", 13, "\r")
    assert columns(browser)[1] == ["none", "ascending", "none"]
    browser.press(" ", 32, " ")
    assert columns(browser) == (["ä", "b", "b9", "C", "b10", "a"], ["none", "descending", "none"])
    assert browser.run("scrollY") == 0


def test_a_table_of_one_row_has_nothing_to_sort(browser: Browser, table_file: Path) -> None:
    browser.open(table_file)
    assert (
        browser.run("document.querySelectorAll('table')[1].querySelectorAll('[role]').length") == 0
    )
