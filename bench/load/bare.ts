/** What HTTP itself costs on Node: takes a body, parses it, and answers what it was given for the path: `bare.ts port answers.json`. */
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

const [port, file = ''] = process.argv.slice(2);
const answers = new Map(
  Object.entries(JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>).map(
    ([path, answer]) => [path, Buffer.from(answer)] as const,
  ),
);
createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    if (body !== '') JSON.parse(body);
    const answer = answers.get(`${request.method} ${request.url} ${body.includes('"filter"')}`) ?? Buffer.from('{}');
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': answer.length });
    response.end(answer);
  });
}).listen(Number(port), '127.0.0.1');
