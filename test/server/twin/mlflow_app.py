"""MLflow's server as it is, FastAPI around Flask, without a port: a request for each line of stdin, an answer for each of stdout."""

import asyncio
import base64
import json
import os
import sys
from urllib.parse import unquote, urlsplit

out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

os.environ["_MLFLOW_SERVER_FILE_STORE"] = "sqlite:////nowhere"
os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = "mlflow-artifacts:/"
os.environ["_MLFLOW_SERVER_ARTIFACT_DESTINATION"] = "/nowhere"
os.environ["_MLFLOW_SERVER_SERVE_ARTIFACTS"] = "true"
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

from mlflow.server import handlers
from mlflow.server.fastapi_app import app

loop = asyncio.new_event_loop()


def use(store, destination, root, served):
    """From here on requests are about this store."""
    os.environ["_MLFLOW_SERVER_FILE_STORE"] = store
    os.environ["_MLFLOW_SERVER_ARTIFACT_DESTINATION"] = destination
    os.environ["_MLFLOW_SERVER_ARTIFACT_ROOT"] = root
    os.environ["_MLFLOW_SERVER_SERVE_ARTIFACTS"] = "true" if served else "false"
    handlers._tracking_store = handlers._model_registry_store = handlers._artifact_repo = None
    handlers._get_tracking_store()
    return {"status": 0}


def answer(method, target, headers, body):
    url = urlsplit(target)
    content = base64.b64decode(body)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(url.path),
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 1),
        "server": ("localhost", 80),
    }
    received = {"status": None, "headers": {}, "body": b""}
    sent = []

    async def receive():
        if sent:
            await asyncio.sleep(3600)
        sent.append(True)
        return {"type": "http.request", "body": content, "more_body": False}

    async def send(message):
        if message["type"] == "http.response.start":
            received["status"] = message["status"]
            received["headers"] = {name.decode(): value.decode() for name, value in message["headers"]}
        elif message["type"] == "http.response.body":
            received["body"] += message.get("body", b"")

    try:
        loop.run_until_complete(app(scope, receive, send))
    except Exception as error:
        if received["status"] is None:
            received = {"status": 500, "headers": {}, "body": repr(error).encode()}
    received["body"] = base64.b64encode(received["body"]).decode()
    return received


for line in sys.stdin:
    request = json.loads(line)
    result = use(**request["use"]) if "use" in request else answer(**request)
    out.write(json.dumps(result) + "\n")
    out.flush()
