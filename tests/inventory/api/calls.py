"""Addresses of the inventory, and what its answers say."""

OBJECTS = "/inventory/managedObjects"
ERROR_TYPE = "application/vnd.com.nsn.cumulocity.error+json;charset=UTF-8;ver=0.9"
NO_OBJECT = "Finding device data from database failed : No managedObject for id '{}'!"
# What can be nobody's ID, and one that is simply not there.
UNKNOWN_IDS = ["0", "999999999", "-1", "99999999999999999999", "abc", "1e3", "\u0661", "1.0", "%20"]


def one(object_id, *rest):
    """Return the address of an object, or of what is beneath it."""
    return "/".join([OBJECTS, str(object_id), *(str(part) for part in rest)])


def ids(answer, collection="managedObjects"):
    """Return the IDs in a list."""
    assert answer.status_code == 200, answer.content
    found = answer.json()[collection]
    return [(each.get("managedObject") or each)["id"] for each in found]


def named(answer):
    """Return the names in a list."""
    assert answer.status_code == 200, answer.content
    return [each.get("name") for each in answer.json()["managedObjects"]]


def refused(answer, status, error, message=None):
    """Check a refusal in the contract's shape."""
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == ERROR_TYPE
    assert answer.json()["error"] == error
    if message is not None:
        assert answer.json()["message"] == message


def reference(object_id):
    """Return the body that names one object."""
    return {"managedObject": {"id": str(object_id)}}


def references(*object_ids):
    """Return the body that names several."""
    return {"references": [reference(each) for each in object_ids]}
