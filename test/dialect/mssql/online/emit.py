"""Writes the DDL that Alembic sends to SQL Server for those revisions of MLflow that cannot be written offline.

These revisions look at the database before they change it. Here MLflow's own migration runs on Alembic's offline output,
and what it asks is answered by this script as a database at the revision before would. Rows are not moved: there are none.

    PYTHON emit.py FOLDER_OF_MLFLOW_3.18/mlflow/store/db_migrations/versions

PYTHON has mlflow, alembic and sqlalchemy installed. One file per revision is written beside this one.
Names that the server makes up are written as test/support/mssql/model.ts writes them.
"""

import importlib.util
import io
import pathlib
import sys
from unittest import mock

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations

HERE = pathlib.Path(__file__).parent
VERSIONS = pathlib.Path(sys.argv[1])

UNIQUES = {"experiments": ("UQ__experiments__name", "name"), "registered_models": ("UQ__registered_models__name", "name")}
UNIQUE_INDEXES = {
    "secrets": ("unique_secret_name", "secret_name"),
    "endpoints": ("unique_endpoint_name", "name"),
    "model_definitions": ("unique_model_definition_name", "name"),
}
FOREIGN_KEYS = {
    "model_versions": [("FK__model_versions__name", "registered_models")],
    "registered_model_tags": [("FK__registered_model_tags__name", "registered_models")],
    "registered_model_aliases": [("registered_model_alias_name_fkey", "registered_models")],
    "model_version_tags": [("FK__model_version_tags__name_version", "model_versions")],
}


class Inspector:
    default_schema_name = "dbo"

    def get_table_names(self):
        return []

    def get_columns(self, table):
        return []

    def get_unique_constraints(self, table):
        # As SQLAlchemy's own inspector of SQL Server does.
        raise NotImplementedError

    def get_indexes(self, table):
        found = UNIQUE_INDEXES.get(table)
        return [{"name": found[0], "unique": True, "column_names": [found[1]]}] if found else []

    def get_foreign_keys(self, table):
        return [{"name": name, "referred_table": to} for name, to in FOREIGN_KEYS.get(table, [])]


class Result(list):
    def first(self):
        return None

    def fetchall(self):
        return list(self)

    def fetchmany(self, size):
        return []


class Bind:
    def __init__(self, impl):
        self.dialect = impl.dialect
        self.impl = impl

    def execute(self, statement, parameters=None):
        text = str(statement)
        if "sys.key_constraints" in text:
            found = UNIQUES.get(parameters["table_name"])
            return Result([found] if found else [])
        if statement.is_dml:
            self.impl._exec(statement)
        return Result()


def emit(revision, prepare):
    (path,) = VERSIONS.glob(f"{revision}_*.py")
    spec = importlib.util.spec_from_file_location(f"revision_{revision}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    buffer = io.StringIO()
    engine = sa.create_mock_engine("mssql+pymssql://", None)
    dialect = engine.dialect
    dialect.server_version_info = (16, 0)
    # What SQLAlchemy finds on SQL Server 2012 and newer: VARCHAR(max), not TEXT.
    dialect.deprecate_large_types = True
    context = MigrationContext.configure(dialect=dialect, opts={"as_sql": True, "literal_binds": True, "output_buffer": buffer})
    bind = Bind(context.impl)
    with Operations.context(context):
        with mock.patch.object(sa, "inspect", lambda _: Inspector()), mock.patch("alembic.op.get_bind", lambda: bind):
            if hasattr(module, "inspect"):
                module.inspect = lambda _: Inspector()
            prepare(module)
            module.upgrade()
    (HERE / f"{revision}.sql").write_text(buffer.getvalue().replace("\r\n", "\n").strip() + "\n")


def no_rows(*names):
    def prepare(module):
        for name in names:
            setattr(module, name, lambda *_: None)

    return prepare


class Session:
    """Of a database without metrics: the table is made all the same."""

    def __init__(self, bind):
        self.bind = bind

    def add_all(self, rows):
        assert not list(rows)

    def commit(self):
        pass


def latest_metrics(module):
    no_rows("_describe_migration_if_necessary")(module)
    module._get_latest_metrics_for_runs = lambda session: []
    module.orm = mock.Mock(Session=Session)


def datasets(module):
    module.get_datasets_experiment_fk_name = lambda: "FK__datasets__experiment_id"


emit("89d4b8295536", latest_metrics)
emit("3500859a5d39", lambda module: None)
emit("0584bdc529eb", datasets)
emit("1b5f0d9ad7c1", lambda module: None)
emit(
    "75868b020152",
    no_rows(
        "_validate_required_trace_joins",
        "_validate_dimension_attributes",
        "_backfill_trace_analytics",
        "_backfill_span_analytics",
        "_backfill_trace_costs_from_spans",
        "_backfill_assessment_analytics",
        "_validate_backfill",
        "_cleanup_legacy_analytics",
    ),
)
emit("dc11669786a5", no_rows("_cancel_non_terminal_jobs"))
emit("8b6ad64cb8f5", lambda module: None)
emit("f4a9b2c7d1e6", lambda module: None)
