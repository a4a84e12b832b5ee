/** One HTTP request on a connection of its own, so that nothing stays open behind a test. */
import { request } from 'node:http';

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

export interface HttpOptions {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Asks and reads the whole answer. Errors: rejects when the connection breaks. */
export const ask = (url: string, { method = 'GET', headers = {}, body: sent }: HttpOptions = {}) =>
  new Promise<HttpAnswer>((resolve, reject) => {
    const outgoing = request(url, { method, headers, agent: false }, (incoming) => {
      let body = '';
      incoming.setEncoding('utf8');
      incoming.on('data', (text: string) => {
        body += text;
      });
      incoming.on('error', reject);
      incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body }));
    });
    outgoing.on('error', reject);
    outgoing.end(sent);
  });
