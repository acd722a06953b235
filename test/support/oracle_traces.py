"""What oracle_stores.py does, for traces: their methods on MLflow's store of a database, with answers in our records."""


def given(**fields):
    """A record: what has no value is left out."""
    return {key: value for key, value in fields.items() if value is not None}


def assessment(a):
    error = a.feedback.error if a.feedback else None
    return given(
        assessment_id=a.assessment_id,
        assessment_name=a.name,
        trace_id=a.trace_id,
        span_id=a.span_id,
        source=given(source_type=a.source.source_type, source_id=a.source.source_id),
        create_time=a.create_time_ms,
        last_update_time=a.last_update_time_ms,
        feedback={"value": a.feedback.value, **({"error": given(**error.to_dictionary())} if error else {})}
        if a.feedback
        else None,
        expectation={"value": a.expectation.value} if a.expectation else None,
        issue={"issue_name": a.issue.issue_name} if a.issue else None,
        rationale=a.rationale,
        metadata=a.metadata,
        overrides=a.overrides,
        valid=a.valid,
    )


def trace_info(t):
    return given(
        trace_id=t.trace_id,
        experiment_id=t.experiment_id,
        client_request_id=t.client_request_id,
        request_preview=t.request_preview,
        response_preview=t.response_preview,
        request_time=t.request_time,
        execution_duration=t.execution_duration,
        state=t.state.value,
        trace_metadata=t.trace_metadata,
        tags=t.tags,
        assessments=[assessment(a) for a in t.assessments],
    )


def span(trace_id, s):
    return {"trace_id": trace_id, "span_id": s.span_id, "content": s.json_for_export()}


def trace(t):
    return {"info": trace_info(t.info), "spans": [span(t.info.trace_id, s) for s in t.data.spans]}


def assessment_from(record):
    from mlflow.entities import AssessmentError, AssessmentSource, Expectation, Feedback
    from mlflow.entities.assessment import IssueReference

    common = dict(
        source=AssessmentSource(**record["source"]),
        trace_id=record.get("trace_id"),
        metadata=record.get("metadata"),
        span_id=record.get("span_id"),
        create_time_ms=record.get("create_time"),
        last_update_time_ms=record.get("last_update_time"),
    )
    name = record["assessment_name"]
    if "feedback" in record:
        error = record["feedback"].get("error")
        made = Feedback(
            name=name,
            value=record["feedback"].get("value"),
            error=AssessmentError(**error) if error else None,
            rationale=record.get("rationale"),
            overrides=record.get("overrides"),
            **common,
        )
    elif "expectation" in record:
        made = Expectation(name=name, value=record["expectation"]["value"], **common)
        made.rationale = record.get("rationale")
        made.overrides = record.get("overrides")
    else:
        issue = record["issue"]["issue_name"]
        made = IssueReference(issue_id=name, issue_name=issue, rationale=record.get("rationale"), **common)
    made.assessment_id = record.get("assessment_id")
    return made


def traces(store, asked):
    from mlflow.entities import AssessmentError, Span, TraceInfo, TraceLocation, TraceState
    from mlflow.entities.assessment import ExpectationValue, FeedbackValue
    from mlflow.entities.model_registry import PromptVersion
    from mlflow.entities.trace_status import TraceStatus
    from opentelemetry.sdk.resources import Resource

    def start(record):
        names = ("client_request_id", "request_preview", "response_preview", "execution_duration")
        return trace_info(
            store.start_trace(
                TraceInfo(
                    trace_id=record["trace_id"],
                    trace_location=TraceLocation.from_experiment_id(record["experiment_id"]),
                    request_time=record["request_time"],
                    state=TraceState(record["state"]),
                    trace_metadata=record["trace_metadata"],
                    tags=record["tags"],
                    assessments=[assessment_from(each) for each in record["assessments"]],
                    **{name: record[name] for name in names if name in record},
                )
            )
        )

    def begin(record):
        names = ("experiment_id", "timestamp_ms", "request_metadata", "tags")
        return trace_info(store.deprecated_start_trace_v2(*(record[name] for name in names)).to_v3())

    def end(id, record):
        status = TraceStatus(record["state"])
        rest = (record["request_metadata"], record["tags"])
        return trace_info(store.deprecated_end_trace_v2(id, record["timestamp_ms"], status, *rest).to_v3())

    def search(q):
        found, token = store.search_traces(**asked(q, experiment_ids=q["experiment_ids"]))
        return given(items=[trace_info(each) for each in found], next_page_token=token.decode() if token else None)

    def link_prompts(id, prompts):
        store.link_prompts_to_trace(id, [PromptVersion(p["name"], int(p["version"]), "text") for p in prompts])

    def update(trace_id, id, change):
        feedback, expectation = change.get("feedback"), change.get("expectation")
        error = (feedback or {}).get("error")
        return assessment(
            store.update_assessment(
                trace_id,
                id,
                name=change.get("assessment_name"),
                expectation=ExpectationValue(expectation["value"]) if expectation else None,
                feedback=FeedbackValue(feedback.get("value"), AssessmentError(**error) if error else None)
                if feedback
                else None,
                rationale=change.get("rationale"),
                metadata=change.get("metadata"),
            )
        )

    def log(experiment_id, spans):
        def made(record):
            one = Span.from_dict(record["content"])
            if "resource" in record:
                one._span._resource = Resource(record["resource"])
            return one

        store.log_spans(experiment_id, [made(each) for each in spans])

    return {
        "traces.start": start,
        "traces.begin": begin,
        "traces.end": end,
        "traces.getInfo": lambda id: trace_info(store.get_trace_info(id)),
        "traces.getInfos": lambda ids, experiments=None: [
            trace_info(each) for each in store.batch_get_trace_infos(ids, experiment_ids=experiments)
        ],
        "traces.search": search,
        "traces.delete": lambda id, which: store.delete_traces(id, **which),
        "traces.setTag": store.set_trace_tag,
        "traces.deleteTag": store.delete_trace_tag,
        "traces.linkToRun": store.link_traces_to_run,
        "traces.linkPrompts": link_prompts,
        "traces.createAssessment": lambda record: assessment(store.create_assessment(assessment_from(record))),
        "traces.getAssessment": lambda trace_id, id: assessment(store.get_assessment(trace_id, id)),
        "traces.updateAssessment": update,
        "traces.deleteAssessment": store.delete_assessment,
        "traces.spans.log": log,
        "traces.spans.getTrace": lambda id, partial: trace(store.get_trace(id, allow_partial=partial)),
        "traces.spans.getTraces": lambda ids, experiments=None: [
            trace(each) for each in store.batch_get_traces(ids, experiment_ids=experiments)
        ],
    }


def span_attributes(spans):
    """The attributes that MLflow's store keeps of each span, without the cost, which hangs on its own list of prices."""
    from mlflow.entities import Span
    from mlflow.tracing.otel import translation

    translation.calculate_cost_by_model_and_token_usage = lambda *_: None
    found = []
    for each in spans:
        try:
            found.append({"attributes": translation.translate_span_when_storing(Span.from_dict(each))["attributes"]})
        except Exception as error:  # noqa: BLE001
            found.append({"failed": repr(error)})
    return found


def span_contents(texts):
    """What MLflow reads of each text that its store kept."""
    from mlflow.entities.span import LazySpan

    return [LazySpan.from_stored_content(text).json_for_export() for text in texts]


REQUESTS = (span_attributes, span_contents)
