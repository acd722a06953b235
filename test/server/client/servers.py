"""MLflow's server for several stores, importing MLflow once: `servers.py port=uri=destination …` forks a process for each."""

import os
import signal
import sys

os.environ.update(
    _MLFLOW_SERVER_FILE_STORE="sqlite:////nowhere",
    _MLFLOW_SERVER_ARTIFACT_ROOT="mlflow-artifacts:/",
    _MLFLOW_SERVER_SERVE_ARTIFACTS="true",
    MLFLOW_ALLOW_FILE_STORE="true",
    MLFLOW_DISABLE_TELEMETRY="true",
)

import uvicorn
from mlflow.server import handlers
from mlflow.server.fastapi_app import app

children = []
for target in sys.argv[1:]:
    port, uri, destination = target.split("=", 2)
    child = os.fork()
    if child == 0:
        os.environ["_MLFLOW_SERVER_FILE_STORE"] = uri
        os.environ["_MLFLOW_SERVER_ARTIFACT_DESTINATION"] = destination
        handlers._get_tracking_store()
        uvicorn.run(app, host="127.0.0.1", port=int(port), log_level="warning")
        os._exit(0)
    children.append(child)


def stop(*_):
    for child in children:
        os.kill(child, signal.SIGTERM)


signal.signal(signal.SIGTERM, stop)
signal.signal(signal.SIGINT, stop)
for child in children:
    os.waitpid(child, 0)
