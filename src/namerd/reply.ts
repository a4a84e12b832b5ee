/** Requests and replies of the served API as data. Pure but for the Observables of streams. */
import type { Observable } from 'rxjs';

/** A request, read to its end. */
export interface Request {
  readonly method: string;
  /** Without the query, as it was sent. */
  readonly path: string;
  /** Without `?`. */
  readonly query: string;
  /** By names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body: string;
}

/** What is answered. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** All of it; or pieces as they come, until the end of the Observable. Absent: none. */
  readonly body?: string | Observable<string>;
}

/** What a namer, a store or a look-up said when it could not say what was asked for. */
export class Failure extends Error {}

/** The header of what is JSON. */
export const JSON_TYPE = { 'content-type': 'application/json' };

/** No body. */
export const empty = (status: number): Reply => ({ status });

/** A few words. */
export const words = (status: number, body: string): Reply => ({ status, body });

/** A document, with a line end behind it. */
export const line = (text: string, headers: Reply['headers'] = JSON_TYPE): Reply => ({
  status: 200,
  headers,
  body: `${text}\n`,
});

/** Documents as they come, a line each. A `Failure` is told in words, and ends them. */
export const lines = (body: Observable<string>, headers: Reply['headers'] = JSON_TYPE): Reply => ({
  status: 200,
  headers,
  body,
});

/** Values of a header. */
export const header = ({ headers }: Request, name: string): string | undefined => {
  const value = headers[name];
  return typeof value === 'object' ? value.join(', ') : value;
};

/** The media type of a header’s value, without parameters. */
export const mediaType = (value: string): string =>
  value.split(';', 1).join('').trim().toLowerCase();
