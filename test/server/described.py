"""Hooks for schemathesis (SCHEMATHESIS_HOOKS): no answer is an error of the server, but for those that MLflow's own gives."""

import schemathesis

# With these MLflow 3.17.2 says that it does not do something, and clients know them by their words: status and message.
MLFLOW_SAYS = [
    (501, "Multipart upload is not supported for the current artifact repository"),
    (500, "Trace data not stored in tracking store"),
    (500, "Cannot rename a non-active experiment."),
]


@schemathesis.check
def no_server_error(ctx, response, case):
    if response.status_code < 500:
        return
    said = response.json().get("message", "") if response.headers.get("content-type", [""])[0].startswith("application/json") else ""
    if (response.status_code, said) not in MLFLOW_SAYS:
        raise AssertionError(f"{response.status_code}: {response.text[:500]}")
