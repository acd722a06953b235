"""What the oracle says about searching: MLflow's parsers, its stores on an empty database, its filtering of records."""
import base64
import tempfile


def speakable(value):
    """What JSON has no word for is written as Python writes it, in a list."""
    if isinstance(value, (list, tuple)):
        return [speakable(each) for each in value]
    return value if isinstance(value, (str, int, float)) else [[repr(value)]]


def parsers():
    """{entity: (filter, order)}: functions of MLflow that read one text."""
    from mlflow.utils import search_utils as s
    from mlflow.utils.search_logged_model_utils import parse_filter_string

    def logged_models(text):
        return [
            {"type": c.entity.type.value, "key": c.entity.key, "comparator": c.op, "value": speakable(c.value)}
            for c in parse_filter_string(text)
        ]

    def registered_models(text):
        key, ascending = s.SearchUtils.parse_order_by_for_search_registered_models(text)
        return "attribute", key, ascending

    def logged_model_files(order):
        parsed = s.SearchLoggedModelsUtils.parse_order_by_for_logged_models(order)
        return [parsed.field_name, parsed.ascending, parsed.dataset_name, parsed.dataset_digest]

    experiments = s.SearchExperimentsUtils
    traces = s.SearchTraceUtils
    datasets = s.SearchEvaluationDatasetsUtils
    versions = s.SearchModelVersionUtils
    return {
        "runs": (s.SearchUtils.parse_search_filter, s.SearchUtils.parse_order_by_for_search_runs),
        "experiments": (experiments.parse_search_filter, experiments.parse_order_by_for_search_experiments),
        "traces": (traces.parse_search_filter_for_search_traces, traces.parse_order_by_for_search_traces),
        "loggedModels": (logged_models, None),
        "loggedModelFiles": (s.SearchLoggedModelsUtils.parse_search_filter, logged_model_files),
        "registeredModels": (s.SearchModelUtils.parse_search_filter, registered_models),
        "modelVersions": (versions.parse_search_filter, versions.parse_order_by_for_search_model_versions),
        "datasets": (datasets.parse_search_filter, datasets.parse_order_by_for_search_evaluation_datasets),
    }


def attempt(f, *arguments):
    """{"result"} of a function, or {"error": [class, code, message]}."""
    from mlflow.exceptions import MlflowException

    try:
        return {"result": f(*arguments)}
    except MlflowException as error:
        return {"error": ["MlflowException", error.error_code, error.message]}
    except Exception as error:  # noqa: BLE001
        return {"error": [type(error).__name__, None, str(error)]}


def search_filters(cases):
    """What MLflow reads in a filter, for each [entity, text]."""
    read = parsers()
    return [attempt(read[entity][0], text) for entity, text in cases]


def search_orders(cases):
    """The same for one clause of order_by."""
    read = parsers()
    return [attempt(read[entity][1], text) for entity, text in cases]


def search_stores(cases):
    """Whether MLflow's stores on an empty database take a search, for each [entity, filter, order]."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as Registry
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as Tracking

    with tempfile.TemporaryDirectory() as folder:
        uri = "sqlite:///" + folder + "/mlflow.db"
        tracking = Tracking(uri, folder)
        registry = Registry(uri)
        search = {
            "runs": lambda text, order: tracking._search_runs(["0"], text, 3, 10, order, None),
            "experiments": lambda text, order: tracking.search_experiments(filter_string=text, order_by=order),
            "traces": lambda text, order: tracking.search_traces(["0"], text, order_by=order),
            "loggedModels": lambda text, order: tracking.search_logged_models(["0"], text, order_by=order),
            "datasets": lambda text, order: tracking.search_datasets(["0"], text, order_by=order),
            "registeredModels": lambda text, order: registry.search_registered_models(text, 10, order),
            "modelVersions": lambda text, order: registry.search_model_versions(text, 10, order),
        }

        def run(entity, text, order):
            search[entity](text, order)
            return True

        return [attempt(run, *case) for case in cases]


def run(record):
    from mlflow.entities import (
        Dataset,
        DatasetInput,
        InputTag,
        Metric,
        Param,
        Run,
        RunData,
        RunInfo,
        RunInputs,
        RunTag,
    )

    attributes = {key: record[key] for key in ("run_id", "run_name", "user_id", "status", "start_time", "end_time")}
    info = RunInfo(
        experiment_id="0", lifecycle_stage="active", artifact_uri=record["artifact_uri"], **attributes
    )
    data = RunData(
        [Metric(key, float(value), 0, 0) for key, value in record["metrics"].items()],
        [Param(key, value) for key, value in record["params"].items()],
        [RunTag(key, value) for key, value in record["tags"].items()],
    )
    inputs = [
        DatasetInput(Dataset(d["name"], d["digest"], "t", "s"), [InputTag("mlflow.data.context", d["context"])])
        for d in record["datasets"]
    ]
    return Run(info, data, RunInputs(inputs))


def experiment(record):
    from mlflow.entities import Experiment, ExperimentTag

    return Experiment(
        record["experiment_id"],
        record["name"],
        "a",
        "active",
        [ExperimentTag(key, value) for key, value in record["tags"].items()],
        record["creation_time"],
        record["last_update_time"],
    )


def trace(record):
    from mlflow.entities import TraceInfo, TraceLocation, TraceState

    return TraceInfo(
        trace_id=record["request_id"],
        trace_location=TraceLocation.from_experiment_id("0"),
        request_time=record["timestamp_ms"],
        state=TraceState(record["status"]),
        execution_duration=record["execution_time_ms"],
        client_request_id=record["client_request_id"],
        tags=record["tags"],
        trace_metadata=record["metadata"],
    )


def logged_model(record):
    from mlflow.entities import LoggedModel, LoggedModelParameter, LoggedModelStatus, LoggedModelTag, Metric

    return LoggedModel(
        experiment_id="0",
        model_id=record["model_id"],
        name=record["name"],
        artifact_location="a",
        creation_timestamp=record["creation_timestamp"],
        last_updated_timestamp=record["last_updated_timestamp"],
        model_type=record["model_type"],
        source_run_id=record["source_run_id"],
        status=LoggedModelStatus(record["status"]),
        tags=[LoggedModelTag(key, value) for key, value in record["tags"].items()],
        params=[LoggedModelParameter(key, value) for key, value in record["params"].items()],
        metrics=[Metric(key, float(value), 0, 0) for key, value in record["metrics"].items()],
    )


def search_records(cases):
    """Ids of the records that MLflow's file store finds, in its order, for each [entity, records, filter, order]."""
    from mlflow.utils import search_utils as s

    kinds = {
        "runs": (run, s.SearchUtils.filter, s.SearchUtils.sort, lambda r: r.info.run_id),
        "experiments": (
            experiment,
            s.SearchExperimentsUtils.filter,
            lambda found, order: s.SearchExperimentsUtils.sort(found, order or ["creation_time DESC", "experiment_id ASC"]),
            lambda r: r.experiment_id,
        ),
        "traces": (trace, s.SearchTraceUtils.filter, s.SearchTraceUtils.sort, lambda r: r.trace_id),
        "loggedModelFiles": (
            logged_model,
            s.SearchLoggedModelsUtils.filter_logged_models,
            s.SearchLoggedModelsUtils.sort,
            lambda r: r.model_id,
        ),
    }

    def search(entity, records, text, order):
        make, keep, sort, name = kinds[entity]
        return [name(record) for record in sort(keep([make(record) for record in records], text), order)]

    return [attempt(search, *case) for case in cases]


def search_tokens(tokens):
    """[offset that MLflow reads in a page token, the token that it makes of this offset]."""
    from mlflow.utils.search_utils import SearchUtils

    def offset(token):
        found = SearchUtils.parse_start_offset_from_page_token(token)
        return [str(found), SearchUtils.create_page_token(found).decode()]

    return [attempt(offset, token) for token in tokens]


def search_model_tokens(cases):
    """[offset, token] the same for each [text of a token (not yet base64), experiment ids, filter, order]."""
    from mlflow.utils.search_utils import SearchLoggedModelsPaginationToken as Token

    def offset(text, ids, filter_string, order_by):
        token = Token.decode(base64.b64encode(text.encode()).decode())
        token.validate(ids, filter_string, order_by)
        return [token.offset, token.encode()]

    return [attempt(offset, *case) for case in cases]


def search_likes(cases):
    """Whether each text is like its pattern, by LIKE and by ILIKE."""
    from mlflow.utils.search_utils import _ilike, _like

    return [[_like(text, pattern), _ilike(text, pattern)] for text, pattern in cases]


def search_words(texts):
    """Words as shlex takes them, and numbers as int and float do; None where they refuse. And what repr writes."""
    import shlex

    def of(f, text):
        try:
            return f(text)
        except ValueError:
            return None

    return [[of(shlex.split, text), of(int, text), of(float, text), repr(text)] for text in texts]


REQUESTS = (
    search_filters,
    search_orders,
    search_stores,
    search_records,
    search_tokens,
    search_model_tokens,
    search_likes,
    search_words,
)
