"""The report is one file that fetches nothing, and a browser shows it whole."""

import json
import os
import re
import shutil
import subprocess

import pandas as pd
import pytest

import rmtlottery as rl
from rmtlottery.analyze._answer import answer, png
from rmtlottery.report.page import Answer, render

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
MEASURE = """<script>addEventListener("load", () => {
  const images = [...document.images].map(image => [image.naturalWidth, image.getBoundingClientRect().width]);
  const found = {images, width: document.documentElement.scrollWidth, headings: document.querySelectorAll("h2").length};
  document.body.setAttribute("data-found", JSON.stringify(found));
});</script>"""


@pytest.fixture(scope="module")
def page(tiny_run, tmp_path_factory):
    out = tmp_path_factory.mktemp("report")
    return answer(
        [tiny_run], [("accuracy", {}), ("qmap", {"samples": 20})], out / "report.html", "A title", "a command"
    ).report


def test_nothing_in_it_is_fetched_from_anywhere(page):
    sources = re.findall(r'(?:src|href|url)\s*[=(]\s*["\']?([^"\')\s>]+)', page.read_text())
    assert sources
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_it_says_what_was_asked_found_and_run(page):
    text = page.read_text()
    for words in ("A title", "a command", "How accurate is", "Does theory give", "seeds 0, 1", "widths 12,8", "torch 2"):
        assert words in text


def test_one_question_asked_twice_has_two_sections_with_names(tiny_run, tmp_path):
    files = ["accuracy", "accuracy-stopped", "gap", "weights"]
    asked = [(file.partition("-")[0], {}, None, file) for file in files]
    text = answer([tiny_run], asked, tmp_path / "report.html", "t", "c").report.read_text()
    assert re.findall(r'<section id="(.*?)">', text) == files
    assert re.findall(r'<a href="#(.*?)">How.*?</a> <code>(.*?)</code>', text)[:2] == [(file, file) for file in files[:2]]
    assert text.count("<code>accuracy-stopped</code></h2>") == 1


def test_few_questions_need_no_list_of_them(page):
    assert "<nav>" not in page.read_text()


def test_what_users_write_is_escaped():
    answer = Answer("x", "Is <b> bold?", "", "", b"", pd.DataFrame({"run": ["<script>alert(1)</script>"]}), "x.csv")
    text = render("<i>", "", [answer], {"made by": "a & b"}, ["<u>"], "")
    assert "<script>" not in text
    assert "&lt;i&gt;" in text
    assert "a &amp; b" in text


@pytest.mark.skipif(not CHROMIUM and not os.environ.get("CI"), reason="needs Chromium, which .ci/run installs")
def test_a_browser_shows_every_figure_at_full_size_without_sideways_scrolling(page, tmp_path):
    assert CHROMIUM, "CI has a browser: .ci/run installs it"
    (tmp_path / "page.html").write_text(page.read_text().replace("</body>", MEASURE + "</body>"))
    for width in (1200, 480):
        words = [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            *QUIET,
            f"--user-data-dir={tmp_path}/{width}",
            f"--window-size={width},900",
        ]
        words += ["--dump-dom", f"file://{tmp_path}/page.html"]
        dom = subprocess.run(words, capture_output=True, text=True, timeout=100, check=True).stdout
        found = json.loads(re.search(r'data-found="([^"]+)"', dom).group(1).replace("&quot;", '"'))
        assert found["headings"] == 3
        assert len(found["images"]) == 2
        assert all(natural > 900 and shown > 0.6 * min(width, 1000) for natural, shown in found["images"])
        assert found["width"] <= max(width, 500), "the page is wider than its window"


def test_pictures_are_closed_once_drawn(tiny_run):
    import matplotlib.pyplot as plt

    before = plt.get_fignums()
    assert png(rl.plot("accuracy", rl.tabulate("accuracy", tiny_run))).startswith(b"\x89PNG")
    assert plt.get_fignums() == before
