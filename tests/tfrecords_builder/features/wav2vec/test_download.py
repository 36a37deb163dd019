"""Downloads from a server on this machine."""

import hashlib
import http.server
import threading

import pytest

from tfrecords_builder.errors import WorkError
from tfrecords_builder.features.wav2vec.download import download_wav2vec_large

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def serve():
    """Starts a server; (url, ranges that were asked for)."""
    servers = []

    def start(knows_ranges=True, cut=None, status=200):
        asked = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                wanted = self.headers.get("Range")
                asked.append(wanted)
                start = 0
                if knows_ranges and wanted:
                    start = int(wanted.removeprefix("bytes=").rstrip("-"))
                if status != 200:
                    self.send_error(status)
                    return
                if start >= len(CONTENT):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(CONTENT)}")
                    self.end_headers()
                    return
                self.send_response(206 if start else 200)
                self.send_header("Content-Length", str(len(CONTENT) - start))
                self.end_headers()
                self.wfile.write(CONTENT[start : cut if not start else None])

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/wav2vec.pt", asked

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_download_once_with_its_digest(tmp_path, serve):
    url, asked = serve()
    said = []
    path = download_wav2vec_large(tmp_path / "new", said.append, url)
    assert path.read_bytes() == CONTENT
    assert hashlib.sha256(CONTENT).hexdigest() in said[-1]
    assert download_wav2vec_large(tmp_path / "new", said.append, url) == path
    assert asked == [None]


@pytest.mark.parametrize("knows_ranges", [True, False])
def test_a_broken_download_goes_on(tmp_path, serve, knows_ranges):
    url, _ = serve(cut=4000)
    said = []
    with pytest.raises(WorkError, match=r"goes on.*--wav2vec_checkpoint"):
        download_wav2vec_large(tmp_path, said.append, url)
    assert (tmp_path / "wav2vec.pt.part").read_bytes() == CONTENT[:4000]
    url, asked = serve(knows_ranges)
    path = download_wav2vec_large(tmp_path, said.append, url)
    assert asked == ["bytes=4000-"]
    assert path.read_bytes() == CONTENT
    assert ("Going on" in "".join(said)) == knows_ranges
    assert [each.name for each in tmp_path.iterdir()] == ["wav2vec.pt"]


@pytest.mark.parametrize("length", [len(CONTENT), len(CONTENT) + 5])
def test_a_part_that_is_whole_or_too_long(tmp_path, serve, length):
    (tmp_path / "wav2vec.pt.part").write_bytes((CONTENT + b"12345")[:length])
    url, _ = serve()
    path = download_wav2vec_large(tmp_path, lambda line: None, url)
    assert path.read_bytes() == CONTENT


def test_what_to_do_without_a_network(tmp_path, serve):
    for url in (serve(status=404)[0], "http://127.0.0.1:9/wav2vec.pt"):
        with pytest.raises(WorkError) as caught:
            download_wav2vec_large(tmp_path, lambda line: None, url)
        for part in (url, str(tmp_path / "wav2vec.pt"), "logmel"):
            assert part in str(caught.value)
