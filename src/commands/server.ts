import { Flags } from '@oclif/core';
import { BaseCommand } from '../cli/base.js';
import { bytes, duration } from '../cli/flags.js';
import { runServer } from '../cli/server/run.js';
import { databaseFlags } from '../cli/store.js';

export default class Server extends BaseCommand {
  static override summary = "Serve an MLflow store over MLflow's REST API.";
  static override description =
    `Any client of MLflow works with it, on any store that MLflow made: a folder (./mlruns) or a database. The store is not upgraded: a database whose schema is older, newer or not MLflow's is refused, and nothing is written to it.

The web pages, and what else MLflow's own server has and this one has not, are listed in docs/server.md.

EXIT STATUS: 0 stopped by a signal, after the requests under way were answered; 10 to 16 what is wrong with the database; 22 the address is taken. See docs/exit-codes.md.`;
  static override examples = [
    { description: 'look into ./mlruns', command: '<%= config.bin %> <%= command.id %>' },
    {
      description: 'a database, for a team',
      command:
        '<%= config.bin %> <%= command.id %> --backend-store-uri-file /run/secrets/mlflow-uri --artifacts-destination s3://bucket/mlflow --host 0.0.0.0 --allowed-hosts mlflow.example.org --auth-file users --workers 4',
    },
    {
      description: 'a new database',
      command: '<%= config.bin %> <%= command.id %> --backend-store-uri sqlite:///mlflow.db --init',
    },
  ];
  static override flags = {
    ...databaseFlags,
    'default-artifact-root': Flags.string({
      description: 'where the files of new experiments go; by default through the server',
      helpValue: 'URI',
      env: 'MLFLOW_DEFAULT_ARTIFACT_ROOT',
    }),
    'artifacts-destination': Flags.string({
      description: 'where the server keeps files that clients give it',
      helpValue: 'URI',
      default: './mlartifacts',
      env: 'MLFLOW_ARTIFACTS_DESTINATION',
    }),
    'serve-artifacts': Flags.boolean({
      description: 'give clients the files at --artifacts-destination',
      default: true,
      allowNo: true,
      env: 'MLFLOW_SERVE_ARTIFACTS',
    }),
    init: Flags.boolean({ description: 'make the tables of an empty database' }),
    host: Flags.string({ char: 'h', description: 'address to listen on', default: '127.0.0.1', env: 'MLFLOW_HOST' }),
    port: Flags.integer({ char: 'p', description: 'port', default: 5000, min: 0, max: 65_535, env: 'MLFLOW_PORT' }),
    workers: Flags.integer({
      char: 'w',
      description: 'processes that share the port',
      default: 1,
      min: 1,
      max: 256,
      env: 'MLFLOW_WORKERS',
    }),
    'allowed-hosts': Flags.string({
      description:
        'names that requests may be addressed to, with commas; * in them is any text. By default this machine and private networks',
      helpValue: 'HOSTS',
      env: 'MLFLOW_SERVER_ALLOWED_HOSTS',
    }),
    'cors-allowed-origins': Flags.string({
      description: 'web sites that may use the server from a browser, with commas',
      helpValue: 'ORIGINS',
      env: 'MLFLOW_SERVER_CORS_ALLOWED_ORIGINS',
    }),
    'x-frame-options': Flags.string({
      description: 'which pages may show answers in a frame',
      options: ['SAMEORIGIN', 'DENY', 'NONE'],
      default: 'SAMEORIGIN',
      env: 'MLFLOW_SERVER_X_FRAME_OPTIONS',
    }),
    'disable-security-middleware': Flags.boolean({
      description: 'check neither Host nor Origin',
      env: 'MLFLOW_SERVER_DISABLE_SECURITY_MIDDLEWARE',
    }),
    'auth-file': Flags.string({
      description: 'users who may in, as `htpasswd -B` writes them',
      helpValue: 'PATH',
    }),
    'tls-cert': Flags.string({ description: 'certificate, PEM', helpValue: 'PATH', dependsOn: ['tls-key'] }),
    'tls-key': Flags.string({ description: 'its key, PEM', helpValue: 'PATH', dependsOn: ['tls-cert'] }),
    'max-body': bytes({
      description: 'largest request that is not a file',
      default: 64 * 1024 * 1024,
      defaultHelp: async () => '64MB',
    }),
    'max-upload': bytes({ description: 'largest file that is uploaded through the server; any by default' }),
    'shutdown-timeout': duration({
      description: 'how long to wait for requests under way when it is stopped',
      default: 30_000,
      defaultHelp: async () => '30s',
    }),
    'log-level': Flags.string({
      description: 'what is logged, as lines of JSON on stderr; debug has each request',
      options: ['error', 'warn', 'info', 'debug'],
      default: 'info',
    }),
  };

  protected override jsonIndent = null;

  async run(): Promise<Record<string, unknown>> {
    const { flags } = await this.parse(Server);
    return runServer(flags, this.terminal(), (event) => {
      if (this.jsonEnabled()) this.logJson(event);
    });
  }
}
