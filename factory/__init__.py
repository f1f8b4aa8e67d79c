"""The factory's way in: device types, IDs with secrets, provisioning keys, the Operations API."""
