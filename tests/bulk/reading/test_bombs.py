"""Files that are made to fill the memory do not."""

import subprocess
import sys

import pytest

LIMIT = 200  # MiB, of which Django and the models take some 65

PROGRAM = r"""
import io, os, re, sys, time
import django
django.setup()
from bulk.reading.dialect import Detector
from bulk.reading.header import read_header
from bulk.reading.problems import FileProblem
from bulk.reading.rows import read_batches

class Endless(io.RawIOBase):
    '''A file of pieces that are made when they are read.'''
    def __init__(self, head, piece, times, tail):
        self.parts, self.at = (head, piece, times, tail), 0
        self.size = len(head) + len(piece) * times + len(tail)
    def readable(self): return True
    def seekable(self): return True
    def seek(self, offset, whence=0): self.at = offset; return offset
    def readinto(self, buffer):
        head, piece, times, tail = self.parts
        data = b""
        if self.at < len(head):
            data = head[self.at:]
        elif self.at < len(head) + len(piece) * times:
            data = piece[(self.at - len(head)) % len(piece):]
        elif self.at < self.size:
            data = tail[self.at - self.size + len(tail):]
        data = data[:len(buffer)]
        buffer[:len(data)] = data
        self.at += len(data)
        return len(data)

def stream():
    return io.BufferedReader(Endless(PARTS), 65536)

detector, said, batches, lines = Detector(), "", 0, []
try:
    file = stream()
    while block := file.read(65536):
        detector.feed(block)
    dialect = detector.finish()
    header, start = read_header(stream(), dialect)
    for batch in read_batches(stream(), dialect, header, start, most=1000):
        lines += [(one.line, one.code) for one in batch.problems][:5]
        lines += [(one.line, one.device_id) for one in batch.entries][:5]
        assert len(batch.entries) + len(batch.problems) <= 1000
except FileProblem as problem:
    said = problem.message
print(said or lines[:10])
# Not ru_maxrss: what a process had before it became another program counts there as well.
print(int(re.search(r"VmHWM:\s+(\d+)", open("/proc/self/status").read())[1]) // 1024)
"""


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("b'ID;PATH\\na;\\n', b'x' * 65536, 800, b'\\nb;\\n'",
         "[(3, 'too-long'), (2, 'a'), (4, 'b')]"),
        ("b'ID;PATH\\na;\\n', b'x;' * 32768, 800, b''", "[(3, 'too-long'), (2, 'a')]"),
        ("b'ID;PATH\\na;\\n', b' ' * 65536, 800, b'\\nb;\\n'",
         "[(3, 'too-long'), (2, 'a'), (4, 'b')]"),
        ("b'ID;PATH\\na;\\n', b'\\n' * 65536, 160, b'b;'", "[(2, 'a'), (10485763, 'b')]"),
        ("b'', b'ID;' * 20000, 800, b'\\n'", "The first line names the columns; it can have"),
        ("b'ID', b';p' * 1000000, 1, b'\\na\\n'", "The first line names the columns; it can have"),
        ("b'', b'\\n' * 65536, 800, b'ID;PATH\\na;\\n'", "The first line names the columns; it"),
        ("b'ID;PATH\\n', b'\"' * 65536, 800, b'\\nb;\\n'", "[(2, 'too-long'), (3, 'b')]"),
    ],
    ids=["long-line", "long-line-of-cells", "long-line-of-blanks", "blank-lines", "long-header",
         "million-columns", "blank-lines-first", "quotes"],
)  # fmt: skip
def test_bomb_of_50_megabytes_is_read_in_little_memory(file, says):
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM.replace("PARTS", file)],
        capture_output=True, text=True, timeout=60, check=False,
        env={"DJANGO_SETTINGS_MODULE": "tests.settings", "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    *said, used = run.stdout.strip().splitlines()
    assert said[0].startswith(says)
    assert int(used) < LIMIT
