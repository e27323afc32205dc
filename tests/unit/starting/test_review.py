"""The review page and its server: what is decided there is saved, and nobody else gets in."""

from __future__ import annotations

import http.client
import json
import shutil
import threading
import time
from contextlib import contextmanager

import pytest
from browser import browser
from drawn_faces import DrawnFaces, folder
from waiting import LONG_S, until

from kindred.common.errors import KindredError, ProblemsError
from kindred.data.people_file import NAME, read_people
from kindred.data.photo_faces import faces_of
from kindred.data.photo_folder import scan
from kindred.starting import review_page
from kindred.starting.review_server import ReviewServer
from kindred.starting.who_is_who import who_is_who

PEOPLE = {"J": {"name": "JRussell", "class": "man"}}


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    root = tmp_path_factory.mktemp("drawn")
    list(faces_of(scan(folder(root / "ours", 3)).photos, DrawnFaces(), root / "faces"))
    return root


@pytest.fixture
def found(tmp_path, drawn):
    photos = shutil.copytree(drawn / "ours", tmp_path / "ours")
    result = who_is_who(photos, DrawnFaces(), [], drawn / "faces")
    result.save()
    return result


@contextmanager
def served(found, wait_s=0.0):
    def answer(change):
        time.sleep(wait_s)
        return review_page.answer(found, change)

    server = ReviewServer(lambda address: review_page.page(found, address), answer)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.finish()
        thread.join(LONG_S)


def ask(server, method="GET", path=None, body=None, **headers):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=LONG_S)
    data = body if body is None or isinstance(body, bytes) else json.dumps(body)
    path = server.path if path is None else path
    connection.request(method, path, data, {"Content-Type": "application/json", **headers})
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text, dict(answer.getheaders())


def test_who_has_the_address_gets_the_page_and_nobody_else(found):
    with served(found) as server:
        status, text, headers = ask(server)
        assert status == 200 and "Who is who" in text and server.token not in found.folder.name
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert server.http.server_address[0] == "127.0.0.1"
        refused = [
            ask(server, path="/"),
            ask(server, path="/wrong/"),
            ask(server, path=server.path + "../../etc/passwd"),
            ask(server, Host=f"evil.example:{server.port}"),
            ask(server, Origin="http://evil.example"),
            ask(server, "POST", "/wrong/decide", {}),
            ask(server, "POST", server.path + "decide", {}, Origin="http://evil.example"),
        ]
        assert {status for status, *_ in refused} == {404}


def test_decisions_are_saved_at_once_and_everybody_is_named_again(found):
    question = found.questions[0]
    faces = [[*found.rows[row], "J"] for row in question.faces[:1]]
    with served(found) as server:
        status, text, _ = ask(
            server, "POST", server.path + "decide", {"people": PEOPLE, "faces": faces}
        )
        state = json.loads(text)
        assert status == 200 and state["people"]["J"]["name"] == "JRussell"
        whos = [face["who"] for photo in state["photos"] for face in photo["faces"]]
        assert whos.count("J") == 1 and whos.count("J sure") == len(question.faces) - 1
        kept = read_people(found.path)
        assert kept.people["J"].noun == "man"
        ask(server, "POST", server.path + "decide", {"left_out": [[0, "blurred"]],
                                                     "captions": [[1, " a  cat "]]})  # fmt: skip
        entries = list(read_people(found.path).photos.values())
        assert (entries[0].left_out, entries[1].caption) == ("blurred", "a cat")


@pytest.mark.parametrize(
    "body",
    [b"no json", [], {"faces": [[0, 0, "Z"]]}, {"faces": [[99, 0, "nobody"]]},
     {"faces": [[-1, 0, "nobody"]]}, {"people": {"J": {"name": "J Russell"}}},
     {"people": {"JJ": PEOPLE["J"]}}, {"left_out": [[0, 3]]}, {"captions": [[0, "x" * 3000]]},
     {"captions": [[0, "\u0000"]]}, {"people": {"J": {"name": "JRussell"}}}],
)  # fmt: skip
def test_what_is_no_decision_is_refused_and_changes_nothing(found, body):
    before = found.path.read_text()
    with served(found) as server:
        status, text, _ = ask(server, "POST", server.path + "decide", body)
    assert status == 400 and json.loads(text)["error"] and found.path.read_text() == before


def test_a_person_who_is_named_somewhere_is_not_removed(found):
    at = found.rows[found.questions[0].faces[0]]
    review_page.answer(found, {"people": PEOPLE, "faces": [[*at, "J"]]})
    with pytest.raises(KindredError, match="page names unknown faces: J"):
        review_page.answer(found, {"people": {"J": None}})


def test_what_is_written_into_the_file_meanwhile_is_kept(found):
    text = found.path.read_text()
    cut = text.replace("photos:\n", "photos:\n", 1)
    found.path.write_text(cut.replace("    faces:", "    left_out: by hand\n    faces:", 1))
    review_page.answer(found, {"captions": [[1, "a cat"]]})
    entries = list(read_people(found.path).photos.values())
    assert (entries[0].left_out, entries[1].caption) == ("by hand", "a cat")
    found.path.write_text("people: [")
    with pytest.raises(ProblemsError):
        review_page.answer(found, {"captions": [[1, "a dog"]]})


def test_finish_ends_the_server(found):
    with served(found) as server:
        assert ask(server, "POST", server.path + "finish")[0] == 200
        server.http.shutdown()


def name_one(window, name, noun):
    window.run(
        f"(() => {{ const one = document.getElementById('newname'); one.value = '{name}';"
        f"one.form.querySelector('select').value = '{noun}'; one.form.requestSubmit(); }})()"
    )


@pytest.mark.long
def test_the_page_by_keyboard_as_a_file_and_by_the_server(found, tmp_path):
    plain = tmp_path / "review.html"
    plain.write_text(review_page.page(found))
    with browser(tmp_path) as window, served(found) as server:
        window.open(plain)
        name_one(window, "JRussell", "man")
        window.type("0", "z", "1", "z", "0")  # the next group: nobody, back, J, back, nobody
        window.click("#save")
        until((tmp_path / NAME).exists)
        words = [face.who for one in read_people(tmp_path / NAME).photos.values()
                 for face in one.faces]  # fmt: skip
        assert {word: words.count(word) for word in set(words)} == {
            "J": 5,
            "nobody": 5,
            "undecided": 3,
        }
        window.do("url", {"url": server.address})
        window.until("document.readyState === 'complete'")
        name_one(window, "J Russell", "man")
        assert "spaces" in window.run("document.getElementById('newname').title")
        assert not window.run("document.getElementById('newname').validity.valid")
        window.click(".face:last-child")
        name_one(window, "J\u00f6rvek", "man")
        until(lambda: read_people(found.path).people)
        # The judge would take a face that was taken out for the same person: a person says who it
        # is, now or when the page is opened again.
        until(lambda: "took this out" in window.run("document.getElementById('main').innerText"))
        assert window.run("document.querySelectorAll('.face').length") == 1
        window.click(".face")  # of one face there is nothing to take out: it shows the photo
        assert window.run("document.getElementById('viewer').open && out.size === 0")
        window.type("escape")
        window.until("viewing === null")
        at = json.dumps(window.run("question().faces[0]"))
        assert window.run(f"faceOf({at}).who") == "later"
        window.type("0")
        until(lambda: window.run(f"faceOf({at}).who") == "nobody")
        assert "took this out" not in window.run("document.getElementById('main').innerText")
        window.type("z")
        until(lambda: window.run("!waiting && toAsk()[0].why") == "out")
        window.type("z")
        until(lambda: not read_people(found.path).people)
        assert not window.run("toAsk().some((one) => one.why === 'out')")
        name_one(window, "JRussell", "man")
        until(lambda: read_people(found.path).people)
        window.run("document.querySelector('[data-tab=photos]').click()")
        window.run("document.getElementById('photo-2').focus()")
        window.type("x")
        until(lambda: list(read_people(found.path).photos.values())[2].left_out)
        window.type("z")
        until(lambda: not list(read_people(found.path).photos.values())[2].left_out)
        window.devtools("Emulation.setDeviceMetricsOverride", width=390, height=844,
                        deviceScaleFactor=1, mobile=True)  # fmt: skip
        for tab in ("ask", "people", "photos"):
            window.run(f"document.querySelector('[data-tab={tab}]').click()")
            assert window.run("document.documentElement.scrollWidth") <= 390
        window.run("(() => { state.questions = []; tab = 'ask'; })()")
        for photo, said in ((0, "1 face is"), (1, "2 faces are")):
            face = f"state.photos[{photo}].faces[0]"
            window.run(f"(() => {{ {face}.who = 'covered'; show(); }})()")
            told = window.run("document.querySelector('.unread').textContent")
            assert told.startswith(said) and "not asked about" in told
        assert window.errors() == []


@pytest.mark.long
def test_what_is_decided_while_the_last_is_being_saved_waits_for_its_turn(found, tmp_path):
    def photo(n):
        return list(read_people(found.path).photos.values())[n]

    with browser(tmp_path) as window, served(found, wait_s=0.5) as server:
        window.do("url", {"url": server.address})
        window.until("document.readyState === 'complete'")
        window.run("document.querySelector('[data-tab=photos]').click()")
        window.run("document.getElementById('photo-2').focus()")
        window.type("x")
        window.run("view(3)")
        window.type("c", "a")
        assert window.run("waiting") == 1
        until(lambda: photo(2).left_out and window.run("!waiting"))
        window.type("x", "escape")  # the caption is still being written, so x is a letter of it
        window.run("close()")
        until(lambda: photo(3).caption == "ax")
        window.until("!waiting")
        window.run("document.getElementById('photo-1').focus()")
        window.type("x", "z", "z", "z")
        assert window.run("waiting") == 4
        window.until("!waiting")
        assert not photo(1).left_out and not photo(3).caption and not photo(2).left_out
        assert window.errors() == []
