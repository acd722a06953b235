"""What the oracle says about files: YAML as PyYAML reads and writes it for MLflow's file store."""
import datetime

import yaml


def made(value):
    """A value as it came by JSON: ["real", text], ["int", text] and ["map", pairs] are what JSON has no form for."""
    if not isinstance(value, list):
        return value
    kind, content = value
    if kind == "real":
        return float(content)
    if kind == "int":
        return int(content)
    if kind == "map":
        return {key: made(each) for key, each in content}
    return [made(each) for each in content]


def told(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, float):
        return ["real", repr(value)]
    if isinstance(value, int):
        return ["int", str(value)]
    if isinstance(value, dict):
        return ["map", [[told(key), told(each)] for key, each in value.items()]]
    if isinstance(value, (list, tuple)):
        return ["list", [told(each) for each in value]]
    if isinstance(value, (datetime.date, datetime.datetime)):
        return ["date", None]
    return ["other", repr(value)]


def yaml_dumps(values):
    """What MLflow writes to a file for each value."""
    return [
        yaml.dump(
            made(value), default_flow_style=False, allow_unicode=True, sort_keys=True, Dumper=yaml.CSafeDumper
        )
        for value in values
    ]


def yaml_loads(texts):
    """What MLflow reads in each text; None, and no list, where PyYAML refuses it."""

    def one(text):
        try:
            return [told(yaml.load(text, Loader=yaml.CSafeLoader))]
        except (yaml.YAMLError, ValueError):
            return None

    return [one(text) for text in texts]


def metric_lines(cases):
    """What MLflow reads in each line of a metric file of a run, or of a logged model; None where it refuses the line."""
    from mlflow.store.tracking.file_store import FileStore

    def one(kind, line):
        try:
            if kind == "run":
                m = FileStore._get_metric_from_line("run", "m", line, "0")
            else:
                m = FileStore._get_model_metric_from_line("model", "m", line)
        except Exception:  # noqa: BLE001
            return None
        run = m.run_id if kind == "model" else None
        return [str(m.timestamp), repr(m.value), str(m.step), m.dataset_name, m.dataset_digest, run]

    return [one(*case) for case in cases]


def latest_metrics(texts):
    """[time, value, step] of the latest point of each metric file; None where MLflow cannot say."""
    import os
    import tempfile

    from mlflow.store.tracking.file_store import FileStore

    with tempfile.TemporaryDirectory() as folder:

        def one(text):
            with open(os.path.join(folder, "m"), "w", newline="") as file:
                file.write(text)
            try:
                m = FileStore._get_metric_from_file(folder, "m", "run", "0")
            except Exception:  # noqa: BLE001
                return None
            return [str(m.timestamp), repr(m.value), str(m.step)]

        return [one(text) for text in texts]


REQUESTS = (yaml_dumps, yaml_loads, metric_lines, latest_metrics)
