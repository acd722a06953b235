"""Every route of MLflow's server: a line `METHOD path` for each, with {name} for what varies."""

import os
import re

os.environ["_MLFLOW_SERVER_FILE_STORE"] = "sqlite:////nowhere"
os.environ["_MLFLOW_SERVER_SERVE_ARTIFACTS"] = "true"

from mlflow.server import app
from mlflow.server.assistant.api import assistant_router
from mlflow.server.gateway_api import gateway_router
from mlflow.server.job_api import job_api_router
from mlflow.server.mcp_server_api import get_mcp_server_api_route_prefixes, mcp_server_router
from mlflow.server.otel_api import otel_router

found = set()
for rule in app.url_map.iter_rules():
    for method in rule.methods - {"HEAD", "OPTIONS"}:
        found.add((method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)))
routers = [("", each) for each in (assistant_router, gateway_router, job_api_router, otel_router)]
routers += [(prefix, mcp_server_router) for prefix in get_mcp_server_api_route_prefixes()]
for prefix, router in routers:
    for route in router.routes:
        for method in route.methods:
            found.add((method, prefix + re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path)))
print("\n".join(f"{method} {path}" for method, path in sorted(found)))
