"""Real MLflow, loaded once: each request (a line of JSON on stdin) is answered by a fork of this process (a line on stdout).

usage: python oracle.py FOLDER_OF_READ_EXPECTED
"""
import contextlib
import importlib.util
import io
import json
import os
import random
import re
import runpy
import signal
import sys
import tempfile
import time
import traceback

os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("DO_NOT_TRACK", "true")
# The two throw-away keys that the fixtures' secrets were written with.
os.environ.setdefault("MLFLOW_WEBHOOK_SECRET_ENCRYPTION_KEY", "Zm9yLXRlc3QtZml4dHVyZXMtb25seS0wMTIzNDU2Nzg=")
os.environ.setdefault("MLFLOW_CRYPTO_KEK_PASSPHRASE", "fixture passphrase, 32 bytes or more long")

import mlflow  # noqa: E402
import mlflow.cli  # noqa: E402
import mlflow.db  # noqa: E402
import mlflow.store.db.utils  # noqa: E402
import mlflow.store.tracking.sqlalchemy_store  # noqa: E402
import oracle_files  # noqa: E402
import oracle_gc  # noqa: E402
import oracle_search  # noqa: E402
import oracle_stores  # noqa: E402
import oracle_traces  # noqa: E402

MAKE = sys.argv[1]
VERSIONS = os.path.join(os.path.dirname(mlflow.__file__), "store", "db_migrations", "versions")


def migration(revision):
    """The module of a revision's migration script, as Alembic loads it."""
    [name] = [name for name in os.listdir(VERSIONS) if name.startswith(revision) and name.endswith(".py")]
    spec = importlib.util.spec_from_file_location("revision_" + revision, os.path.join(VERSIONS, name))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def read(uri):
    """Everything that MLflow's client reads from a store: what make/read_expected.py writes."""
    out = tempfile.mktemp(suffix=".json.gz")
    try:
        sys.argv = ["read_expected.py", uri, out]
        runpy.run_path(os.path.join(MAKE, "read_expected.py"), run_name="__main__")
        import gzip

        with gzip.open(out) as f:
            return json.load(f)
    finally:
        if os.path.exists(out):
            os.remove(out)


def serves(uri):
    """The names of all experiments, as `mlflow server` answers for them: its own application in this very process, set up
    as the command does it before it listens."""
    from mlflow.server import app, handlers

    with tempfile.TemporaryDirectory() as folder:
        os.environ["_MLFLOW_SERVER_FILE_STORE"] = uri
        handlers.initialize_backend_stores(uri, uri, folder)
        client = app.test_client()
        found = client.post("/api/2.0/mlflow/experiments/search", json={"max_results": 1000, "view_type": "ALL"})
        assert found.status_code == 200, found.get_data(as_text=True)
        return [experiment["name"] for experiment in found.get_json()["experiments"]]


def db_upgrade(uri):
    """`mlflow db upgrade URI`: its exit status."""
    try:
        mlflow.cli.cli(["db", "upgrade", uri], standalone_mode=True)
    except SystemExit as ended:
        return {"code": ended.code or 0}
    return {"code": 0}


LOOKS = re.compile(r"\s*(SELECT|SHOW|PRAGMA|SET|DESCRIBE|DESC|EXPLAIN|WITH)\b", re.I)


def db_upgrade_killed(uri, revision, at):
    """`mlflow db upgrade` to a revision (its own head for None), by a process that is killed by SIGKILL when its `at`th
    statement that changes something has run. Its wait status, those statements, and what it said."""

    def changed(count):
        if count == at:
            os.kill(os.getpid(), signal.SIGKILL)

    return watched_upgrade(uri, revision, changed, lambda: None)


def db_upgrade_slow(uri, revision, seed, most):
    """The same, not killed: before each statement it waits, at random, for up to so many milliseconds."""
    rnd = random.Random(seed)
    return watched_upgrade(uri, revision, lambda *_: None, lambda: time.sleep(rnd.random() * most / 1000))


def watched_upgrade(uri, revision, changed, before):
    with tempfile.TemporaryDirectory() as folder:
        log, said = os.path.join(folder, "log"), os.path.join(folder, "said")
        pid = os.fork()
        if pid == 0:
            try:
                os.dup2(os.open(said, os.O_CREAT | os.O_WRONLY), 1)
                os.dup2(1, 2)
                sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)
                run_upgrade(uri, revision, changed, before, log)
                sys.stdout.flush()
                os._exit(0)
            except BaseException:  # noqa: BLE001
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
        _, status = os.waitpid(pid, 0)
        with open(log) as lines, open(said) as text:
            return {"status": status, "statements": [json.loads(line) for line in lines], "said": text.read()}


def run_upgrade(uri, revision, changed, before, log):
    import sqlalchemy
    from alembic import command

    count = 0
    lines = open(log, "w")

    def after(_connection, _cursor, statement, parameters, *_):
        nonlocal count
        if LOOKS.match(statement):
            return
        count += 1
        lines.write(json.dumps({"n": count, "sql": statement, "values": repr(parameters)}) + "\n")
        lines.flush()
        changed(count)

    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "before_cursor_execute", lambda *_: before())
    sqlalchemy.event.listen(sqlalchemy.engine.Engine, "after_cursor_execute", after)
    engine = mlflow.store.db.utils.create_sqlalchemy_engine_with_retry(uri)
    if engine.dialect.name == "sqlite":
        # With so little memory, pages reach the file and its journal long before they are committed.
        sqlalchemy.event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA cache_size = 10"))
        engine.dispose()
    if revision is None:
        return mlflow.store.db.utils._upgrade_db(engine)
    # What _upgrade_db does, only not as far.
    config = mlflow.store.db.utils._get_alembic_config(uri)
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def make_experiment(uri, name):
    """A new experiment, by MLflow's own client: its id."""
    return mlflow.MlflowClient(uri).create_experiment(name)


def trace_values(cases):
    """[metadata, token metrics] each: the columns of the trace, as 75868b020152 computes them."""
    values = migration("75868b020152").trace_analytics_values
    count = migration("75868b020152")._token_count_or_none
    return [values(metadata, {key: count(number(value)) for key, value in metrics.items()}) for metadata, metrics in cases]


def number(value):
    return float(value) if isinstance(value, str) else value


def assessments(texts):
    """[aggregate value, whether it is a number] of each text that an assessment's value can be."""
    return [list(migration("75868b020152")._assessment_aggregate(text)) for text in texts]


def dimensions(texts):
    """Model and provider of each text that spans.dimension_attributes can be; None where the migration refuses it."""
    revision = migration("75868b020152")

    def one(text):
        try:
            found = revision._validated_dimension_attributes(text, ("trace", "span"))
        except RuntimeError:
            return None
        return [
            revision._bounded_string_or_none(found.get(key), revision.MODEL_DIMENSION_MAX_LENGTH)[0]
            for key in (revision._SPAN_MODEL_ATTRIBUTE_KEY, revision._SPAN_MODEL_PROVIDER_ATTRIBUTE_KEY)
        ]

    return [one(text) for text in texts]


def categories(texts):
    """{hash: category} of each text that issues.categories can be, in order, as 8b6ad64cb8f5 computes them; None where it fails."""
    import hashlib

    def one(text):
        try:
            return list(
                {
                    hashlib.sha256(category.strip().lower().encode()).hexdigest(): category for category in json.loads(text)
                }.items()
            )
        except (AttributeError, TypeError, ValueError):
            return None

    return [one(text) for text in texts]


def strip_lower(texts):
    return [text.strip().lower() for text in texts]


def auth_database(uri, revision):
    """The database of `mlflow server --app-name basic-auth` at a revision of its own lineage."""
    import types

    import sqlalchemy

    # The package itself wants libraries of a web server, which its migrations do not.
    package = types.ModuleType("mlflow.server.auth")
    package.__path__ = [os.path.join(os.path.dirname(mlflow.__file__), "server", "auth")]
    sys.modules["mlflow.server.auth"] = package
    from mlflow.server.auth.db.utils import migrate

    migrate(sqlalchemy.create_engine(uri), revision)


REQUESTS = {
    f.__name__: f
    for f in (
        read,
        serves,
        db_upgrade,
        db_upgrade_killed,
        db_upgrade_slow,
        make_experiment,
        auth_database,
        trace_values,
        assessments,
        dimensions,
        categories,
        strip_lower,
        *oracle_search.REQUESTS,
        *oracle_files.REQUESTS,
        *oracle_gc.REQUESTS,
        *oracle_stores.REQUESTS,
        *oracle_traces.REQUESTS,
    )
}


def plain(value):
    """Floats exactly, and those that JSON has no word for by name."""
    if isinstance(value, float):
        return {"float": repr(value)}
    if isinstance(value, int) and not isinstance(value, bool):
        return {"int": str(value)}
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return value


def answer(line):
    request = json.loads(line)
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            result = REQUESTS[request["do"]](*request["with"])
        return {"result": result if request.get("as") == "json" else plain(result), "said": said.getvalue()}
    except BaseException:  # noqa: BLE001
        return {"error": traceback.format_exc(), "said": said.getvalue()}


def main():
    for line in sys.stdin:
        if json.loads(line)["do"] == "serves":
            import mlflow.server  # noqa: F401  (once, before the fork)
        pid = os.fork()
        if pid == 0:
            with tempfile.NamedTemporaryFile("w", delete=False) as file:
                json.dump(answer(line), file)
            os.rename(file.name, file.name + ".done")
            sys.stdout.write(json.dumps({"file": file.name + ".done"}) + "\n")
            sys.stdout.flush()
            os._exit(0)
        _, status = os.waitpid(pid, 0)
        if status != 0:
            print(json.dumps({"error": "the fork ended with %d" % status}), flush=True)


main()
