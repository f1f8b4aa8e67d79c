"""Files on their way to a view: sealed, nameless, and only for those who may send some."""

import os
import stat

import pytest
from cryptography.exceptions import InvalidTag
from django.core.files.uploadhandler import SkipFile
from django.test import RequestFactory
from django.urls import ResolverMatch

from ui.uploads import BLOCK, IN_MEMORY, SealingHandler, takes_files

CANARY = b"canary-S3cret!"


def view(request):
    """Take whatever is sent."""


def handler_for(function):
    request = RequestFactory().post("/")
    request.resolver_match = ResolverMatch(function, (), {}) if function else None
    return SealingHandler(request)


def sent(blocks):
    handler = handler_for(takes_files(lambda request: True)(lambda request: None))
    handler.new_file("file", "devices.csv", "text/csv", None)
    for block in blocks:
        handler.receive_data_chunk(block, 0)
    return handler.file_complete(sum(map(len, blocks)))


@pytest.mark.parametrize("size", [0, 1, BLOCK, IN_MEMORY + 1, 3 * IN_MEMORY])
def test_file_is_read_as_it_was_sent_and_read_again(size):
    data = (CANARY * (size // len(CANARY) + 1))[:size]
    file = sent([data[at : at + BLOCK] for at in range(0, size, BLOCK)])
    assert (file.size, file.name_sent) == (size, "devices.csv")
    assert b"".join(file.chunks()) == data
    assert b"".join(file.chunks(7)) == data
    file.close()


def test_large_file_lies_on_disk_without_a_name_and_unreadable():
    file = sent([CANARY * 1000] * (2 * IN_MEMORY // (1000 * len(CANARY))))
    on_disk = os.fstat(file.fileno())
    assert stat.S_ISREG(on_disk.st_mode)
    assert on_disk.st_nlink == 0
    file.seek(0)
    assert CANARY not in file.file.read()
    file.close()


def test_part_of_a_file_that_was_changed_is_noticed():
    file = sent([b"ID;PATH\n"])
    file.file.seek(6)
    file.file.write(b"x")
    with pytest.raises(InvalidTag):
        list(file.chunks())
    file.close()


@pytest.mark.parametrize(
    "function",
    [None, view, takes_files(lambda request: False)(lambda request: None)],
    ids=["no address", "another view", "somebody else"],
)
def test_file_for_nobody_is_passed_over(function):
    with pytest.raises(SkipFile):
        handler_for(function).new_file("file", "devices.csv", "text/csv", None)
