"""MLflow's own stores on a database, called as mtrack's contract (src/store/store.ts) is, with answers in its records."""
import inspect
import math
import json
import time

from werkzeug.datastructures import MultiDict

from oracle_search import attempt
from oracle_traces import traces

NOW = None


def given(**fields):
    """A record: what has no value is left out."""
    return {key: value for key, value in fields.items() if value is not None}


def pairs(tags):
    return [{"key": key, "value": value} for key, value in tags.items()]


def page(found, record):
    token = found.token or None
    # As JSON has it.
    text = token.decode() if isinstance(token, bytes) else token
    return given(items=[record(each) for each in found], next_page_token=text)


def asked(question, results="max_results", **more):
    """Arguments of a search: what is not given is left to MLflow."""
    names = {"filter": "filter_string", "order_by": "order_by", "max_results": results, "page_token": "page_token"}
    return {**{names[key]: value for key, value in question.items() if key in names}, **more}


# ---------------------------------------------------------------- registry


def model_version(v):
    return given(
        name=v.name,
        version=str(v.version),
        creation_timestamp=v.creation_timestamp,
        last_updated_timestamp=v.last_updated_timestamp,
        user_id=v.user_id,
        current_stage=v.current_stage,
        description=v.description,
        source=v.source,
        run_id=v.run_id,
        run_link=v.run_link,
        status=v.status,
        status_message=v.status_message,
        tags=pairs(v._tags),
        aliases=v.aliases,
        model_id=v.model_id,
        model_params=[],
        model_metrics=[],
    )


def registered_model(m):
    return given(
        name=m.name,
        creation_timestamp=m.creation_timestamp,
        last_updated_timestamp=m.last_updated_timestamp,
        description=m.description,
        latest_versions=[model_version(v) for v in m.latest_versions],
        tags=pairs(m._tags),
        aliases=[{"alias": alias, "version": str(version)} for alias, version in m.aliases.items()],
    )


def registry(uri):
    from mlflow.entities.model_registry import ModelVersionTag, RegisteredModelTag
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(uri)

    def create_model(request):
        tags = [RegisteredModelTag(**tag) for tag in request["tags"]]
        return registered_model(store.create_registered_model(request["name"], tags, request.get("description")))

    def create_version(request):
        names = ("name", "source", "run_id", "run_link", "description", "model_id")
        rest = {name: request[name] for name in names if name in request}
        return model_version(store.create_model_version(tags=[ModelVersionTag(**tag) for tag in request["tags"]], **rest))

    return {
        "registry.models.create": create_model,
        "registry.models.get": lambda name: registered_model(store.get_registered_model(name)),
        "registry.models.update": lambda name, text: registered_model(store.update_registered_model(name, text)),
        "registry.models.rename": lambda name, new: registered_model(store.rename_registered_model(name, new)),
        "registry.models.delete": store.delete_registered_model,
        "registry.models.search": lambda q: page(store.search_registered_models(**asked(q)), registered_model),
        "registry.models.latestVersions": lambda name, stages=None: [
            model_version(v) for v in store.get_latest_versions(name, stages)
        ],
        "registry.models.setTag": lambda name, tag: store.set_registered_model_tag(name, RegisteredModelTag(**tag)),
        "registry.models.deleteTag": store.delete_registered_model_tag,
        "registry.models.setAlias": store.set_registered_model_alias,
        "registry.models.deleteAlias": store.delete_registered_model_alias,
        "registry.models.getByAlias": lambda name, alias: model_version(store.get_model_version_by_alias(name, alias)),
        "registry.versions.create": create_version,
        "registry.versions.get": lambda name, version: model_version(store.get_model_version(name, version)),
        "registry.versions.update": lambda name, version, text: model_version(
            store.update_model_version(name, version, text)
        ),
        "registry.versions.transitionStage": lambda name, version, stage, archive: model_version(
            store.transition_model_version_stage(name, version, stage, archive)
        ),
        "registry.versions.delete": store.delete_model_version,
        "registry.versions.search": lambda q: page(store.search_model_versions(**asked(q)), model_version),
        "registry.versions.downloadUri": store.get_model_version_download_uri,
        "registry.versions.setTag": lambda name, version, tag: store.set_model_version_tag(
            name, version, ModelVersionTag(**tag)
        ),
        "registry.versions.deleteTag": store.delete_model_version_tag,
    }


# ---------------------------------------------------------------- tracking


def spelt(value):
    """As JavaScript spells what JSON has no word for."""
    if math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def metric(m):
    return given(
        key=m.key,
        value=spelt(m.value),
        timestamp=m.timestamp,
        step=m.step,
        run_id=m.run_id,
        model_id=m.model_id,
        dataset_name=m.dataset_name,
        dataset_digest=m.dataset_digest,
    )


LOGGED_MODEL_STATUSES = {
    "UNSPECIFIED": "LOGGED_MODEL_STATUS_UNSPECIFIED",
    "PENDING": "LOGGED_MODEL_PENDING",
    "READY": "LOGGED_MODEL_READY",
    "FAILED": "LOGGED_MODEL_UPLOAD_FAILED",
}


def logged_model(m):
    return {
        "info": given(
            model_id=m.model_id,
            experiment_id=m.experiment_id,
            name=m.name,
            creation_timestamp_ms=m.creation_timestamp,
            last_updated_timestamp_ms=m.last_updated_timestamp,
            artifact_uri=m.artifact_location,
            status=LOGGED_MODEL_STATUSES[m.status.value],
            model_type=m.model_type,
            source_run_id=m.source_run_id,
            status_message=m.status_message,
            tags=pairs(m.tags),
        ),
        "data": {"params": pairs(m.params), "metrics": [metric(each) for each in m.metrics or []]},
    }


def logged_models(store):
    from mlflow.entities import LoggedModelParameter, LoggedModelStatus, LoggedModelTag

    statuses = {ours: LoggedModelStatus(theirs) for theirs, ours in LOGGED_MODEL_STATUSES.items()}

    def params(given):
        return [LoggedModelParameter(**each) for each in given]

    def tags(given):
        return [LoggedModelTag(**each) for each in given]

    def create(request):
        rest = {key: value for key, value in request.items() if key not in ("params", "tags")}
        return logged_model(
            store.create_logged_model(params=params(request["params"]), tags=tags(request["tags"]), **rest)
        )

    def search(q):
        # As MLflow's server hands them on.
        blank = {"field_name": None, "ascending": True, "dataset_name": None, "dataset_digest": None}
        order = [{**blank, **each} for each in q.get("order_by", [])]
        rest = {**q, "filter": q.get("filter") or None, "order_by": order or None}
        arguments = asked(rest, datasets=q.get("datasets"))
        return page(store.search_logged_models(q["experiment_ids"], **arguments), logged_model)

    return {
        "loggedModels.create": create,
        "loggedModels.get": lambda id, deleted=False: logged_model(store.get_logged_model(id, deleted)),
        "loggedModels.search": search,
        "loggedModels.finalize": lambda id, status: logged_model(store.finalize_logged_model(id, statuses[status])),
        "loggedModels.delete": store.delete_logged_model,
        "loggedModels.setTags": lambda id, given: store.set_logged_model_tags(id, tags(given)),
        "loggedModels.deleteTag": store.delete_logged_model_tag,
        "loggedModels.logParams": lambda id, given: store.log_logged_model_params(id, params(given)),
    }


def experiment(e):
    return given(
        experiment_id=e.experiment_id,
        name=e.name,
        artifact_location=e.artifact_location,
        lifecycle_stage=e.lifecycle_stage,
        creation_time=e.creation_time,
        last_update_time=e.last_update_time,
        tags=pairs(e.tags),
    )


def run_info(i):
    return given(
        run_id=i.run_id,
        run_name=i.run_name,
        experiment_id=i.experiment_id,
        user_id=i.user_id,
        status=i.status,
        start_time=i.start_time,
        end_time=i.end_time,
        artifact_uri=i.artifact_uri,
        lifecycle_stage=i.lifecycle_stage,
    )


def dataset_input(d):
    return {"tags": pairs({tag.key: tag.value for tag in d.tags}), "dataset": given(**dict(d.dataset))}


def run(r):
    outputs = r.outputs.model_outputs if r.outputs else []
    return {
        "info": run_info(r.info),
        "data": {
            "metrics": [metric(m) for m in r.data._metric_objs],
            "params": pairs(r.data.params),
            "tags": pairs(r.data.tags),
        },
        "inputs": {
            "dataset_inputs": [dataset_input(each) for each in r.inputs.dataset_inputs],
            "model_inputs": [{"model_id": each.model_id} for each in r.inputs.model_inputs or []],
        },
        "outputs": {"model_outputs": [{"model_id": each.model_id, "step": each.step} for each in outputs]},
    }


def experiments(store):
    from mlflow.entities import ExperimentTag, ViewType

    def create(request):
        tags = [ExperimentTag(**tag) for tag in request["tags"]]
        return store.create_experiment(request["name"], request.get("artifact_location"), tags)

    def by_name(name):
        found = store.get_experiment_by_name(name)
        return None if found is None else experiment(found)

    def search(q):
        view = {"view_type": ViewType.from_string(q["view_type"].lower())} if "view_type" in q else {}
        return page(store.search_experiments(**asked(q, **view)), experiment)

    return {
        "experiments.create": create,
        "experiments.get": lambda id: experiment(store.get_experiment(id)),
        "experiments.getByName": by_name,
        "experiments.search": search,
        "experiments.delete": store.delete_experiment,
        "experiments.restore": store.restore_experiment,
        "experiments.rename": store.rename_experiment,
        "experiments.setTag": lambda id, tag: store.set_experiment_tag(id, ExperimentTag(**tag)),
        "experiments.deleteTag": store.delete_experiment_tag,
    }


def runs(store):
    from mlflow.entities import Dataset, DatasetInput, InputTag, LoggedModelInput, LoggedModelOutput, Metric, Param
    from mlflow.entities import RunStatus, RunTag, ViewType
    from mlflow.models import Model

    def metric_of(m):
        rest = {key: value for key, value in m.items() if key != "value"}
        return Metric(value=float(m["value"]), **rest)

    def create(request):
        tags = [RunTag(**tag) for tag in request["tags"]]
        names = ("user_id", "start_time", "run_name")
        return run(store.create_run(request["experiment_id"], tags=tags, **{name: request.get(name) for name in names}))

    def update(id, change):
        status = RunStatus.from_string(change["status"]) if "status" in change else None
        return run_info(store.update_run_info(id, status, change.get("end_time"), change.get("run_name")))

    def search(q):
        view = ViewType.from_string(q.get("run_view_type", "ACTIVE_ONLY").lower())
        names = ("filter", "max_results", "order_by", "page_token")
        filter, size, order, token = (q.get(name) for name in names)
        # As MLflow's REST API has it where nothing is said.
        return page(
            store.search_runs(q["experiment_ids"], filter or "", view, 1000 if size is None else size, order, token), run
        )

    def batch(id, given):
        store.log_batch(
            id,
            metrics=[metric_of(each) for each in given["metrics"]],
            params=[Param(**each) for each in given["params"]],
            tags=[RunTag(**each) for each in given["tags"]],
        )

    def dataset(given):
        names = ("name", "digest", "source_type", "source", "schema", "profile")
        tags = [InputTag(**each) for each in given["tags"]]
        return DatasetInput(Dataset(*(given["dataset"].get(name) for name in names)), tags)

    def inputs(id, datasets, models):
        store.log_inputs(id, [dataset(each) for each in datasets], [LoggedModelInput(**each) for each in models] or None)

    return {
        "runs.create": create,
        "runs.get": lambda id: run(store.get_run(id)),
        "runs.update": update,
        "runs.delete": store.delete_run,
        "runs.restore": store.restore_run,
        "runs.search": search,
        "runs.logMetric": lambda id, each: store.log_metric(id, metric_of(each)),
        "runs.logParam": lambda id, each: store.log_param(id, Param(**each)),
        "runs.logBatch": batch,
        "runs.setTag": lambda id, tag: store.set_tag(id, RunTag(**tag)),
        "runs.deleteTag": store.delete_tag,
        "runs.logInputs": inputs,
        "runs.logOutputs": lambda id, models: store.log_outputs(id, [LoggedModelOutput(**each) for each in models]),
        "runs.recordModel": lambda id, model: store.record_logged_model(id, Model.from_dict(model)),
        "runs.searchDatasets": lambda ids: [
            given(experiment_id=d.experiment_id, name=d.name, digest=d.digest, context=d.context)
            for d in store._search_datasets(ids)
        ],
    }


def bulk_of_server(store, ids, key, most):
    """What MLflow's server makes of histories where the store has no way of its own."""
    from flask import Flask
    from mlflow.server import handlers

    if not ids:
        return []
    handlers._tracking_store = store
    query = [("run_id", id) for id in ids] + [("metric_key", key), ("max_results", most)]
    with Flask("bulk").test_request_context("/", query_string=MultiDict(query)):
        found = inspect.unwrap(handlers.get_metric_history_bulk_handler)()
    return [{**each, "value": spelt(each["value"])} for each in found["metrics"]]


def metrics(store):
    def history(id, key, of=None):
        of = of or {}
        return page(store.get_metric_history(id, key, of.get("max_results"), of.get("page_token")), metric)

    def interval(ids, key, most, steps=None):
        steps = steps or {}
        found = store.get_metric_history_bulk_interval(ids, key, most, steps.get("start_step"), steps.get("end_step"))
        return [{**metric(each), "run_id": each.run_id} for each in found]

    return {
        "metrics.history": history,
        "metrics.historyBulk": lambda ids, key, most: [
            {**metric(each), "run_id": each.run_id} for each in store.get_metric_history_bulk(ids, key, most)
        ]
        if hasattr(store, "get_metric_history_bulk")
        else bulk_of_server(store, ids, key, most),
        "metrics.historyInterval": interval,
    }


def tracking(uri, root):
    from mlflow.store.tracking.file_store import FileStore
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = (SqlAlchemyStore if "://" in uri else FileStore)(uri, root)
    return {**experiments(store), **runs(store), **metrics(store), **logged_models(store), **traces(store, asked)}


# ---------------------------------------------------------------- scripts


def resolved(value, results):
    """Arguments, with what was found before put where it is referred to: {"of": 3, "path": ["info", "model_id"]}."""
    if isinstance(value, dict) and set(value) == {"float"}:
        return float(value["float"])
    if isinstance(value, dict) and set(value) == {"json"}:
        return json.loads(value["json"])
    if isinstance(value, dict) and set(value) == {"of", "path"}:
        found = results[value["of"]].get("result")
        for key in value["path"]:
            found = found.get(key) if isinstance(found, dict) else None if found is None else found[key]
        return found
    if isinstance(value, dict):
        return {key: resolved(each, results) for key, each in value.items()}
    if isinstance(value, list):
        return [resolved(each, results) for each in value]
    return value


def store_script(uri, root, start, calls, before):
    """What each [method, arguments] gives, one after the other; each begins a second of the clock later. `before` has
    the answers of earlier calls."""
    import mlflow

    # For a model version whose source is a logged model.
    mlflow.set_tracking_uri(uri)
    methods = {**(registry(uri) if "://" in uri else {}), **tracking(uri, root)}
    results = []
    real = time.time
    try:
        for at, (method, arguments) in enumerate(calls):
            time.time = lambda now=start / 1000 + at: now
            results.append(attempt(methods[method], *resolved(arguments, before + results)))
    finally:
        time.time = real
    return [{"error": each["error"][1:]} if "error" in each else each for each in results]


REQUESTS = (store_script,)
