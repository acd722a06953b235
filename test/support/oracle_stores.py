"""MLflow's own stores on a database, called as mtrack's contract (src/store/store.ts) is, with answers in its records."""
import time

from oracle_search import attempt

NOW = None


def given(**fields):
    """A record: what has no value is left out."""
    return {key: value for key, value in fields.items() if value is not None}


def pairs(tags):
    return [{"key": key, "value": value} for key, value in tags.items()]


def page(found, record):
    return given(items=[record(each) for each in found], next_page_token=found.token or None)


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


def metric(m):
    return given(
        key=m.key,
        value=m.value,
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
        # As MLflow's server hands an order on.
        order = [{"ascending": True, "dataset_name": None, "dataset_digest": None, **each} for each in q.get("order_by", [])]
        arguments = asked({**q, "order_by": order or None}, datasets=q.get("datasets"))
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


def tracking(uri, root):
    from mlflow.entities import Dataset, DatasetInput, ExperimentTag, InputTag, Metric, Param, RunTag
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    store = SqlAlchemyStore(uri, root)

    def create_experiment(request):
        tags = [ExperimentTag(**tag) for tag in request["tags"]]
        return store.create_experiment(request["name"], request.get("artifact_location"), tags)

    return {
        "experiments.create": create_experiment,
        "experiments.delete": store.delete_experiment,
        "experiments.restore": store.restore_experiment,
        **logged_models(store),
    }


# ---------------------------------------------------------------- scripts


def resolved(value, results):
    """Arguments, with what was found before put where it is referred to: {"of": 3, "path": ["info", "model_id"]}."""
    if isinstance(value, dict) and set(value) == {"of", "path"}:
        found = results[value["of"]]["result"]
        for key in value["path"]:
            found = found[key]
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
    methods = {**registry(uri), **tracking(uri, root)}
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
