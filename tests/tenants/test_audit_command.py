"""``manage.py audit verify``: what an administrator runs, against what an intruder does."""

import os
import re
import signal
import subprocess
import sys
from io import StringIO

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from tenants import audit
from tenants.actors import Actor
from tests.e2e.conftest import empty_database, environment

SOMEBODY = Actor("somebody")
LAST = re.compile(r"Its last entry is (\d+:[0-9a-f]{64})")


def write(*names):
    for name in names:
        with transaction.atomic():
            audit.record(SOMEBODY, "acme", audit.Type.OPTION, "Option changed", subject=name)


def sql(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)


def verify(*arguments):
    out = StringIO()
    call_command("audit", "verify", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def head(settings, tmp_path):
    """Return where the last verified end is kept."""
    settings.DATA_DIR = tmp_path
    return tmp_path / "audit-head"


@pytest.fixture
def log(transactional_db, head):
    """Five entries, chained."""
    write("one", "two", "three", "four", "five")


def test_whole_log_is_told_with_its_end(log, head):
    said = verify()
    assert "The audit log is whole: 5 entries." in said
    end = LAST.search(said)[1]
    assert end.startswith("5:")
    assert head.read_text() == f"{end}\n"


def test_empty_log_is_whole(db, head):
    assert "0 entries" in verify()
    assert head.read_text() == "0:\n"
    assert "0 entries" in verify()


def test_first_verification_says_what_it_cannot_tell(log, head):
    assert f"There is no {head}" in verify()
    assert "There is no" not in verify()


# What was done to the tables, which entry is named, and what is said of it.
TAMPERING = {
    "edit": ("UPDATE tenants_auditrecord SET subject = 'other' WHERE number = 3", 3, "altered"),
    "edit what changed": (
        "UPDATE tenants_auditrecord SET changes = '[1]' WHERE number = 2", 2, "altered"),
    "delete": ("DELETE FROM tenants_auditrecord WHERE number = 2", 2, "missing"),
    "delete the first": ("DELETE FROM tenants_auditrecord WHERE number = 1", 1, "missing"),
    "delete the last": ("DELETE FROM tenants_auditrecord WHERE number = 5", 5, "missing"),
    "swap": (
        """UPDATE tenants_auditrecord SET number = -number WHERE number IN (2, 4);
        UPDATE tenants_auditrecord SET number = 6 + number WHERE number < 0""", 2, "altered"),
    "insert": (
        """INSERT INTO tenants_auditrecord (number, digest, tenant_id, at, type, activity, text,
        severity, subject, actor_tenant, actor_name, source, request_id, changes)
        SELECT 6, digest, tenant_id, at, type, 'Smuggled in', text, severity, subject,
        actor_tenant, actor_name, source, request_id, changes
        FROM tenants_auditrecord WHERE number = 1""", 6, "altered"),
    "cut off the end": (
        """DELETE FROM tenants_auditrecord WHERE number > 3;
        UPDATE tenants_audithead SET number = 3, digest =
        (SELECT digest FROM tenants_auditrecord WHERE number = 3)""", 4, "missing"),
    "throw away the log": (
        "DELETE FROM tenants_auditrecord; DELETE FROM tenants_audithead", 1, "missing"),
    "throw away the end's mark": ("DELETE FROM tenants_audithead", 1, "altered"),
}  # fmt: skip


@pytest.mark.parametrize("name", TAMPERING)
def test_tampering_is_named_with_the_first_entry_concerned(log, head, name):
    statements, number, problem = TAMPERING[name]
    verify()
    kept = head.read_text()
    for statement in statements.split(";"):
        sql(statement)
    with pytest.raises(CommandError, match=rf"Entry {number} of the audit log: .*{problem}"):
        verify()
    # What was in order before is not forgotten: the next run says the same.
    assert head.read_text() == kept
    with pytest.raises(CommandError, match=rf"Entry {number} of the audit log"):
        verify()


def test_end_cut_off_before_the_first_verification_shows_by_what_was_kept_elsewhere(log, head):
    end = LAST.search(verify())[1]
    head.unlink()
    for statement in TAMPERING["cut off the end"][0].split(";"):
        sql(statement)
    with pytest.raises(CommandError, match="Entry 4"):
        verify("--known", end)
    assert "3 entries" in verify()


def test_known_end_takes_the_place_of_the_kept_one(log, head):
    third = audit.AuditRecord.objects.get(number=3)
    head.write_text(f"9:{'0' * 64}\n")
    with pytest.raises(CommandError, match="Entry 6"):
        verify()
    assert "5 entries" in verify("--known", f"3:{third.digest}")
    assert head.read_text().startswith("5:")
    with pytest.raises(CommandError, match="Entry 3"):
        verify("--known", f"3:{'0' * 64}")


@pytest.mark.parametrize(
    "text", ["", "x", "5:", f"x:{'0' * 64}", f"5:{'0' * 63}", "\xff", "9" * 99]
)
def test_kept_end_that_is_damaged_is_not_passed_over(log, head, text):
    head.write_bytes(text.encode("latin-1"))
    with pytest.raises(CommandError, match=r"audit-head cannot be read\. Give --known"):
        verify()
    assert "5 entries" in verify("--known", "0:")
    assert head.read_text().startswith("5:")


@pytest.mark.parametrize("known", ["", "5", "5:xyz", f"0:{'0' * 64}", f"-1:{'0' * 64}", "²:"])
def test_known_end_that_is_none_is_refused(log, head, known):
    with pytest.raises(CommandError, match="must look like"):
        verify(f"--known={known}")
    assert not head.exists()


def test_end_is_kept_whole_or_not_at_all(log, head, settings, tmp_path):
    verify()
    settings.DATA_DIR = tmp_path / "gone"
    with pytest.raises(CommandError, match=r"The audit log is whole, but .* cannot be written"):
        verify()
    assert [each.name for each in tmp_path.iterdir()] == ["audit-head"]


def test_log_that_grew_is_whole_and_the_kept_end_moves_on(log, head):
    verify()
    write("six")
    assert "6 entries" in verify()
    assert head.read_text().startswith("6:")


# --- Processes of their own ------------------------------------------------------------------

STOPPED_BEFORE_CHAINING = """
import sys, time
from django.db import transaction
from tenants import audit
from tenants.actors import Actor

def stop():  # behind the commit, before the chaining, which was asked for later
    print("committed", flush=True)
    time.sleep(600)

with transaction.atomic():
    transaction.on_commit(stop)
    for name in ("six", "seven"):
        audit.record(Actor("x"), "acme", audit.Type.OPTION, "Option changed", subject=name)
"""
STOPPED_BEFORE_THE_COMMIT = """
import time
from django.db import transaction
from tenants import audit
from tenants.actors import Actor

with transaction.atomic():
    audit.record(Actor("x"), "acme", audit.Type.OPTION, "Option changed", subject="eight")
    print("committed", flush=True)
    time.sleep(600)
"""
FIVE = """
from tenants import audit
from tenants.actors import Actor
for name in ("one", "two", "three", "four", "five"):
    audit.record(Actor("x"), "acme", audit.Type.OPTION, "Option changed", subject=name)
"""


def manage(env, *arguments):
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=django_settings.BASE_DIR, env=env, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL, timeout=120,
    )  # fmt: skip


def kill_in_the_middle(env, script):
    """Run ``script`` until it says so, and kill it by its process id, without a warning."""
    process = subprocess.Popen(
        [sys.executable, "manage.py", "shell", "-v0", "-c", script],
        cwd=django_settings.BASE_DIR, env=env, stdout=subprocess.PIPE, text=True,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert process.stdout.readline() == "committed\n"
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()


def test_process_that_is_killed_leaves_a_log_that_verifies(tmp_path):
    data_dir = tmp_path / "data"
    with empty_database() as database:
        env = environment(data_dir, **database)
        for arguments in (("migrate", "-v0"), ("shell", "-v0", "-c", FIVE)):
            done = manage(env, *arguments)
            assert done.returncode == 0, done.stderr
        assert "5 entries" in manage(env, "audit", "verify").stdout
        kill_in_the_middle(env, STOPPED_BEFORE_CHAINING)
        kill_in_the_middle(env, STOPPED_BEFORE_THE_COMMIT)
        done = manage(env, "audit", "verify")
        assert (done.returncode, done.stderr) == (0, "")
        # Committed entries are there, the other one is not.
        assert "The audit log is whole: 7 entries." in done.stdout
        (data_dir / "audit-head").write_text(f"9:{'0' * 64}\n")
        done = manage(env, "audit", "verify")
        assert done.returncode == 1
        assert "Entry 8 of the audit log: Entries that were here before are missing." in done.stderr
        assert manage(env, "audit").returncode == 2
