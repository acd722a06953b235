"""A process of MLflow's store beside ours on the same folder or database: works until it is told to stop, and tells what it did.

usage: python beside.py FOLDER_OR_URI
Each line on stdin is [method, arguments]; "go" begins the load, "stop" ends it. Answers are lines of JSON.
"""
import json
import os
import sys
import threading
import traceback

os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")

from mlflow.entities import (  # noqa: E402
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelOutput,
    Metric,
    Param,
    RunTag,
    TraceInfo,
    TraceLocation,
    TraceState,
    ViewType,
)
from mlflow.exceptions import MlflowException  # noqa: E402
from mlflow.store.tracking.file_store import FileStore  # noqa: E402
from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore  # noqa: E402


def say(**fields):
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def load(root, shared, stopped):
    """Writes to the shared runs, makes runs, experiments, models and traces, and reads and searches it all."""
    store = SqlAlchemyStore(root, "/nowhere") if "://" in root else FileStore(root)
    done = {"points": {}, "params": {}, "tags": {}, "runs": [], "traces": [], "models": [], "experiments": []}
    at = 0
    while not stopped.is_set():
        for run in shared:
            store.log_metric(run, Metric("both", float(at), at, at))
            store.log_metric(run, Metric("theirs", float(at), at, at))
            done["points"][run] = done["points"].get(run, 0) + 1
            store.set_tag(run, RunTag("theirs", str(at)))
            done["tags"][run] = str(at)
            store.log_param(run, Param("same", "value"))
            if at < 40:
                store.log_param(run, Param("theirs_%d" % at, str(at)))
                done["params"].setdefault(run, []).append("theirs_%d" % at)
        made = store.create_run("0", "them", at, [RunTag("by", "them")], "run %d" % at).info.run_id
        store.log_batch(made, [Metric("m", 1.0, 1, 1)], [Param("p", "v")], [RunTag("t", "v")])
        dataset = DatasetInput(Dataset("d%d" % (at % 3), "1", "local", "s"), [InputTag("k", "v")])
        store.log_inputs(made, [dataset])
        store.log_outputs(made, [LoggedModelOutput("m-%d" % at, at)])
        store.update_run_info(made, 3, at, "renamed %d" % at)
        done["runs"].append(made)
        if at % 4 == 0:
            experiment = store.create_experiment("theirs %d %s" % (at, made))
            store.rename_experiment(experiment, "renamed %d %s" % (at, made))
            inner = store.create_run(experiment, "them", at, [], None).info.run_id
            store.delete_experiment(experiment)
            store.restore_experiment(experiment)
            store.delete_run(inner)
            store.restore_run(inner)
            done["experiments"].append(experiment)
            done["models"].append(store.create_logged_model("0", name="theirs").model_id)
            trace = TraceInfo("tr-theirs-%d-%s" % (at, made), TraceLocation.from_experiment_id("0"), at, TraceState.OK)
            done["traces"].append(store.start_trace(trace).trace_id)
        for run in shared:
            store.get_run(run)
            store.get_metric_history(run, "both")
        if at % 3 == 0:
            store.search_runs(["0"], "metrics.both > 1", ViewType.ALL, 50, ["metrics.both DESC"])
            list_experiments(store)
            store.search_traces(["0"])
            store.search_logged_models(["0"])
        at += 1
    done["rounds"] = at
    return done


def list_experiments(store):
    """MLflow lists the folders first: one that another process deletes meanwhile fails its listing, whoever it is."""
    try:
        store.search_experiments()
    except MlflowException as error:
        if error.error_code != "RESOURCE_DOES_NOT_EXIST":
            raise


def main():
    say(ready=True)
    request = json.loads(sys.stdin.readline())
    stopped = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.readline(), stopped.set()), daemon=True).start()
    try:
        say(done=load(sys.argv[1], request["shared"], stopped))
    except BaseException:  # noqa: BLE001
        say(error=traceback.format_exc())


main()
