/**
 * As much of a TDS server as the real driver needs to connect and to run an upgrade on (MS-TDS,
 * https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-tds). It records each request as it came over the wire,
 * and answers what it is told to.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';

export interface Parameter {
  readonly name: string;
  readonly type: string;
  readonly value: unknown;
}

export type TdsRequest =
  | {
      readonly kind: 'login';
      readonly connection: number;
      readonly user: string;
      readonly password: string;
      readonly app: string;
      readonly database: string;
      readonly encrypted: boolean;
    }
  | { readonly kind: 'batch'; readonly connection: number; readonly sql: string }
  | {
      readonly kind: 'rpc';
      readonly connection: number;
      readonly sql: string;
      readonly parameters: readonly Parameter[];
    }
  | { readonly kind: 'begin' | 'commit' | 'rollback'; readonly connection: number }
  | { readonly kind: 'closed'; readonly connection: number };

type Value = string | number | bigint | boolean | null;

/** What the server says to a request; a transaction is kept by the server itself. */
export type Answer =
  | { readonly rows: readonly Readonly<Record<string, Value>>[] }
  | { readonly changed: number }
  | {
      readonly errors: readonly { readonly number: number; readonly message: string; readonly class?: number }[];
      readonly rollsBack?: boolean;
    }
  /** The connection breaks: before anything of an answer, or in the middle of one. */
  | { readonly breaks: 'at once' | 'in the middle' };

export interface TdsOptions {
  readonly answer: (request: TdsRequest) => Answer | Promise<Answer>;
  /** Whether the server has TLS. */
  readonly encrypts?: boolean;
  /** A loopback address of its own, for what asks a fixed port. */
  readonly host?: string;
}

const PACKET = { batch: 1, rpc: 3, tabular: 4, attention: 6, transaction: 14, login: 16, prelogin: 18 } as const;

export class TdsServer {
  readonly requests: TdsRequest[] = [];
  readonly #server: Server;
  readonly #options: TdsOptions;
  readonly #context: SecureContext | null;
  readonly #sockets = new Set<Socket>();
  #connections = 0;

  private constructor(options: TdsOptions) {
    this.#options = options;
    this.#context = options.encrypts ? selfSigned() : null;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** Runs `use` with a server that is gone afterwards. */
  static async with<T>(options: TdsOptions, use: (server: TdsServer) => Promise<T>): Promise<T> {
    const server = new TdsServer(options);
    await new Promise<void>((resolve) => server.#server.listen(0, options.host ?? '127.0.0.1', resolve));
    try {
      return await use(server);
    } finally {
      for (const socket of server.#sockets) socket.destroy();
      await new Promise((resolve) => server.#server.close(resolve));
    }
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  uri({
    user = 'sa',
    password = 'geheim-7',
    database = 'mlflow',
    options = 'driver=ODBC+Driver+17+for+SQL+Server',
  } = {}): string {
    return `mssql+pyodbc://${user}:${encodeURIComponent(password)}@127.0.0.1:${this.port}/${database}?${options}`;
  }

  /** Texts of batches and of sp_executesql, and transactions, in their order; of one connection or of all. */
  sent(connection?: number): string[] {
    return this.requests
      .filter((request) => connection === undefined || request.connection === connection)
      .flatMap((request) =>
        'sql' in request
          ? [request.sql]
          : request.kind === 'login' || request.kind === 'closed'
            ? []
            : [`<${request.kind}>`],
      );
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    new Conversation(socket, ++this.#connections, this.#options, this.#context, this.requests);
    socket.on('close', () => this.#sockets.delete(socket));
  }
}

class Conversation {
  readonly #socket: Socket;
  readonly #id: number;
  readonly #options: TdsOptions;
  readonly #context: SecureContext | null;
  readonly #requests: TdsRequest[];
  #stream: Duplex;
  #buffer: Buffer = Buffer.alloc(0);
  #message: Buffer[] = [];
  #handshake: Handshake | null = null;
  #encrypted = false;
  #transaction = 0;
  #working: Promise<void> = Promise.resolve();

  constructor(socket: Socket, id: number, options: TdsOptions, context: SecureContext | null, requests: TdsRequest[]) {
    this.#socket = socket;
    this.#stream = socket;
    this.#id = id;
    this.#options = options;
    this.#context = context;
    this.#requests = requests;
    socket.on('data', (data) => this.#received(data));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      const closed: TdsRequest = { kind: 'closed', connection: id };
      requests.push(closed);
      void options.answer(closed);
    });
  }

  #received(data: Buffer): void {
    if (this.#encrypted && this.#handshake) this.#handshake.feed(data);
    else this.#cleartext(data);
  }

  #cleartext(data: Buffer): void {
    this.#buffer = Buffer.concat([this.#buffer, data]);
    while (this.#buffer.length >= 8 && this.#buffer.length >= this.#buffer.readUInt16BE(2)) {
      const length = this.#buffer.readUInt16BE(2);
      const [type, status] = [this.#buffer.readUInt8(0), this.#buffer.readUInt8(1)];
      this.#message.push(this.#buffer.subarray(8, length));
      this.#buffer = this.#buffer.subarray(length);
      if ((status & 1) === 0) continue;
      const message = Buffer.concat(this.#message);
      this.#message = [];
      this.#working = this.#working.then(() => this.#handle(type, message));
    }
  }

  async #handle(type: number, message: Buffer): Promise<void> {
    const connection = this.#id;
    switch (type) {
      case PACKET.prelogin:
        if (this.#handshake) return this.#handshake.feed(message);
        return this.#prelogin();
      case PACKET.login:
        return this.#answer({ kind: 'login', connection, encrypted: this.#encrypted, ...readLogin(message) });
      case PACKET.batch:
        return this.#answer({
          kind: 'batch',
          connection,
          sql: message.subarray(message.readUInt32LE(0)).toString('utf16le'),
        });
      case PACKET.rpc:
        return this.#answer({ kind: 'rpc', connection, ...readRpc(message) });
      case PACKET.transaction: {
        const kinds: Record<number, 'begin' | 'commit' | 'rollback'> = { 5: 'begin', 7: 'commit', 8: 'rollback' };
        const kind = kinds[message.readUInt16LE(message.readUInt32LE(0))];
        if (!kind) throw new Error('a transaction request that is not known');
        return this.#answer({ kind, connection });
      }
      case PACKET.attention:
        return this.#send(done({ status: 0x20 }));
      default:
        throw new Error(`a packet of type ${type}`);
    }
  }

  async #answer(request: TdsRequest): Promise<void> {
    this.#requests.push(request);
    const answer = await this.#options.answer(request);
    if ('breaks' in answer) {
      // Of an answer that is cut off, the first token comes.
      if (answer.breaks === 'in the middle') this.#stream.write(packet(columns([{ n: 1 }]), false));
      this.#socket.resetAndDestroy();
      return;
    }
    if ('errors' in answer) return this.#refuse(request, answer);
    if (request.kind === 'login')
      return this.#send(
        Buffer.concat([loginAck(), environment(1, request.database, 'master'), collation(), packetSize(), done({})]),
      );
    if (request.kind === 'begin' || request.kind === 'commit' || request.kind === 'rollback')
      return this.#send(this.#transact(request.kind));
    const tokens = 'rows' in answer ? resultSet(answer.rows) : Buffer.alloc(0);
    const count = 'rows' in answer ? answer.rows.length : answer.changed;
    return this.#send(
      Buffer.concat([
        tokens,
        ...(request.kind === 'rpc' ? [doneInProcedure(count), returnStatus(), doneProcedure()] : [done({ count })]),
      ]),
    );
  }

  #transact(kind: 'begin' | 'commit' | 'rollback'): Buffer {
    if (kind === 'begin') {
      this.#transaction++;
      return Buffer.concat([transactionChange(8, this.#transaction, 0), done({})]);
    }
    const was = this.#transaction;
    const number = { commit: 3902, rollback: 3903 }[kind];
    if (was === 0) {
      const message = `The ${kind.toUpperCase()} TRANSACTION request has no corresponding BEGIN TRANSACTION.`;
      return Buffer.concat([errorToken({ number, message }), done({ status: 2 })]);
    }
    this.#transaction = 0;
    return Buffer.concat([transactionChange(kind === 'commit' ? 9 : 10, 0, was), done({})]);
  }

  #refuse(request: TdsRequest, { errors, rollsBack }: Extract<Answer, { errors: unknown }>): void {
    const was = this.#transaction;
    if (rollsBack) this.#transaction = 0;
    const ended = rollsBack && was > 0 ? [transactionChange(10, 0, was)] : [];
    const end = request.kind === 'rpc' ? [doneProcedure(2)] : [done({ status: 2 })];
    this.#send(Buffer.concat([...errors.map(errorToken), ...ended, ...end]));
    if (request.kind === 'login') this.#stream.end();
  }

  #send(tokens: Buffer): void {
    this.#stream.write(packet(tokens, true));
  }

  /** Options: version, encryption, end. */
  #prelogin(): void {
    const encryption = this.#context ? 1 : 2;
    const options = Buffer.from([0, 0, 11, 0, 6, 1, 0, 17, 0, 1, 0xff, 13, 0, 0x10, 0, 0, 0, encryption]);
    this.#send(options);
    if (!this.#context) return;
    this.#handshake = new Handshake(this.#socket, this.#context, (clear) => {
      this.#encrypted = true;
      this.#stream = clear;
      clear.on('data', (data: Buffer) => this.#cleartext(data));
    });
  }
}

/** TLS whose handshake is wrapped into packets of the pre-login, both ways. */
class Handshake {
  readonly #wire: Duplex;
  #secure = false;

  constructor(socket: Socket, secureContext: SecureContext, onSecure: (clear: Duplex) => void) {
    this.#wire = new Duplex({
      read: () => undefined,
      write: (chunk: Buffer, _, done) =>
        void socket.write(this.#secure ? chunk : packet(chunk, true, PACKET.prelogin), () => done()),
    });
    const clear = new TLSSocket(this.#wire, { isServer: true, secureContext });
    clear.on('error', () => socket.destroy());
    clear.once('secure', () => {
      // The last flight of the handshake is still in packets.
      setImmediate(() => {
        this.#secure = true;
      });
      onSecure(clear);
    });
  }

  feed(data: Buffer): void {
    this.#wire.push(data);
  }
}

/** A certificate for the test alone. */
function selfSigned(): SecureContext {
  const folder = mkdtempSync(join(tmpdir(), 'mtrack-tds-'));
  try {
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=sql.test',
        '-keyout',
        key,
        '-out',
        cert,
      ],
      { stdio: 'pipe' },
    );
    return createSecureContext({ key: readFileSync(key), cert: readFileSync(cert), maxVersion: 'TLSv1.2' });
  } finally {
    rmSync(folder, { recursive: true });
  }
}

// ---------------------------------------------------------------- reading

function readLogin(message: Buffer) {
  const field = (at: number) => {
    const [offset, length] = [message.readUInt16LE(at), message.readUInt16LE(at + 2)];
    return message.subarray(offset, offset + length * 2);
  };
  // A password is hidden by swapping the halves of its bytes.
  const password = Buffer.from(field(44)).map((byte) => {
    const plain = byte ^ 0xa5;
    return ((plain >> 4) | (plain << 4)) & 0xff;
  });
  return {
    user: field(40).toString('utf16le'),
    password: Buffer.from(password).toString('utf16le'),
    app: field(48).toString('utf16le'),
    database: field(68).toString('utf16le'),
  };
}

/** sp_executesql: the statement, the declaration of its parameters, and these. */
function readRpc(message: Buffer): { sql: string; parameters: Parameter[] } {
  const reader = new Bytes(message, message.readUInt32LE(0));
  if (reader.u16() !== 0xffff || reader.u16() !== 10) throw new Error('a procedure other than sp_executesql');
  reader.u16();
  const all: Parameter[] = [];
  while (!reader.atEnd) all.push(readParameter(reader));
  return { sql: String(all[0]?.value), parameters: all.slice(2) };
}

function readParameter(reader: Bytes): Parameter {
  const name = reader.take(reader.u8() * 2).toString('utf16le');
  reader.u8();
  const type = reader.u8();
  switch (type) {
    case 0xe7:
    case 0xa7: {
      const size = reader.u16();
      reader.take(5);
      const bytes = size === 0xffff ? reader.parts() : reader.short();
      const isUnicode = type === 0xe7;
      const length = size === 0xffff ? 'max' : isUnicode ? size / 2 : size;
      return {
        name,
        type: `${isUnicode ? 'nvarchar' : 'varchar'}(${length})`,
        value: bytes === null ? null : bytes.toString(isUnicode ? 'utf16le' : 'latin1'),
      };
    }
    case 0x26: {
      const size = reader.u8();
      const bytes = reader.take(reader.u8());
      const value = bytes.length === 0 ? null : size === 8 ? bytes.readBigInt64LE() : bytes.readInt32LE();
      return { name, type: size === 8 ? 'bigint' : 'int', value };
    }
    case 0x68: {
      reader.u8();
      const bytes = reader.take(reader.u8());
      return { name, type: 'bit', value: bytes.length === 0 ? null : bytes.readUInt8() === 1 };
    }
    case 0x6d: {
      reader.u8();
      const bytes = reader.take(reader.u8());
      return { name, type: 'float', value: bytes.length === 0 ? null : bytes.readDoubleLE() };
    }
    default:
      throw new Error(`a parameter of type 0x${type.toString(16)}`);
  }
}

class Bytes {
  readonly #buffer: Buffer;
  #at: number;
  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.#at = at;
  }
  get atEnd(): boolean {
    return this.#at >= this.#buffer.length;
  }
  take(length: number): Buffer {
    this.#at += length;
    return this.#buffer.subarray(this.#at - length, this.#at);
  }
  u8 = () => this.take(1).readUInt8();
  u16 = () => this.take(2).readUInt16LE();
  short(): Buffer | null {
    const length = this.u16();
    return length === 0xffff ? null : this.take(length);
  }
  /** A long value comes in parts. */
  parts(): Buffer | null {
    const total = this.take(8).readBigUInt64LE();
    if (total === 0xffffffffffffffffn) return null;
    const parts: Buffer[] = [];
    for (let length = this.take(4).readUInt32LE(); length > 0; length = this.take(4).readUInt32LE())
      parts.push(this.take(length));
    return Buffer.concat(parts);
  }
}

// ---------------------------------------------------------------- writing

function packet(payload: Buffer, isLast: boolean, type: number = PACKET.tabular): Buffer {
  const packets: Buffer[] = [];
  const SIZE = 4088;
  for (let at = 0; at === 0 || at < payload.length; at += SIZE) {
    const part = payload.subarray(at, at + SIZE);
    const header = Buffer.alloc(8);
    header.writeUInt8(type, 0);
    header.writeUInt8(isLast && at + SIZE >= payload.length ? 1 : 0, 1);
    header.writeUInt16BE(part.length + 8, 2);
    header.writeUInt8(packets.length & 0xff, 6);
    packets.push(header, part);
  }
  return Buffer.concat(packets);
}

const u16 = (value: number) => Buffer.from(Uint16Array.of(value).buffer);
const u32 = (value: number) => Buffer.from(Uint32Array.of(value).buffer);
const short = (text: string) => Buffer.concat([Buffer.from([text.length]), Buffer.from(text, 'utf16le')]);
const long = (text: string) => Buffer.concat([u16(text.length), Buffer.from(text, 'utf16le')]);
const sized = (type: number, body: Buffer) => Buffer.concat([Buffer.from([type]), u16(body.length), body]);

/** SQL_Latin1_General_CP1_CI_AS. */
const LATIN1 = Buffer.from([0x09, 0x04, 0xd0, 0x00, 0x34]);

const loginAck = () =>
  sized(
    0xad,
    Buffer.concat([Buffer.from([1, 0x74, 0, 0, 4]), short('Microsoft SQL Server'), Buffer.from([13, 0, 0x10, 0])]),
  );
const environment = (type: number, now: string, before: string) =>
  sized(0xe3, Buffer.concat([Buffer.from([type]), short(now), short(before)]));
const collation = () => sized(0xe3, Buffer.concat([Buffer.from([7, LATIN1.length]), LATIN1, Buffer.from([0])]));
const packetSize = () => environment(4, '4096', '4096');

function transactionChange(type: number, now: number, before: number): Buffer {
  const descriptor = (n: number) => {
    if (n === 0) return Buffer.from([0]);
    const bytes = Buffer.alloc(9);
    bytes.writeUInt8(8, 0);
    bytes.writeUInt32LE(n, 1);
    return bytes;
  };
  return sized(0xe3, Buffer.concat([Buffer.from([type]), descriptor(now), descriptor(before)]));
}

function errorToken({
  number,
  message,
  class: severity = 16,
}: {
  number: number;
  message: string;
  class?: number;
}): Buffer {
  return sized(
    0xaa,
    Buffer.concat([u32(number), Buffer.from([1, severity]), long(message), short('sql.test'), short(''), u32(1)]),
  );
}

function done({ status = 0, count }: { status?: number; count?: number }, type = 0xfd): Buffer {
  const body = Buffer.alloc(13);
  body.writeUInt8(type, 0);
  body.writeUInt16LE(status | (count === undefined ? 0 : 0x10), 1);
  body.writeBigUInt64LE(BigInt(count ?? 0), 5);
  return body;
}
const doneInProcedure = (count: number) => done({ status: 1, count }, 0xff);
const doneProcedure = (status = 0) => done({ status }, 0xfe);
const returnStatus = () => Buffer.concat([Buffer.from([0x79]), u32(0)]);

const resultSet = (rows: readonly Readonly<Record<string, Value>>[]) => {
  if (rows.length === 0) return columns([{ nothing: null }]);
  return Buffer.concat([columns(rows), ...rows.map((row) => rowToken(row, rows))]);
};

type Kind = 'bigint' | 'int' | 'float' | 'bit' | 'nvarchar';

function kindOf(rows: readonly Readonly<Record<string, Value>>[], name: string): Kind {
  const values = rows.map((row) => row[name]).filter((value) => value !== null && value !== undefined);
  if (values.length > 0 && values.every((value) => typeof value === 'boolean')) return 'bit';
  if (values.length > 0 && values.every((value) => typeof value === 'bigint')) return 'bigint';
  if (values.length > 0 && values.every((value) => typeof value === 'number'))
    return values.every(Number.isInteger) ? 'int' : 'float';
  return 'nvarchar';
}

function columns(rows: readonly Readonly<Record<string, Value>>[]): Buffer {
  const names = Object.keys(rows[0] ?? {});
  const types: Record<Kind, Buffer> = {
    bigint: Buffer.from([0x26, 8]),
    int: Buffer.from([0x26, 4]),
    float: Buffer.from([0x6d, 8]),
    bit: Buffer.from([0x68, 1]),
    nvarchar: Buffer.concat([Buffer.from([0xe7, 0xff, 0xff]), LATIN1]),
  };
  const described = names.map((name) => Buffer.concat([u32(0), u16(9), types[kindOf(rows, name)], short(name)]));
  return Buffer.concat([Buffer.from([0x81]), u16(names.length), ...described]);
}

function rowToken(row: Readonly<Record<string, Value>>, rows: readonly Readonly<Record<string, Value>>[]): Buffer {
  const values = Object.keys(rows[0] ?? {}).map((name): Buffer => {
    const value = row[name] ?? null;
    const kind = kindOf(rows, name);
    if (kind === 'nvarchar') {
      if (value === null) return Buffer.alloc(8, 0xff);
      const text = Buffer.from(String(value), 'utf16le');
      const total = Buffer.alloc(8);
      total.writeBigUInt64LE(BigInt(text.length));
      return Buffer.concat([total, ...(text.length > 0 ? [u32(text.length), text] : []), u32(0)]);
    }
    if (value === null) return Buffer.from([0]);
    if (kind === 'bit') return Buffer.from([1, value ? 1 : 0]);
    const bytes = Buffer.alloc(kind === 'int' ? 5 : 9);
    bytes.writeUInt8(bytes.length - 1, 0);
    if (kind === 'int') bytes.writeInt32LE(Number(value), 1);
    else if (kind === 'bigint') bytes.writeBigInt64LE(BigInt(value as bigint), 1);
    else bytes.writeDoubleLE(Number(value), 1);
    return bytes;
  });
  return Buffer.concat([Buffer.from([0xd1]), ...values]);
}
