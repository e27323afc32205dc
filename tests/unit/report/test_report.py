"""The report: what stands on the page, what is left out, and how it behaves in a browser."""

from __future__ import annotations

import base64
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
import reported
import tiny_base
from browser import browser
from markupsafe import escape
from synthetic import ARMS, Made

from kindred.common.errors import KindredError, ProblemsError
from kindred.common.files import read_json, write_json
from kindred.evidence.power_figures import figures
from kindred.evidence.verdict_sentences import UNTESTED, never_tested
from kindred.models.lora.kohya_export import TOOLS
from kindred.report.report_data import read_report_data
from kindred.report.tested_judge import judge_test
from kindred.scoring.score_table import VERSION
from kindred.specs.power import AskedPrompts, PowerSpec

VOID = {"meta", "img", "br", "hr", "input", "link", "path", "use", "rect", "circle", "line"}


class Page(HTMLParser):
    """Text, attributes and balance of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open, self.ids, self.links, self.words = [], [], [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.ids += [found["id"]] if "id" in found else []
        self.links += [found[name] for name in ("src", "href", "xlink:href") if name in found]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
            self.open.pop()

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_data(self, data):
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Made:
    return reported.build(tmp_path_factory.mktemp("experiment"))


@pytest.fixture(scope="module")
def written(made, tmp_path_factory) -> tuple[str, str, Path]:
    out = tmp_path_factory.mktemp("out")
    with pytest.MonkeyPatch.context() as patch:
        reported.keep_parts(patch)
        return (*reported.run_report(made, out), out)


@pytest.fixture
def changed(made, tmp_path, monkeypatch) -> Made:
    """A copy whose files may be changed; its pictures are those of the original."""
    reported.keep_parts(monkeypatch)
    shutil.copytree(made.results, tmp_path / "results" / made.spec.experiment)
    shutil.copytree(made.root / "resources" / "russell", tmp_path / "resources" / "russell")
    return Made(tmp_path, made.spec)


def test_the_page_is_well_formed_and_loads_nothing(written):
    page = Page(written[0])
    assert page.open == []
    assert len(page.ids) == len(set(page.ids)), "an id stands twice"
    beside = [link for link in page.links if not link.startswith(("#", "data:"))]
    assert "best/pictures.json" in beside  # files that a person may open; none is loaded
    assert all(re.fullmatch(r"best/\S+|[\w-]+/run-\d+/lora\.safetensors", one) for one in beside)
    assert {link[1:] for link in page.links if link.startswith("#")} <= set(page.ids)
    assert set(re.findall(r"\w+://[^/\"]*", written[0])) <= {"http://www.w3.org"}


def test_what_came_of_the_claims_stands_below_the_title(written, made):
    html, markdown, _ = written
    head = Page(html.partition("<nav")[0]).text
    verdicts = read_json(made.results / "verdicts.json")["hypotheses"]
    primary = [one["claim"] for one in verdicts.values() if one["primary"]]
    assert primary and all(f"“{claim.rstrip('.')}”: “all” " in head for claim in primary[:3])
    assert all(
        f"“{claim.rstrip('.')}”" in markdown.partition("## Which")[0] for claim in primary[:3]
    )


def test_sections_come_in_the_order_that_a_reader_needs(written):
    found = re.findall(r'<section id="(\w+)">', written[0])
    assert found == [
        *("take", "casts", "verdicts", "likeness", "together", "photos"),
        *("variants", "bleed", "curves", "next", "methods"),
    ]


def test_verdicts_are_sentences_with_their_numbers(written, made):
    text = Page(written[0]).text
    verdicts = read_json(made.results / "verdicts.json")["hypotheses"]
    for one in verdicts.values():
        assert one["claim"] in text
        assert " ".join(one["sentence"].split()).removeprefix(f"{one['label_words']}. ") in text


@pytest.mark.parametrize(
    ("label", "said", "mark"),
    [
        ("supported", "Supported", "."),
        ("no difference", "No difference larger than 10 points", "."),
        ("undecided", "Undecided", "."),
        ("pilot", "Pilot", "."),
        ("not measured", "Not measured", ":"),
    ],
)
def test_every_label_has_its_words_once(changed, tmp_path, label, said, mark):
    verdicts = read_json(changed.results / "verdicts.json")
    one = verdicts["hypotheses"]["names-matter"]
    one |= {"label": label, "label_words": said}
    one |= {"sentence": f"{said}{mark} because of the numbers."}
    if label == "not measured":
        one |= {"difference": None, "low": None, "high": None, "adjusted": None, "estimate": None}
        one |= {"p": None, "p_adjusted": None, "odds_ratio": None}
    write_json(changed.results / "verdicts.json", verdicts)
    html, markdown = reported.run_report(changed, tmp_path)
    assert f"{said} {one['claim']} Because of the numbers." in Page(html).text
    assert f"**{said}: {one['claim']}**\nBecause of the numbers." in markdown


def test_warnings_of_a_verdict_stand_beside_it(changed, tmp_path):
    verdicts = read_json(changed.results / "verdicts.json")
    verdicts["hypotheses"]["names-matter"]["warnings"] = ["The judge counts faces.", "2 prompts"]
    write_json(changed.results / "verdicts.json", verdicts)
    html, markdown = reported.run_report(changed, tmp_path)
    assert "Note: The judge counts faces. Note: 2 prompts" in Page(html).text
    assert "\n- Note: The judge counts faces.\n- Note: 2 prompts\n" in markdown
    assert "\n\n\n" not in markdown


def test_the_way_to_repeat_it_names_the_experiment_to_snakemake(written, made):
    for text in written[:2]:
        assert f"snakemake --config experiments={made.spec.experiment}" in text
        # Only the page that is made on request is asked for by its file.
        others = text.replace(f"snakemake results/{made.spec.experiment}/pairs.html", "")
        assert "snakemake results/" not in others


def test_the_shaded_zone_is_explained_where_there_is_one(changed, tmp_path):
    verdicts = read_json(changed.results / "verdicts.json")
    several = list(verdicts["hypotheses"].values())
    assert len(several) > 1
    for margins, zone in (([0.1, 0.1], True), ([0.1, 0.05], False)):
        for number, one in enumerate(several):
            one |= {"margin": margins[number > 0], "difference": 0.2, "measure": "success"}
        write_json(changed.results / "verdicts.json", verdicts)
        text = Page(reported.run_report(changed, tmp_path)[0]).text
        assert ("the shaded zone" in text) == zone
        assert ("Margins differ" in text) != zone
        assert "“One training” or “Pilot” nothing is decided" in text


def test_best_pictures_and_the_diagonal_are_said_not_to_show_more_than_they_do(written):
    for text in (Page(written[0]).text, written[1]):
        assert "diagonal alone doesn’t show that names" in text
    assert "don’t stand for all pictures" in written[0]


def test_missing_means_one_thing_on_the_page(written):
    html, markdown, _ = written
    for text in (html[html.index('<section id="bleed">') :], markdown):
        assert "nobody there" in text
    assert "<th>missing</th>" not in html and "| missing |" not in markdown


def test_every_picture_shown_is_of_the_variant_it_says(written, made):
    """A picture's alternative text names variant, run and seed; its bytes are that picture's."""
    from kindred.report.thumbnails import make_thumbnails

    material = read_report_data(made.results, made.root / "resources", photos=True)
    place = ("no-trio", 1, "trio", "card", 2)
    small = make_thumbnails({"x": material.pictures[place].path}, 10**6)["x"].small
    shown = re.search(rf'base64,{re.escape(small)}"[^>]*alt="([^"]*)"', written[0])
    assert "by no-trio, run 1, seed 2" in shown[1]
    row = material.scores[place]
    assert ("everyone right" in shown[1]) == (row["success"] == "1")


def test_a_row_is_one_seed_across_all_variants(written):
    html = written[0]
    block = html[html.index('<section id="together">') :]
    block = block[block.index("Christmas card") :]
    row = block[: block.index('<p class="seed">', block.index('<p class="seed">') + 9)]
    found = re.findall(r"<figcaption><b>([\w-]+)</b>", row)
    assert found == ["all", "no-trio", "all-again", "scrambled", "BASE"]
    assert set(re.findall(r"seed (\d+)", row)) == {"1"}


def test_figures_in_the_table_are_those_of_the_summary(written, made):
    html, markdown, _ = written
    trio = read_json(made.results / "summary.json")["variants"]["all"]["measures"]["success"]
    wanted = f"{100 * trio['asked:3']['mean']:.0f} %"
    line = next(line for line in markdown.splitlines() if line.startswith("| all |"))
    assert line.split(" | ")[5].startswith(wanted)
    assert f'data-sort="{round(trio["asked:3"]["mean"], 4)}"' in html


def test_what_differs_from_the_baseline_is_said(written):
    markdown = written[1]
    assert "| scrambled | captions scrambled instead of matched |" in markdown
    assert "| BASE | the base alone, no LoRA |" in markdown
    assert "| all | the baseline |" in markdown


def test_photos_missing_for_a_pair_are_compared_with_pairs_that_have_some(written):
    text = Page(written[0]).text
    found = re.search(
        r"No photo shows ARussell and JRussell together\. .{0,90} against \d+ % for pairs that "
        r"have a photo \(at most \d+ pictures of a pair\)",
        text,
    )
    assert found, "advice on the pair without a photo"


def test_coverage_and_its_warnings_are_shown(written):
    assert 'aria-label="photos in each cell: A: 3; C: 8; J: 4' in written[0]
    assert "ARussell and JRussell are in no photo together" in Page(written[0]).text


def test_markdown_has_the_core_and_no_pictures(written):
    markdown = written[1]
    for part in ("# A family of three", "**Pilot:", "## What to try next", "| no-trio |"):
        assert part in markdown
    assert "data:image" not in markdown and "<" not in markdown
    assert "\n\n\n" not in markdown
    tables = [b.splitlines() for b in markdown.split("\n\n") if b.startswith("|")]
    assert len(tables) > 3
    for lines in tables:
        assert len({line.count("|") for line in lines}) == 1, lines[0]
        assert re.fullmatch(r"[|:-]+", lines[1])


def test_markdown_shows_the_sheets_that_lie_beside_it(made, tmp_path, monkeypatch):
    reported.keep_parts(monkeypatch)
    _, markdown = reported.run_report(made, tmp_path, sheets=["pair", "trio"])
    assert "![trio by all variants](sheets/trio.png)" in markdown and "\n\n\n" not in markdown
    assert "headshot.png" not in markdown


def test_equal_results_give_equal_bytes(written, made, tmp_path):
    assert reported.run_report(made, tmp_path) == written[:2]


def test_a_shared_report_has_neither_originals_nor_file_names(made, tmp_path, monkeypatch):
    reported.keep_parts(monkeypatch)
    images = read_json(made.root / "resources" / "russell" / "images.json")
    html, markdown = reported.run_report(made, tmp_path, hide_photos=True)
    plain, _ = reported.run_report(made, tmp_path)
    assert 'alt="photo 1 of' in plain and 'alt="photo' not in html
    assert images[0]["image_id"] in plain
    for row in images:
        for word in (row["image_id"], row["source"]):
            assert word not in html and word not in markdown, word
    assert "This copy leaves out the photos" in html
    assert html.count("<img src=") == plain.count("<img src=") - 9


def test_warnings_that_name_files_are_not_shared(changed, tmp_path):
    summary = read_json(changed.results / "summary.json")
    said = "in no photo of ARussell alone does the judge find one person (russell/SECRET-01)"
    summary["references"]["A"] |= {"warning": said, "photos": ["russell/SECRET-01"]}
    summary["warnings"] = [said, "SECRET.ratings.csv: 3 rated pictures are not here"]
    write_json(changed.results / "summary.json", summary)
    html, markdown = reported.run_report(changed, tmp_path, hide_photos=True)
    assert "SECRET" not in html + markdown
    assert "something is amiss with the reference photos of ARussell" in html
    assert "This copy leaves out 2 notes" in html
    assert "SECRET-01" in reported.run_report(changed, tmp_path)[0]


def test_a_shared_report_names_no_folder_of_its_owner(changed, tmp_path):
    summary = read_json(changed.results / "summary.json")
    summary["judge"]["identity"] = "/home/SECRET/judge@0123456789abcdef"
    write_json(changed.results / "summary.json", summary)
    path = changed.manifest("all", 1, "headshot")
    manifest = read_json(path)
    manifest["settings"]["base"] = "/home/SECRET/flux@0123456789abcdef"
    for run in (1, 2, 3):
        for prompt_set in changed.spec.prompt_sets:
            one = read_json(changed.manifest("all", run, prompt_set))
            write_json(
                changed.manifest("all", run, prompt_set), one | {"settings": manifest["settings"]}
            )
    base = tiny_base.build(tmp_path / "SECRET" / "base")
    reported.run_audit(changed, tokenizers={str(base / f"tokenizer{n}"): 3 for n in ("", "_2")})
    html, markdown = reported.run_report(changed, tmp_path, hide_photos=True)
    assert "T5: cuts captions longer than 3 tokens" in html
    assert "SECRET" not in html + markdown
    assert "judge@0123456789ab" in html and "flux@0123456789ab" in html


def test_a_shared_report_needs_no_photos(changed, tmp_path):
    shutil.rmtree(changed.root / "resources")
    html, _ = reported.run_report(changed, tmp_path, hide_photos=True)
    assert "What came out" in html


def test_a_judge_below_its_gate_is_said_first(changed, tmp_path):
    summary = read_json(changed.results / "summary.json")
    summary["judge"] |= {"trusted": False, "why": ["count right 0.91, needs 0.98"]}
    write_json(changed.results / "summary.json", summary)
    html, markdown = reported.run_report(changed, tmp_path)
    text = Page(html).text
    assert text.index("not to be trusted") < text.index("With captions on the wrong photos")
    assert "count right 0.91, needs 0.98" in text and "not to be trusted" in markdown


def test_a_judge_that_nobody_tested_is_said_to_be_so(changed, tmp_path):
    summary = read_json(changed.results / "summary.json")
    summary["judge"] |= {"trusted": None, "why": []}
    write_json(changed.results / "summary.json", summary)
    html, markdown = reported.run_report(changed, tmp_path)
    text, how = Page(html).text, "To test it on these pictures, run make rate EXPERIMENT=synthetic"
    came_out = text[text.index("What came out") :]
    assert came_out.index(UNTESTED) < came_out.index("With captions on the wrong photos")
    assert f"**{UNTESTED}**" in markdown and f"<b>Note:</b> {escape(UNTESTED)}" in html
    assert text.count(f"{UNTESTED} {how}") == 2 and markdown.replace("`", "").count(how) == 2


def test_of_which_judges_it_is_said_that_they_were_never_tested():
    why = "gates.json: measured at threshold 0.4, so this judge counts as never tested"
    assert never_tested({"trusted": None, "why": [why]}) == f"{why}. {UNTESTED}"
    believed = {"trusted": None, "why": [], "believed": {"said": "Of 9 photos ..."}}
    tested = [{"trusted": one, "why": []} for one in (True, False)]
    assert [never_tested(judge) for judge in (believed, *tested)] == ["", "", ""]


def test_what_a_judge_was_tested_with_is_said_truly():
    def told(trusted=None, said="", rows=None, rated=None):
        known = {"believed": {"said": said, "confusion": rows}} if said else {}
        ratings = rated and {"judge": {"images": rated}}
        return judge_test({"judge": {"trusted": trusted, "why": []} | known, "ratings": ratings})

    assert told(True) == "It reaches what it has to on pictures whose answers are known."
    assert told(False).startswith("It does not reach what it has to")
    assert told() == UNTESTED
    photos = told(said="Of 9 photos ...", rows={"J": {"J": 9}})
    assert photos == "It was tested on the reference photos alone. Of 9 photos ..."
    assert told(said="Nobody has two photos.", rows={"J": {"J": 0}}) == "Nobody has two photos."
    assert told(rated=40).endswith("says how far it agrees with 40 rated pictures.")


def test_how_far_a_judge_of_photos_can_be_believed_is_said_with_what_thresholds_follow_from(
    changed, tmp_path
):
    summary = read_json(changed.results / "summary.json")
    lines = {"drawn": 0.61, "shipped": 0.55, "half way": 0.5}
    summary["judge"]["believed"] = {
        "said": "Of 9 photos this judge names 9 rightly.",
        "confusion": {"J": {"J": 9, "unsure": 0, "stranger": 0}},
        "thresholds": {"J": {"faces": 71, "passed": 2, "by": "drawn", "lines": lines}},
    }
    write_json(changed.results / "summary.json", summary)
    html, markdown = reported.run_report(changed, tmp_path)
    text = Page(html).text
    assert "this judge names 9 rightly" in text and "this judge names 9 rightly" in markdown
    assert "The highest of these lines counts." in text
    assert "<td>71</td><td>2</td><td>0.61</td><td>0.55</td><td>0.50</td><td>–</td>" in html


def test_hypotheses_changed_after_training_are_said(changed, tmp_path):
    verdicts = read_json(changed.results / "verdicts.json")
    verdicts["declared"] = {
        "time": "2026-01-31T12:00:00Z",
        "hash": "a" * 64,
        "changes": ["names-matter: margin was 0.1, is 0.05"],
        "statement": "declared 2026-01-31T12:00:00Z, amended 1 time since",
        "amended": 1,
        "exploratory": {"names-matter": "changed"},
        "table": [
            {
                "number": "2",
                "date": "2026-02-01 12:00",
                "what": "hypothesis names-matter: margin",
                "before": "0.1",
                "after": "0.05",
                "seen": "results",
                "claims": "names-matter",
                "why": "no reason given",
            }
        ],
    }
    write_json(changed.results / "verdicts.json", verdicts)
    html, markdown = reported.run_report(changed, tmp_path)
    for text in (html, markdown):
        assert "changed after training had started" in text
        assert "names-matter: margin was 0.1, is 0.05" in text
        assert "amended 1 time since" in text and "unchanged since" not in text
    assert (
        "| 2 | 2026-02-01 12:00 | hypothesis names-matter: margin (no reason given) | 0.1 | 0.05 "
        "| results | names-matter |"
    ) in markdown
    text = Page(html).text
    assert "hypothesis names-matter: margin (no reason given)" in text and "had been seen" in text


def test_text_of_a_person_is_never_markup(changed, tmp_path):
    summary = read_json(changed.results / "summary.json")
    summary["title"] = "<script>alert(1)</script> & co"
    summary["prompt_sets"]["trio"]["prompts"]["card"]["text"] = 'a "quoted" <b>prompt</b>'
    write_json(changed.results / "summary.json", summary)
    html, _ = reported.run_report(changed, tmp_path)
    assert "<script>alert" not in html and "<b>prompt" not in html
    assert Page(html).open == []


def test_pictures_missing_from_the_store_are_one_message(changed, tmp_path):
    path = changed.manifest("all", 1, "trio")
    manifest = read_json(path)
    for row in manifest["images"][:2]:
        row["path"] = str(tmp_path / "gone.png")
    write_json(path, manifest)
    with pytest.raises(
        ProblemsError, match=r"2 of \d+ pictures are missing .*gone.png.*Draw them again"
    ):
        reported.run_report(changed, tmp_path)


def test_several_revisions_of_the_code_are_told_in_one_line(changed, tmp_path, written):
    assert "several revisions" not in written[0] + written[1]
    path = changed.results / "summary.json"
    told = {"adapters": ["aaa"], "pictures": ["aaa", "bbb"], "scores": ["bbb"]}
    write_json(path, read_json(path) | {"code_revisions": told})
    for text in reported.run_report(changed, tmp_path / "out"):
        (line,) = [line for line in text.splitlines() if "several revisions" in line]
        assert "(adapters: aaa; pictures: aaa, bbb; scores: bbb)" in line


def test_scores_of_other_pictures_are_refused(changed, tmp_path):
    path = changed.manifest("all", 1, "trio")
    manifest = read_json(path)
    manifest["images"][0]["key"] = "f" * 64
    write_json(path, manifest)
    with pytest.raises(
        ProblemsError, match=r"trio.json: 1 picture differs from those .* scores again"
    ):
        reported.run_report(changed, tmp_path)


def test_files_of_another_version_are_one_message(changed, tmp_path):
    summary = read_json(changed.results / "summary.json")
    write_json(changed.results / "summary.json", {**summary, "version": 99})
    with pytest.raises(KindredError, match=r"summary.json: has version 99, .*. "):
        reported.run_report(changed, tmp_path)
    write_json(changed.results / "summary.json", summary)
    scores = changed.results / "scores.csv"
    scores.write_text(scores.read_text().replace(f"\n{VERSION},", "\n7,"))
    with pytest.raises(KindredError, match=r"scores.csv: .*version 7"):
        reported.run_report(changed, tmp_path)


def test_unreadable_lists_are_all_named(changed, tmp_path):
    for run in (1, 2):
        changed.manifest("all", run, "trio").unlink()
    with pytest.raises(ProblemsError) as error:
        reported.run_report(changed, tmp_path)
    assert len(error.value.problems) == 2


def test_fewer_pictures_than_there_are_keep_whole_rows(made, tmp_path):
    html, _ = reported.run_report(made, tmp_path, images=60)
    assert 0 < html.count("<figcaption><b>") - 3 * 5 <= 60
    assert re.search(r"no room for \d+ further pictures", html)
    rows = re.findall(r'<div class="row[^>]*>(.*?)\n</div>\n', html, re.DOTALL)
    assert rows and all(row.count("<figure>") + row.count('class="empty"') == 5 for row in rows)


def test_without_hypotheses_or_groups_there_is_still_a_page(tmp_path):
    arms = {name: ARMS[name] for name in ("all", "BASE")}
    prompts = {"headshot": {"J": "headshot of JRussell"}}
    one = reported.build(tmp_path, arms=arms, runs=1, prompts=prompts, hypotheses={})
    html, markdown = reported.run_report(one, tmp_path / "out")
    for said in (Page(html).text, markdown):
        assert "Nothing was claimed beforehand" in said and "“all”" in said
        assert "only one there is" in said
    assert "No prompt asks for CRussell alone" in html
    assert Page(html).open == []


@pytest.mark.long
def test_likeness_beside_a_lora_of_their_own(tmp_path, written):
    arms = {name: ARMS[name] for name in ("all", "BASE")}
    arms["only-J"] = replace(ARMS["all"], alone=1.0, only="J")
    arms["only-A"] = replace(ARMS["all"], alone=0.0, only="A")  # no likeness to be a share of
    one = reported.build(tmp_path, arms=arms, hypotheses={})
    html, markdown = reported.run_report(one, tmp_path / "out")
    part = markdown.split("## As alike as by a LoRA of their own?")[1].split("\n## ")[0]
    assert "alone by “only-J”. In" in part and "| only-" not in part and "BASE" not in part
    assert "ARussell" not in part
    share = read_json(one.results / "summary.json")["variants"]["all"]["of_own"]["J"]["3"]
    assert f" {100 * share['mean']:.0f} % ({100 * share['low']:.0f}–" in part
    assert f"{100 * share['mean']:.0f} %<small>" in html.split("a LoRA of their own?")[1]
    assert Page(html).open == []
    assert not any("of their own?" in text for text in written[:2])


# Headings of columns that lie, whole or in part, beyond a table's visible part (of one that is too
# wide at least its last); and one column more for the first table, as wide as a screen.
HIDDEN = """[...document.querySelectorAll('#variants .scroll')]
    .filter(card => card.scrollWidth > card.clientWidth + 1)
    .flatMap(card => {
        const all = [...card.querySelectorAll('th')];
        const end = card.getBoundingClientRect().right;
        const beyond = all.filter(one => one.getBoundingClientRect().right > end);
        return beyond.length ? beyond : all.slice(-1); })
    .map(one => one.textContent.trim())"""
ONE_MORE = """document.querySelector('#variants .scroll thead tr').insertAdjacentHTML(
    'beforeend', '<th style="min-width: 100vw">One more</th>')"""
WIDER = [pytest.param(width, marks=pytest.mark.long) for width in (1366, 1440, 1920)]


@pytest.mark.parametrize("width", [1280, *WIDER])
def test_on_a_desktop_no_column_hides_behind_a_scroll_bar(written, tmp_path, width):
    with browser(tmp_path) as window:
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        window.devtools("Emulation.setDeviceMetricsOverride", **size)
        window.open(written[2] / "report.html")
        assert window.run("document.querySelectorAll('#variants .scroll').length") >= 3
        hidden = window.run(HIDDEN)
        assert hidden == [], f"no room for {hidden}: shorten headings, or set tabled=False"
        assert window.run("document.documentElement.scrollWidth - innerWidth") <= 0
        window.run(ONE_MORE)
        assert window.run(HIDDEN)[-1:] == ["One more"], "the column that is too much is named"


def test_the_page_names_the_option_of_every_tool_that_an_export_is_for(written):
    text = (written[2] / "report.html").read_text(encoding="utf-8")
    take = text[text.index('<section id="take">') :].partition("</section>")[0]
    assert {*re.findall(r"--format ([a-z-]+)", take)} == {*TOOLS}


def test_the_command_before_an_export_breaks_at_no_width(written, tmp_path):
    with browser(tmp_path) as window:
        window.open(written[2] / "report.html")
        lines = window.run("""[...Array(60).keys()].map(n => {
            const code = [...document.querySelectorAll('#take code')]
                .find(x => x.textContent.includes('activate'));
            code.closest('p').style.width = `${300 + 10 * n}px`;
            return code.getClientRects().length; })""")
        assert set(lines) == {1}


def test_in_a_browser_pictures_open_tables_sort_and_nothing_complains(written, tmp_path):
    with browser(tmp_path) as window:
        window.open(written[2] / "report.html")
        images = "[...document.querySelectorAll('main img')]"
        assert window.run(f"{images}.length") > 100
        loaded = f"{images}.map(i => i.decode().then(() => i))"
        assert window.run(f"Promise.all({loaded}).then(all => all.every(i => i.naturalWidth > 0))")
        wide = "document.documentElement.scrollWidth - innerWidth"
        assert window.run(wide) <= 0
        window.click("#likeness .pic")
        assert window.run("document.querySelector('dialog').open")
        first = window.run("document.querySelector('dialog p').textContent")
        window.type("right")
        assert window.run("document.querySelector('dialog p').textContent") != first
        window.type("escape")
        assert not window.run("document.querySelector('dialog').open")

        names = (
            "[...document.querySelectorAll('.variants tbody tr')].map(r => r.cells[0].innerText)"
        )
        column = (
            "[...document.querySelectorAll('.variants th')]"
            ".findIndex(h => h.innerText.includes('threes'))"
        )
        index = window.run(column) + 1
        window.click(f".variants th:nth-child({index}) button")
        values = [
            float(text)
            for text in window.run(
                "[...document.querySelectorAll('.variants tbody tr')]"
                f".map(r => r.cells[{index - 1}].dataset.sort)"
            )
        ]
        assert values == sorted(values, reverse=True)
        falling = window.run(names)
        window.click(f".variants th:nth-child({index}) button")
        assert window.run(names) != falling

        window.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=360,
            height=740,
            deviceScaleFactor=2,
            mobile=True,
        )
        assert window.run(wide) <= 0, "a phone has to scroll sideways"
        plot = "document.querySelector('#verdicts .fits')"
        assert window.run(f"{plot}.scrollWidth - {plot}.clientWidth") <= 0, "the plot is cut"
        assert window.errors() == []


@pytest.mark.long
def test_colours_follow_the_reader_s_choice_of_light_or_dark(written, tmp_path):
    with browser(tmp_path) as window:
        window.open(written[2] / "report.html")

        def brightness(selector: str, what: str, scheme: str) -> float:
            window.devtools(
                "Emulation.setEmulatedMedia",
                features=[{"name": "prefers-color-scheme", "value": scheme}],
            )
            colour = window.run(f"getComputedStyle(document.querySelector('{selector}')).{what}")
            return sum(map(float, re.findall(r"[\d.]+", colour)[:3]))

        for scheme, order in (("light", 1), ("dark", -1)):
            page = brightness("body", "backgroundColor", scheme)
            for selector, what in (("body", "color"), (".plot text", "fill")):
                assert order * (page - brightness(selector, what, scheme)) > 300, (scheme, what)


@pytest.mark.long
def test_on_paper_everything_is_unfolded(written, tmp_path):
    with browser(tmp_path) as window:
        window.open(written[2] / "report.html")
        closed = "document.querySelectorAll('details:not([open], .more)').length"
        before = window.run(closed)
        assert before > 0
        window.run("dispatchEvent(new Event('beforeprint'))")
        assert window.run(closed) == 0
        window.run("dispatchEvent(new Event('afterprint'))")
        assert window.run(closed) == before
        pdf = base64.b64decode(window.do("print", {"background": True}))
        images = "[...document.querySelectorAll('main img:not(.more img)')].map(i => i.src)"
        shown = window.run(f"new Set({images}).size")
        assert pdf.count(b"/Subtype /Image") >= shown > 50, "pictures are missing on paper"


def test_what_the_design_could_find_is_shown_where_it_was_forecast(changed, tmp_path, written):
    assert "What this design could find" not in written[0] + written[1]
    names = list(changed.spec.hypotheses)
    spec = PowerSpec(
        experiment=changed.spec.experiment,
        hypotheses=changed.spec.hypotheses,
        runs={name: 3 * (one.kind != "base") for name, one in changed.spec.variants.items()},
        prompt_sets={
            name: AskedPrompts(pictures=dict.fromkeys(texts, 2), asked=dict.fromkeys(texts, "A+J"))
            for name, texts in changed.spec.prompt_sets.items()
        },
    )
    power = figures(spec, lambda *_: [])
    write_json(changed.results / "power.json", power)
    page, markdown = reported.run_report(changed, tmp_path / "out")
    section = Page(page[page.index('<section id="power">') :].partition("</section>")[0])
    assert section.text.startswith("What this design could find")
    for name in names:
        assert name in section.text
        if warning := power["hypotheses"][name]["warning"]:
            assert f"- {name}: {warning}" in markdown
    assert f"| {names[0]} | 3 |" in markdown and "Variances: the model's" in markdown
    assert "| no difference > |" in markdown
    path = changed.results / "verdicts.json"
    write_json(path, read_json(path) | {"hypotheses": {}})  # power.json is of former ones then
    assert 'id="power"' not in reported.run_report(changed, tmp_path / "none")[0]
