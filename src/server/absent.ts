/** What MLflow 3.17 serves and mtrack does not: 501, with words, so that nobody takes it for a mistyped URL. */

export interface Absent {
  /** What it is. */
  readonly what: string;
  /** Paths, with `*` for all below; `{api}` is /api and /ajax-api. */
  readonly paths: readonly string[];
}

export const ABSENT: readonly Absent[] = [
  { what: 'the AI gateway', paths: ['{api}/3.0/mlflow/gateway/*', '/gateway/*', '/ajax-api/2.0/mlflow/gateway-proxy'] },
  { what: 'evaluation datasets', paths: ['{api}/3.0/mlflow/datasets/*'] },
  { what: 'scorers', paths: ['{api}/3.0/mlflow/scorers/*', '{api}/3.0/mlflow/scorer/*'] },
  { what: 'issues of traces', paths: ['{api}/3.0/mlflow/issues', '{api}/3.0/mlflow/issues/*'] },
  { what: 'label schemas', paths: ['{api}/3.0/mlflow/label-schemas/*'] },
  { what: 'review queues', paths: ['{api}/3.0/mlflow/review-queues/*'] },
  { what: 'workspaces', paths: ['{api}/3.0/mlflow/workspaces', '{api}/3.0/mlflow/workspaces/*'] },
  { what: 'webhooks', paths: ['{api}/2.0/mlflow/webhooks', '{api}/2.0/mlflow/webhooks/*'] },
  { what: 'optimisation of prompts', paths: ['{api}/3.0/mlflow/prompt-optimization/*'] },
  {
    what: 'jobs',
    paths: ['{api}/3.0/jobs', '{api}/3.0/jobs/*', '{api}/3.0/mlflow/jobs/*', '{api}/3.0/mlflow/genai/*'],
  },
  { what: 'the registry of MCP servers', paths: ['{api}/3.0/mlflow/mcp-servers', '{api}/3.0/mlflow/mcp-servers/*'] },
  { what: 'the assistant', paths: ['/ajax-api/3.0/mlflow/assistant/*'] },
  {
    what: 'metrics and correlations of traces',
    paths: ['{api}/3.0/mlflow/traces/metrics', '{api}/3.0/mlflow/traces/calculate-filter-correlation'],
  },
  {
    what: 'presigned URLs',
    paths: [
      '{api}/2.0/mlflow/artifacts/presigned-upload-url',
      '{api}/2.0/mlflow/artifacts/presigned-download-url',
      '{api}/2.0/mlflow-artifacts/presigned/*',
    ],
  },
  { what: 'demo data', paths: ['/ajax-api/3.0/mlflow/demo/*'] },
  { what: 'the prompt lab', paths: ['/ajax-api/2.0/mlflow/runs/create-promptlab-run'] },
  { what: 'GraphQL', paths: ['/graphql'] },
  { what: "the web pages' telemetry", paths: ['/ajax-api/3.0/mlflow/ui-telemetry'] },
  { what: "MLflow's web pages", paths: ['/static-files/*'] },
];

export const absentPaths = ({ paths }: Absent): readonly string[] =>
  paths.flatMap((path) =>
    path.startsWith('{api}') ? ['/api', '/ajax-api'].map((base) => path.replace('{api}', base)) : [path],
  );
