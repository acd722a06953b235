"""A working day with an old MLflow client, 1.30 to 2.22: `old.py uri`, what it reads back as JSON on stdout.

Only what all of these releases have. Ids and times of the day stay out of it, so that the same comes out of every server.
"""

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ.update(MLFLOW_TRACKING_URI=sys.argv[1], MLFLOW_HTTP_REQUEST_MAX_RETRIES="2", MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false")
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import mlflow
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.tracking import MlflowClient

client = MlflowClient()
read = {}


def refused(action):
    try:
        return {"result": str(action())}
    except MlflowException as error:
        return error.error_code


class Doubled(mlflow.pyfunc.PythonModel):
    def predict(self, context, model_input, params=None):
        return [2 * each for each in model_input]


def names(runs):
    return sorted(run.data.tags["mlflow.runName"] for run in runs)


# Experiments.
experiment = client.create_experiment("old", tags={"team": "a"})
client.set_experiment_tag(experiment, "stage", "ü")
client.create_experiment("gone")
client.delete_experiment(client.get_experiment_by_name("gone").experiment_id)
found = client.get_experiment_by_name("old")
read["experiment"] = [found.name, dict(found.tags), found.lifecycle_stage, found.experiment_id == experiment]
read["experiments"] = [each.name for each in client.search_experiments(order_by=["name"])]
read["experiments deleted"] = [each.name for each in client.search_experiments(view_type=ViewType.DELETED_ONLY)]
read["experiments filtered"] = [each.name for each in client.search_experiments(filter_string="tags.team = 'a'")]
read["experiment twice"] = refused(lambda: client.create_experiment("old"))

# Runs, as a training script writes them.
mlflow.set_experiment("old")
with mlflow.start_run(run_name="parent") as parent:
    mlflow.log_param("alpha", 0.5)
    mlflow.log_params({"layers": [1, 2], "name": "ü"})
    for step in range(5):
        mlflow.log_metric("loss", 1 / (step + 1), step=step)
    mlflow.log_metrics({"accuracy": 0.75, "inf": float("inf")})
    mlflow.set_tag("kind", "test")
    mlflow.log_text("some text", "notes/a.txt")
    mlflow.log_dict({"k": [1, 2]}, "dict.json")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "b.bin").write_bytes(bytes(range(256)) * 400)
        mlflow.log_artifacts(folder, "folder")
    with mlflow.start_run(run_name="child", nested=True):
        mlflow.log_param("alpha", 1)
        mlflow.log_metric("loss", 2)
    mlflow.pyfunc.log_model("model", python_model=Doubled(), pip_requirements=[], registered_model_name="doubler")
run = client.get_run(parent.info.run_id)
read["run"] = {
    "status": run.info.status,
    "metrics": {key: str(value) for key, value in sorted(run.data.metrics.items())},
    "params": dict(sorted(run.data.params.items())),
    "tags": [run.data.tags[key] for key in ("mlflow.runName", "kind")],
    "models": "doubler" in str(client.get_model_version("doubler", "1").name) and "mlflow.log-model.history" in run.data.tags,
    "end": run.info.end_time >= run.info.start_time,
}
read["history"] = [[point.value, point.step] for point in client.get_metric_history(run.info.run_id, "loss")]

# A batch, as an integration of a framework writes it.
batch = client.create_run(experiment, start_time=1700000000000, tags={"mlflow.runName": "batch"})
rid = batch.info.run_id
client.log_batch(
    rid,
    metrics=[Metric("m", i / 4, 1700000000000 + i, i) for i in range(20)],
    params=[Param(f"p{i}", str(i)) for i in range(9)],
    tags=[RunTag(f"t{i}", "x" * i) for i in range(9)],
)
client.delete_tag(rid, "t8")
client.set_terminated(rid, "FAILED", end_time=1700000005000)
run = client.get_run(rid)
read["batch"] = [run.info.status, run.info.start_time, run.info.end_time, run.data.metrics, run.data.params, sorted(run.data.tags)[:3], len(run.data.tags)]
read["batch history"] = [[point.value, point.step, point.timestamp] for point in client.get_metric_history(rid, "m")]
read["param again"] = refused(lambda: client.log_param(rid, "p0", "other"))
read["run unknown"] = refused(lambda: client.get_run("0" * 32))

# Search.
for filter_string in [
    "metrics.loss < 1",
    "params.alpha = '0.5' and tags.kind = 'test'",
    "params.alpha LIKE '%5'",
    "attributes.status = 'FAILED'",
    "tags.`mlflow.runName` = 'child'",
    f"tags.mlflow.parentRunId = '{parent.info.run_id}'",
]:
    read[f"search {filter_string.split(' = ')[0]}"] = names(client.search_runs([experiment], filter_string))
read["search ordered"] = [run.data.metrics["loss"] for run in client.search_runs([experiment], "metrics.loss >= 0", order_by=["metrics.loss DESC"])]
page = client.search_runs([experiment], max_results=2, order_by=["attributes.start_time"])
more = client.search_runs([experiment], max_results=2, order_by=["attributes.start_time"], page_token=page.token)
read["search paged"] = [[run.data.tags["mlflow.runName"] for run in each] for each in (page, more)] + [more.token or None]
read["search wrong"] = refused(lambda: client.search_runs([experiment], "nonsense"))
client.delete_run(rid)
read["deleted"] = [client.get_run(rid).info.lifecycle_stage, names(client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY))]
read["deleted, logged to"] = refused(lambda: client.log_metric(rid, "m", 1))
client.restore_run(rid)
read["restored"] = client.get_run(rid).info.lifecycle_stage

# Files through the proxy.
rid = parent.info.run_id
read["artifact uri"] = parent.info.artifact_uri.split(":")[0]
for path in [None, "notes", "folder"]:
    read[f"artifacts {path}"] = [[each.path, each.is_dir, each.file_size] for each in client.list_artifacts(rid, path)]
with tempfile.TemporaryDirectory() as folder:
    place = Path(client.download_artifacts(rid, "folder", folder))
    read["downloaded"] = [[each.name, each.read_bytes() == bytes(range(256)) * 400] for each in place.iterdir()]
    read["text"] = Path(client.download_artifacts(rid, "notes/a.txt", folder)).read_text()
read["predicted"] = mlflow.pyfunc.load_model(f"runs:/{rid}/model").predict([1.0, 2.5])

# The registry.
client.create_model_version("doubler", f"{parent.info.artifact_uri}/model", rid)
client.update_registered_model("doubler", description="twice as much")
client.set_registered_model_tag("doubler", "a", "b")
client.set_model_version_tag("doubler", "2", "c", "d")
client.transition_model_version_stage("doubler", "1", "Production")
client.transition_model_version_stage("doubler", "2", "Production", archive_existing_versions=True)
model = client.get_registered_model("doubler")
read["registered"] = [model.name, model.description, dict(model.tags), sorted([each.version, each.current_stage] for each in model.latest_versions)]
read["versions"] = sorted([each.version, each.current_stage, each.status, each.run_id == rid] for each in client.search_model_versions("name = 'doubler'"))
read["latest"] = [each.version for each in client.get_latest_versions("doubler", ["Production"])]
read["version tags"] = dict(client.get_model_version("doubler", "2").tags)
read["version's files"] = client.get_model_version_download_uri("doubler", "2").split(":")[0]
read["predicted from registry"] = mlflow.pyfunc.load_model("models:/doubler/Production").predict([4])
if hasattr(client, "set_registered_model_alias"):
    client.set_registered_model_alias("doubler", "best", "1")
    read["alias"] = client.get_model_version_by_alias("doubler", "best").version
client.rename_registered_model("doubler", "twice")
client.delete_model_version("twice", "1")
read["models"] = [[each.name, [version.version for version in each.latest_versions]] for each in client.search_registered_models("name LIKE 'tw%'")]
client.delete_registered_model("twice")
read["model gone"] = refused(lambda: client.get_registered_model("twice"))

json.dump(read, out)
