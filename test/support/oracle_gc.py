"""What `mlflow gc` makes of its words."""
from unittest import mock

import mlflow.cli


class _Store:
    """As much of a store as the command looks for before it reads its options."""

    _hard_delete_run = _hard_delete_experiment = _hard_delete_logged_model = None


def older_than(texts):
    """The age of `--older-than` in milliseconds, as text; None where the command refuses it."""
    seen = []
    with (
        mock.patch.object(mlflow.cli, "_get_store", lambda *_: _Store()),
        mock.patch.object(mlflow.cli, "_resolve_gc_workspaces", lambda **_: [None]),
        mock.patch.object(mlflow.cli, "_gc_tracking_resources", lambda **given: seen.append(str(given["time_delta"]))),
    ):
        for text in texts:
            before = len(seen)
            try:
                mlflow.cli.cli(["gc", "--older-than=" + text, "--tracking-uri", "http://x"], standalone_mode=False)
            except Exception:  # noqa: BLE001
                pass
            if len(seen) == before:
                seen.append(None)
    return seen


REQUESTS = (older_than,)
