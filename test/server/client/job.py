"""What people do with MLflow's client, against one server after the other: `job.py kind=uri …`, results as JSON on stdout.

Ids become numbers in the order in which they are met, times of the day become a word: two servers that answer alike give the same.
"""

import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(
    MLFLOW_ENABLE_ASYNC_TRACE_LOGGING="false",
    MLFLOW_DISABLE_TELEMETRY="true",
    MLFLOW_HTTP_REQUEST_MAX_RETRIES="2",
    MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR="false",
    PYTHONWARNINGS="ignore",
)
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)

import numpy as np
import mlflow
from mlflow import MlflowClient
from mlflow.entities import (
    AssessmentSource,
    Metric,
    Param,
    RunTag,
    SpanType,
    ViewType,
)
from mlflow.exceptions import MlflowException

mlflow.set_registry_uri(None)


class Names:
    """Ids by the order in which they are met."""

    ID = re.compile(r"\b(?:m-|tr-|a-)?[0-9a-f]{32}\b|\b[0-9a-f]{16}\b|\ba-[0-9a-f]{8,32}\b|\b\d{18}\b")

    def __init__(self):
        self.known = {}

    def text(self, text):
        text = self.ID.sub(lambda found: self.known.setdefault(found.group(), f"id{len(self.known)}"), text)
        text = re.sub(r"http://127\.0\.0\.1:\d+", "(server)", text)
        text = re.sub(r"/tmp/[^\s'\"]*", "(folder)", text)
        text = re.sub(r"\(\w+(?:\.\w+)+\) ", "", text)
        # What the database's driver says is its own.
        text = re.sub(r"(already exists\.) Error: .*", r"\1", text, flags=re.S)
        # Python orders a set anew in each process.
        text = re.sub(r"\{('[^{}]*')\}", lambda found: "{" + ", ".join(sorted(found.group(1).split(", "))) + "}", text)
        return re.sub(r"\n\[SQL: .*", "", text, flags=re.S)

    def of(self, value, key=""):
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bool) or value is None:
            return value
        if isinstance(value, (int, float)):
            now = time.time()
            for unit in (1, 1e3, 1e9):
                if abs(value / unit - now) < 3600:
                    return "now"
            return "duration" if key in ("execution_duration", "execution_time_ms") else str(value)
        if isinstance(value, dict):
            return {self.text(str(k)): self.of(v, str(k)) for k, v in value.items()}
        if isinstance(value, (list, tuple)):
            return [self.of(each, key) for each in value]
        if hasattr(value, "to_dictionary"):
            return self.of(value.to_dictionary())
        if hasattr(value, "__dict__"):
            plain = {k.lstrip("_"): v for k, v in vars(value).items()}
            return self.of(plain)
        return self.text(str(value))


def tried(action):
    """The result, or what was refused."""
    try:
        return action()
    except MlflowException as error:
        return {"refused": error.error_code, "message": error.message}


def run_of(run):
    data = run.data
    info = run.info
    return {
        "name": info.run_name,
        "id": info.run_id,
        "experiment": info.experiment_id,
        "user": info.user_id,
        "status": info.status,
        "start": info.start_time,
        "end": info.end_time,
        "stage": info.lifecycle_stage,
        "uri": info.artifact_uri,
        "metrics": dict(sorted(data.metrics.items())),
        "params": dict(sorted(data.params.items())),
        "tags": {k: v for k, v in sorted(data.tags.items()) if k not in ("mlflow.source.name", "mlflow.log-model.history")},
        "inputs": [i.to_dictionary() for i in run.inputs.dataset_inputs] if run.inputs else None,
        "models": [
            [each.model_id for each in run.inputs.model_inputs] if run.inputs else None,
            [(each.model_id, each.step) for each in run.outputs.model_outputs] if run.outputs else None,
        ],
    }


def experiments(client, kind):
    first = client.create_experiment("first", tags={"team": "a", "ünï": "😀"})
    second = client.create_experiment("second", artifact_location=None)
    yield client.get_experiment(first)
    yield tried(lambda: client.create_experiment("first"))
    client.set_experiment_tag(second, "team", "b")
    client.rename_experiment(second, "renamed")
    yield client.get_experiment_by_name("renamed")
    yield client.get_experiment_by_name("nobody")
    client.delete_experiment(second)
    yield [e.name for e in client.search_experiments(view_type=ViewType.DELETED_ONLY)]
    client.restore_experiment(second)
    client.delete_experiment_tag(second, "team")
    yield client.get_experiment(second)
    for filter_string in [
        "name = 'first'",
        "name != 'first'",
        "name LIKE '%irs%'",
        "name ILIKE 'FIRST'",
        "tags.team = 'a'",
        "tags.team != 'a'",
        "tags.team LIKE 'a%'",
        "creation_time > 0",
        "creation_time <= 0",
        "last_update_time >= 5 and name = 'first'",
    ]:
        yield filter_string, sorted(e.name for e in client.search_experiments(filter_string=filter_string))
    yield [e.name for e in client.search_experiments(order_by=["name DESC"])]
    page = client.search_experiments(max_results=1, order_by=["name"])
    yield page[0].name, bool(page.token), client.search_experiments(max_results=1, order_by=["name"], page_token=page.token)[0].name
    for wrong in ["nonsense", "name > 5", "tags.a LIKE 5"]:
        yield tried(lambda: client.search_experiments(filter_string=wrong))
    yield tried(lambda: client.get_experiment("98765"))
    yield tried(lambda: client.delete_experiment("98765"))


def runs(client, kind):
    mlflow.set_experiment("runs")
    with mlflow.start_run(run_name="parent", description="the parent") as parent:
        mlflow.log_param("alpha", 0.5)
        mlflow.log_params({"layers": [1, 2], "name": "ü"})
        mlflow.log_metric("loss", 1.5, step=1)
        mlflow.log_metrics({"loss": 0.5, "accuracy": 0.75}, step=2)
        mlflow.set_tags({"stage": "test", "empty": ""})
        with mlflow.start_run(run_name="child", nested=True) as child:
            mlflow.log_metric("loss", float("nan"))
            mlflow.log_metric("up", float("inf"))
            mlflow.log_param("alpha", 1)
    for name, alpha in [("low", 0), ("high", 9)]:
        with mlflow.start_run(run_name=name):
            mlflow.log_param("alpha", alpha)
            mlflow.log_metric("loss", float(alpha))
            mlflow.log_metric("Some Metric/with:signs", 1)
            mlflow.set_tag("kind of", name)
    try:
        with mlflow.start_run(run_name="broken"):
            raise ValueError("on purpose")
    except ValueError:
        pass
    yield run_of(client.get_run(parent.info.run_id))
    yield run_of(client.get_run(child.info.run_id))
    experiment = parent.info.experiment_id
    batch = client.create_run(experiment, start_time=1700000000000, run_name="batch", tags={"a": "b"})
    rid = batch.info.run_id
    client.log_batch(
        rid,
        metrics=[Metric("m", i / 4, 1700000000000 + i, i) for i in range(250)],
        params=[Param(f"p{i}", str(i)) for i in range(100)],
        tags=[RunTag(f"t{i}", "x" * i) for i in range(100)],
    )
    client.set_terminated(rid, "FAILED", end_time=1700000005000)
    yield run_of(client.get_run(rid))
    yield [(m.value, m.step, m.timestamp) for m in client.get_metric_history(rid, "m")]
    yield tried(lambda: client.log_param(rid, "p0", "other"))
    yield tried(lambda: client.log_param(rid, "long", "x" * 6001))
    yield tried(lambda: client.log_metric(rid, "k" * 251, 1))
    yield tried(lambda: client.log_metric("0" * 32, "k", 1))
    yield tried(lambda: client.set_tag(rid, "", "x"))
    dataset = mlflow.data.from_numpy(np.arange(6).reshape(2, 3), name="numbers", source="/tmp/numbers")
    with mlflow.start_run(run_id=rid):
        mlflow.log_input(dataset, context="training", tags={"version": "2"})
    client.update_run(rid, status="FINISHED", name="renamed")
    client.delete_tag(rid, "t1")
    yield tried(lambda: client.delete_tag(rid, "t1"))
    yield run_of(client.get_run(rid))
    filters = [
        "metrics.loss < 1",
        "metrics.loss <= 0.5",
        "metrics.loss > 1",
        "metrics.loss >= 9",
        "metrics.loss = 9",
        "metrics.loss != 9",
        "metrics.`Some Metric/with:signs` = 1",
        "params.alpha = '0.5'",
        "params.alpha != '0.5'",
        "params.alpha LIKE '%5'",
        "params.alpha ILIKE '%5'",
        "params.alpha IS NULL",
        "params.alpha IS NOT NULL",
        "tags.stage = 'test'",
        "tags.stage != 'test'",
        "tags.\"kind of\" LIKE 'hi%'",
        "tags.`kind of` ILIKE 'LO%'",
        "tags.stage IS NULL",
        "attributes.status = 'FINISHED'",
        "attributes.status != 'FINISHED'",
        "attributes.run_name = 'child'",
        "attributes.run_name LIKE '%o%'",
        "attributes.run_name IN ('low', 'high')",
        "attributes.run_name NOT IN ('low', 'high')",
        "run_name ILIKE 'HIGH'",
        f"run_id = '{rid}'",
        f"run_id IN ('{rid}', '{parent.info.run_id}')",
        "attributes.start_time > 1700000000001",
        "attributes.end_time <= 1700000005000",
        "attributes.user_id != 'nobody'",
        "datasets.name = 'numbers'",
        "datasets.name LIKE 'num%'",
        "dataset.context = 'training'",
        "metrics.loss > 0 and params.alpha = '9' and tags.`kind of` = 'high'",
    ]
    for filter_string in filters:
        found = tried(lambda: client.search_runs([experiment], filter_string))
        yield filter_string, sorted(r.info.run_name for r in found) if isinstance(found, list) else found
    for order in [["metrics.loss DESC"], ["metrics.loss ASC"], ["params.alpha"], ["tags.stage DESC"], ["attributes.start_time"], []]:
        names = [r.info.run_name for r in client.search_runs([experiment], order_by=[*order, "attributes.run_name"])]
        yield order, names
    page = client.search_runs([experiment], max_results=2, order_by=["run_name"])
    pages = [[r.info.run_name for r in page]]
    while page.token:
        page = client.search_runs([experiment], max_results=2, order_by=["run_name"], page_token=page.token)
        pages.append([r.info.run_name for r in page])
    yield pages
    for wrong in ["metrics.loss = 'x'", "params.a > 5", "nonsense", "attributes.nothing = 'x'", "metrics.loss LIKE '1'"]:
        yield tried(lambda: client.search_runs([experiment], wrong))
    client.delete_run(rid)
    yield client.get_run(rid).info.lifecycle_stage, tried(lambda: client.log_metric(rid, "m", 1))
    yield [r.info.run_name for r in client.search_runs([experiment], run_view_type=ViewType.DELETED_ONLY)]
    client.restore_run(rid)
    yield client.get_run(rid).info.lifecycle_stage
    yield tried(lambda: client.get_run("0" * 32))


def artifacts(client, kind):
    mlflow.set_experiment("artifacts")
    with tempfile.TemporaryDirectory() as folder, mlflow.start_run(run_name="files") as run:
        Path(folder, "sub").mkdir()
        Path(folder, "a.txt").write_text("alpha")
        Path(folder, "sub", "b.bin").write_bytes(bytes(range(256)) * 40)
        Path(folder, "empty").write_text("")
        Path(folder, "ünï code.txt").write_text("ü")
        mlflow.log_artifacts(folder, "folder")
        mlflow.log_artifact(str(Path(folder, "a.txt")))
        mlflow.log_dict({"k": [1, 2]}, "dict.json")
        mlflow.log_text("text", "notes/text.md")
        mlflow.log_table({"x": [1, 2], "y": ["a", "b"]}, "table.json")
        big = Path(folder, "big.bin")
        big.write_bytes(os.urandom(3 * 1024 * 1024))
        mlflow.log_artifact(str(big), "big")
    rid = run.info.run_id
    for path in [None, "folder", "folder/sub", "notes", "nothing", "a.txt"]:
        yield path, [(f.path, f.is_dir, f.file_size) for f in client.list_artifacts(rid, path)]
    with tempfile.TemporaryDirectory() as folder:
        place = client.download_artifacts(rid, "folder", folder)
        yield sorted((str(p.relative_to(place)), p.stat().st_size) for p in Path(place).rglob("*") if p.is_file())
        yield Path(client.download_artifacts(rid, "folder/ünï code.txt", folder)).read_text()
        yield len(Path(client.download_artifacts(rid, "big/big.bin", folder)).read_bytes())
        yield tried(lambda: client.download_artifacts(rid, "nothing", folder))
    yield mlflow.artifacts.load_dict(f"{run.info.artifact_uri}/dict.json"), mlflow.artifacts.load_text(f"runs:/{rid}/notes/text.md")
    yield mlflow.load_table("table.json", run_ids=[rid]).to_dict("list")


def doubled(model_input: list[float]) -> list[float]:
    return [2 * each for each in model_input]


def models(client, kind):
    experiment = mlflow.set_experiment("models").experiment_id
    with mlflow.start_run(run_name="training") as run:
        info = mlflow.pyfunc.log_model(name="doubler", python_model=doubled, pip_requirements=[], input_example=[1.0], params={"depth": 3})
        mlflow.log_metric("rmse", 0.25, model_id=info.model_id)
        other = mlflow.initialize_logged_model(name="other", params={"depth": "1"}, tags={"t": "v"}, model_type="agent")
        mlflow.log_metric("rmse", 0.75, model_id=other.model_id)
    model = client.get_logged_model(info.model_id)
    yield model.name, model.status, model.model_type, model.params, model.source_run_id == run.info.run_id, model.artifact_location
    yield [(m.key, m.value, m.step, m.model_id) for m in model.metrics]
    yield sorted(f.path for f in client.list_logged_model_artifacts(info.model_id))
    yield mlflow.pyfunc.load_model(f"models:/{info.model_id}").predict([1.0, 2.5])
    yield run_of(client.get_run(run.info.run_id))
    client.set_logged_model_tags(other.model_id, {"a": "b"})
    client.delete_logged_model_tag(other.model_id, "t")
    mlflow.finalize_logged_model(other.model_id, "FAILED")
    client.log_model_params(other.model_id, {"late": "yes"})
    yield client.get_logged_model(other.model_id).to_dictionary()
    for filter_string in [
        None,
        "name = 'doubler'",
        "name LIKE 'dou%'",
        "params.depth = '3'",
        "metrics.rmse < 0.5",
        "metrics.rmse >= 0.5",
        "tags.a = 'b'",
        "model_type = 'agent'",
        "status = 'READY'",
        f"source_run_id = '{run.info.run_id}'",
        "creation_timestamp > 0",
        "nonsense",
    ]:
        found = tried(lambda: client.search_logged_models([experiment], filter_string))
        yield filter_string, sorted(m.name for m in found) if isinstance(found, list) else found
    order = [{"field_name": "metrics.rmse", "ascending": False}]
    yield [m.name for m in client.search_logged_models([experiment], order_by=order)]
    page = client.search_logged_models([experiment], max_results=1, order_by=[{"field_name": "name"}])
    yield page[0].name, [m.name for m in client.search_logged_models([experiment], max_results=1, order_by=[{"field_name": "name"}], page_token=page.token)]
    client.delete_logged_model(other.model_id)
    yield tried(lambda: client.get_logged_model(other.model_id))


def registry(client, kind):
    mlflow.set_experiment("registry")
    with mlflow.start_run(run_name="training") as run:
        info = mlflow.pyfunc.log_model(name="doubler", python_model=doubled, pip_requirements=[], input_example=[1.0], registered_model_name="reg")
    client.create_registered_model("second", tags={"a": "b"}, description="the second")
    yield tried(lambda: client.create_registered_model("second"))
    yield tried(lambda: client.create_registered_model(""))
    two = client.create_model_version("reg", f"runs:/{run.info.run_id}/doubler", run.info.run_id, description="two", tags={"k": "v"})
    three = client.create_model_version("reg", info.model_uri, model_id=info.model_id)
    yield [(v.version, v.source, v.run_id, v.status, v.description, v.tags, v.current_stage) for v in (two, three)]
    client.set_registered_model_alias("reg", "champion", 2)
    client.set_registered_model_alias("reg", "champion", 3)
    client.set_registered_model_alias("reg", "old", 1)
    yield client.get_model_version_by_alias("reg", "champion").version, client.get_registered_model("reg").aliases
    client.delete_registered_model_alias("reg", "old")
    yield tried(lambda: client.get_model_version_by_alias("reg", "old"))
    client.set_registered_model_tag("reg", "x", "y")
    client.set_model_version_tag("reg", "1", "x", "y")
    client.delete_model_version_tag("reg", "2", "k")
    client.update_registered_model("reg", "described")
    client.update_model_version("reg", "1", "described")
    client.transition_model_version_stage("reg", "1", "Production")
    client.transition_model_version_stage("reg", "2", "Production", archive_existing_versions=True)
    model = client.get_registered_model("reg")
    yield model.name, model.description, model.tags, model.aliases
    yield sorted((v.version, v.current_stage) for v in client.get_latest_versions("reg"))
    yield [(v.version, v.current_stage) for v in client.get_latest_versions("reg", ["Production"])]
    version = client.get_model_version("reg", "1")
    yield version.description, version.tags, version.current_stage, version.source
    yield client.get_model_version_download_uri("reg", "3")
    yield mlflow.pyfunc.load_model("models:/reg@champion").predict([4.0]), mlflow.pyfunc.load_model("models:/reg/1").predict([4.0])
    for filter_string in ["name = 'reg'", "name LIKE 'r%'", "name ILIKE 'SEC%'", "tags.a = 'b'", "tags.a != 'b'", "name > 5"]:
        found = tried(lambda: client.search_registered_models(filter_string))
        yield filter_string, [m.name for m in found] if isinstance(found, list) else found
    for filter_string in ["name = 'reg'", "version_number > 1", "version_number IN (1, 3)", f"run_id = '{run.info.run_id}'", "tags.x = 'y'", "name LIKE '%e%'", "nonsense"]:
        found = tried(lambda: client.search_model_versions(filter_string))
        yield filter_string, sorted(v.version for v in found) if isinstance(found, list) else found
    yield [v.version for v in client.search_model_versions("name = 'reg'", order_by=["version_number DESC"])]
    client.rename_registered_model("second", "renamed")
    yield [m.name for m in client.search_registered_models(order_by=["name DESC"])]
    prompt = mlflow.genai.register_prompt("greeting", "Hello {{name}}", commit_message="first", tags={"lang": "en"})
    mlflow.genai.register_prompt("greeting", "Hi {{name}}")
    mlflow.genai.set_prompt_alias("greeting", "live", 1)
    yield prompt.version, mlflow.genai.load_prompt("prompts:/greeting@live").template, mlflow.genai.load_prompt("greeting", version=2).template
    yield [p.name for p in mlflow.genai.search_prompts()]
    client.delete_model_version("reg", "2")
    yield tried(lambda: client.get_model_version("reg", "2"))
    client.delete_registered_model("renamed")
    yield tried(lambda: client.get_registered_model("renamed"))
    yield tried(lambda: client.create_model_version("reg", "/etc/passwd"))


def span_of(span):
    return {
        "name": span.name,
        "type": span.span_type,
        "parent": span.parent_id,
        "status": [span.status.status_code, span.status.description],
        "inputs": span.inputs,
        "outputs": span.outputs,
        "attributes": {k: v for k, v in span.attributes.items() if not k.startswith("mlflow.") or k == "mlflow.spanType"},
        "events": [(e.name, {k: v for k, v in e.attributes.items() if k != "exception.stacktrace"}) for e in span.events],
        "exact": span.end_time_ns >= span.start_time_ns > 10**18,
    }


def info_of(info):
    return {
        "id": info.trace_id,
        "state": info.state,
        "request": info.request_preview,
        "response": info.response_preview,
        "client": info.client_request_id,
        "metadata": {k: v for k, v in info.trace_metadata.items() if k not in ("mlflow.source.name", "mlflow.trace.sizeStats", "mlflow.trace.sizeBytes")},
        "tags": {k: v for k, v in info.tags.items() if k != "mlflow.artifactLocation"},
        "assessments": sorted((assessment_of(a) for a in info.assessments), key=lambda a: (a["name"], a["valid"])),
    }


def assessment_of(a):
    return {
        "name": a.name,
        "source": [a.source.source_type, a.source.source_id],
        "value": getattr(a, "value", None),
        "error": a.error and [a.error.error_code, a.error.error_message],
        "rationale": a.rationale,
        "metadata": a.metadata,
        "valid": a.valid,
        "overrides": a.overrides,
        "span": a.span_id,
    }


def traces(client, kind):
    experiment = mlflow.set_experiment("traces").experiment_id
    with mlflow.start_run(run_name="of traces") as run:
        pass

    @mlflow.trace(span_type=SpanType.CHAIN, attributes={"k": "v"})
    def answer(question):
        with mlflow.start_span("look up", span_type=SpanType.RETRIEVER) as span:
            span.set_inputs({"q": question})
            span.set_attributes({"number": 1, "float": 1.0, "list": [1, 2.5, "x", None, True], "nested": {"a": {"b": 1}}, "unicode": "ü😀"})
            span.add_event(mlflow.entities.SpanEvent("found", attributes={"count": 3}))
            span.set_outputs(["a document"])
        mlflow.update_current_trace(tags={"topic": question}, client_request_id=f"request {question}")
        if question == "bad":
            raise ValueError("no answer")
        return f"answer to {question}"

    ids = {}
    for question in ["one", "two", "bad"]:
        try:
            answer(question)
        except ValueError:
            pass
        ids[question] = mlflow.get_last_active_trace_id()
        time.sleep(0.005)
    for question in ["one", "bad"]:
        trace = client.get_trace(ids[question])
        yield info_of(trace.info), [span_of(span) for span in sorted(trace.data.spans, key=lambda s: s.start_time_ns)]
    client.set_trace_tag(ids["one"], "checked", "yes")
    client.set_trace_tag(ids["one"], "gone", "yes")
    client.delete_trace_tag(ids["one"], "gone")
    human = AssessmentSource("HUMAN", "ada")
    judge = AssessmentSource("LLM_JUDGE", "model")
    first = mlflow.log_feedback(trace_id=ids["one"], name="good", value=True, source=human, rationale="it is", metadata={"a": "b"})
    mlflow.log_feedback(trace_id=ids["one"], name="score", value=4.5, source=judge)
    mlflow.log_feedback(trace_id=ids["one"], name="labels", value={"a": 1, "b": [1.5, "x"]}, source=judge)
    mlflow.log_feedback(trace_id=ids["two"], name="failed", error=ValueError("judge failed"), source=judge)
    wanted = mlflow.log_expectation(trace_id=ids["one"], name="wanted", value={"facts": ["x", 1, 1.5]}, source=human)
    yield assessment_of(mlflow.get_assessment(ids["one"], first.assessment_id))
    mlflow.update_assessment(ids["one"], wanted.assessment_id, mlflow.entities.Expectation("wanted", "changed", source=human))
    overriding = mlflow.override_feedback(trace_id=ids["one"], assessment_id=first.assessment_id, value=False, source=human, rationale="no")
    yield info_of(client.get_trace(ids["one"]).info)
    mlflow.delete_assessment(ids["one"], overriding.assessment_id)
    yield info_of(client.get_trace(ids["one"]).info)["assessments"]
    yield tried(lambda: mlflow.get_assessment(ids["one"], "a-" + "0" * 32))
    client.link_traces_to_run([ids["one"], ids["two"]], run.info.run_id) if kind != "files" else None
    for filter_string in [
        None,
        "tags.topic = 'one'",
        "tags.topic != 'one'",
        "tags.topic LIKE 't%'",
        "status = 'OK'",
        "status != 'OK'",
        "attributes.timestamp_ms > 0",
        "trace.execution_time_ms >= 0",
        "name = 'answer'",
        "name LIKE 'ans%'",
        "metadata.`mlflow.trace_schema.version` = '3'",
        "nonsense",
    ]:
        found = tried(lambda: client.search_traces(locations=[experiment], filter_string=filter_string, order_by=["timestamp_ms ASC"]))
        yield filter_string, [t.info.tags.get("topic") for t in found] if isinstance(found, list) else found
    if kind != "files":
        for filter_string in ["feedback.score = 4.5", "feedback.good IS NULL", "span.name = 'look up'", "span.type = 'CHAIN'", "request_id = 'x'"]:
            found = tried(lambda: client.search_traces(locations=[experiment], filter_string=filter_string, order_by=["timestamp_ms ASC"]))
            yield filter_string, [t.info.tags.get("topic") for t in found] if isinstance(found, list) else found
    page = client.search_traces(locations=[experiment], max_results=2, order_by=["timestamp_ms DESC"], include_spans=False)
    rest = client.search_traces(locations=[experiment], max_results=2, order_by=["timestamp_ms DESC"], include_spans=False, page_token=page.token)
    yield [t.info.tags["topic"] for t in page], [t.info.tags["topic"] for t in rest], rest.token
    yield client.delete_traces(experiment, trace_ids=[ids["bad"]])
    yield tried(lambda: client.get_trace(ids["bad"]))
    yield client.delete_traces(experiment, max_timestamp_millis=int(time.time() * 1000) + 1000, max_traces=1)
    yield [t.info.tags["topic"] for t in client.search_traces(locations=[experiment])]


AREAS = [experiments, runs, artifacts, models, registry, traces]


def main(targets, only):
    for target in targets:
        kind, uri = target.split("=", 1)
        mlflow.set_tracking_uri(uri)
        mlflow.set_registry_uri(uri)
        client = MlflowClient(uri)
        results = {}
        for area in AREAS:
            if (only and area.__name__ not in only) or (area is registry and kind == "files"):
                continue
            names = Names()
            results[area.__name__] = collected = []
            begun = time.time()
            try:
                for result in area(client, kind):
                    collected.append(names.of(result))
            except Exception as error:
                import traceback

                collected.append({"failed": names.text(repr(error)), "at": traceback.format_exc()[-1500:]})
                while mlflow.active_run():
                    mlflow.end_run()
            print(target, area.__name__, round(time.time() - begun, 1), "s", file=sys.stderr)
        out.write(json.dumps({"target": target, "results": results}) + "\n")
        out.flush()


main([a for a in sys.argv[1:] if "=" in a], [a for a in sys.argv[1:] if "=" not in a])
